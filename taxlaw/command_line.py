"""What ``python -m taxlaw`` does once its arguments are parsed: rows in, one JSON object per row out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict, StrictStr, ValidationError

from taxlaw.addenda import UNSETTLED, PendingAmendment
from taxlaw.citations import find_citations
from taxlaw.errors import ConfigError
from taxlaw.lookup import provision
from taxlaw.statutes import load_statutes
from taxlaw.table_files import active_tables
from taxlaw.verify import Verdict, verify


class _Row(BaseModel):
    # Dataset rows carry many more keys than a verdict needs; they are allowed and left alone.
    model_config = ConfigDict(extra="ignore", frozen=True)

    question: StrictStr = ""
    answer: StrictStr
    as_of: date | None = None
    evidence: StrictStr | None = None


def run_verify(
    question: str | None,
    answer: str | None,
    evidence: str | None,
    jsonl: str | None,
    as_of: date,
    stdin: TextIO,
    out: TextIO,
) -> int:
    """Verify one answer or every row of a file; 1 when any row has a fault.  Raises ConfigError for wrong input."""
    if jsonl is not None:
        if question is not None or answer is not None or evidence is not None:
            raise ConfigError("--jsonl 은 --question, --answer, --evidence 와 함께 쓸 수 없습니다.")
        rows = _read_rows(jsonl, stdin)
    elif answer is None:
        raise ConfigError("--answer 또는 --jsonl 이 있어야 합니다 (give --answer or --jsonl).")
    else:
        rows = iter([_Row(question=question or "", answer=answer, evidence=evidence)])
    faults, count = 0, 0
    for row in rows:
        verdict = verify(row.question, row.answer, row.as_of or as_of, row.evidence or None)
        print(json.dumps(_as_json(verdict), ensure_ascii=False), file=out)
        faults += not verdict.ok
        count += 1
    if not count:
        raise ConfigError(f"검증할 행이 없습니다 (no rows): {jsonl}")
    return 1 if faults else 0


def run_lookup(text: str, as_of: date, out: TextIO, statutes: Path | None = None) -> int:
    """Print one JSON object per citation in the text; 1 when one of them does not stand on the date.

    ``statutes``: a folder of statutes, for the text of what is found.
    """
    citations = find_citations(text)
    if not citations:
        raise ConfigError(f"조문 인용을 찾지 못했습니다: {text!r}. '상증법 제53조'처럼 적어 주세요.")
    texts = load_statutes(statutes) if statutes else None
    missing = False
    for citation in citations:
        report = provision(citation, as_of, texts)
        missing |= report.status not in ("found", "law_not_indexed", "law_not_named")
        record = {
            "citation": report.citation,
            "status": report.status,
            "heading": report.heading,
            "effective": report.effective.isoformat() if report.effective else None,
            "suggestion": report.suggestions[0] if report.suggestions else None,
            "as_of": as_of.isoformat(),
            "moved_to": report.moved_to,
            "pending": [_pending_json(fact) for fact in report.pending],
            "confirm": report.confirm,
            "notes": list(report.notes),
            "source": active_tables().describe(citation.law),
        }
        if texts is not None:
            record["text"] = report.text
        print(json.dumps(record, ensure_ascii=False), file=out)
    return 1 if missing else 0


def _pending_json(fact: PendingAmendment) -> dict[str, object]:
    return {
        "place": fact.place,
        "kind": fact.kind,
        "effective": fact.effective.isoformat() if fact.settled and fact.effective else UNSETTLED,
        "number": fact.number,
        "clause": fact.clause,
    }


def _read_rows(source: str, stdin: TextIO) -> Iterator[_Row]:
    if source == "-":
        lines: list[str] | TextIO = stdin
    else:
        try:
            # Not splitlines(): it would cut at U+2028 inside a JSON string.
            lines = Path(source).read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(f"파일을 읽을 수 없습니다: {source}\n  {exc}") from exc
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
        except json.JSONDecodeError as exc:
            raise ConfigError(f"{source} {number}행: JSON이 아닙니다 ({exc.msg})") from exc
        if not isinstance(raw, dict):
            raise ConfigError(f'{source} {number}행: {{"question": …, "answer": …}} 꼴이어야 합니다.')
        try:
            yield _Row.model_validate(raw)
        except ValidationError as exc:
            problems = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors())
            raise ConfigError(f"{source} {number}행: {problems}") from exc


def _as_json(verdict: Verdict) -> dict[str, object]:
    findings = [
        {
            "kind": finding.kind,
            "severity": finding.severity,
            "span": finding.span,
            "message": finding.message,
            "expected": finding.expected,
            "code": finding.code,
        }
        for finding in verdict.findings
    ]
    return {"ok": verdict.ok, "findings": findings, "summary": verdict.summary()}
