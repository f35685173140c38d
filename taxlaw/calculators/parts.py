"""What the calculators of a part of a tax return: a limit, a deduction, a credit, a minimum.  The whole tax is ``Result``."""

from __future__ import annotations

from dataclasses import dataclass

from taxlaw.calculators.result import Step


@dataclass(frozen=True)
class Part:
    """An amount in won that goes into a tax, with its working; the last step that bears ``name`` has ``amount``."""

    name: str
    year: int
    amount: int
    steps: tuple[Step, ...]
    articles: tuple[str, ...]
    assumptions: tuple[str, ...]

    def amount_of(self, label: str) -> int:
        """The amount of the step with exactly this label.  Raises KeyError when there is none."""
        for step in self.steps:
            if step.label == label:
                return step.amount
        raise KeyError(label)
