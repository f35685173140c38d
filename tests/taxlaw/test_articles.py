"""If these fail, real articles are called invented, or invented ones real."""

import gzip
import json
from datetime import date
from pathlib import Path

import pytest

from taxlaw.articles import index_dates, indexed_laws, lookup

DATA = Path(__file__).parents[2] / "taxlaw" / "data" / "article_index.tsv.gz"
SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "statutes" / "article_index.jsonl.gz"
DAY = date(2025, 7, 1)


def test_an_article_is_found_with_its_heading():
    status = lookup("상속세 및 증여세법", "제53조", DAY)
    assert (status.status, status.heading) == ("found", "증여재산 공제")
    assert status.effective == date(2025, 3, 14)
    assert lookup("상증법", "제53조", DAY) == status


@pytest.mark.parametrize(
    ("law", "article", "status", "suggestion"),
    [
        ("소득세법", "제18조", "deleted", None),
        ("소득세법", "제999조", "no_such_article", None),
        ("상속세 및 증여세법", "제47조의2", "no_such_article", "제47조"),
        ("증여세법", "제53조", "no_such_law", "상속세 및 증여세법"),
        ("양도소득세법 시행령", "제1조", "no_such_law", "소득세법 시행령"),
        ("민법", "제839조의2", "law_not_indexed", None),
        ("상속세법", "제1조", "law_not_indexed", None),
        ("난민법", "제2조", "law_not_indexed", None),
    ],
)
def test_what_is_not_there(law, article, status, suggestion):
    found = lookup(law, article, DAY)
    assert (found.status, found.suggestion) == (status, suggestion)


def test_dates_choose_the_version():
    first, _, last = index_dates()
    assert lookup("관세법", "제235조의2", first).status == "no_such_article"
    assert lookup("관세법", "제235조의2", last).status == "found"
    # The earliest version answers for earlier days; between two dates either version may vouch for an article.
    assert lookup("관세법", "제234조의2", date(2000, 1, 1)).status == "no_such_article"
    assert lookup("관세법", "제234조의2", date(2025, 1, 15)).status == "found"


def test_the_index_is_small_and_covers_acts_decrees_and_rules():
    assert DATA.stat().st_size < 400_000
    assert {"소득세법", "소득세법 시행령", "소득세법 시행규칙", "지방세특례제한법"} <= set(indexed_laws())


@pytest.mark.skipif(not SOURCE.is_file(), reason="shared data is not here")
def test_every_row_of_the_source_is_answered_as_it_says():
    with gzip.open(SOURCE, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for row in rows:
        status = lookup(row["law"], row["article"], date.fromisoformat(row["as_of"]))
        assert status.status == ("deleted" if row["deleted"] else "found"), row
        assert status.effective == date.fromisoformat(row["effective"])
        assert (status.heading or "") == ("" if row["deleted"] else " ".join(row["title"].split()))
