"""An Answer as the columns of its row: figures always, words only with consent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from serve.answer import Answer
from serve.backends.protocol import BackendInfo, GenParams, Message


def figures_of(answer: Answer, info: BackendInfo, params: GenParams) -> dict[str, Any]:
    """What may be kept without consent: no text, nothing that a question could be guessed from."""
    stats = answer.stats
    counts = Counter(f"{finding.kind}.{finding.severity}" for finding in answer.verdict.findings)
    return {
        **_asked_of(info, params),
        "side": answer.side,
        "source": answer.source,
        "source_count": len(answer.sources),
        "first_seconds": stats.first_seconds,
        "seconds": stats.seconds,
        "prompt_tokens": stats.prompt_tokens,
        "new_tokens": stats.new_tokens,
        "characters": stats.characters,
        "finish": stats.finish,
        "measured": int(answer.measured),
        "cached": int(answer.cached),
        "usd": answer.usd,
        "verdict_ok": int(answer.verdict.ok),
        "verdict_counts": _json(dict(sorted(counts.items()))),
    }


def words_of(answer: Answer, messages: Sequence[Message], cache_key: str | None) -> dict[str, Any]:
    """What is kept with consent only: prompt, the model's own text, the completed one, evidence, findings."""
    findings = [
        {
            "kind": str(finding.kind),
            "severity": str(finding.severity),
            "span": finding.span,
            "message": finding.message,
            "expected": None if finding.expected is None else str(finding.expected),
        }
        for finding in answer.verdict.findings
    ]
    return {
        "prompt": _json([asdict(one) for one in messages]) if messages else None,
        "text": answer.completion.raw,
        "completed": answer.completion.final,
        "sources": _json([asdict(hit) for hit in answer.sources]) if answer.sources else None,
        "verdict": _json(findings),
        "cache_key": cache_key,
    }


def failure_of(side: str, source: str, code: str, info: BackendInfo | None, params: GenParams | None) -> dict[str, Any]:
    """A question that got no answer; its message may hold words of the question and is left out."""
    return {**_asked_of(info, params), "side": side, "source": source, "error": code}


def _asked_of(info: BackendInfo | None, params: GenParams | None) -> dict[str, Any]:
    asked = asdict(params) if params else {}
    return {
        "model": info.name if info else None,
        "model_sha256": info.model_sha256 if info else None,
        "template_sha256": info.template_sha256 if info else None,
        "params": _json(asked) if asked else None,
        "seed": asked.get("seed"),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
