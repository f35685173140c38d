"""How many paragraphs (항) an article has: a second small index beside that of articles.py, facts only."""

from __future__ import annotations

from functools import cache

from taxlaw.table_files import read_table


def paragraph_count(law: str, article: str) -> int | None:
    """The highest number of paragraphs the article had at any date of the index (0: not divided); None when unknown.

    ``law`` is a full name ('소득세법 시행령'), ``article`` '제59조의4'.
    """
    return _index().get(law, {}).get(article.removeprefix("제").replace("조", ""))


def article_numbers(law: str) -> tuple[str, ...]:
    """Every article of a law that is not deleted at some date of the index: '제1조', '제1조의2' …"""
    return tuple(_article(number) for number in _index().get(law, {}))


def _article(number: str) -> str:
    base, _, branch = number.partition("의")
    return f"제{base}조" + (f"의{branch}" if branch else "")


@cache
def _index() -> dict[str, dict[str, int]]:
    lines = read_table("paragraph_index.tsv.gz").splitlines()
    laws: dict[str, dict[str, int]] = {}
    articles: dict[str, int] = {}
    for line in lines:
        number, _, count = line.partition("\t")
        if count:
            articles[number] = int(count)
        else:
            laws[number.removeprefix("#")] = articles = {}
    return laws
