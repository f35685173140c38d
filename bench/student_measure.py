"""What bench/student.py asks of the shipped student, and the figures it makes of the answers.  Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from finetune.data import Row
from finetune.evaluation.bootstrap import ratio
from finetune.evaluation.completion import complete
from finetune.evaluation.found_sources import holds_right_article, is_document, with_found
from finetune.evaluation.measures import Measured, measure
from finetune.evaluation.outside import row_of_case
from finetune.evaluation.rows import choose_rows
from finetune.evaluation.subjects import Caps, Subject
from finetune.evaluation.summary import estimate_of
from taxlaw.articles import lookup
from taxlaw.calls import parse_call, run_call
from taxlaw.cases import read_case
from taxlaw.citations import find_citations

QUESTION = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
CAPS = Caps(worked=192, words=512)  # far above what a trained answer takes; what reaches it did not end
BASE_CAPS = Caps(worked=64, words=64)  # the base never ends: more of it costs minutes and shows nothing
SOURCES = (3, 5)
# Questions without a template: those by whose answers the rules of reading again were made, those written before any answer
# (and by now read too), and those written after the rules and not read for them.
EVERYDAY = {
    "everyday": "everyday_questions.jsonl",
    "everyday_more": "everyday_more.jsonl",
    "everyday_fresh": "everyday_fresh.jsonl",
}
# Of calculations: which kinds of test rows a figure is over.
KINDS = {
    "amounts": ("",),
    "wordings": ("wordings",),
    "amounts and wordings": ("", "wordings"),
    "combinations": ("combinations",),
    "all": ("", "wordings", "combinations"),
}

Answers = dict[str, list[Measured]]


@dataclass(frozen=True)
class Asked:
    """The test rows by what is asked: calculations, ask_back, refusal; quoting and other documents with their stored
    sources; look_up: every question about the law without any.
    """

    calculations: list[Row]
    ask_back: list[Row]
    refusal: list[Row]
    quoting: list[Row]
    documents: list[Row]
    look_up: list[Row]

    def boards(self) -> dict[str, list[Row]]:
        return {name: rows for name, rows in vars(self).items() if rows}


def sort_rows(rows: Sequence[Row], most: int | None = None) -> Asked:
    """``most``: rows of each board, in turn from what was held out and from each tax; None for all."""
    law = [row for row in rows if is_document(row) and row.evidence]
    quoting = [row for row in law if row.family.startswith("grounded:")]
    others = [row for row in law if not row.family.startswith("grounded:")]
    return Asked(
        calculations=some_rows([row for row in rows if row.style == "worked" and row.payable is not None], most),
        ask_back=some_rows([row for row in rows if row.style == "ask_back"], most),
        refusal=some_rows([row for row in rows if row.style == "refusal"], most),
        quoting=[row.showing_evidence() for row in some_rows(quoting, most)],
        documents=[row.showing_evidence() for row in some_rows(others, most)],
        look_up=[row.asking_evidence() for row in some_rows(law, most)],
    )


def unlearned(rows: Sequence[Row], learned: Sequence[Row]) -> list[Row]:
    """``rows`` without those of a family, or with a question, that stands in ``learned``: splits differ from build to build."""
    families = {row.family for row in learned}
    questions = {row.question for row in learned}
    return [row for row in rows if row.family not in families and row.question not in questions]


def everyday(file: Path) -> list[Row]:
    """Questions as people type them, written apart from every template: {"question", "as_of", "call"} a line."""
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        said = json.loads(line)
        call = parse_call(said["call"])
        case = {"question": said["question"], "as_of": said["as_of"]}
        case["amount"] = run_call(call, date.fromisoformat(said["as_of"])).payable
        rows.append(row_of_case(case, file.stem, number).model_copy(update={"call": said["call"], "tax": call.tax}))
    return rows


def some_rows(rows: list[Row], most: int | None) -> list[Row]:
    """At most ``most`` rows, as many of each held-out kind, in turn from each style and tax."""
    if most is None or len(rows) <= most:
        return rows
    kinds = [[row for row in rows if row.held_out == kind] for kind in sorted({row.held_out for row in rows})]
    share = -(-most // len(kinds))
    return [row for kind in kinds for row in choose_rows(kind, share)][:most]


def answer(subject: Subject, rows: list[Row], caps: Caps, target: str, alone: bool = False) -> list[Measured]:
    """``alone``: what the student writes, without the questions that code asks in its place."""
    made = subject.answer(rows, caps)
    return [measure(row, one, target, alone=alone) for row, one in zip(rows, made, strict=True)]


def reread_of(alone: Answers, served: Answers) -> dict:
    """How many calculations another reading was gone by for, and how many of them were right before and after."""
    pairs = list(zip(alone.get("calculations", []), served.get("calculations", []), strict=True))
    changed = [(first, last) for first, last in pairs if first.written != last.written]
    right = [sum(side.parts["exact"][0] for side in sides) for sides in zip(*changed, strict=True)] or [0, 0]
    return {"rows": len(pairs), "changed": len(changed), "right_before": int(right[0]), "right_after": int(right[1])}


def with_sources(rows: list[Row], search, say: Callable[[str], None]) -> dict[str, list[Row]]:
    """Boards of the questions over unseen documents with the sources a search finds now; all of them if none is unseen."""
    unseen = [row for row in rows if row.held_out == "documents"] or rows
    say(f"찾는 곳: {search.describe()}; 질문 {len(unseen):,}개에 근거를 찾습니다.")
    return {f"found_{limit}": [with_found(row, search, limit) for row in unseen] for limit in SOURCES}


def figures_of(answers: Answers) -> dict:
    """Every figure of one model; what was not asked is None.  Shares with n and interval (bootstrap.Estimate)."""
    everything = [one for board in answers.values() for one in board]
    calculated = answers.get("calculations", [])
    found = {name: board for name, board in answers.items() if name.startswith("found_")}
    return {
        "calculations": {name: _calculated(_of_kinds(calculated, kinds)) for name, kinds in KINDS.items()},
        **{name: _calculated(answers.get(name, [])) for name in EVERYDAY},
        "declined": estimate_of("wrongly_declined", calculated),
        "ask_back": _by_kind(answers.get("ask_back", []), ("asked_fact", "asked_back")),
        "refusal": _by_kind(answers.get("refusal", []), ("refused",)),
        "look_up": _by_kind(answers.get("look_up", []), ("asked_evidence",)),
        "look_up_wrongly": estimate_of("wrongly_asked_evidence", calculated),
        "quoting": _by_kind(answers.get("quoting", []), _SEARCHED),
        "documents": _by_kind(answers.get("documents", []), _LAW),
        "found": {name: _from_search(board, answers.get("look_up", [])) for name, board in found.items()},
        "answers": len(everything),
        "citations_real": estimate_of("citations_real", everything),
        "ended_by_stop": estimate_of("ended_by_stop", everything),
        "tokens": {name: estimate_of("tokens", board) for name, board in answers.items()},
    }


_LAW = ("right_article", "verified", "citations_real")
_SEARCHED = ("present", "same_heading", *_LAW)


def _of_kinds(some: Sequence[Measured], kinds: Sequence[str]) -> list[Measured]:
    return [one for one in some if one.row.held_out in kinds]


def _calculated(some: list[Measured]) -> dict:
    def of(ones: list[Measured]) -> dict:
        return {key: estimate_of(key, ones) for key in ("exact", "call_read")}

    taxes = sorted({one.row.tax for one in some})
    per_tax = {tax: of([one for one in some if one.row.tax == tax]) for tax in taxes}
    return {"rows": len(some), **of(some), "per_tax": per_tax}


def _by_kind(some: list[Measured], keys: Sequence[str]) -> dict:
    """The measures over all rows ("all") and over those of each held-out kind ("" for the ordinary ones)."""
    kinds = {"all": some, **{kind: _of_kinds(some, (kind,)) for kind in sorted({one.row.held_out for one in some})}}
    return {name: {key: _figure(key, ones) for key in keys} for name, ones in kinds.items()}


def _figure(key: str, some: list[Measured]) -> dict | None:
    """A measure of finetune.evaluation, or ``present``: the right article is among the sources that were shown, or
    ``same_heading``: an article is cited that has the right one's heading, which is all that most questions say of it.
    """
    if key == "present":
        return _json(ratio([holds_right_article(one.row) for one in some], share=True))
    if key == "same_heading":
        return _json(ratio([_cites_heading(one) for one in some], share=True))
    return estimate_of(key, some)


def _cites_heading(one: Measured) -> bool:
    as_of = date.fromisoformat(one.row.as_of)

    def headings(text: str) -> set[str]:
        cited = [cited for cited in find_citations(text) if cited.law]
        return {lookup(each.law, each.article, as_of).heading for each in cited} - {None, ""}

    return bool(
        one.parts.get("right_article", (0, 1))[0] or headings("; ".join(one.row.articles)) & headings(one.shown)
    )


def _from_search(some: list[Measured], bare: list[Measured]) -> dict:
    """``served``: the student first asks for evidence and then cites the right article, as serving does it by itself."""
    asked = {one.row.id: one.parts["asked_evidence"][0] for one in bare}
    both = [one.parts["right_article"][0] * asked[one.row.id] for one in some if one.row.id in asked]
    served = _json(ratio(both, share=True)) if both else None
    return {"served": served, **{key: _figure(key, some) for key in _SEARCHED}}


def compared(subjects: Sequence[Subject], rows: list[Row], target: str, own: Sequence[Measured]) -> list[dict]:
    """Exact amounts of other files on the same ``rows`` as the student's ``own`` answers, and the paired difference."""
    right = {one.row.id: one.parts["exact"][0] for one in own}
    lines = []
    for subject in subjects:
        measured = answer(subject, rows, CAPS, target, alone=True)
        gains = [one.parts["exact"][0] - right[one.row.id] for one in measured]
        student = [right[one.row.id] for one in measured]
        lines.append(
            {
                "name": subject.name,
                "bytes": subject.size,
                "exact": estimate_of("exact", measured),
                "student": _json(ratio(student, share=True)),
                "difference": _json(ratio(gains)),
                "changed": sum(gain != 0 for gain in gains),
            }
        )
    return lines


def beside_teacher(recorded: tuple[Subject, Callable[[Row], bool]] | None, own: Sequence[Measured]) -> dict | None:
    """The teacher's recorded answers and the student's to the same questions about the law; None without such."""
    both = [one for one in own if recorded is not None and recorded[1](one.row)]
    if not both:
        return None
    made = recorded[0].answer([one.row for one in both], CAPS)
    theirs = [measure(one.row, said, "program", generated=False) for one, said in zip(both, made, strict=True)]
    sides = {"teacher": theirs, "student": both}
    return {"rows": len(both)} | {name: {key: estimate_of(key, some) for key in _LAW} for name, some in sides.items()}


def example(subjects: dict[str, tuple[Subject, Caps]], as_of: date) -> dict:
    """The question of the README to each model: what it wrote, what a reader sees, and the tax the law asks for."""
    case = {"question": QUESTION, "as_of": as_of.isoformat(), "amount": run_call(read_case(QUESTION), as_of).payable}
    row, said = row_of_case(case, "example", 1), {}
    for name, (subject, caps) in subjects.items():
        (made,) = subject.answer([row], caps)
        done = complete(made.text, QUESTION, as_of)
        said[name] = {**asdict(made), "shown": done.shown, "problem": done.problem}
    return {"question": QUESTION, "as_of": row.as_of, "payable": row.payable, "answers": said}


def speeds(student: Path, base: Path, tokens: int, repeats: int) -> dict:
    """Decoding of the student through our code and of the base in the bare loop, a token of one and a token of the other.

    ``ratio``: how many times as fast the student is, by the median token.  Everything else: bench/serve_measure.py.
    """
    from serve_measure import PLAIN, BareLoop, decoding, machine

    from serve.opening import OpenOptions, open_backend

    options, plain = OpenOptions(device="cpu"), OpenOptions(device="cpu", prompt_template=PLAIN)
    before = machine(None)["load_before"]
    with closing(open_backend(student, options)) as ours, closing(open_backend(base, plain)) as theirs:
        timed = decoding(ours, BareLoop(theirs._gguf), tokens, repeats)
    return {
        "student_tokens_per_second": timed["our_tokens_per_second"],
        "base_tokens_per_second": timed["bare_tokens_per_second"],
        "ratio": timed["ratio"],
        "tokens": tokens,
        "repeats": repeats,
        "load": before,
    }


def _json(estimate) -> dict | None:
    return estimate and estimate.as_json()
