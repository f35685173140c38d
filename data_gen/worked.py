"""Worked examples: a case drawn from a seed, worded by templates, worked out by our own calculators.  No teacher.

The answer is the calculators' working; the call is what a program-style student learns to write.
"""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Callable, Iterator

from data_gen.errors import DataGenError
from data_gen.rows import TYPE_OF_STYLE, Candidate, Failure, Provenance, Row, short_hash
from data_gen.settings import WorkedSettings
from data_gen.worked_corporate import draw_corporate
from data_gen.worked_gift import draw_gift
from data_gen.worked_income import draw_income
from data_gen.worked_vat import draw_vat
from data_gen.worked_words import Case

DRAW: dict[str, Callable[[random.Random], Case]] = {
    "gift": draw_gift,
    "income": draw_income,
    "vat_simplified": draw_vat,
    "corporate": draw_corporate,
}
# Giving up after this many repeats in a row keeps a too large count from looping for ever.
MAX_REPEATS = 2000


def worked_candidates(settings: WorkedSettings, as_of: datetime.date, seed: int) -> Iterator[Candidate | Failure]:
    """``settings.count`` distinct questions with their working, taxes mixed by share, styles in turn.

    The same seed gives the same rows.  Raises DataGenError when the templates cannot make that many distinct questions.
    """
    rng = random.Random(f"worked:{seed}")
    taxes = [tax for tax, share in settings.shares.items() if share]
    weights = [settings.shares[tax] for tax in taxes]
    seen: set[str] = set()
    made = dict.fromkeys(taxes, 0)
    for index in range(settings.count):
        tax = rng.choices(taxes, weights)[0]
        made[tax] += 1
        case = _fresh_case(tax, rng, seen)
        yield _candidate(tax, case, "expert" if made[tax] % 2 else "plain", as_of, f"worked-{index + 1:06d}")


def _fresh_case(tax: str, rng: random.Random, seen: set[str]) -> Case:
    for _ in range(MAX_REPEATS):
        case = DRAW[tax](rng)
        if case.question not in seen:
            seen.add(case.question)
            return case
    raise DataGenError(
        f"서로 다른 {tax} 문제를 더 만들 수 없습니다 ({len(seen)}개까지 만듦).\n  worked.count를 줄이거나 shares를 바꾸세요."
    )


def _candidate(tax: str, case: Case, style: str, as_of: datetime.date, case_id: str) -> Candidate | Failure:
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
            answer=render_working(result, plain=style == "plain"),
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
            provenance=Provenance(
                document_id=case_id,
                document_version=short_hash(canonical),
                teacher="calculator",
                model="taxlaw.calculators",
                note="질문은 틀에서, 답은 계산기에서 (templates and calculators, no model)",
            ),
        )
    )
