"""Writes model_card.md from the run record and nothing else, so that the card cannot say what was not measured.

An evaluation (eval.json of `python -m finetune eval`) adds its tables; without one the card says what is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2

from finetune.evaluation.bootstrap import wilson_interval
from finetune.evaluation.report import TAXES, measures_table
from finetune.evaluation.survival import EXPLANATION, survival_markdown

__all__ = ["DISCLAIMER", "GEMMA_NOTICE", "Licence", "licence_of", "render_card", "wilson_interval"]

GEMMA_TERMS = "https://ai.google.dev/gemma/terms"
# The words the Gemma Terms of Use (section 3.1) ask every distribution to carry in a file named NOTICE.
GEMMA_NOTICE = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms\n"
DISCLAIMER = (
    "> **세무 자문이 아닙니다.** 세무대리와 세무상담은 세무사법 제2조·제20조에 따라 자격 있는 사람의 일입니다. "
    "이 모델의 글은 AI 생성물입니다(AI 기본법 제31조). *Not tax advice; AI-generated output.*"
)
NAMES = {"base": "학습 전 base", "adapter": "학습 후 (adapter)", "student": "**최종 GGUF**"}


@dataclass(frozen=True)
class Licence:
    """``front``: the key the Hub knows; ``notice``: what a reader has to be told."""

    front: str
    notice: str


def licence_of(name: str) -> Licence:
    """What the licence of a base asks for.  An unknown one is passed on in its own words."""
    if name == "gemma":
        return Licence(
            "gemma",
            f"Gemma 파생 모델입니다. Gemma Terms of Use ({GEMMA_TERMS}) 와 Prohibited Use Policy 를 따르며, 재배포할 때 "
            "같은 조건과 이 변경 고지, NOTICE 파일을 전해야 합니다.\n"
            "  *Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms.*",
        )
    if name in ("mit", "apache-2.0"):
        return Licence(
            name, f"base 의 조건은 {name} 입니다. 재배포할 때 base 의 저작권 표시와 조건 전문을 함께 전하세요."
        )
    return Licence("other", name)


def render_card(record: dict, evaluation: dict | None = None, folder: dict[str, str] | None = None) -> str:
    """Markdown of the card from run.json and, if there is one, eval.json; a key missing is an error, not a blank.

    ``folder``: ``name`` and ``section`` (Markdown) of the folder a student is shipped in, which holds no GGUF.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)
    template = (Path(__file__).parent / "templates" / "model_card.jinja").read_text(encoding="utf-8")
    student = record["eval"]["student"]
    survival = (evaluation or record).get("survival")
    return environment.from_string(template).render(
        **record,
        disclaimer=DISCLAIMER,
        licence=licence_of(record["base"]["licence"]),
        names=NAMES,
        taxes=sorted(student["per_tax"]),
        tax_names=TAXES,
        interval=wilson_interval(student["right"], student["rows"]),
        percent=lambda share: f"{share:.0%}",
        several_stages=len(record.get("stages", ())) > 1,
        survival_table=survival_markdown(survival) if survival else "",
        explanation=EXPLANATION,
        evaluation=evaluation,
        folder=folder,
        measures=measures_table(evaluation) if evaluation else "",
    )
