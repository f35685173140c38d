"""What stands at "상증법 제53조" on a date: found, deleted, renumbered, not yet in force, or no such thing.

Joins the article index, the versions and the addenda; what they cannot settle is marked 시행일 확인 필요, never asserted.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from taxlaw.addenda import UNSETTLED, PendingAmendment, amendments, pending
from taxlaw.articles import ArticleStatus, Snapshot, articles_headed, history, lookup
from taxlaw.citations import Citation, find_citations, format_citation
from taxlaw.errors import ConfigError
from taxlaw.law_names import ACTS, act_of, compact, full_name, nearest_law
from taxlaw.statutes import StatuteArticle
from taxlaw.versions import Version, version_on

LookupStatus = Literal[
    "found",
    "deleted",
    "renumbered",
    "not_yet_in_force",
    "no_such_article",
    "no_such_law",
    "law_not_indexed",
    "law_not_named",
]


@dataclass(frozen=True)
class ProvisionReport:
    """The answer for one citation.

    ``moved_to``: the number the heading has on the date (renumbered).  ``version``: the version of the law to read, and
    ``effective`` its effective date.
    ``pending``: amendments in the text that are not in force.  ``confirm``: something needs a look by eye, see ``notes``.
    """

    citation: str
    as_of: date
    status: LookupStatus
    heading: str | None = None
    effective: date | None = None
    version: Version | None = None
    moved_to: str | None = None
    suggestions: tuple[str, ...] = ()
    pending: tuple[PendingAmendment, ...] = ()
    confirm: bool = False
    notes: tuple[str, ...] = ()
    text: str | None = None


def provision(
    citation: str | Citation, as_of: date, statutes: Mapping[tuple[str, str], StatuteArticle] | None = None
) -> ProvisionReport:
    """Look up the first provision that ``citation`` names.

    ``statutes``: what ``load_statutes`` gives, for the text.  Raises ConfigError when a string names no provision.
    """
    if isinstance(citation, str):
        found = find_citations(citation)
        if not found:
            raise ConfigError(f"조문 인용을 찾지 못했습니다: {citation!r}. '상증법 제53조'처럼 적어 주세요.")
        citation = found[0]
    name = format_citation(citation)
    if citation.law is None:
        return ProvisionReport(name, as_of, "law_not_named", notes=("법 이름이 없어 찾을 수 없습니다.",))
    base = lookup(citation.law, citation.article, as_of)
    if base.status == "no_such_law":
        return ProvisionReport(name, as_of, "no_such_law", suggestions=nearest_laws(citation.law))
    waiting = pending(citation.law, citation.article, as_of, citation.paragraph)
    version = version_on(citation.law, as_of)
    if base.status == "law_not_indexed":
        # A name near a tax law's may be a slip, or another law (관세사법): suggested, not asserted.
        near = () if full_name(citation.law) else nearest_laws(citation.law, cutoff=0.7)
        notes = tuple(fact.note(as_of) for fact in waiting)
        return ProvisionReport(
            name, as_of, "law_not_indexed", version=version, suggestions=near, pending=waiting, notes=notes
        )
    removal = _whole(waiting) if base.status != "found" else None
    status, heading, moved, notes, confirm = _settle(citation, as_of, base, waiting)
    text, remarks = _text(citation, as_of, version, statutes) if status == "found" else (None, ())
    return ProvisionReport(
        citation=name,
        as_of=as_of,
        status=status,
        heading=heading,
        effective=version.effective if version else base.effective,
        version=version,
        moved_to=moved,
        suggestions=(base.suggestion,) if base.suggestion and status == "no_such_article" else (),
        pending=waiting,
        confirm=confirm or any(not fact.settled and not fact.step_on(as_of) for fact in waiting),
        notes=(*notes, *remarks, *(fact.note(as_of) for fact in waiting if fact is not removal)),
        text=text,
    )


def nearest_laws(name: str, count: int = 3, cutoff: float = 0.5) -> tuple[str, ...]:
    """Known tax laws that a wrong name may mean, likeliest first, 시행령/시행규칙 kept."""
    act = act_of(name)
    suffix = name[len(act) :]
    near = difflib.get_close_matches(compact(act), [compact(law) for law in ACTS], n=count, cutoff=cutoff)
    best = nearest_law(name)
    others = [law + suffix for close in near for law in ACTS if compact(law) == close]
    return tuple(dict.fromkeys(([best] if best else []) + others))[:count]


def _settle(
    citation: Citation, as_of: date, base: ArticleStatus, waiting: tuple[PendingAmendment, ...]
) -> tuple[LookupStatus, str | None, str | None, tuple[str, ...], bool]:
    """(status, heading, moved to, notes, needs a look) from what the index and the addenda say together."""
    law, article = citation.law or "", citation.article
    past = history(law, article)
    now = max((i for i, there in enumerate(past) if there.day <= as_of), default=0)
    whole = _whole(waiting)
    if base.status != "found":
        moved = _moved(law, article, past, now)
        if whole is not None:
            # The text has lost the article, but the amendment that took it away is not the law yet.
            note = (
                f"이 조문을 옮기거나 없앤 개정이 {whole.effective or UNSETTLED}에 시행되므로 기준일에는 남아 있습니다."
            )
            heading = next((there.heading for there in reversed(past) if there.heading), None)
            return "found", heading, None, (note,), True
        if moved:
            return "renumbered", None, moved, (f"같은 제목의 조문이 기준일에는 {moved}입니다.",), False
        if later := next((there for there in past[now + 1 :] if there.state == "found"), None):
            note = f"기준일의 글에는 없고 {later.day} 기준의 글에 있는 조문입니다({later.heading})."
            return ("deleted" if base.status == "deleted" else "not_yet_in_force"), later.heading, None, (note,), False
        return ("deleted" if base.status == "deleted" else "no_such_article"), None, None, (), False
    birth = min((f for f in amendments(law, article) if f.new), key=lambda f: f.latest or date.max, default=None)
    if birth and (as_of < birth.promulgated or birth.effective is None or as_of < birth.effective):
        note = f"{birth.promulgated} 공포로 신설되어 {birth.effective or UNSETTLED}부터 시행되는 조문입니다."
        return "not_yet_in_force", base.heading, None, (note,), not birth.settled
    if whole is not None and past[now].state == "found" and _gone_by(past[now + 1 :], whole):
        # It stood in the text, was to come into force on that day, and is gone from the text after it.
        moved = _moved(law, article, past, now + 1)
        note = f"{whole.effective}에 시행될 예정이던 조문으로, 기준일에는 시행되지 않았습니다."
        return "not_yet_in_force", base.heading, moved, (note,), False
    changed = past[now + 1] if now + 1 < len(past) and past[now].day < as_of else past[now]
    if birth is None and past[now].state != changed.state:
        word = "생긴" if changed.state == "found" else "없어진"
        note = f"{past[now].day}와 {changed.day} 사이에 {word} 조문입니다: {UNSETTLED}."
        return "found", base.heading, None, (note,), True
    return "found", base.heading, None, (), False


def _whole(waiting: tuple[PendingAmendment, ...]) -> PendingAmendment | None:
    """A waiting amendment of the article as a whole."""
    return next((f for f in waiting if f.kind == "시행일" and not (f.partial or f.paragraph or f.subparagraph)), None)


def _gone_by(later: tuple[Snapshot, ...], whole: PendingAmendment) -> bool:
    return bool(later) and later[0].state != "found" and whole.latest is not None and whole.latest <= later[0].day


def _moved(law: str, article: str, past: tuple[Snapshot, ...], now: int) -> str | None:
    """The one other number under which the article's heading stands at date ``now`` of the index, if it moved there."""
    if now >= len(past):
        return None
    for other in (*reversed(past[:now]), *past[now + 1 :]):
        if other.state != "found" or other.heading is None:
            continue
        there = [
            number
            for number in articles_headed(law, other.heading, past[now].day)
            if number != article and number not in articles_headed(law, other.heading, other.day)
        ]
        return there[0] if len(there) == 1 else None
    return None


def _text(
    citation: Citation,
    as_of: date,
    version: Version | None,
    statutes: Mapping[tuple[str, str], StatuteArticle] | None,
) -> tuple[str | None, tuple[str, ...]]:
    """The text, when the folder has it, and a remark when it is not the version of the date."""
    article = (statutes or {}).get((citation.law or "", citation.article))
    if article is None:
        return None, ()
    if article.promulgated > as_of or (version and article.promulgated < version.promulgated):
        wanted = f" 기준일의 판은 {version.promulgated} 공포 제{version.number}호입니다." if version else ""
        return article.text, (
            f"보이는 글은 {article.promulgated} 공포된 판이라 기준일의 글과 다를 수 있습니다.{wanted}",
        )
    return article.text, ()
