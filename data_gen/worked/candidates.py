"""Worked examples: a case drawn from a seed, worded by templates, worked out by our own calculators.  No teacher.

The answer is the calculators' working; the call is what a program-style student learns to write.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator

from data_gen.errors import DataGenError
from data_gen.rows import TYPE_OF_STYLE, Candidate, Failure, Provenance, Row, short_hash
from data_gen.settings import WorkedSettings
from data_gen.worked.acquisition import draw_acquisition
from data_gen.worked.answers_without_a_call import ask_back_candidates, refusal_candidates
from data_gen.worked.capital_gains import draw_capital_gains
from data_gen.worked.corporate import draw_corporate
from data_gen.worked.fine_steps import fine_working
from data_gen.worked.gift import draw_gift
from data_gen.worked.holding import draw_holding
from data_gen.worked.income import draw_income
from data_gen.worked.inheritance import draw_inheritance
from data_gen.worked.penalty import draw_penalty
from data_gen.worked.property import draw_property
from data_gen.worked.retirement import draw_retirement
from data_gen.worked.vat_general import draw_vat_general
from data_gen.worked.vat_simplified import draw_vat
from data_gen.worked.withholding import draw_withholding
from data_gen.worked.words import EVERY_WORDING, Case, Wordings

DRAW: dict[str, Callable[[random.Random, Wordings], Case]] = {
    "gift": draw_gift,
    "income": draw_income,
    "vat_simplified": draw_vat,
    "corporate": draw_corporate,
    "inheritance": draw_inheritance,
    "retirement": draw_retirement,
    "capital_gains": draw_capital_gains,
    "vat_general": draw_vat_general,
    "penalty": draw_penalty,
    "holding": draw_holding,
    "acquisition": draw_acquisition,
    "property": draw_property,
    "withholding": draw_withholding,
}
# Giving up after this many repeats in a row keeps a too large count from looping for ever.
MAX_REPEATS = 2000
RARE_FACTS = 4


def templated_candidates(settings: WorkedSettings, as_of: datetime.date, seed: int) -> Iterator[Candidate | Failure]:
    """Every row made without a teacher: worked examples, questions to ask back about, questions to decline."""
    yield from worked_candidates(settings, as_of, seed)
    taxes = frozenset(tax for tax, share in settings.shares.items() if share)
    yield from ask_back_candidates(settings.ask_back, settings.held_out.ask_back, taxes, as_of, seed)
    yield from refusal_candidates(settings.refusals, settings.held_out.refusals, as_of, seed)


def worked_candidates(settings: WorkedSettings, as_of: datetime.date, seed: int) -> Iterator[Candidate | Failure]:
    """``settings.count`` distinct questions with their working, taxes mixed by share, styles in turn; then those held out.

    The same seed gives the same rows.  Raises DataGenError when the templates cannot make that many distinct questions.
    """
    rng = random.Random(f"worked:{seed}")
    taxes = [tax for tax, share in settings.shares.items() if share]
    weights = [settings.shares[tax] for tax in taxes]
    apart = settings.held_out
    ordinary = Wordings("train") if apart.wordings else EVERY_WORDING
    drawn = _Drawn(bool(apart.combinations), settings.per_amount)
    made = dict.fromkeys(taxes, 0)
    # Fine steps are told in one way only, the expert's: what is left to learn is the digits.
    fine = settings.steps == "fine"
    for index in range(settings.count):
        tax = rng.choices(taxes, weights)[0]
        made[tax] += 1
        case = drawn.fresh(tax, rng, ordinary)
        style = "expert" if fine or made[tax] % 2 else "plain"
        yield _candidate(tax, case, style, as_of, f"worked-{index + 1:06d}", fine)
    for kind, count in (("wordings", apart.wordings), ("combinations", apart.combinations)):
        for index in range(count):
            tax = taxes[index % len(taxes)]
            case = drawn.held_out(tax, rng, kind)
            if case is None:
                continue  # this tax has no such case: its few facts leave no combination to keep back
            style = "expert" if fine else "plain"
            yield _candidate(tax, case, style, as_of, f"unseen-{kind}-{index + 1:06d}", fine, held_out=kind)


class _Drawn:
    """Questions and main amounts drawn so far, so that what is held out shares neither."""

    def __init__(self, keep_combinations: bool, per_amount: int | None) -> None:
        self._keep_combinations, self._per_amount = keep_combinations, per_amount
        self._questions: set[str] = set()
        self._amounts: Counter[tuple[str, int]] = Counter()

    def fresh(self, tax: str, rng: random.Random, wordings: Wordings) -> Case:
        """A case not asked before, of no combination that is kept back, and of an amount not yet asked about too often."""
        for _ in range(MAX_REPEATS):
            case = DRAW[tax](rng, wordings)
            if case.question in self._questions or (self._keep_combinations and is_kept_back(tax, case.facts)):
                continue
            if self._per_amount and self._amounts[tax, case.main_won] >= self._per_amount:
                continue
            self._questions.add(case.question)
            self._amounts[tax, case.main_won] += 1
            return case
        raise DataGenError(
            f"서로 다른 {tax} 문제를 더 만들 수 없습니다 ({len(self._questions)}개까지 만듦).\n"
            "  worked.count를 줄이거나, per_amount를 늘리거나, shares를 바꾸세요."
        )

    def held_out(self, tax: str, rng: random.Random, kind: str) -> Case | None:
        """A case with an unseen main amount, in unseen words or with an unseen combination; None when there is none."""
        wordings = Wordings("held_out") if kind == "wordings" else EVERY_WORDING
        for _ in range(MAX_REPEATS):
            case = DRAW[tax](rng, wordings)
            kept_back = self._keep_combinations and is_kept_back(tax, case.facts)
            if (
                case.question not in self._questions
                and not self._amounts[tax, case.main_won]
                and kept_back == (kind == "combinations")
            ):
                self._questions.add(case.question)
                self._amounts[tax, case.main_won] += 1
                return case
        return None


def is_kept_back(tax: str, facts: dict[str, object]) -> bool:
    """Whether the combination of stated facts is one of the eighth of the rarer ones (four facts or more) held out."""
    if len(facts) < RARE_FACTS:
        return False
    name = f"{tax}:{','.join(sorted(facts))}"
    return hashlib.sha256(name.encode()).digest()[0] < 32


def _candidate(
    tax: str, case: Case, style: str, as_of: datetime.date, case_id: str, fine: bool = False, held_out: str = ""
) -> Candidate | Failure:
    from taxlaw.calls import call_text, parse_call, render_working, run_call
    from taxlaw.errors import UnsupportedCase

    call = parse_call(json.dumps({"tax": tax, **case.facts}, ensure_ascii=False))
    row_id = f"practical:{case_id}:{style}"
    try:
        result = run_call(call, as_of)
    except UnsupportedCase as exc:
        return Failure(row_id, "practical", tax, f"계산기가 다루지 않는 경우: {exc}")
    canonical = call_text(call)
    return Candidate(
        Row(
            id=row_id,
            question=case.question,
            answer=fine_working(result) if fine else render_working(result, plain=style == "plain"),
            type=TYPE_OF_STYLE[style],
            style="worked",
            source="practical",
            tax=tax,
            as_of=as_of.isoformat(),
            articles=tuple(result.articles),
            call=canonical,
            payable=result.payable,
            family=f"worked:{tax}:{case.main_won}",
            evidence="",
            held_out=held_out,
            provenance=Provenance(
                document_id=case_id,
                document_version=short_hash(canonical),
                teacher="calculator",
                model="taxlaw.calculators",
                note="질문은 틀에서, 답은 계산기에서 (templates and calculators, no model)",
            ),
        )
    )
