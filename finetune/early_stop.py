"""Early stopping on task accuracy: greedy answers on held-out rows during training, judged as at the end.

The rows are none of those the final evaluation uses: the best of several adapters is chosen on them, so accuracy on
them is flattered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date

from finetune import evaluate
from finetune.checkpoint import load_trainable, trainable_state
from finetune.data import Row
from finetune.errors import InputError
from finetune.evaluate import Generation
from finetune.settings import EarlyStop, Evaluation, RunConfig
from finetune.train import Position
from taxlaw.evidence_prompt import asks_for_evidence


@dataclass(frozen=True)
class Accuracy:
    """Answers right of answers asked for, on worked rows and on rows from documents."""

    right: int
    rows: int
    documents_right: int = 0
    documents: int = 0

    @property
    def share(self) -> float:
        return (self.right + self.documents_right) / (self.rows + self.documents)


def watched_rows(validation: list[Row], config: RunConfig) -> tuple[list[Row], list[Row]]:
    """(worked rows, document rows) to watch.  Raises InputError when the validation rows do not suffice."""
    settings = config.train.early_stop
    kept_back = {row.id for row in evaluate.held_out(validation, config.evaluation.rows)}
    worked = [row for row in validation if row.style == "worked" and row.payable is not None]
    free = [row for row in worked if row.id not in kept_back]
    documents = [row for row in validation if row.evidence and row.call is None and not row.history]
    if len(free) < settings.rows or len(documents) < settings.document_rows:
        raise InputError(
            f"train.early_stop: 검증 행이 모자랍니다. worked 는 {len(worked)}개 가운데 마지막 평가가 {len(kept_back)}개를 쓰고 "
            f"{len(free)}개가 남는데 rows={settings.rows}, 문서 행은 {len(documents)}개인데 "
            f"document_rows={settings.document_rows} 입니다.\n"
            "  rows, evaluation.rows 를 줄이거나 검증 데이터를 늘리세요. (Too few validation rows to watch.)"
        )
    return evaluate.held_out(free, settings.rows), documents[: settings.document_rows]


def measure(model, tokenizer, worked: list[Row], documents: list[Row], config: RunConfig) -> Accuracy:
    """Generate and judge.  The model is left in evaluation mode."""
    model.eval()
    answers = evaluate.generate_with_transformers(model, tokenizer, worked, config.evaluation)
    right = evaluate.score(worked, answers, 0)["right"]
    if not documents:
        return Accuracy(right, len(worked))
    longer = Evaluation(**{**config.evaluation.model_dump(), "max_new_tokens": config.train.early_stop.document_tokens})
    answers = evaluate.generate_with_transformers(model, tokenizer, documents, longer)
    found = sum(document_right(row, answer) for row, answer in zip(documents, answers, strict=True))
    return Accuracy(right, len(worked), found, len(documents))


def document_right(row: Row, answer: Generation) -> bool:
    """An answer that ended by itself, in which the verifier confirms something and finds no fault; or asks for evidence as taught.

    Without a fault alone is not right: an answer that only repeats the question, or says nothing, has none either.
    """
    from taxlaw.verify import verify

    if not answer.stopped:
        return False
    if row.asks_evidence:
        return asks_for_evidence(answer.text)
    verdict = verify(row.question, answer.text, date.fromisoformat(row.as_of), evidence=row.evidence)
    return verdict.ok and any(finding.severity == "confirmed" for finding in verdict.findings)


class Watch:
    """Follows the accuracy of one stage and keeps the best weights so far."""

    def __init__(self, settings: EarlyStop, accuracy: Callable[[], Accuracy]) -> None:
        self._settings, self._accuracy = settings, accuracy
        self.best, self.best_step, self.waited = -1.0, 0, 0
        self._weights: dict | None = None
        self._at_step, self._at_seconds = 0, 0.0

    def due(self, position: Position) -> bool:
        """Whether the interval since the last evaluation is over."""
        if self._settings.every_steps:
            return len(position.steps) - self._at_step >= self._settings.every_steps
        return position.seconds - self._at_seconds >= self._settings.every_minutes * 60

    def judged(self, position: Position) -> bool:
        """Whether these very weights were evaluated already."""
        return self._at_step == len(position.steps)

    def judge(self, model, position: Position) -> dict:
        """Evaluate now; keep the weights unless they are worse than the best.  Returns the record for the metrics.

        Of equally good weights the later are kept (more training, lower rate), but only a better result counts as one.
        """
        found = self._accuracy()
        self._at_step, self._at_seconds = len(position.steps), position.seconds
        self.waited = 0 if found.share > self.best else self.waited + 1
        if found.share >= self.best:
            self.best, self.best_step = found.share, len(position.steps)
            self._weights = trainable_state(model)
        return {
            "step": len(position.steps),
            "seconds": round(position.seconds, 3),
            "tokens": sum(step.tokens for step in position.steps),
            "accuracy": round(found.share, 4),
            "best": round(self.best, 4),
            "waited": self.waited,
            **asdict(found),
        }

    @property
    def finished(self) -> bool:
        """Whether ``patience`` evaluations brought no improvement."""
        return self.waited >= self._settings.patience

    def restore_best(self, model) -> None:
        """Put the best weights back into the model."""
        if self._weights is not None:
            load_trainable(model, self._weights)

    def state(self) -> dict:
        """What a checkpoint needs."""
        return {
            **{"best": self.best, "best_step": self.best_step, "waited": self.waited, "weights": self._weights},
            **{"at_step": self._at_step, "at_seconds": self._at_seconds},
        }

    def load(self, state: dict) -> None:
        """Go on from ``state``."""
        self.best, self.best_step, self.waited = state["best"], state["best_step"], state["waited"]
        self._weights = state["weights"]
        self._at_step, self._at_seconds = state["at_step"], state["at_seconds"]
