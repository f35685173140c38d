"""Gates of truth: articles exist on the row's date, amounts recompute, and what is said rests on the evidence.

taxlaw.verify is the one verifier; these gates show it the rows and decide what a kind of row may be excused from.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from data_gen.gates.verdicts import Said, texts_of
from data_gen.rows import Candidate, Row
from data_gen.support import loose_amounts
from taxlaw.addenda import pending
from taxlaw.articles import lookup
from taxlaw.call_check import objections
from taxlaw.calls import Call, answer_payable, facts_of, parse_call, run_call
from taxlaw.cases import read_case
from taxlaw.citations import Citation, find_citations
from taxlaw.errors import TaxLawError
from taxlaw.figures import find_figures
from taxlaw.findings import NOT_YET, Finding
from taxlaw.lookup import provision
from taxlaw.money import find_amounts
from taxlaw.verify import verify

# Keys whose values are the calculators' own names (무신고, 그 밖의 부동산): a question says such things in its own words.
CATEGORIES = {"tax", "relation", "kind", "asset", "cause"}
# Taxes whose every template the reader of taxlaw.cases must understand.
READ_BACK = frozenset({"gift", "income", "vat_simplified", "corporate"})


def citations_gate(candidate: Candidate) -> Said:
    """Each article cited in the texts and listed in ``articles`` exists, undeleted, on the row's date, and one at least of
    those the answer cites is an article of the evidence, when that names any.

    A law_change row may name one that is gone or still to come, when it says the day.
    """
    row = candidate.row
    as_of = datetime.date.fromisoformat(row.as_of)
    listed = []
    for text in row.articles:
        found = find_citations(text)
        if len(found) != 1 or found[0].law is None:
            return False, f"articles: 조문 하나로 읽을 수 없습니다: {text!r}"
        listed += found
    numbers = {citation.article for citation in listed}
    cited = [citation for _, text in texts_of(row) for citation in find_citations(text)]
    numbers |= {citation.article for citation in cited if citation.law}
    unknown = 0
    for citation in [*listed, *cited]:
        if citation.law is None:
            # "제53조에 따라" is clear only when the row says elsewhere whose article that is.
            if citation.article not in numbers:
                return False, f"법령 이름이 없는 조문: {citation.text!r}"
            continue
        status = lookup(citation.law, citation.article, as_of)
        # A law outside the index cannot be confirmed; the card counts tax laws only and says so.
        unknown += status.status == "law_not_indexed"
        if status.status not in ("found", "law_not_indexed"):
            if row.style == "law_change" and _dated_change(citation, row.answer, as_of):
                continue
            hint = f" 혹시 {status.suggestion}?" if status.suggestion else ""
            return False, f"{as_of} 현재 없는 조문: {citation.law} {citation.article} ({status.status}).{hint}"
    if fault := _beside_the_evidence(row, listed):
        return False, fault
    total = len(listed) + len(cited)
    return True, f"조문 {total}곳" + (f" (색인 밖 {unknown}곳)" if unknown else "")


def _beside_the_evidence(row: Row, listed: list[Citation]) -> str:
    """Why the row does not rest on its evidence, else empty: all it cites exists, but none of it is what it was shown.

    The verifier leaves such an article unchecked.  One more article than the evidence names is common and harmless; none
    in common is a slip of the number.
    """
    own = row.family.removeprefix("law:") if row.family.startswith("law:") else ""
    shown = _keys(find_citations(f"{row.evidence}\n{own}"))
    if not shown or row.style == "refusal":
        return ""
    shown |= _keys(
        citation for name, text in texts_of(row) if name.endswith("질문") for citation in find_citations(text)
    )
    for what, named in (("답변", _keys(find_citations(row.answer))), ("articles", _keys(listed))):
        if named and not named & shown:
            return f"{what}이(가) 든 조문이 근거에 없습니다: {', '.join(' '.join(key) for key in sorted(named))}"
    return ""


def _keys(citations: Iterable[Citation]) -> set[tuple[str, str]]:
    return {(citation.law, citation.article) for citation in citations if citation.law}


def amounts_gate(candidate: Candidate) -> Said:
    """Rows with a call: the question supports the call, and call, ``payable`` and answer agree to the won.

    A worked question of the four basic taxes must read back as its call.  Other wordings may be beyond our reader, which then
    refuses: then the call must say nothing that the question does not.  Where it reads one, it must agree.
    """
    row = candidate.row
    as_of = datetime.date.fromisoformat(row.as_of)
    try:
        call = parse_call(row.call or "")
        computed = run_call(call, as_of).payable
    except TaxLawError as exc:
        return False, f"call을 계산할 수 없습니다: {exc}"
    worded = call.model_dump(exclude_defaults=True, exclude=CATEGORIES)
    missing = [value for value in worded.values() if isinstance(value, str) and value not in row.question]
    if missing:
        return False, f"질문에 없는 말이 call에 있습니다: {', '.join(missing)}"
    if fault := _unlike_the_question(row, call, as_of):
        return False, fault
    if computed != row.payable:
        stated = "없음" if row.payable is None else f"{row.payable:,}원"
        return False, f"payable {stated} ≠ 계산 {computed:,}원"
    stated = answer_payable(row.answer, as_of)
    if stated is None and row.style == "calculation" and (amounts := find_amounts(row.answer)):
        stated = amounts[-1].won  # 가산세 and the like: the task asks for the answer to end in what was asked
    if stated != row.payable:
        return False, f"답변의 세액 {'없음' if stated is None else f'{stated:,}원'} ≠ 계산 {computed:,}원"
    verdict = verify(row.question, row.answer, as_of) if row.style == "worked" else None
    if verdict is not None and not verdict.ok:
        return False, _told(verdict.findings)
    return True, f"다시 계산한 세액 {computed:,}원과 같음"


def _unlike_the_question(row: Row, call: Call, as_of: datetime.date) -> str:
    """Why the question does not state the call's case, else empty."""
    try:
        read = read_case(row.question)
    except TaxLawError as exc:
        if row.style == "worked" and row.tax in READ_BACK:
            return f"질문만 읽어서는 풀 수 없습니다: {exc}"
        return "; ".join(objections(row.question, call))
    if facts_of(read, as_of) != facts_of(call, as_of):
        return f"질문에서 읽은 사실이 call과 다릅니다: {facts_of(read, as_of)}"
    return ""


def verify_gate(candidate: Candidate) -> Said:
    """The verifier finds no fault in any turn, and every amount rests on the question, the evidence, law or a sum.

    Stricter than the verifier: what it leaves unchecked for want of a source is not good enough to teach.
    """
    row = candidate.row
    as_of = datetime.date.fromisoformat(row.as_of)
    summary = ""
    for where, question, answer, source in _turns(row):
        # Without a source (an unlabelled question) there is nothing to compare with, which is not an empty source.
        verdict = verify(question, answer, as_of, source or None)
        faults = [
            finding
            for finding in verdict.findings
            if finding.severity == "fault"
            and not (row.style == "law_change" and _excused(finding, question, answer, as_of))
        ]
        if faults:
            return False, where + _told(faults)
        if loose := loose_amounts(question, answer, source):
            return False, f"{where}질문·근거·계산 어디에도 없는 금액: {', '.join(loose)}"
        summary = verdict.summary()
    return True, summary


def _turns(row: Row) -> Iterator[tuple[str, str, str, str]]:
    """(where, question, answer, source) of every turn; what was said before is a source of what is said after."""
    source = row.evidence
    for number, turn in enumerate(row.history, 1):
        yield f"{number}번째 문답: ", turn.question, turn.answer, source
        source = f"{source}\n{turn.question}\n{turn.answer}"
    yield "", row.question, row.answer, source


def _told(findings) -> str:
    return "; ".join(f"{one.kind}: {one.message}" for one in findings if one.severity == "fault")


def _excused(fault: Finding, question: str, answer: str, as_of: datetime.date) -> bool:
    """Whether a fault is what a law_change row is about: law of another day, told with that day."""
    if fault.kind == "number":
        return fault.code == NOT_YET and _later_day(answer, as_of)
    if fault.kind != "citation" or fault.span is None:
        return False
    at = [c for c in find_citations(answer) if c.start < fault.span[1] and fault.span[0] < c.end and c.law]
    return bool(at) and all(_dated_change(citation, answer, as_of) for citation in at)


def _dated_change(citation: Citation, answer: str, as_of: datetime.date) -> bool:
    """The article is to come and the answer gives its day (or, where addenda leave that open, a later day); or it is gone
    and the answer gives a day up to now and says that it was."""
    status = provision(citation, as_of).status
    if status == "not_yet_in_force":
        days = {
            (fact.effective.year, fact.effective.month)
            for fact in pending(citation.law, citation.article, as_of)
            if fact.settled and fact.effective
        }
        told = {(year, month) for year, month, _ in _days(answer) if year}
        return bool(days & told) if days else _later_day(answer, as_of)
    if status in ("deleted", "renumbered"):
        gone = any(word in answer for word in ("삭제", "폐지", "옮", "이동", "바뀌"))
        return gone and any(year and year <= as_of.year for year, _, _ in _days(answer))
    return False


def _later_day(answer: str, as_of: datetime.date) -> bool:
    now = (as_of.year, as_of.month, as_of.day)
    return any(year and (year, month or 12, day or 31) > now for year, month, day in _days(answer))


def _days(text: str) -> list[tuple[int | None, int | None, int | None]]:
    return [figure.value for figure in find_figures(text) if figure.kind == "date"]
