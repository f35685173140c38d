"""A valid reply becomes candidate rows, or a missing one failures.  Knows nothing of gates; asks nobody."""

from __future__ import annotations

from data_gen.difficulty import combined, counted, features_of
from data_gen.documents import Document
from data_gen.rows import TYPE_OF_STYLE, Candidate, Failure, Provenance, Row
from data_gen.spans import find_spans
from data_gen.tasks import Draft, Task
from data_gen.teachers import Reply
from taxlaw.calls import parse_call, run_call
from taxlaw.errors import TaxLawError
from taxlaw.figures import find_figures, same_day


def row_id(document: Document, task: Task, style: str) -> str:
    """'<kind>:<document>:<style>' for pairs, whose rows had these ids before there were other tasks."""
    middle = "" if task.name == "pairs" else f"{task.name}:"
    return f"{document.kind}:{document.id}:{middle}{style}"


def candidates(
    document: Document, task: Task, reply: Reply, desk_name: str, seed: int, rated: int | None = None
) -> list[Candidate]:
    """One candidate for each of the task's styles; none for a task that gives no rows.

    ``rated``: the teacher's rating of the document's difficulty (1-5) when its analysis is at hand.
    """
    drafts = task.drafts(reply.answer)
    if [draft.style for draft in drafts] != list(task.styles):
        raise ValueError(f"task {task.name} promised {task.styles}, its answer holds {[d.style for d in drafts]}")
    score, _ = combined(counted(features_of(document)), rated)
    return [_candidate(document, task, draft, reply, desk_name, seed, score) for draft in drafts]


def evidence_of(document: Document, task: Task, answer: str) -> str:
    """What the answer may rest on: the text and, where it speaks of their dates, the notes below it.

    Notes name single paragraphs and dates of their own: beside an answer that is not about them they would make the
    verifier take the article's other paragraphs and dates for invented.  A question is no source for its own answer.
    """
    if document.kind == "question":
        return ""
    if task.name != "law_change" and not _shares_a_day(answer, document.notes):
        return document.text
    return "\n\n".join([document.text, "\n".join(document.notes)]) if document.notes else document.text


def _shares_a_day(answer: str, notes: tuple[str, ...]) -> bool:
    told = {figure.value for note in notes for figure in find_figures(note) if figure.kind == "date"}
    days = [figure.value for figure in find_figures(answer) if figure.kind == "date"] if told else []
    return any(day[0] and same_day(day, known) for day in days for known in told)


def failures(document: Document, task: Task, reason: str) -> list[Failure]:
    """One failure for each row that the task would have given."""
    return [Failure(row_id(document, task, style), document.kind, document.area, reason) for style in task.styles]


def _candidate(
    document: Document, task: Task, draft: Draft, reply: Reply, desk_name: str, seed: int, score: int
) -> Candidate:
    question = draft.question or document.text  # a task about a question leaves the question as it was asked
    evidence = evidence_of(document, task, draft.answer)
    call, payable, remark = _worked(draft.call, document)
    row = Row(
        id=row_id(document, task, draft.style),
        question=question,
        answer=draft.answer,
        type=TYPE_OF_STYLE[draft.style],
        style=draft.style,
        source=document.kind,
        tax=document.area,
        as_of=document.as_of.isoformat(),
        articles=tuple(dict.fromkeys(draft.articles)),
        call=call,
        payable=payable,
        family=document.family,
        evidence=evidence,
        provenance=Provenance(
            document_id=document.id,
            document_version=document.version,
            teacher=desk_name,
            model=reply.model,
            prompt=task.name,
            prompt_hash=reply.prompt_hash,
            note="; ".join(part for part in (reply.note, remark) if part),
            request=reply.request,
            seed=seed,
            input_tokens=reply.usage.input,
            output_tokens=reply.usage.output,
            usd=None if reply.usd is None else reply.usd / len(task.styles),
        ),
        history=draft.history,
        spans=find_spans(evidence, question, draft.answer) if evidence else (),
        difficulty=score,
    )
    return Candidate(row)


def _worked(call: str | None, document: Document) -> tuple[str | None, int | None, str]:
    """The call, what the calculator makes of it, and a remark when it makes nothing of it.

    The amount is the calculator's, never the teacher's: a gate compares the two.
    """
    if call is None:
        return None, None, ""
    try:
        return call, run_call(parse_call(call), document.as_of).payable, ""
    except TaxLawError as exc:  # outside the calculators' tables or years
        return None, None, f"call을 계산할 수 없어 뺐습니다: {exc}"
