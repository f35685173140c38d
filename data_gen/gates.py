"""The gates: each looks at one row and says True, or (False, why).  A row is kept only when every gate that concerns it says True.

They judge with taxlaw alone: no model is asked whether a model was right.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Callable
from functools import partial

from data_gen.rows import Candidate, Rejection, Row
from data_gen.settings import LengthSettings
from data_gen.support import loose_amounts

Verdict = bool | tuple[bool, str]
Gate = Callable[[Candidate], Verdict]

# In the order they are applied: cheap ones first, the one that remembers last.
GATE_NAMES = ("schema", "korean", "citations", "amounts", "verify", "length", "duplicate")
# Below this share of Hangul among the letters a text is not Korean; calls, won and law numbers are not letters.
HANGUL_SHARE = 0.6


def make_gates(length: LengthSettings) -> list[tuple[str, Gate]]:
    """The gates in order.  The last one remembers what it let through, so make one list a run."""
    bounded = partial(length_gate, length=length)
    gates = (schema_gate, korean_gate, citations_gate, amounts_gate, verify_gate, bounded, DuplicateGate())
    return list(zip(GATE_NAMES, gates, strict=True))


def judge(candidate: Candidate, gates: list[tuple[str, Gate]]) -> Row | Rejection:
    """The row with the names of the gates it passed, or its rejection by the first gate that refused it."""
    passed = []
    for name, gate in gates:
        if not _concerns(name, candidate.row):
            continue
        verdict = gate(candidate)
        if verdict is not True:
            return Rejection(candidate.passed(passed), name, verdict[1])
        passed.append(name)
    return candidate.passed(passed)


def _concerns(name: str, row: Row) -> bool:
    if name == "amounts":
        return row.style == "worked"
    if name == "verify":
        return row.style != "worked"
    return True


def schema_gate(candidate: Candidate) -> Verdict:
    """The teacher's reply held this pair in the asked form, and nothing the dataset needs is blank."""
    if candidate.schema_fault:
        return False, candidate.schema_fault
    blank = [key for key in ("question", "answer", "articles") if not getattr(candidate.row, key)]
    if blank:
        return False, f"빈 값: {', '.join(blank)}"
    if candidate.row.style == "worked" and (candidate.row.call is None or candidate.row.payable is None):
        return False, "계산 예제에 call 또는 payable이 없습니다"
    return True


def korean_gate(candidate: Candidate) -> Verdict:
    """Question and answer are mostly Hangul, in composed form, without broken characters."""
    for name in ("question", "answer"):
        text = getattr(candidate.row, name)
        if "\ufffd" in text:
            return False, f"{name}: 깨진 글자가 있습니다"
        if text != unicodedata.normalize("NFC", text):
            return False, f"{name}: 한글이 자모로 풀려 있습니다 (not NFC)"
        letters = [letter for letter in text if letter.isalpha()]
        hangul = sum("가" <= letter <= "힣" for letter in letters)
        if not letters or hangul / len(letters) < HANGUL_SHARE:
            return False, f"{name}: 한국어가 아닙니다 (글자 가운데 한글 {hangul}/{len(letters)})"
    return True


def citations_gate(candidate: Candidate) -> Verdict:
    """Each article cited in the texts and listed in ``articles`` exists, undeleted, on the row's date."""
    from taxlaw.articles import lookup
    from taxlaw.citations import find_citations

    row = candidate.row
    as_of = datetime.date.fromisoformat(row.as_of)
    listed = []
    for text in row.articles:
        found = find_citations(text)
        if len(found) != 1 or found[0].law is None:
            return False, f"articles: 조문 하나로 읽을 수 없습니다: {text!r}"
        listed += found
    numbers = {citation.article for citation in listed}
    for citation in [*listed, *find_citations(row.question), *find_citations(row.answer)]:
        if citation.law is None:
            # "제53조에 따라" is clear only when the row says elsewhere whose article that is.
            if citation.article not in numbers:
                return False, f"법령 이름이 없는 조문: {citation.text!r}"
            continue
        status = lookup(citation.law, citation.article, as_of)
        # A law outside the index cannot be confirmed; the card counts tax laws only and says so.
        if status.status not in ("found", "law_not_indexed"):
            hint = f" 혹시 {status.suggestion}?" if status.suggestion else ""
            return False, f"{as_of} 현재 없는 조문: {citation.law} {citation.article} ({status.status}).{hint}"
    return True


def amounts_gate(candidate: Candidate) -> Verdict:
    """Worked rows: the question reads back as the call, and call, ``payable`` and answer agree to the won."""
    from taxlaw.calls import answer_payable, facts_of, parse_call, run_call
    from taxlaw.cases import read_case
    from taxlaw.errors import TaxLawError

    row = candidate.row
    as_of = datetime.date.fromisoformat(row.as_of)
    try:
        call = parse_call(row.call or "")
        computed = run_call(call, as_of).payable
    except TaxLawError as exc:
        return False, f"call을 계산할 수 없습니다: {exc}"
    worded = call.model_dump(exclude_defaults=True, exclude={"tax", "relation"})
    missing = [value for value in worded.values() if isinstance(value, str) and value not in row.question]
    if missing:
        return False, f"질문에 없는 말이 call에 있습니다: {', '.join(missing)}"
    try:
        read = read_case(row.question)
    except TaxLawError as exc:
        return False, f"질문만 읽어서는 풀 수 없습니다: {exc}"
    if facts_of(read, as_of) != facts_of(call, as_of):
        return False, f"질문에서 읽은 사실이 call과 다릅니다: {facts_of(read, as_of)}"
    if computed != row.payable:
        return False, f"payable {row.payable:,}원 ≠ 계산 {computed:,}원"
    stated = answer_payable(row.answer, as_of)
    if stated != row.payable:
        return False, f"답변의 세액 {'없음' if stated is None else f'{stated:,}원'} ≠ 계산 {computed:,}원"
    return _no_fault(row, as_of, evidence=None)


def verify_gate(candidate: Candidate) -> Verdict:
    """Document rows: the verifier finds no fault, and every amount rests on the text the teacher was shown."""
    row = candidate.row
    verdict = _no_fault(row, datetime.date.fromisoformat(row.as_of), evidence=row.evidence)
    if verdict is not True:
        return verdict
    loose = loose_amounts(row.question, row.answer, row.evidence)
    return (False, f"질문·근거·계산 어디에도 없는 금액: {', '.join(loose)}") if loose else True


def _no_fault(row: Row, as_of: datetime.date, evidence: str | None) -> Verdict:
    from taxlaw.verify import verify

    verdict = verify(row.question, row.answer, as_of, evidence)
    if verdict.ok:
        return True
    faults = [finding for finding in verdict.findings if finding.severity == "fault"]
    return False, "; ".join(f"{fault.kind}: {fault.message}" for fault in faults)


def length_gate(candidate: Candidate, length: LengthSettings) -> Verdict:
    row = candidate.row
    for name, low, high in (
        ("question", length.question_min, length.question_max),
        ("answer", length.answer_min, length.answer_max),
    ):
        size = len(getattr(row, name))
        if not low <= size <= high:
            return False, f"{name}: {size}자 (허용 {low}~{high}자)"
    return True


class DuplicateGate:
    """The same question, runs of spaces aside, was kept before.  Digits count: 2억 and 3억 are two questions."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def __call__(self, candidate: Candidate) -> Verdict:
        key = " ".join(candidate.row.question.split())
        if key in self._kept:
            return False, f"같은 질문이 이미 있습니다: {self._kept[key]}"
        self._kept[key] = candidate.row.id
        return True
