"""docs/student_extended.md out of the figures of bench/extended.py."""

from __future__ import annotations

from pathlib import Path

from ablation_page import MARKER, points

BOARDS = {
    "calculations": "calculations, exact amount",
    "everyday": "questions without a template, exact amount",
    "everyday_more": "more of those, exact amount",
    "everyday_fresh": "questions written after the rules of reading again, exact amount",
    "ask_back": "asks for the missing fact",
    "refusal": "refuses another field",
    "look_up": "asks for sources where none are shown",
    "quoting": "right article from stored sources",
}
GOALS = {"rate": 2.4, "speed": 3.0, "points": -0.01}


def write_page(figures: dict, path: Path) -> str:
    """Rewrite the part above the marker; returns it."""
    made = page(figures)
    by_hand = path.read_text(encoding="utf-8").partition(MARKER)[2] if path.is_file() else "\n"
    path.write_text(f"{made}\n{MARKER}{by_hand}", encoding="utf-8")
    return made


def page(figures: dict) -> str:
    machine, files, rates = figures["machine"], figures["files"], figures["characters_per_token"]
    speeds = figures["speed"]
    answers = figures["whole_answers"]
    table = "\n".join(
        f"| {title} | {how} | {one['fitted']['rows']} | {_share(one['fitted'])} | {_share(one['extended'])} | "
        f"{points(one['difference'])} | {one['better']} / {one['worse']} |"
        for board, title in BOARDS.items()
        for how in ("alone", "served")
        if (one := figures["exact"][how].get(board))
    )
    kinds = "\n".join(
        f"| {kind} | {rates['fitted'][kind]:.2f} | {rate:.2f} | {_times(figures, kind, 'fitted'):.2f} | "
        f"{_times(figures, kind, 'extended'):.2f} |"
        for kind, rate in rates["extended"].items()
    )
    return f"""# The student with added pieces, measured

Made by `{figures["command"]}` on {figures["date"]} at commit `{figures["commit"]}` ({machine["cores"]} cores, x86_64); the part above the
marker is rewritten by it.  Fitted: `{files["fitted"]["name"]}`, the shipped student ({_mb(files["fitted"])}).  Extended: `{files["extended"]["name"]}`, made from it by
{_made_by(files["extended"]["legs"])} ({_mb(files["extended"])}).  Unfitted: Gemma 3 270M as it comes ({_mb(files["unfitted"])}).  All are Q4_K_M.

Test rows that nothing was learned from, the same for both, greedy; served: read again where a call does not fit its question.
Differences are paired, in percentage points, with 95% intervals.

| measured | how | n | fitted | extended | extended minus fitted | better / worse |
|---|---|---|---|---|---|---|
{table}

{_reading(figures)}Calculations that ended by themselves: fitted {_share(figures["ended"]["fitted"])}, extended {_share(figures["ended"]["extended"])}.
Tokens of an answer there: {figures["answer_tokens"]["fitted"]["value"]:.1f} and {figures["answer_tokens"]["extended"]["value"]:.1f}.

| characters per token | fitted | extended | characters/s decoding, times the unfitted file: fitted | extended |
|---|---|---|---|---|
{kinds}

Decoding, tokens per second against the unfitted file, a token of one and a token of the other: fitted
{speeds["fitted"]["ratio"]:.2f} times, extended {speeds["extended"]["ratio"]:.2f} times (load before {speeds["fitted"]["load"][0]} and {speeds["extended"]["load"][0]}).
The unfitted file cuts these texts as the fitted one does.  From question to ended answer of a calculation, {answers["questions"]} questions in turns, both
files open: {answers["seconds"]["fitted"]:.2f} s and {answers["seconds"]["extended"]:.2f} s (medians), {answers["ratio"]:.2f} times as fast (median of the pairs; load {answers["load"]}).

{_goals(figures)}
"""


def _made_by(legs: list[str]) -> str:
    return ", then ".join(f"`configs/finetune/{name}.yaml`" for name in legs)


def _goals(figures: dict) -> str:
    rates = figures["characters_per_token"]["extended"]
    lines = [
        f"- at least 2.4 characters per token, {kind}: {rate:.2f}, {_met(rate >= GOALS['rate'])}"
        for kind, rate in rates.items()
    ]
    lines += [
        f"- at least 3 times the unfitted file's characters per second, {kind}: {_times(figures, kind, 'extended'):.2f}, "
        f"{_met(_times(figures, kind, 'extended') >= GOALS['speed'])}"
        for kind in rates
    ]
    for board, title in BOARDS.items():
        if not (one := figures["exact"]["served"].get(board)):
            continue
        difference = one["difference"]
        met = _met(difference["value"] >= GOALS["points"])
        lines.append(f"- within one point of the fitted student as served, {title}: {points(difference)}, {met}")
    return "\n".join(lines)


def _reading(figures: dict) -> str:
    if figures["pieces_in"] == "everything":
        return ""
    return "Questions and their sources are read in the pieces that both know (`pieces_in: answers`); what is counted below is written.\n\n"


def _times(figures: dict, kind: str, side: str) -> float:
    """Characters a second over the unfitted file's."""
    rates = figures["characters_per_token"]
    return figures["speed"][side]["ratio"] * rates[side][kind] / rates["fitted"][kind]


def _met(yes: bool) -> str:
    return "met" if yes else "**not met**"


def _share(one: dict) -> str:
    return f"{one['value']:.1%} ({100 * one['low']:.1f}-{100 * one['high']:.1f})"


def _mb(file: dict) -> str:
    return f"{file['bytes'] / 1e6:,.0f} MB"
