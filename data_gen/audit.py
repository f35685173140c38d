"""Somebody else's dataset, checked: which rows cite law that does not exist, and which figures do not recompute.

Reads the predecessor's format (a list of question, answer, type, source), JSONL, and {"data": [...]}.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from data_gen.errors import BadInput

if TYPE_CHECKING:
    from taxlaw.calculators import Result
    from taxlaw.verify import Verdict


class AuditRow(BaseModel):
    """One foreign row.  Unlike our own files it may carry keys we do not know: they are not what is audited."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    question: str
    answer: str
    type: str | None = None
    source: str | None = None
    as_of: datetime.date | None = None
    evidence: str | None = None


@dataclass(frozen=True)
class AuditedRow:
    number: int
    """Position in the file, from 1."""
    row: AuditRow
    as_of: datetime.date
    verdict: Verdict
    result: Result | None
    """The tax of the question, recomputed; None when the question states no case that code can read for certain."""
    unread: str
    """Why there is no ``result``."""

    @property
    def faults(self) -> list:
        return [finding for finding in self.verdict.findings if finding.severity == "fault"]


def read_rows(path: Path) -> list[AuditRow]:
    """Rows of the file.  Raises BadInput naming the line or row that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise BadInput(f"파일이 없습니다: {path}\n  No such file. 경로를 확인하세요.") from exc
    except IsADirectoryError as exc:
        raise BadInput(f"파일이 아니라 폴더입니다: {path}\n  검사할 .json 또는 .jsonl 파일을 주세요.") from exc
    except UnicodeDecodeError as exc:
        raise BadInput(f"UTF-8 파일이 아닙니다: {path}\n  UTF-8로 저장해 다시 시도하세요. ({exc.reason})") from exc
    rows = [_row(raw, number, path) for number, raw in enumerate(_raw_rows(text, path), 1)]
    if not rows:
        raise BadInput(f"검사할 행이 없습니다: {path} (no rows)")
    return rows


def _raw_rows(text: str, path: Path) -> list:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        if path.suffix == ".jsonl" or (error.msg == "Extra data" and text.lstrip().startswith("{")):
            return _lines(text, path)
        raise BadInput(
            f"JSON이 잘못되었습니다: {path} {error.lineno}번째 줄 {error.colno}번째 글자\n  {error.msg}"
        ) from error
    if isinstance(whole, dict):
        # {"data": [...]}, or a JSONL file of a single line.
        whole = whole.get("data", [whole] if "question" in whole else None)
    if not isinstance(whole, list):
        raise BadInput(
            f'행의 목록이 아닙니다: {path}\n  [{{"question": …, "answer": …}}, …] 또는 {{"data": [...]}} 꼴이어야 합니다.'
        )
    return whole


def _lines(text: str, path: Path) -> list:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as exc:
                raise BadInput(f"JSON이 아닌 줄이 있습니다: {path}:{number}\n  {exc.msg}") from exc
    return rows


def _row(raw: object, number: int, path: Path) -> AuditRow:
    try:
        return AuditRow.model_validate(raw)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "행"
        raise BadInput(
            f"{path}: {number}번째 행의 {where}: {first['msg']}\n  question과 answer는 글이어야 합니다."
        ) from exc


def audit_row(number: int, row: AuditRow, as_of: datetime.date) -> AuditedRow:
    """Verify one row and recompute its question.  The date is the row's own when it carries one."""
    from taxlaw.calls import run_call
    from taxlaw.cases import read_case
    from taxlaw.errors import UnsupportedCase
    from taxlaw.verify import verify

    as_of = row.as_of or as_of
    result, unread = None, ""
    try:
        result = run_call(read_case(row.question), as_of)
    except UnsupportedCase as exc:  # MissingFact included: most questions are no calculation, and that is no fault
        unread = str(exc)
    return AuditedRow(number, row, as_of, verify(row.question, row.answer, as_of, row.evidence), result, unread)


def as_record(audited: AuditedRow) -> dict:
    """The row's outcome as JSON-ready values; amounts in won."""
    result = audited.result
    return {
        "row": audited.number,
        "as_of": audited.as_of.isoformat(),
        "ok": audited.verdict.ok,
        "summary": audited.verdict.summary(),
        "question": audited.row.question,
        "answer": audited.row.answer,
        "faults": [
            {"kind": fault.kind, "message": fault.message, "expected": fault.expected} for fault in audited.faults
        ],
        "recomputed": None
        if result is None
        else {
            "tax": result.tax,
            "year": result.year,
            "tax_base": result.tax_base,
            "calculated_tax": result.calculated_tax,
            "credits": result.credits,
            "payable": result.payable,
            "steps": [
                {"label": step.label, "expression": step.expression, "amount": step.amount} for step in result.steps
            ],
            "articles": list(result.articles),
            "assumptions": list(result.assumptions),
        },
        "not_recomputed": audited.unread or None,
    }


def print_audit(audited: list[AuditedRow], console) -> None:
    """Each faulty row with its faults and the recomputed figures, then one line of totals."""
    from rich.table import Table
    from rich.text import Text

    from taxlaw.money import format_won

    faulty = [entry for entry in audited if entry.faults]
    for entry in faulty:
        console.print(Text(f"■ {entry.number}번째 행 (기준일 {entry.as_of})", style="bold"))
        console.print(Text(f"  질문: {_clip(entry.row.question)}"))
        console.print(Text(f"  답변: {_clip(entry.row.answer)}"))
        for fault in entry.faults:
            expected = f" → 바른 값: {fault.expected}" if fault.expected else ""
            console.print(
                Text(f"  ✗ [{KIND_KOREAN.get(fault.kind, fault.kind)}] {fault.message}{expected}", style="red")
            )
        if entry.result is None:
            console.print(Text(f"  다시 계산하지 못함: {entry.unread}", style="dim"))
            console.print()
            continue
        table = Table(title="다시 계산 (recomputed)", title_justify="left")
        table.add_column("단계")
        table.add_column("계산")
        table.add_column("금액", justify="right")
        table.add_column("원", justify="right")
        for step in entry.result.steps:
            table.add_row(step.label, step.expression, format_won(step.amount), f"{step.amount:,}")
        payable = entry.result.payable
        table.add_row("납부할 세액", "", format_won(payable), f"{payable:,}", style="bold")
        console.print(table)
        console.print(Text(f"  근거: {', '.join(entry.result.articles)}"))
        console.print(Text(f"  전제: {', '.join(entry.result.assumptions)}"))
        console.print()
    recomputed = sum(entry.result is not None for entry in audited)
    console.print(
        Text(
            f"검사한 행 {len(audited):,} · 잘못이 있는 행 {len(faulty):,} · 질문을 다시 계산한 행 {recomputed:,}",
            style="bold",
        )
    )
    console.print(Text("잘못이 없다는 것은 코드로 찾은 잘못이 없다는 뜻이며 답이 옳다는 보증이 아닙니다."))


KIND_KOREAN = {"citation": "조문", "number": "숫자", "calculation": "계산", "form": "형식"}


def _clip(text: str, width: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
