"""The texts behind what an answer cites, from the search index: articles as they stand on the day, rulings by their number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

_MOST = 12  # texts of one answer; a looping model can cite without end

Texts = Mapping[str, Any]  # '소득세법 제55조' or the key of a ruling -> taxlaw.search.Passage


def texts_of(search: Any, answer: str, as_of: date) -> Texts:
    """The passages of the articles and rulings that ``answer`` cites, as far as the index (None: none) holds them."""
    if search is None:
        return {}
    from taxlaw.citations import find_citations
    from taxlaw.ruling_numbers import find_ruling_numbers

    articles = [f"{one.law} {one.article}" for one in find_citations(answer) if one.law]
    found: dict[str, Any] = {}
    for name in list(dict.fromkeys(articles))[:_MOST]:
        for hit in search.find(name, as_of, 1):
            if hit.passage.title == name and hit.passage.kind == "article" and hit.passage.text:
                found[name] = hit.passage
    for number in {one.key: one for one in find_ruling_numbers(answer)}.values():
        if len(found) >= _MOST:
            break
        for hit in search.find(number.text, as_of, 1):
            if number.key in {one.key for one in find_ruling_numbers(hit.passage.title)}:
                found[number.key] = hit.passage
    return found


def statutes_of(texts: Texts, as_of: date) -> dict[tuple[str, str], Any]:
    """``texts`` as the verifier reads them, to compare quoted words: (law, article) -> StatuteArticle."""
    from taxlaw.statutes import StatuteArticle
    from taxlaw.versions import version_on

    found = {}
    for passage in texts.values():
        if passage.kind != "article" or passage.effective_from is None:
            continue
        law, _, article = passage.title.rpartition(" ")
        version = version_on(law, as_of)
        # A text from before its own day stands in for one the folders do not hold; the verifier then says so.
        settled = version is not None and passage.effective_from <= as_of
        promulgated = version.promulgated if settled else passage.effective_from
        found[law, article] = StatuteArticle(
            law, article, passage.heading, passage.text, passage.effective_from, promulgated, passage.source
        )
    return found
