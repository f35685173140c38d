"""The work on one document: every task that concerns it is put to the teacher, and comes back as candidates or failures.

The same function runs on this machine and on a Ray cluster.  It decides nothing about what is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_gen.candidates import candidates, failures
from data_gen.documents import Document
from data_gen.errors import TeacherFailure
from data_gen.rows import Candidate, Failure
from data_gen.tasks import Task
from data_gen.teachers import Desk, Reply


@dataclass(frozen=True)
class Worked:
    """What came of one document: rows to judge, failures, and the analysis when that was asked."""

    outcomes: tuple[Candidate | Failure, ...]
    analysis: Reply | None = None


def concerns(document: Document, task: Task) -> bool:
    """Whether ``task`` is asked about ``document``: its kind fits, and "the law changed" has a change to speak of."""
    if document.kind not in task.kinds:
        return False
    return task.name != "law_change" or bool(document.notes)


async def work(document: Document, tasks: Sequence[Task], desk: Desk, seed: int) -> Worked:
    """Ask every task that concerns the document, one after another.

    Raises DataGenError when going on is pointless; everything else that goes wrong is a Failure with its reason.
    """
    found: list[Candidate | Failure] = []
    analysis = None
    for task in tasks:
        if not concerns(document, task):
            continue
        try:
            if document.fault:
                raise TeacherFailure(document.fault)
            reply = await desk.ask(document, task)
        except TeacherFailure as exc:
            found += failures(document, task, str(exc))
            continue
        if task.name == "analysis":
            analysis = reply
        found += candidates(document, task, reply, desk.name, seed)
    return Worked(tuple(found), analysis)
