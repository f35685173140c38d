"""Every task by name, and whether it is worth asking of a document."""

from __future__ import annotations

import re

from data_gen.documents import Document
from data_gen.tasks import Task
from data_gen.tasks.analysis import ANALYSIS
from data_gen.tasks.ask_back import ASK_BACK
from data_gen.tasks.cases import CALCULATION, SCENARIO
from data_gen.tasks.followup import FOLLOWUP
from data_gen.tasks.judge import JUDGE
from data_gen.tasks.labelled import LABELLED
from data_gen.tasks.law_change import LAW_CHANGE
from data_gen.tasks.pairs import PAIRS
from data_gen.tasks.refusal import REFUSAL

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        PAIRS,
        SCENARIO,
        CALCULATION,
        FOLLOWUP,
        LAW_CHANGE,
        ASK_BACK,
        REFUSAL,
        LABELLED,
        ANALYSIS,
        JUDGE,
    )
}
# A rate or an amount: without one there is nothing to calculate with.
_FIGURE = re.compile(r"\d\s?(?:%|퍼센트|원|만\s?원|억)|분의\s?\d")


def applies(task: Task, document: Document) -> bool:
    """Whether the task is asked about the document: its kind, and what the task cannot do without."""
    if document.kind not in task.kinds:
        return False
    if task.name == "law_change":
        return bool(document.notes)
    if task.name == "calculation":
        return _FIGURE.search(document.text) is not None
    if task.name == "judge":
        return {"question", "answer"} <= {key for key, _ in document.meta}
    return True
