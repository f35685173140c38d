"""The gates: each looks at one row and says True, (True, what it saw) or (False, why).  A row is kept only when all agree.

They judge with taxlaw and plain code alone: no model is asked whether a model was right.  Gates that look at one row by
itself (stateless) can run in any process and order; those that remember what was kept (stateful) run once, in order.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from data_gen.gates.conduct import conduct_gate
from data_gen.gates.decontamination import DecontaminationGate
from data_gen.gates.form import korean_gate, length_gate, private_data_gate, schema_gate
from data_gen.gates.near_duplicates import DuplicateGate
from data_gen.gates.truth import amounts_gate, citations_gate, verify_gate
from data_gen.gates.verdicts import Gate, Said
from data_gen.rows import Candidate, Rejection, Row

if TYPE_CHECKING:
    from data_gen.settings import GateSettings

__all__ = ["GATE_NAMES", "PASSED", "Gate", "Said", "judge", "stateful_gates", "stateless_gates"]

# In the order they are applied: cheap ones first, the one that remembers last.
GATE_NAMES = (
    "schema",
    "korean",
    "length",
    "private_data",
    "conduct",
    "decontamination",
    "citations",
    "amounts",
    "verify",
    "duplicate",
)
PASSED = "통과"
"""What a gate is noted to have said when it said no more than True."""


def stateless_gates(settings: GateSettings) -> list[tuple[str, Gate]]:
    """The gates that look at one row by itself, in order.  Reads the evaluation files that ``settings`` names (BadInput)."""
    gates = (
        schema_gate,
        korean_gate,
        partial(length_gate, length=settings.length),
        private_data_gate,
        conduct_gate,
        DecontaminationGate(settings.decontaminate, settings.ngram),
        citations_gate,
        amounts_gate,
        verify_gate,
    )
    return list(zip(GATE_NAMES[:-1], gates, strict=True))


def stateful_gates(settings: GateSettings) -> list[tuple[str, Gate]]:
    """The gates that remember what they let through; make one list a run, and show it rows in the order they are kept."""
    return [(GATE_NAMES[-1], DuplicateGate(settings.near_duplicate))]


def judge(candidate: Candidate, gates: list[tuple[str, Gate]]) -> Row | Rejection:
    """The row with the gates it passed and what each said, or its rejection by the first gate that refused it.

    What other gates said of the row before stays; what these said before (an edited row is judged anew) does not.
    """
    names = {name for name, _ in gates}
    before = zip(candidate.row.gates, candidate.row.verdicts, strict=True)
    said = [(name, words) for name, words in before if name not in names]
    for name, gate in gates:
        if not _concerns(name, candidate.row):
            continue
        verdict = gate(candidate)
        passed, words = verdict if isinstance(verdict, tuple) else (verdict, PASSED)
        if not passed:
            return Rejection(_marked(candidate.row, said), name, words)
        said.append((name, words))
    return _marked(candidate.row, said)


def _marked(row: Row, said: list[tuple[str, str]]) -> Row:
    return replace(row, gates=tuple(name for name, _ in said), verdicts=tuple(words for _, words in said))


def _concerns(name: str, row: Row) -> bool:
    if name == "amounts":
        return row.style == "worked" or row.call is not None
    if name == "verify":
        return row.style != "worked"  # there is no evidence, and the amounts gate asks the verifier itself
    return True
