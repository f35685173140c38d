"""What survives each step: base, adapter, merged, each quantisation, side by side.

One line a model: task accuracy with its interval, share of the adapter's right answers that are still right, answer NLL,
size of the weights, decoding speed in tokens and characters.  ``run`` builds the lines from what it has measured anyway; ``eval`` does it for a
finished run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from finetune.data import Row
from finetune.evaluation.bootstrap import Estimate, ratio
from finetune.evaluation.measures import Likelihood
from finetune.evaluation.pictures import draw_survival
from finetune.evaluation.subjects import Subject

REFERENCE = "adapter"  # the step whose right answers should survive the rest


def survivor(subject: Subject, hits: dict[str, bool], rows: list[Row], target: str, nll_rows: int = 32) -> dict:
    """One line for a model that was scored already: ``hits`` says of each row (by id) whether its final amount was exact.

    Measures NLL on the first ``nll_rows`` rows and the speed, which takes seconds.
    """
    likelihoods = subject.likelihoods(rows[:nll_rows], target) if subject.likelihoods else []
    speed = subject.speed(rows) if subject.speed else None
    return survival_line(subject, hits, likelihoods, speed)


def hits_of(rows: list[Row], scored: dict) -> dict[str, bool]:
    """Row id -> exact, from a record of finetune.evaluate.score over the first of ``rows``."""
    return {row.id: row.id not in set(scored["wrong"]) for row in rows[: scored["rows"]]}


def survival_line(
    subject: Subject, hits: dict[str, bool], likelihoods: Sequence[Likelihood], tokens_per_second: float | None
) -> dict:
    """One line from figures that are there.  Bytes, nats, tokens per second; null where nothing was measured."""
    per_token = ratio([one.nats for one in likelihoods], [one.tokens for one in likelihoods])
    per_character = ratio([one.nats for one in likelihoods], [one.characters for one in likelihoods])
    return {
        "name": subject.name,
        "title": subject.title,
        "right": [row for row, hit in hits.items() if hit],
        "wrong": [row for row, hit in hits.items() if not hit],
        "exact": _json(ratio([float(hit) for hit in hits.values()], share=True)),
        "nll_token": _json(per_token),
        "nll_character": _json(per_character),
        "bytes": subject.size,
        "tokens_per_second": None if tokens_per_second is None else round(tokens_per_second, 1),
        "characters_per_second": _characters(tokens_per_second, likelihoods),
    }


def _characters(tokens_per_second: float | None, likelihoods: Sequence[Likelihood]) -> float | None:
    """Of right answers at that rate: what a reader waits for, and comparable between vocabularies."""
    tokens = sum(one.tokens for one in likelihoods)
    if tokens_per_second is None or not tokens:
        return None
    return round(tokens_per_second * sum(one.characters for one in likelihoods) / tokens, 1)


def survival(lines: list[dict]) -> dict:
    """The table: the lines in order, each with ``kept``, its share of the reference's right answers."""
    reference = next((line for line in lines if line["name"] == REFERENCE), None)
    return {"reference": reference and REFERENCE, "lines": [{**line, "kept": _kept(line, reference)} for line in lines]}


def _kept(line: dict, reference: dict | None) -> dict | None:
    if reference is None:
        return None
    still, lost = (len(set(reference["right"]) & set(line[key])) for key in ("right", "wrong"))
    return _json(ratio([1.0] * still + [0.0] * lost, share=True))


def survival_markdown(table: dict) -> str:
    """The table in Markdown; a dash where nothing was measured."""
    rows = [
        "| 모델 | 최종 세액이 정확 (95% 구간) | 문항 | adapter 의 정답이 남은 비율 | 정답 NLL (nat/토큰) | nat/글자 | 크기 | tokens/s | 글자/s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for line in table["lines"]:
        exact = line["exact"]
        cells = (
            line["title"],
            percent(exact),
            str(exact["rows"]) if exact else "–",
            percent(line["kept"], interval=False),
            number(line["nll_token"], 3),
            number(line["nll_character"], 3),
            f"{line['bytes'] / 1e6:,.0f} MB" if line["bytes"] else "–",
            f"{line['tokens_per_second']:,.1f}" if line["tokens_per_second"] else "–",
            f"{line['characters_per_second']:,.0f}"
            if line.get("characters_per_second")
            else "–",  # newer than some records
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def write_survival(table: dict, folder: Path) -> None:
    """survival.md, survival.json and survival.png in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f"# 단계마다 무엇이 남았나 (survival table)\n\n{survival_markdown(table)}\n{EXPLANATION}\n"
    (folder / "survival.md").write_text(text, encoding="utf-8")
    (folder / "survival.json").write_text(json.dumps(table, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draw_survival(table, folder / "survival.png")


EXPLANATION = """\
정답 = 마지막 세액이 계산기의 세액과 1원까지 같음. 구간은 행을 다시 뽑은 부트스트랩 95% (2,000번, 시드 고정), 0% 와 100% 는 Wilson 구간.
NLL 은 세액을 잰 행의 정답을 한 토큰씩 줄 때의 음의 로그 확률(끝 토큰 포함). 어휘가 다른 모델끼리는 글자당 값을 비교합니다.
크기는 가중치가 놓인 바이트(GGUF 는 파일), 속도는 한 번에 한 질문씩 greedy 로 쓰는 속도(첫 토큰 뒤)로 이 기계에서 잰 값이며,
글자/s 는 거기에 정답의 토큰당 글자 수를 곱한 값입니다."""


def percent(estimate: dict | None, interval: bool = True) -> str:
    """'90% (84–95)', or a dash."""
    if estimate is None:
        return "–"
    text = f"{estimate['value']:.0%}"
    return f"{text} ({100 * estimate['low']:.0f}–{100 * estimate['high']:.0f})" if interval else text


def number(estimate: dict | None, digits: int) -> str:
    return "–" if estimate is None else f"{estimate['value']:,.{digits}f}"


def _json(estimate: Estimate | None) -> dict | None:
    return estimate and estimate.as_json()
