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
    Metric("call_read", "호출에 담은 사실이 모두 맞음", "every fact of the call right", "share"),
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
    Metric("asked_fact", "되물으며 모자란 바로 그 사실을 물음", "asked back for the very fact", "share"),
    Metric("wrongly_asked", "필요 없이 되물음 (낮을수록 좋음)", "asked back wrongly (lower is better)", "share"),
    Metric(
        "wrongly_declined",
        "계산할 질문에 되묻거나 거절하거나 조문을 찾겠다고 함 (낮을수록 좋음)",
        "a calculation asked back, refused or looked up (lower is better)",
        "share",
    ),
    Metric(
        "asked_evidence", "근거 없이는 조문을 찾아봐야 한다고 함", "asked for evidence when none was shown", "share"
    ),
    Metric(
        "wrongly_asked_evidence",
        "찾을 필요가 없는데 조문을 찾겠다고 함 (낮을수록 좋음)",
        "asked for evidence needlessly (lower is better)",
        "share",
    ),
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
# What is shown apart for rows of which training has no kind: their wording, their combination of facts, their document.
HELD_OUT = ("exact", "call_read", "asked_back", "asked_fact", "refused", "right_article", "asked_evidence")
# Measures that need rows of one style; without such rows the table says so rather than showing a blank.
NEEDS_STYLE = {"refused": "refusal", "asked_back": "ask_back"}


def summarise(measured: Sequence[Measured], resamples: int = RESAMPLES, seed: int = SEED) -> dict:
    """The JSON record of one model's answers; a measure no row allows is null."""
    styles = sorted({one.row.style for one in measured})
    taxes = sorted({one.row.tax for one in measured if "exact" in one.parts})

    def group(some: Sequence[Measured]) -> dict:
        return {
            "rows": len(some),
            "measures": {metric.key: estimate_of(metric.key, some, resamples, seed) for metric in METRICS},
        }

    def exact_by_tax(some: Sequence[Measured]) -> dict:
        of_tax = {tax: [one for one in some if one.row.tax == tax and "exact" in one.parts] for tax in taxes}
        return {tax: estimate_of("exact", ones, resamples, seed) for tax, ones in of_tax.items() if ones}

    def held_out(kind: str) -> dict:
        some = [one for one in measured if one.row.held_out == kind]
        measures = {key: estimate_of(key, some, resamples, seed) for key in HELD_OUT}
        return {"rows": len(some), "measures": measures, "per_tax": exact_by_tax(some)}

    reasons = Counter(code for one in measured for code in one.codes)
    return {
        **group(measured),
        "per_style": {style: group([one for one in measured if one.row.style == style]) for style in styles},
        "per_tax": exact_by_tax(measured),
        "per_held_out": {kind: held_out(kind) for kind in sorted({one.row.held_out for one in measured})},
        "reasons": {REASONS[code]: count for code, count in sorted(reasons.items(), key=lambda item: -item[1])},
    }


def estimate_of(key: str, some: Sequence[Measured], resamples: int = RESAMPLES, seed: int = SEED) -> dict | None:
    """One measure over some answers, with its interval; None when no row allows it."""
    found = _estimate(next(metric for metric in METRICS if metric.key == key), some, resamples, seed)
    return found and found.as_json()


def _estimate(metric: Metric, some: Sequence[Measured], resamples: int, seed: int) -> Estimate | None:
    if metric.key in ("bleu", "bleu_written"):
        from finetune.evaluation.overlap import corpus_bleu

        statistics = [getattr(one, metric.key) for one in some]
        return of_sums([one for one in statistics if one is not None], corpus_bleu, resamples, seed)
    pairs = [one.parts[metric.key] for one in some if metric.key in one.parts]
    return ratio([part for part, _ in pairs], [whole for _, whole in pairs], metric.form == "share", resamples, seed)
