"""What a check reports: one finding, and the verdict that gathers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["citation", "number", "calculation", "contradiction", "form"]
Severity = Literal["fault", "unchecked", "confirmed"]

NOT_YET = 5  # in REASONS; an unchecked finding of this code is an amendment whose day is open
OTHER_CASE, UNFOUNDED = 13, 18
# What language models get wrong about tax law; the numbers are stable, a report may count them.
REASONS: dict[int, str] = {
    1: "없는 조문·법령",
    2: "조문은 있으나 내용·제목·항이 다름",
    3: "법령 이름 없는 조문",
    4: "옛 법",
    5: "아직 시행되지 않은 법",
    6: "삭제·이동된 조문",
    7: "공제 누락·오류",
    8: "세율 구간·누진 계산 오류",
    13: "질문과 다른 조건의 계산",
    15: "금액 단위·자릿수 오류",
    18: "근거에 없는 수치",
    19: "근거와 반대되는 결론·경계",
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at.  ``span`` are offsets in the answer; ``expected`` is what should stand there, if known.

    ``code`` says which kind of mistake (REASONS); None when it is none of them.
    """

    kind: Kind
    severity: Severity
    span: tuple[int, int] | None
    message: str
    expected: str | None = None
    code: int | None = None


@dataclass(frozen=True)
class Verdict:
    """``ok`` is False when, and only when, a finding is a fault."""

    ok: bool
    findings: tuple[Finding, ...]

    def count(self, kind: Kind, severity: Severity) -> int:
        """Number of findings of this kind and severity."""
        return sum(finding.kind == kind and finding.severity == severity for finding in self.findings)

    def summary(self) -> str:
        """One Korean line: '인용 2/2 확인 · 금액 재계산 일치'."""
        contradictions, form = self.count("contradiction", "fault"), self.count("form", "fault")
        return " · ".join(
            part
            for part in (
                self._citations(),
                self._amount(),
                self._calculations(),
                self._call(),
                self._open_days(),
                f"근거와 어긋남 {contradictions}건" if contradictions else "",
                f"형식 문제 {form}건" if form else "",
            )
            if part
        )

    def _citations(self) -> str:
        confirmed, wrong = self.count("citation", "confirmed"), self.count("citation", "fault")
        total = confirmed + wrong + self.count("citation", "unchecked") - len(self._unsettled())
        if not total:
            return "인용 없음"
        return f"인용 {confirmed}/{total} 확인" + (f"(잘못 {wrong})" if wrong else "")

    def _amount(self) -> str:
        faults = [finding for finding in self.findings if finding.kind == "number" and finding.severity == "fault"]
        for finding in faults:
            if finding.expected:
                return f"금액 불일치(바른 값 {finding.expected})"
        if faults:
            return f"근거 없는 숫자 {len(faults)}건"
        if self.count("number", "confirmed"):
            return "금액 재계산 일치"
        return "금액 일부 미확인" if self.count("number", "unchecked") else ""

    def _unsettled(self) -> list[Finding]:
        return [f for f in self.findings if (f.kind, f.severity, f.code) == ("citation", "unchecked", NOT_YET)]

    def _open_days(self) -> str:
        return f"시행일 확인 필요 {len(waiting)}건" if (waiting := self._unsettled()) else ""

    def _objections(self) -> list[Finding]:
        codes = (OTHER_CASE, UNFOUNDED)
        return [f for f in self.findings if f.kind == "calculation" and f.severity == "fault" and f.code in codes]

    def _call(self) -> str:
        return f"질문과 다른 계산 요청 {len(found)}건" if (found := self._objections()) else ""

    def _calculations(self) -> str:
        right = self.count("calculation", "confirmed")
        wrong = self.count("calculation", "fault") - len(self._objections())
        if not right + wrong:
            return ""
        return f"계산식 {right}/{right + wrong} 일치" + (f"(잘못 {wrong})" if wrong else "")
