"""Rows that are trained and measured as a question with retrieval on is asked: their evidence before the question.

The user turn is made by taxlaw.evidence_prompt, which serving uses too.  A row's ``evidence`` is the text its teacher was
shown, with the name of the article or ruling at its head; that head becomes the source's, so that both look alike.  A
quoting row (family ``grounded:``) holds several sources as they are shown already.

With ``refers`` a quoting row teaches to name the source, and code quotes it (taxlaw.source_reference).

What a row with evidence teaches without it is to ask for it (taxlaw.evidence_prompt.LOOK_UP): a small model does not know
the law by heart, and what it makes up reads like law.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.data import Row

_ARTICLE = re.compile(
    r"(?P<title>[^\n]+ 제\d+조(?:의\d+)*)\((?P<heading>[^\n]+)\)\n(?:시행일: (?P<day>\d{4}-\d\d-\d\d)\n)?"
)
AS_FOUND = "grounded:"  # family of rows whose evidence is several sources, shown as it stands
_ISSUE, _NUMBER, _REPLIED = "쟁점: ", "문서번호: ", "회신일: "


def user_turn(row: Row) -> str:
    """What the model is asked: the question, with the row's evidence before it when it is to be shown."""
    if not row.shows_evidence:
        return row.question
    from taxlaw.evidence_prompt import with_evidence, with_sources
    from taxlaw.search.passages import Hit

    if row.family.startswith(AS_FOUND):
        # Its evidence is what a search found, made by sources_text: the right source must not be told from the others.
        return with_sources(row.question, row.evidence)
    return with_evidence(row.question, [Hit(_passage(row), 1.0, 1)])


def show_evidence(rows: Sequence[Row], share: float, seed: int, refers: bool = False) -> list[Row]:
    """``rows``, of those that have evidence about ``share`` (0 to 1) with it to be shown; the same ones every time.

    With any share, the others that were answered from evidence are to ask for it.  With ``refers``, those that quote one of
    several sources are to name it instead.
    """
    return [_shown(row, share, seed, refers) if share and row.evidence else row for row in rows]


def reference_of(row: Row) -> str | None:
    """What a quoting row teaches to write instead of the quotation; None when its article is not among its sources."""
    from taxlaw.source_reference import reference_to

    (title,) = row.articles[:1] or ("",)
    paragraph = re.search(rf"{re.escape(title)} 제(\d+)항", row.answer)
    found = reference_to(title, int(paragraph[1]) if paragraph else None, row.evidence)
    return str(found) if found else None


def _shown(row: Row, share: float, seed: int, refers: bool) -> Row:
    if _draw(row.id, seed) < share:
        shown = row.showing_evidence()
        return shown.referring() if refers and row.family.startswith(AS_FOUND) else shown
    return row if row.call or row.style in ("ask_back", "refusal") else row.asking_evidence()


def _draw(name: str, seed: int) -> float:
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _passage(row: Row):
    from taxlaw.search.passages import Passage

    def passage(kind: str, title: str, heading: str, text: str, day: str | None) -> Passage:
        since = date.fromisoformat(day) if day else None
        return Passage(row.id, kind, title, text, heading, since, None, "", "")

    if found := _ARTICLE.match(row.evidence):
        return passage("article", found["title"], found["heading"], row.evidence[found.end() :], found["day"])
    lines = row.evidence.splitlines()
    head = {
        mark: line.removeprefix(mark) for line in lines for mark in (_ISSUE, _NUMBER, _REPLIED) if line.startswith(mark)
    }
    if _NUMBER in head:
        text = "\n".join(line for line in lines if not line.startswith((_ISSUE, _NUMBER, _REPLIED)))
        return passage("ruling", head[_NUMBER], head.get(_ISSUE, ""), text, head.get(_REPLIED))
    return passage("article", row.articles[0] if row.articles else "자료", "", row.evidence, None)
