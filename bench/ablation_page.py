"""The ablation page: one line a variant, losing ones included, with paired intervals against the reference, and a picture.

Reads the results that bench/ablations.py keeps; measures nothing.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from ablation_variants import REFERENCE, VARIANTS

from finetune.evaluation.bootstrap import ratio, wilson_interval
from finetune.evaluation.survival import number, percent

VOCABULARIES = (REFERENCE, "whole_vocabulary", "extended")
KINDS = ("calls", "workings", "answers in words", "questions", "law")
MARKER = "<!-- below: by hand -->"
DASH = "–"


def paired(mine: dict, theirs: dict) -> dict:
    """Difference in exact answers on the rows both were asked, a share with its 95 % interval; ``mine`` minus ``theirs``.

    Rows are drawn in pairs.  Where not one row differs there is nothing to draw: the interval is then what Wilson's
    allows for a share of differing rows of which none was seen.
    """
    ours, others = ({**dict.fromkeys(one["right"], 1), **dict.fromkeys(one["wrong"], 0)} for one in (mine, theirs))
    rows = sorted(ours.keys() & others.keys())
    differences = [ours[row] - others[row] for row in rows]
    counts = {"better": differences.count(1), "worse": differences.count(-1)}
    if not any(differences):
        widest = round(wilson_interval(0, len(rows))[1], 4) if rows else 1.0
        return {"value": 0.0, "low": -widest, "high": widest, "rows": len(rows), **counts}
    return ratio(differences).as_json() | counts


def points(difference: dict) -> str:
    """'+3.1 (-1.5 to +7.7)', in percentage points."""
    value, low, high = (100 * difference[name] for name in ("value", "low", "high"))
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def finished(results: dict) -> dict[str, dict]:
    """The entries that were measured, base first, then in the order of VARIANTS."""
    order = ("base", *(variant.name for variant in VARIANTS))
    entries = results["entries"]
    return {name: entries[name] for name in order if name in entries and "exact" in entries[name]}


def winner_of(results: dict) -> str | None:
    """The trained variant with most exact answers; of equals the smallest file, then the first.  None without any."""
    trained = {name: entry for name, entry in finished(results).items() if name != "base"}
    if not trained:
        return None
    return max(trained, key=lambda name: (trained[name]["exact"]["value"], -trained[name]["bytes"]))


def trained_characters_per_second(entry: dict) -> float | None:
    """Characters of training text per second, from the tokens of each stage and how many characters those hold."""
    rates = entry.get("characters_per_token")
    if not rates or not entry["train_seconds"]:
        return None
    kinds = {"domain": "law"}
    characters = sum(stage["tokens"] * rates[kinds.get(stage["kind"], "trained on")] for stage in entry["stages"])
    return characters / entry["train_seconds"]


def table(results: dict) -> str:
    """One line a variant; those that stopped or were not run say so."""
    lines = [
        "| variant | exact answers (95%) | against the reference, points (paired, 95%) | nats per character | ended by itself | "
        "tokens per answer | rows seen | steps | tokens | tokens/s | characters/s | peak memory | file |",
        "|---" * 13 + "|",
    ]
    entries = results["entries"]
    reference = finished(results).get(REFERENCE)
    for name in ("base", *(variant.name for variant in VARIANTS)):
        entry = entries.get(name)
        what = next((variant for variant in VARIANTS if variant.name == name), None)
        title = f"**{name}**: {what.what if what else 'no training (measured in the reference run)'}"
        if entry is None:
            if what is None or not what.optional:
                lines.append(f"| {title} | not run |" + " |" * 11)
            continue
        if "exact" not in entry:
            lines.append(f"| {title} | stopped: {entry['failed']} |" + " |" * 11)
            continue
        against = DASH if reference is None or name == REFERENCE else points(paired(entry, reference))
        cells = [title, percent(entry["exact"]), against, number(entry["nll_character"], 3)]
        cells += [f"{entry['ended_by_stop']:.0%}", f"{entry['mean_tokens']:.0f}"]
        if name == "base":
            cells += [DASH] * 7
        else:
            speed = trained_characters_per_second(entry)
            cells += [f"{entry[key]:,}" for key in ("rows_seen", "steps", "tokens")]
            cells += [f"{entry['tokens_per_second']:,.0f}", DASH if speed is None else f"{speed:,.0f}"]
            cells += [f"{(entry['peak_bytes'] or 0) / 1e9:.1f} GB", f"{entry['bytes'] / 1e6:,.0f} MB"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def noise(results: dict) -> str:
    """Which differences to the reference may be nothing but the choice of rows."""
    entries = finished(results)
    reference = entries.pop(REFERENCE, None)
    if reference is None or not entries:
        return "Nothing to compare yet."
    within, better, worse = [], [], []
    for name, entry in entries.items():
        difference = paired(entry, reference)
        (better if difference["low"] > 0 else worse if difference["high"] < 0 else within).append(name)
    said = [f"Within noise of the reference (the paired interval holds 0): {', '.join(within) or 'none'}."]
    said += [f"Better: {', '.join(better)}."] if better else []
    said += [f"Worse: {', '.join(worse)}."] if worse else []
    said.append(
        f"Of {len(entries)} comparisons one in twenty would fall outside its interval by chance alone. The intervals say how "
        "far a figure moves with other rows; each variant was trained once, with one seed, on one order of rows."
    )
    if other := entries.get("other_seed"):
        said.append(f"Another seed alone moved the reference by {points(paired(other, reference))} points.")
    else:
        said.append(
            "`--only other_seed` trains the reference with another seed and shows how much that alone moves it."
        )
    return " ".join(said)


def quantisations(results: dict) -> str:
    """The winner as other files."""
    found = results.get("quantisations")
    if not found:
        return "Not measured yet."
    student = results["entries"][found["of"]]
    lines = [
        f"The winner is **{found['of']}**; the same rows, the same weights in other number formats.",
        "",
        "| file | exact answers (95%) | against Q8_0, points (paired, 95%) | nats per character | ended by itself | size |",
        "|---|---|---|---|---|---|",
    ]
    for name, line in {"Q8_0": student, **{line["name"]: line for line in found["lines"]}}.items():
        against = DASH if line is student else points(paired(line, student))
        cells = (name, percent(line["exact"]), against, number(line["nll_character"], 3))
        lines.append("| " + " | ".join(cells) + f" | {line['ended_by_stop']:.0%} | {line['bytes'] / 1e6:,.0f} MB |")
    return "\n".join(lines)


def decoded_per_second(results: dict, name: str, kind: str) -> float | None:
    """Characters of that kind of text per second: the median rate times the characters a token of it holds."""
    rates = results.get("decoding", {}).get("tokens_per_second", {}).get(name)
    per_token = results["entries"].get(name, {}).get("characters_per_token", {}).get(kind)
    return statistics.median(rates) * per_token if rates and per_token else None


def times_as_fast(results: dict, name: str, other: str, kind: str) -> float | None:
    """How many times the characters per second of ``other``: compared turn by turn, then the median."""
    if not decoded_per_second(results, name, kind) or not decoded_per_second(results, other, kind):
        return None
    rates = results["decoding"]["tokens_per_second"]
    turns = [ours / theirs for ours, theirs in zip(rates[name], rates[other], strict=True)]
    held = (results["entries"][one]["characters_per_token"][kind] for one in (name, other))
    return statistics.median(turns) * next(held) / next(held)


def vocabularies(results: dict) -> str:
    """Fitted, whole and extended vocabulary side by side, and how the extension stands to its goals."""
    entries = finished(results)
    names = [name for name in VOCABULARIES if entries.get(name, {}).get("characters_per_token")]
    if not names:
        return "Not measured yet."
    lines = [
        "| variant | pieces | "
        + " | ".join(f"characters per token, {kind}" for kind in KINDS)
        + " | decoding, tokens/s | "
        "characters/s, calls | characters/s, answers in words | characters/s, law | training tokens/s | training characters/s |",
        "|---" * (len(KINDS) + 8) + "|",
    ]
    for name in names:
        entry = entries[name]
        rates = results.get("decoding", {}).get("tokens_per_second", {}).get(name)
        speeds = [decoded_per_second(results, name, kind) for kind in ("calls", "answers in words", "law")]
        training = trained_characters_per_second(entry)
        cells = [f"**{name}**", f"{entry['pieces']:,}" if entry["pieces"] else "all"]
        held = entry["characters_per_token"]
        cells += [f"{held[kind]:.2f}" if kind in held else DASH for kind in KINDS]
        cells += [f"{statistics.median(rates):,.0f} ({min(rates):,.0f}–{max(rates):,.0f})" if rates else DASH]
        cells += [DASH if speed is None else f"{speed:,.0f}" for speed in speeds]
        cells += [f"{entry['tokens_per_second']:,.0f}", DASH if training is None else f"{training:,.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *goals(results)])


def goals(results: dict) -> list[str]:
    """What the extended vocabulary was to reach, and whether it does."""
    entries = finished(results)
    extended, reference = entries.get("extended"), entries.get(REFERENCE)
    if not extended or not reference or "characters_per_token" not in extended:
        return []
    rates, difference = extended["characters_per_token"], paired(extended, reference)
    lines = [
        f"- {kind}: {rates[kind]:.2f} characters per token, goal 2.4: {_reached(rates[kind] >= 2.4)}."
        for kind in ("law", "answers in words", "calls")
        if kind in rates
    ]
    lines.append(
        f"- exact answers against the fitted student: {points(difference)} points, goal at most 1 fewer: "
        f"{_reached(difference['value'] >= -0.01)} on these rows, {_sure(difference)}."
    )
    for kind in ("law", "answers in words", "calls"):
        times = times_as_fast(results, "extended", "whole_vocabulary", kind)
        if times is not None:
            lines.append(
                f"- decoding, {kind}: {times:.2f} times the whole vocabulary's characters per second (median of the turns), "
                f"goal 3: {_reached(times >= 3)}."
            )
    return lines


def _reached(is_so: bool) -> str:
    return "reached" if is_so else "**not reached**"


def _sure(difference: dict) -> str:
    if difference["low"] >= -0.01:
        return "and the interval agrees"
    return "and the interval excludes it" if difference["high"] < -0.01 else "but the interval leaves it open"


def page(results: dict, old: str) -> str:
    """The whole page; what stands below the marker in ``old`` is written by hand and kept."""
    plan, held = results["plan"], results["held_out"]
    kept = old.split(MARKER, 1)[1] if MARKER in old else "\n"
    entries = finished(results)
    commits = ", ".join(dict.fromkeys(f"`{entry['commit']}`" for entry in entries.values())) or "none yet"
    loads = ", ".join(f"{name} {entry['load_before']:g}" for name, entry in entries.items() if name != "base")
    taxes = ", ".join(f"{tax} {count}" for tax, count in held["taxes"].items())
    budget = f"{plan['steps']} steps" if plan["steps"] else f"{plan['minutes']:g} minutes"
    return f"""# Ablations, measured

Made by `{results["command"]}` on {results["date"]} ({results["machine"]}; commits {commits}); the part above the marker is rewritten by it.

Every variant is `{plan["config"]}` cut to the same budget, **{budget} of training** (all stages together, evaluation and loading not counted), with
r=16, batches of 4 and a rate of 1e-3; the same seed, the same rows to learn from, one thing changed. The exact settings of each stand in
`{plan["work"]}/<variant>.yaml` and run alone with `python -m finetune run --config`. This is a table of differences: {budget} are far from what
the shipped student is trained for, so no line is its accuracy.

Measured: the Q8_0 file of each, greedy, on the same {held["rows"]} held-out worked rows of validation.jsonl ({taxes}), the rows that
`run` itself measures: taken in turn from each tax, no family of theirs in training, but wordings that training has too (test.jsonl, with
wordings and combinations of its own, is not touched here). The base is measured before training, as loaded. Exact: the final amount equals
the calculator's to the won, whether it was written as a call or as a working. Nats per character: of the row's own answer, which is
another text for `worked` and `mixed`. Peak memory: of the whole process, evaluation and export included. Load before each training: {loads or "none yet"}; rows seen, steps and tokens/s show how much a
busy machine took from a variant.

{table(results)}

{noise(results)}

![exact answers of each variant with 95% intervals](ablations.png)

## The winner as other files

{quantisations(results)}

## Vocabularies

Characters per token on texts nothing was learned from: held-out rows, and a law ({plan["held_out_law"]}) left out of m1 and of the added pieces. Decoding:
Q8_0 files of all three timed in turns in one go (median, least and most), tokens per second times the characters a token of that text holds. "Unfitted" is
`whole_vocabulary`.

{vocabularies(results)}

## The student's own answers

{sampling(results)}

{MARKER}{kept}"""


def sampling(results: dict) -> str:
    """What was asked of the reference and what came of it."""
    found = results.get("sampling")
    if not found:
        return "Not sampled yet."
    return (
        f"{found['questions']:,} training questions, {found['samples']} answers each at temperature {found['temperature']:g}, from the reference: "
        f"{found['pairs']:,} pairs of a right and a wrong answer, and {found['own']:,} right answers in other words than the taught ones in which the "
        f"verifier found no fault. It took {found['seconds'] / 60:.1f} minutes, which are not in the budget. For `own_answers` those rows were repeated "
        f"{found['repeats']} time(s), to be a quarter of the worked rows. `dpo` learns from the pairs after a shorter m2 of its own."
    )


def draw(results: dict, path: Path) -> None:
    """Exact answers with 95 % intervals, the reference's as a band (English labels: no Hangul font is assumed)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = {name: entry["exact"] for name, entry in finished(results).items()}
    if of := results.get("quantisations"):
        lines |= {f"{of['of']} as {line['name']}": line["exact"] for line in of["lines"]}
    figure = Figure(figsize=(8, 1 + 0.36 * len(lines)), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for level, (name, exact) in enumerate(lines.items()):
        colour = "C1" if name == REFERENCE else "C0"
        axes.plot([exact["low"], exact["high"]], [level, level], color=colour, linewidth=2)
        axes.plot(exact["value"], level, "o", color=colour)
    if REFERENCE in lines:
        axes.axvspan(lines[REFERENCE]["low"], lines[REFERENCE]["high"], color="C1", alpha=0.12)
    axes.set_yticks(range(len(lines)), list(lines))
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set(xlabel="exact answers on the same held-out rows, 95% interval", xlim=(-0.02, 1.02))
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:.0%}")
    axes.grid(alpha=0.3, axis="x")
    figure.savefig(path)
