"""What the dashboard draws from the records: counts, votes and verdicts by Korean day, percentiles of waiting.

Every function takes a connection of ``serve.records.database.reading``; ``figures_of`` does all of it at once.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from serve.records.database import reading
from serve.records.moments import KOREAN_DAY


@dataclass(frozen=True)
class Counts:
    """``with_text``: turns whose words are kept.  ``failures``: (error code, how often), most frequent first."""

    sessions: int = 0
    turns: int = 0
    answers: int = 0
    votes: int = 0
    with_text: int = 0
    cached: int = 0
    usd: float = 0.0
    failures: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class VoteDay:
    """Votes of one day: ``wins`` by side (student, teacher, base), whichever pane it stood in."""

    day: date
    wins: dict[str, int]
    tie: int = 0
    both_bad: int = 0


@dataclass(frozen=True)
class VerdictDay:
    """Answers of one side on one day; ``findings`` by severity: confirmed, fault, unchecked."""

    day: date
    side: str
    answers: int
    ok: int
    findings: dict[str, int]


@dataclass(frozen=True)
class Latency:
    """Percentiles of fresh, timed answers of one side and model: seconds, and tokens a second; None where unknown."""

    side: str
    source: str
    answers: int
    first_p50: float | None
    first_p95: float | None
    seconds_p50: float | None
    seconds_p95: float | None
    tokens_per_second_p50: float | None
    tokens_per_second_p5: float | None


@dataclass(frozen=True)
class Figures:
    counts: Counts = Counts()
    votes: tuple[VoteDay, ...] = ()
    verdicts: tuple[VerdictDay, ...] = ()
    latencies: tuple[Latency, ...] = ()


def figures_of(path: Path | None) -> Figures:
    """All figures of a records file; empty ones when nothing is kept or nothing has been.  Raises ServeError."""
    path = path.expanduser() if path is not None else None
    if path is None or not path.is_file():
        return Figures()
    with reading(path) as connection:
        return Figures(
            counts(connection),
            tuple(votes_over_time(connection)),
            tuple(verdicts_over_time(connection)),
            tuple(latency_percentiles(connection)),
        )


def counts(connection: sqlite3.Connection) -> Counts:
    """How much is kept."""

    def number(query: str) -> int:
        return connection.execute(f"SELECT {query}").fetchone()[0]

    failures = connection.execute(
        "SELECT error, count(*) FROM answers WHERE error IS NOT NULL GROUP BY error ORDER BY count(*) DESC, error"
    )
    return Counts(
        number("count(*) FROM sessions"),
        number("count(*) FROM turns"),
        number("count(*) FROM answers WHERE error IS NULL"),
        number("count(*) FROM votes"),
        number("count(*) FROM turns WHERE question IS NOT NULL"),
        number("count(*) FROM answers WHERE cached = 1"),
        number("total(usd) FROM answers"),
        tuple(tuple(row) for row in failures),
    )


def votes_over_time(connection: sqlite3.Connection) -> list[VoteDay]:
    """Votes by day, oldest first; days without a vote are left out."""
    days: dict[str, Counter] = defaultdict(Counter)
    for day, choice, left, right in connection.execute(
        f"SELECT {KOREAN_DAY}, choice, left_side, right_side FROM votes ORDER BY at"
    ):
        days[day][{"left": left, "right": right}.get(choice, choice)] += 1
    return [
        VoteDay(
            date.fromisoformat(day),
            {side: number for side, number in sorted(votes.items()) if side not in ("tie", "both_bad")},
            votes["tie"],
            votes["both_bad"],
        )
        for day, votes in sorted(days.items())
    ]


def verdicts_over_time(connection: sqlite3.Connection) -> list[VerdictDay]:
    """What the verifier said, by day and side, oldest first."""
    days: dict[tuple[str, str], list] = defaultdict(lambda: [0, 0, Counter()])
    for day, side, ok, findings in connection.execute(
        f"SELECT {KOREAN_DAY}, side, verdict_ok, verdict_counts FROM answers WHERE verdict_ok IS NOT NULL"
    ):
        tally = days[day, side]
        tally[0] += 1
        tally[1] += ok
        for name, number in json.loads(findings).items():
            tally[2][name.rpartition(".")[2]] += number
    return [
        VerdictDay(date.fromisoformat(day), side, answers, ok, dict(sorted(findings.items())))
        for (day, side), (answers, ok, findings) in sorted(days.items())
    ]


def latency_percentiles(connection: sqlite3.Connection) -> list[Latency]:
    """Waiting by side and model; answers from the cache and recordings say nothing about a model and are left out."""
    timed: dict[tuple[str, str], list[sqlite3.Row]] = defaultdict(list)
    for row in connection.execute(
        "SELECT side, source, first_seconds, seconds, new_tokens FROM answers"
        " WHERE error IS NULL AND cached = 0 AND measured = 1"
    ):
        timed[row["side"], row["source"]].append(row)
    return [_latency(side, source, rows) for (side, source), rows in sorted(timed.items())]


def _latency(side: str, source: str, rows: list[sqlite3.Row]) -> Latency:
    first = [row["first_seconds"] for row in rows]
    whole = [row["seconds"] for row in rows]
    speeds = [_tokens_per_second(row) for row in rows]
    return Latency(
        side,
        source,
        len(rows),
        percentile(first, 50),
        percentile(first, 95),
        percentile(whole, 50),
        percentile(whole, 95),
        percentile(speeds, 50),
        percentile(speeds, 5),
    )


def _tokens_per_second(row: sqlite3.Row) -> float | None:
    """Decoding only: reading the prompt does not count (as serve.answer.Stats)."""
    first, seconds, tokens = row["first_seconds"], row["seconds"], row["new_tokens"]
    if first is None or seconds is None or seconds <= first or not tokens or tokens < 2:
        return None
    return (tokens - 1) / (seconds - first)


def percentile(values: list[float | None], share: int) -> float | None:
    """The smallest value that at least ``share`` percent of the known values do not exceed; None of none."""
    known = sorted(value for value in values if value is not None)
    return known[max(0, math.ceil(share / 100 * len(known)) - 1)] if known else None
