"""The second half of a build: what waits in the spool passes, in document order, the gates that remember, then people's decisions.

Deterministic: the same spool gives the same rows.  One row in memory at a time, besides what the gates remember.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from data_gen.gates import Gate, judge, stateful_gates
from data_gen.gathering import Judged
from data_gen.judging import JudgePool
from data_gen.review.log import Decisions
from data_gen.rows import SPLITS, Candidate, Counts, Failure, Rejection, Row, to_json
from data_gen.settings import BuildConfig
from data_gen.splits import assign, split_keys
from data_gen.spool import Spool

REJECTED, FAILED, RECORDED, ANALYSIS = "rejected", "failures", "recorded_answers", "analysis"
_ACCEPTED = ".accepted"
Gates = list[tuple[str, Gate]]


@dataclass
class Kept:
    """What was kept and what was not."""

    counts: Counts = field(default_factory=Counts)
    reasons: Counter = field(default_factory=Counter)
    """Reasons of failure and how often."""
    analyses: int = 0


def keep(spool: Spool, config: BuildConfig, judges: JudgePool, folder: Path, decisions: Decisions) -> Kept:
    """Write the splits, rejected.jsonl, failures.jsonl, recorded_answers.jsonl and analysis.jsonl into ``folder``."""
    kept = Kept()
    accepted = folder / _ACCEPTED
    keys = []
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((folder / f"{name}.jsonl").open("w", encoding="utf-8"))
            for name in (REJECTED, FAILED, RECORDED, ANALYSIS)
        }
        waiting = stack.enter_context(accepted.open("w", encoding="utf-8"))
        for result in _decided(spool, config, judges, decisions, files[ANALYSIS], kept):
            kept.counts.add("requested", _source(result))
            if isinstance(result, Failure):
                kept.counts.add("failed", result.source)
                kept.reasons[result.reason] += 1
                files[FAILED].write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
            elif isinstance(result, Rejection):
                kept.counts.add("rejected", result.row.source)
                kept.counts.by_gate[result.gate] = kept.counts.by_gate.get(result.gate, 0) + 1
                files[REJECTED].write(to_json(result) + "\n")
            else:
                kept.counts.add("accepted", result.source)
                kept.counts.by_tax[result.tax] = kept.counts.by_tax.get(result.tax, 0) + 1
                kept.counts.by_style[result.style] = kept.counts.by_style.get(result.style, 0) + 1
                keys.append((result.id, split_keys(result, config.gates.ngram)))
                waiting.write(to_json(result) + "\n")
                if result.provenance.teacher == "recorded":
                    files[RECORDED].write(_recorded_answer(result) + "\n")
    _write_splits(accepted, folder, assign(keys, config.splits, config.seed), kept.counts)
    accepted.unlink()
    return kept


def _decided(
    spool: Spool, config: BuildConfig, judges: JudgePool, decisions: Decisions, analysis_file, kept: Kept
) -> Iterator[Row | Rejection | Failure]:
    remembering = stateful_gates(config.gates)
    for judged in spool.in_order():
        assert isinstance(judged, Judged)
        if judged.analysis is not None:
            kept.analyses += 1
            analysis_file.write(json.dumps(judged.analysis, ensure_ascii=False) + "\n")
        for result in judged.results:
            yield result if isinstance(result, Failure) else _decide(result, decisions, judges, remembering)


def _decide(result: Row | Rejection, decisions: Decisions, judges: JudgePool, remembering: Gates) -> Row | Rejection:
    """People's word first, then the gates that remember.

    An edited row must pass every gate again, whether it was kept or refused before; a refused row that nobody edited stays
    refused, whatever people say: the gates are not theirs to open.
    """
    row = result.row if isinstance(result, Rejection) else result
    decided = decisions.apply(row)
    if isinstance(decided, Rejection):
        return decided
    if (decided.question, decided.answer) != (row.question, row.answer):
        (judged,) = judges.judge_many([Candidate(decided)])
        return judge(Candidate(judged), remembering) if isinstance(judged, Row) else judged
    return result if isinstance(result, Rejection) else judge(Candidate(decided), remembering)


def _source(result: Row | Rejection | Failure) -> str:
    return result.row.source if isinstance(result, Rejection) else result.source


def _recorded_answer(row: Row) -> str:
    answer = {key: getattr(row, key) for key in ("question", "answer", "style")}
    answer |= {key: getattr(row.provenance, key) for key in ("document_id", "model", "note")}
    return json.dumps(answer, ensure_ascii=False)


def _write_splits(accepted: Path, folder: Path, split_of: dict[str, str], counts: Counts) -> None:
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.jsonl").open("w", encoding="utf-8")) for name in SPLITS}
        with accepted.open(encoding="utf-8") as lines:
            for line in lines:
                split = split_of[json.loads(line)["id"]]
                counts.by_split[split] += 1
                files[split].write(line)
    if not counts.by_split["test"]:
        (folder / "test.jsonl").unlink()  # an empty file would be a split without columns to `datasets`
