"""What run.json says of tokens, money and time, in the shapes the report shows.  What it does not say is None, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data_gen.funnel import FUNNEL
from data_gen.korean_names import korean

TOKENS = ("input", "cached", "output", "reasoning")


@dataclass(frozen=True)
class Stage:
    """A step of the funnel: how many pairs were left after it and how many it took out."""

    name: str
    left: int
    out: int


@dataclass(frozen=True)
class Limit:
    seconds: float
    limit: int
    why: str


def funnel(run: dict, gates: Mapping[str, int], accepted: int) -> list[Stage]:
    """From what was asked for down to what was kept; from the files alone when run.json has no counts."""
    counts = run.get("counts")
    if not isinstance(counts, dict) or "requested" not in counts:
        left = accepted + sum(gates.values())
        stages = [Stage("응답이 쌍이 됨", left, 0)]
    else:
        left = counts["requested"]
        failed = counts.get("failed", 0)
        stages = [Stage("요청", left, 0), Stage("응답 있음", left - failed, failed)]
        left -= failed
        gates = counts.get("by_gate") or {}
    for name in _in_order(gates):
        left -= gates[name]
        stages.append(Stage(f"관문: {korean('gate', name)}", left, gates[name]))
    return [*stages, Stage("채택", left, 0)]


def _in_order(gates: Mapping[str, int]) -> list[str]:
    """The gates in the order a row meets them; one this version does not know comes last."""
    order = {name: place for place, name in enumerate(FUNNEL)}
    return sorted(gates, key=lambda name: (order.get(name, len(order)), name))


def tokens(run: dict) -> list[tuple[str, dict[str, int]]] | None:
    """(whose, tokens by kind): one line for the run, or one for each model; None when nothing is recorded."""
    usage = run.get("usage")
    if not isinstance(usage, dict) or not usage:
        return None
    lines = {"전체": usage} if any(name in usage for name in TOKENS) else usage
    return [
        (str(name), {kind: int(used.get(kind) or 0) for kind in TOKENS})
        for name, used in lines.items()
        if isinstance(used, dict)
    ] or None


def money(run: dict, name: str) -> dict[str, float | None] | None:
    """An amount (``usd`` or ``krw``) for the run, or by model; None when not recorded, a None inside: no price known."""
    if name not in run:
        return None
    value = run[name]
    if isinstance(value, dict):
        return {str(key): (float(one) if _number(one) else None) for key, one in value.items()}
    return {"전체": float(value) if _number(value) else None}


def seconds(run: dict) -> float | None:
    """How long the build took."""
    value = run.get("seconds")
    return float(value) if _number(value) else None


def limits(run: dict) -> list[Limit] | None:
    """How many requests were allowed in flight over time; None when not recorded."""
    history = run.get("limit_history")
    if not isinstance(history, list):
        return None
    found = []
    for change in history:
        if isinstance(change, dict):
            change = [change.get("seconds"), change.get("limit"), change.get("why")]
        if isinstance(change, list) and len(change) >= 2 and _number(change[0]) and _number(change[1]):
            found.append(Limit(float(change[0]), int(change[1]), str(change[2] or "") if len(change) > 2 else ""))
    return found or None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
