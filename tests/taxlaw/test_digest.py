"""If these fail, the embedded digest cites articles that do not exist or cannot be read."""

from datetime import date

import pytest

from taxlaw.articles import index_dates, lookup
from taxlaw.digest import load_digest
from taxlaw.errors import SourceError
from taxlaw.law_names import compact

ENTRY = """- id: law:상속세 및 증여세법:제53조
  law: 상속세 및 증여세법
  article: 제53조
  heading: 증여재산 공제
  effective: 2014-01-01
  rule: 시험을 위해 지은 문장이다.
  figures: ['5,000만원']
  area: 상속증여
"""


def test_an_entry_is_read(tmp_path):
    path = tmp_path / "digest.yaml"
    path.write_text(ENTRY, encoding="utf-8")
    (provision,) = load_digest(path)
    assert (provision.law, provision.article, provision.area) == ("상속세 및 증여세법", "제53조", "상속증여")
    assert provision.effective == date(2014, 1, 1)
    assert provision.figures == ("5,000만원",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ENTRY + "  colour: red\n", "colour"),
        (ENTRY.replace("제53조\n  heading", "53조\n  heading"), "article"),
        (ENTRY.replace("2014-01-01", "언젠가"), "effective"),
        (ENTRY + ENTRY, "겹칩니다"),
        ("law: x\n", "목록"),
        ("- [\n", "읽을 수 없습니다"),
    ],
)
def test_a_wrong_entry_is_an_error(tmp_path, text, reason):
    path = tmp_path / "digest.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=reason):
        load_digest(path)


def test_every_provision_of_the_digest_exists_under_its_heading():
    wrong = []
    for provision in load_digest():
        status = lookup(provision.law, provision.article, index_dates()[-1])
        if status.status != "found" or compact(status.heading) != compact(provision.heading):
            wrong.append((provision.id, provision.heading, status))
        if provision.id != f"law:{provision.law}:{provision.article}":
            wrong.append((provision.id, "id and article differ"))
    assert wrong == []
    assert len(load_digest()) >= 60
