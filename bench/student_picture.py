"""docs/student.png: the exact amounts by tax, and each measure with its goal."""

from __future__ import annotations

from pathlib import Path

from finetune.evaluation.pictures import korean_font
from finetune.evaluation.report import TAXES

STUDENT, BASE, GOAL = "#3b6ea5", "#8c8c8c", "#b55d60"


def draw(figures: dict, path: Path) -> bool:
    """Left: unseen amounts and wordings by tax; right: shares with a goal.  True when labels are Korean."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    font = korean_font()
    taxes, shares = _taxes(figures, font is not None), _shares(figures, font is not None)
    figure = Figure(figsize=(12, 0.34 * max(len(taxes), len(shares), 4) + 1.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    titles = (
        ("세목별 최종 세액이 1원까지 정확 (처음 보는 금액·표현)", "목표가 있는 측정 (빨간 줄이 목표)")
        if font
        else ("final amount exact by tax (unseen amounts and wordings)", "measures with a goal (red mark)")
    )
    for axes, bars, title in ((left, taxes, titles[0]), (right, shares, titles[1])):
        _bars(axes, bars, font)
        axes.set_title(title, fontsize=10, **({"fontproperties": font} if font else {}))
    names = ("학생", "학습 전 270M") if font else ("student", "base 270M")
    handles = [left.barh(0, 0, color=colour, label=name) for colour, name in zip((STUDENT, BASE), names, strict=True)]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, prop=font, frameon=False)
    figure.savefig(path)
    return font is not None


def _bars(axes, bars: list[tuple[str, dict, dict | None, float]], font) -> None:
    for place, (_, student, base, goal) in enumerate(bars):
        axes.barh(place - 0.14, student["value"], 0.5, color=STUDENT)
        axes.plot([student["low"], student["high"]], [place - 0.14] * 2, color="0.2", linewidth=1)
        if base is not None:
            axes.barh(place + 0.28, base["value"], 0.2, color=BASE)
        axes.plot([goal, goal], [place - 0.42, place + 0.42], color=GOAL, linewidth=1.6)
        axes.annotate(f"{student['value']:.1%}", (1.02, place), va="center", fontsize=7, annotation_clip=False)
    axes.set_yticks(
        range(len(bars)), [name for name, *_ in bars], fontsize=8, **({"fontproperties": font} if font else {})
    )
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:.0%}")
    axes.spines[["top", "right"]].set_visible(False)


def _taxes(figures: dict, korean: bool) -> list[tuple[str, dict, dict | None, float]]:
    kind = "amounts and wordings"
    ours = figures["student"]["calculations"][kind]["per_tax"]
    base = figures["base"]["calculations"][kind]["per_tax"]
    return [
        (TAXES[tax] if korean else tax, ours[tax]["exact"], base.get(tax, {}).get("exact"), 0.9)
        for tax in TAXES
        if tax in ours
    ]


def _shares(figures: dict, korean: bool) -> list[tuple[str, dict, dict | None, float]]:
    ours, base = figures["student"], figures["base"]
    found = ours["found"].get("found_5")

    def of(side: dict, board: str, key: str) -> dict | None:
        return side[board].get("all", {}).get(key)

    wanted = (
        ("최종 세액", "exact amount", *(s["calculations"]["amounts and wordings"]["exact"] for s in (ours, base)), 0.97),
        ("인용 조문이 시행 중", "citations in force", ours["citations_real"], base["citations_real"], 0.99),
        ("맞는 조문 (찾은 근거)", "right article (found)", found and found["right_article"], None, 0.8),
        ("맞는 조문 (데이터셋의 근거)", "right article (stored)", of(ours, "quoting", "right_article"), of(base, "quoting", "right_article"), 0.8),
        ("사실을 되물음", "asks back", of(ours, "ask_back", "asked_fact"), of(base, "ask_back", "asked_fact"), 0.9),
        ("세금 밖을 거절", "refuses", of(ours, "refusal", "refused"), of(base, "refusal", "refused"), 0.95),
        ("잘못 되묻거나 거절 (낮게)", "declines wrongly (low)", ours["declined"], base["declined"], 0.03),
        ("스스로 끝냄", "ended by stop token", ours["ended_by_stop"], base["ended_by_stop"], 0.995),
    )  # fmt: skip
    return [(korean_ if korean else english, o, b, goal) for korean_, english, o, b, goal in wanted if o is not None]
