"""``/save``: the conversation as a document for people (.md, .txt) or as records for programs (.json, .jsonl)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from serve.answer import Answer
from serve.errors import Code, ServeError
from serve.terminal.session import NOTICE, SIDES, Reply
from serve.terminal.words import finished_text

_ENDINGS = (".md", ".txt", ".json", ".jsonl")


def save(path: Path, conversation: Sequence[Reply], as_of: date) -> None:
    """Write the conversation to ``path`` at once, readable by its owner only.  Raises ServeError(USAGE)."""
    if path.suffix not in _ENDINGS:
        raise ServeError(
            Code.USAGE, f"저장할 형식을 알 수 없습니다: {path}", f"{', '.join(_ENDINGS)}로 끝나게 적으세요."
        )
    if path.suffix == ".json":
        text = json.dumps([reply.record() for reply in conversation], ensure_ascii=False, indent=2) + "\n"
    elif path.suffix == ".jsonl":
        text = "".join(json.dumps(reply.record(), ensure_ascii=False) + "\n" for reply in conversation)
    else:
        text = _document(conversation, as_of)
    partial = path.with_name(path.name + ".part")
    try:
        # What a tax office is asked is confidential.
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.replace(partial, path)
    except OSError as exc:
        raise ServeError(
            Code.USAGE, f"저장할 수 없습니다: {path} ({exc.strerror})", "폴더가 있는지, 쓸 수 있는지 확인하세요."
        ) from exc


def _document(conversation: Sequence[Reply], as_of: date) -> str:
    parts = [f"# 세법 문답 (기준일 {as_of})\n\n{NOTICE}\n"]
    for number, reply in enumerate(conversation, start=1):
        parts.append(f"## {number}. {reply.question}\n")
        for side, came in reply.sides.items():
            if isinstance(came, Answer):
                faults = [
                    f"\n- 틀림: {finding.message}"
                    for finding in came.verdict.findings
                    if str(finding.severity) == "fault"
                ]
                parts.append(
                    f"### {SIDES[side]} · {came.source}\n\n{finished_text(came)}\n\n"
                    f"검증: {came.verdict.summary()}{''.join(faults)}\n"
                )
            elif isinstance(came, ServeError):
                parts.append(f"### {SIDES[side]} · 오류\n\n{came}\n")
            else:
                parts.append(f"### {SIDES[side]} · 중단됨\n\n{came}\n")
    return "\n".join(parts)
