"""What a dataset folder holds, gathered in one pass over its files; texts are kept for a bounded number of rows only."""

from __future__ import annotations

import heapq
import json
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data_gen.errors import BadInput
from data_gen.report.coverage import Place, places
from data_gen.rows import SPLITS, read_jsonl, short_hash
from data_gen.spans import find_spans

# What the browser can still page through at ease; a figure in characters of text, not of rows.
MOST_REJECT_CHARS = 8_000_000
SAMPLES_EACH, MOST_SAMPLES = 12, 480


@dataclass
class TeacherFacts:
    rows: int = 0
    rejected: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    """Rows whose reply had no known price."""


@dataclass
class Facts:
    run: dict = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in FACETS})
    difficulty: Counter[int] = field(default_factory=Counter)
    question_lengths: array = field(default_factory=lambda: array("I"))
    answer_lengths: array = field(default_factory=lambda: array("I"))
    turns: Counter[int] = field(default_factory=Counter)
    articles: Counter[Place] = field(default_factory=Counter)
    laws: Counter[str] = field(default_factory=Counter)
    without_article: int = 0
    teachers: dict[tuple[str, str], TeacherFacts] = field(default_factory=dict)
    gates: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    samples: list[dict] = field(default_factory=list)
    rejects: list[dict] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return len(self.answer_lengths)


FACETS = ("split", "source", "tax", "style")


def gather(folder: Path) -> Facts:
    """Read the folder.  Raises BadInput when it is no dataset, or naming a line that is not JSON."""
    if not (folder / "train.jsonl").is_file():
        raise BadInput(
            f"데이터셋 폴더가 아닙니다: {folder} (train.jsonl 없음)\n"
            "  먼저 python -m data_gen build --config configs/data_gen/demo.yaml 을 실행하세요."
        )
    facts = Facts(_run(folder / "run.json"))
    seen: set[int] = set()
    samples: dict[tuple[str, str, str], list[tuple[int, int, dict]]] = {}
    for split in dict.fromkeys((*SPLITS, "test")):
        for row in _rows(folder / f"{split}.jsonl"):
            _count(facts, row, split)
            _teacher(facts, row, seen).rows += 1
            _sample(samples, row | {"split": split}, facts.accepted)
    room, texts = MOST_REJECT_CHARS, {}
    for row in _rows(folder / "rejected.jsonl"):
        facts.rejected += 1
        facts.gates[row.get("gate") or ""] += 1
        _teacher(facts, row, seen).rejected += 1
        if room > 0:
            shown = _shown(row)
            evidence = shown["evidence"]
            room -= len(str(shown)) - (len(evidence) if evidence in texts else 0)
            facts.rejects.append(shown | {"evidence": texts.setdefault(evidence, evidence)})
    facts.samples = _spread(samples)
    return facts


def _run(path: Path) -> dict:
    if not path.is_file():
        return {}
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise BadInput(f"JSON이 아닙니다: {path}\n  {exc}") from exc
    return run if isinstance(run, dict) else {}


def _rows(path: Path) -> Iterator[dict]:
    if path.is_file():
        yield from read_jsonl(path)


def _count(facts: Facts, row: dict, split: str) -> None:
    for facet in FACETS:
        facts.counts[facet][split if facet == "split" else str(row.get(facet) or "")] += 1
    facts.difficulty[int(row.get("difficulty") or 0)] += 1
    facts.question_lengths.append(len(row["question"]))
    facts.answer_lengths.append(len(row["answer"]))
    facts.turns[len(row.get("history") or ()) + 1] += 1
    named = places(tuple(row.get("articles") or ()))
    facts.articles.update(named)
    facts.laws.update({law for law, _ in named})
    facts.without_article += not named


def _teacher(facts: Facts, row: dict, seen: set[int]) -> TeacherFacts:
    provenance = row.get("provenance") or {}
    name = str(provenance.get("teacher") or "기록 없음"), str(provenance.get("model") or "")
    teacher = facts.teachers.setdefault(name, TeacherFacts())
    if provenance.get("usd", 0.0) is None:
        teacher.unpriced += 1
    else:
        teacher.usd += provenance.get("usd") or 0.0
    request = provenance.get("request")
    if request:  # the rows of one reply share its tokens
        key = int(short_hash(request), 16)
        if key not in seen:
            seen.add(key)
            teacher.input_tokens += provenance.get("input_tokens") or 0
            teacher.output_tokens += provenance.get("output_tokens") or 0
    return teacher


def _sample(samples: dict, row: dict, number: int) -> None:
    """Keep the row if its hash is among the smallest of its kind: the same rows for the same dataset, whatever its order."""
    kind = samples.setdefault((row.get("source"), row.get("style"), row.get("tax")), [])
    entry = (-int(short_hash(row["id"]), 16), number, row)
    if len(kind) < SAMPLES_EACH:
        heapq.heappush(kind, entry)
    elif entry[0] > kind[0][0]:
        heapq.heapreplace(kind, entry)


def _spread(samples: dict) -> list[dict]:
    """The samples of all kinds in turn, so that a cap leaves some of each."""
    kinds = [sorted(kind, reverse=True) for kind in samples.values()]
    turns = [kind[turn][2] for turn in range(SAMPLES_EACH) for kind in kinds if turn < len(kind)]
    return [_shown(row) for row in turns[:MOST_SAMPLES]]


def _shown(row: dict) -> dict:
    """What the browser needs of a row."""
    evidence = row.get("evidence") or ""
    spans = row.get("spans") or [vars(span) for span in find_spans(evidence, row["question"], row["answer"])]
    keys = (
        "id",
        "question",
        "answer",
        "source",
        "tax",
        "style",
        "as_of",
        "call",
        "difficulty",
        "gate",
        "reason",
        "split",
    )
    shown = {key: row[key] for key in keys if row.get(key)}
    provenance = {key: value for key, value in (row.get("provenance") or {}).items() if value not in (None, "", 0, 0.0)}
    return shown | {
        "question": row["question"],
        "answer": row["answer"],
        "evidence": evidence,
        "spans": [[span["start"], span["end"], span["why"]] for span in spans],
        "articles": list(row.get("articles") or ()),
        "history": [[turn["question"], turn["answer"]] for turn in row.get("history") or ()],
        "gates": list(row.get("gates") or ()),
        "verdicts": list(row.get("verdicts") or ()),
        "provenance": provenance,
    }
