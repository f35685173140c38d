"""The work on one document: every task that concerns it is put to the teacher, and comes back as candidates or failures.

The same function runs on this machine and on a Ray cluster.  It decides nothing about what is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_gen.analysis import analysis_record
from data_gen.candidates import candidates, failures
from data_gen.documents import Document
from data_gen.errors import BudgetReached, NotRecorded, TeacherFailure
from data_gen.rows import Candidate, Failure
from data_gen.tasks import Task
from data_gen.tasks.all_tasks import applies
from data_gen.teachers import Desk, Reply

Outcome = Candidate | Failure


@dataclass(frozen=True)
class Worked:
    """What came of one document: rows to judge, failures, and its analysis (analysis.jsonl)."""

    outcomes: tuple[Outcome, ...]
    analysis: dict | None = None
    replies: int = 0
    sent: int = 0
    """Of ``replies``, those for which something was sent now; the rest stood in the store or in a recording."""
    capped: int = 0
    """Tasks not asked because the money cap was reached."""


async def work(document: Document, tasks: Sequence[Task], desk: Desk, seed: int) -> Worked:
    """Ask every task that applies to the document, one after another; its analysis first, whose rating its rows bear.

    Raises DataGenError when going on is pointless.  A reached money cap is not: what is stored can still be used, so the
    rest of the run goes on without sending anything, and what was not asked becomes a Failure that says so.
    """
    found: list[Outcome] = []
    analysis: Reply | None = None
    fault = ""
    replies = sent = capped = 0
    for task in sorted(tasks, key=lambda one: bool(one.styles)):
        if not applies(task, document):
            continue
        try:
            if document.fault:
                raise TeacherFailure(document.fault)
            reply = await desk.ask(document, task)
        except NotRecorded:
            continue
        except (TeacherFailure, BudgetReached) as exc:
            capped += isinstance(exc, BudgetReached)
            found += failures(document, task, str(exc))
            if not task.styles:
                fault = str(exc)
            continue
        replies += 1
        sent += bool(reply.request) and not reply.stored
        if not task.styles:
            analysis = reply
        rated = analysis.answer.difficulty_level.score if analysis else None
        found += candidates(document, task, reply, desk.name, seed, rated)
    record = analysis_record(document, analysis, desk.name, fault=fault)
    return Worked(tuple(found), record, replies, sent, capped)
