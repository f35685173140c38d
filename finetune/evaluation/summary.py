"""From single answers to a record: every measure with its interval, over all rows, per style and per tax."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from finetune.evaluation.bootstrap import RESAMPLES, SEED, Estimate, of_sums, ratio
from finetune.evaluation.measures import Measured
from taxlaw.findings import REASONS


@dataclass(frozen=True)
class Metric:
    """``form``: a share (0 to 1), a number as it is, or 0 to 1 shown out of a hundred."""

    key: str
    korean: str
    english: str
    form: Literal["share", "number", "hundred"]


METRICS = (
    Metric("exact", "최종 세액이 정확", "final amount exact", "share"),
    Metric(
        "verified",
        "검증기가 확인함 (확인된 것이 있고 잘못은 없고 스스로 끝냄)",
        "verified (something confirmed, no fault)",
        "share",
    ),
    Metric("verdict_ok", "검증기가 잘못을 찾지 못함", "no fault found by the verifier", "share"),
    Metric("calls_run", "계산기 호출이 실행됨 (호출한 답 가운데)", "calls that code could run", "share"),
    Metric(
        "wrongly_called",
        "말로 답할 질문에 계산 호출 (낮을수록 좋음)",
        "call where words were asked (lower is better)",
        "share",
    ),
    Metric("citations_real", "인용 조문이 있고 시행 중 (완성한 답)", "cited articles in force (completed)", "share"),
    Metric(
        "citations_real_own", "인용 조문이 있고 시행 중 (쓴 그대로)", "cited articles in force (as written)", "share"
    ),
    Metric("right_article", "맞는 조문을 인용 (완성한 답)", "row's articles cited (completed)", "share"),
    Metric("right_article_own", "맞는 조문을 인용 (쓴 그대로)", "row's articles cited (as written)", "share"),
    Metric("refused", "거절할 질문을 거절", "refused what it should", "share"),
    Metric("wrongly_refused", "답할 질문을 거절 (낮을수록 좋음)", "refused wrongly (lower is better)", "share"),
    Metric("asked_back", "사실이 모자랄 때 되물음", "asked back when it should", "share"),
    Metric("wrongly_asked", "필요 없이 되물음 (낮을수록 좋음)", "asked back wrongly (lower is better)", "share"),
    Metric("ended_by_stop", "스스로 끝냄", "ended by stop token", "share"),
    Metric("rouge_l", "ROUGE-L (완성한 답과 행의 답)", "ROUGE-L (completed)", "hundred"),
    Metric("rouge_l_written", "ROUGE-L (쓴 그대로와 배운 글)", "ROUGE-L (as written)", "hundred"),
    Metric("bleu", "BLEU (완성한 답과 행의 답)", "BLEU (completed)", "number"),
    Metric("bleu_written", "BLEU (쓴 그대로와 배운 글)", "BLEU (as written)", "number"),
    Metric("nll_token", "정답의 NLL (nat/토큰, 낮을수록 좋음)", "answer NLL per token", "number"),
    Metric("nll_character", "정답의 NLL (nat/글자, 낮을수록 좋음)", "answer NLL per character", "number"),
    Metric("tokens", "답의 길이 (토큰)", "answer length (tokens)", "number"),
    Metric("characters_written", "답의 길이 (쓴 글자)", "characters written", "number"),
    Metric("characters", "답의 길이 (완성한 글자)", "characters shown", "number"),
)
# Measures that need rows of one style; without such rows the table says so rather than showing a blank.
NEEDS_STYLE = {"refused": "refusal", "asked_back": "ask_back"}


def summarise(measured: Sequence[Measured], resamples: int = RESAMPLES, seed: int = SEED) -> dict:
    """The JSON record of one model's answers; a measure no row allows is null."""
    styles = sorted({one.row.style for one in measured})
    taxes = sorted({one.row.tax for one in measured if "exact" in one.parts})

    def group(some: Sequence[Measured]) -> dict:
        estimates = {metric.key: _estimate(metric, some, resamples, seed) for metric in METRICS}
        return {
            "rows": len(some),
            "measures": {key: found and found.as_json() for key, found in estimates.items()},
        }

    reasons = Counter(code for one in measured for code in one.codes)
    return {
        **group(measured),
        "per_style": {style: group([one for one in measured if one.row.style == style]) for style in styles},
        "per_tax": {tax: _exact_of([one for one in measured if one.row.tax == tax], resamples, seed) for tax in taxes},
        "reasons": {REASONS[code]: count for code, count in sorted(reasons.items(), key=lambda item: -item[1])},
    }


def _exact_of(some: Sequence[Measured], resamples: int, seed: int) -> dict | None:
    found = _estimate(METRICS[0], some, resamples, seed)
    return found and found.as_json()


def _estimate(metric: Metric, some: Sequence[Measured], resamples: int, seed: int) -> Estimate | None:
    if metric.key in ("bleu", "bleu_written"):
        from finetune.evaluation.overlap import corpus_bleu

        statistics = [getattr(one, metric.key) for one in some]
        return of_sums([one for one in statistics if one is not None], corpus_bleu, resamples, seed)
    pairs = [one.parts[metric.key] for one in some if metric.key in one.parts]
    return ratio([part for part, _ in pairs], [whole for _, whole in pairs], metric.form == "share", resamples, seed)
