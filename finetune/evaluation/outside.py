"""Cases from outside: any JSONL of questions with what a right answer has, made into the rows that are measured.

A line is ``{"question", "as_of", and one or more of "answer", "amount", "articles"}``; ``amount`` is the final tax in won or
in words ("6억 140만원"), ``articles`` are citations an answer must hold.  ``id``, ``tax``, ``style``, ``evidence`` and
``history`` may be added; ``style`` "ask_back" or "refusal" says that asking back or refusing is right and needs no answer.
A case with an amount and without ``tax`` goes under the one tax its question names, for the report's lines by tax.  A line
that is a whole row of a dataset is taken as it is.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from finetune.data import Row, Turn
from finetune.errors import InputError
from taxlaw.citations import find_citations
from taxlaw.errors import ConfigError
from taxlaw.money import parse_won
from taxlaw.strict_config import StrictModel, validate

SHOWN = 5  # bad lines named in an error
# How a question names the tax it asks for; the more special names first, since they hold or stand beside the others.
_NAMED = {
    "penalty": r"가산세",
    "withholding": r"원천징수|원천세",
    "inheritance": r"상속세",
    "gift": r"증여세",
    "retirement": r"퇴직소득세|퇴직세",
    "capital_gains": r"양도(?:소득)?세",
    "income": r"종합소득세|종소세|근로소득세|(?<!양도)(?<!퇴직)(?<!지방)소득세",
    "vat_simplified": r"간이과세",
    "vat_general": r"부가(?:가치)?세",
    "corporate": r"법인세",
    "holding": r"종합부동산세|종부세",
    "acquisition": r"취득세",
    "property": r"재산세",
}


class Case(StrictModel):
    """One line.  Whatever is wrong with it is an error: a case that is left out silently is a better score."""

    question: str = Field(min_length=1)
    as_of: date
    answer: str = ""
    amount: int | None = None
    articles: tuple[str, ...] = ()
    id: str | None = None
    tax: str = ""
    style: str | None = None  # one of a dataset row's; left out: worked with an amount, else expert
    evidence: str = ""
    history: tuple[Turn, ...] = ()

    @field_validator("amount", mode="before")
    @classmethod
    def _won(cls, value: object) -> object:
        return parse_won(value) if isinstance(value, str) else value

    @field_validator("articles")
    @classmethod
    def _cited(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            found = find_citations(one)
            if not found or found[0].law is None:
                raise ValueError(f"법 이름이 있는 조문이 아닙니다 (not a citation with its law): {one!r}")
        return value

    @model_validator(mode="after")
    def _can_be_judged(self) -> Case:
        by_behaviour = self.style in ("refusal", "ask_back")
        if not (self.answer or self.amount is not None or self.articles or by_behaviour):
            raise ValueError("answer, amount, articles 가운데 하나는 있어야 합니다 (nothing to judge by)")
        return self


def read_cases(file: Path) -> list[Row]:
    """Every line as a Row.  Raises InputError naming each line that is not a case and why."""
    if not file.is_file():
        raise InputError(f"파일이 없습니다 (no such file): {file}")
    rows, wrong = [], []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(row_of_case(json.loads(line), file.stem, number))
        except json.JSONDecodeError as exc:
            wrong.append(f"{number}번 줄: JSON 이 아닙니다 (not JSON): {exc}")
        except ConfigError as exc:
            wrong.append(f"{number}번 줄: " + "; ".join(line.strip() for line in str(exc).splitlines()[1:]))
    if wrong:
        more = f"\n  … 모두 {len(wrong)}줄" if len(wrong) > SHOWN else ""
        raise InputError(
            f"{file}: 읽을 수 없는 줄이 있습니다 (bad lines).\n  " + "\n  ".join(wrong[:SHOWN]) + more + "\n"
            '  한 줄: {"question": …, "as_of": "2025-07-01", "answer" | "amount" | "articles": …}'
        )
    if not rows:
        raise InputError(f"질문이 없습니다 (empty): {file}")
    if len({row.id for row in rows}) < len(rows):
        raise InputError(f"{file}: 같은 id 가 두 번 있습니다 (an id occurs twice).")
    return rows


def row_of_case(raw: object, name: str, number: int) -> Row:
    """Line ``number`` of the file ``name`` as a Row.  Raises ConfigError when it is not a case."""
    if isinstance(raw, dict) and {"family", "gates", "provenance"} <= raw.keys():
        return validate(raw, Row, name)
    case = validate(raw, Case, name)
    return validate(
        {
            "id": case.id or f"{name}:{number}",
            "question": case.question,
            "answer": case.answer,
            "type": "student",
            "style": case.style or ("worked" if case.amount is not None else "expert"),
            "source": "outside",
            "tax": case.tax or (_tax_of(case.question) if case.amount is not None else ""),
            "as_of": case.as_of.isoformat(),
            "articles": list(case.articles),
            "call": None,
            "payable": case.amount,
            "family": f"{name}:{number}",
            "evidence": case.evidence,
            "provenance": {},
            "gates": [],
            "history": [turn.model_dump() for turn in case.history],
        },
        Row,
        name,
    )


def _tax_of(question: str) -> str:
    """The tax a question asks for, to group by; "" when it names none, or two of which neither is the more special."""
    found = [tax for tax, names in _NAMED.items() if re.search(names, question)]
    if found[:1] in (["penalty"], ["withholding"]) or found == ["vat_simplified", "vat_general"]:
        return found[0]  # a penalty and a withheld tax stand beside the name of another tax
    return found[0] if len(found) == 1 else ""
