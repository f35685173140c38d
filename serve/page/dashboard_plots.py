"""The dashboard's plots: matplotlib figures as SVG whose text the browser draws.

Text in SVG is in the page's own type, so Hangul needs no font on the server, and lines and letters are in ``currentColor``,
so that the same picture is readable in dark mode.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serve.page.dashboard_facts import Funnel, StudentReport
    from serve.records.figures import Latency, VerdictDay, VoteDay

_INK = "#010203"  # stands for the page's text colour until the picture is written
GREY, GREEN, BLUE, ORANGE, RED = "#8a948d", "#2a9d6a", "#5b86d6", "#d9963f", "#d0564c"
SIDES = {"student": ("학생", GREEN), "teacher": ("교사", BLUE), "base": ("바탕 모델", GREY)}
_DAYS = 30  # days of a plot over time, the latest
_LOCK = threading.Lock()  # matplotlib's settings are of the whole process
_KOREAN_FONTS = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "AppleGothic",
    "Noto Sans CJK JP",
    "UnDotum",
)


def accuracy_plot(report: StudentReport) -> str:
    """Share of exact final amounts by tax, before and after training."""
    names = [one.tax for one in report.taxes]
    series = [
        ("학습 전", GREY, [_percent(one.before) for one in report.taxes]),
        ("학습 후", GREEN, [_percent(one.after) for one in report.taxes]),
    ]
    return _drawn("accuracy", 0.62 * len(names) + 1.1, lambda axes: _grouped(axes, names, series, "{:.0f}%", 112))


def survival_plot(report: StudentReport) -> str:
    """Exact final amounts of every model of the chain, with the 95 % interval."""
    lines = [line for line in report.survival if line.exact]

    def draw(axes: Any) -> None:
        places = range(len(lines))
        values = [100 * line.exact[0] for line in lines]
        axes.barh(places, values, color=GREEN, height=0.6)
        for place, line in zip(places, lines, strict=True):
            axes.plot([100 * line.exact[1], 100 * line.exact[2]], [place, place], color=_INK, linewidth=1.2)
            axes.annotate(f"{100 * line.exact[0]:.0f}%", (103, place), va="center", color=_INK)
        axes.set_yticks(places, [line.title for line in lines])
        axes.set_xlim(0, 115)
        axes.set_xticks([0, 25, 50, 75, 100], [f"{tick}%" for tick in (0, 25, 50, 75, 100)])
        axes.invert_yaxis()

    return _drawn("survival", 0.42 * len(lines) + 0.9, draw)


def funnel_plot(funnel: Funnel) -> str:
    """How many pairs are left after every step."""

    def draw(axes: Any) -> None:
        places = range(len(funnel.steps))
        counts = [count for _, count in funnel.steps]
        axes.barh(places, counts, color=BLUE, height=0.62)
        for place, count in zip(places, counts, strict=True):
            axes.annotate(
                f"{count:,}", (count, place), xytext=(5, 0), textcoords="offset points", va="center", color=_INK
            )
        axes.set_yticks(places, [name for name, _ in funnel.steps])
        axes.set_xlim(0, 1.2 * max(counts, default=1) or 1)
        axes.xaxis.set_major_locator(_whole_numbers())
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.invert_yaxis()

    return _drawn("funnel", 0.42 * len(funnel.steps) + 0.9, draw)


def votes_plot(days: Sequence[VoteDay]) -> str:
    """Votes by day, one colour a winner."""
    days = days[-_DAYS:]
    winners = [side for side in SIDES if any(day.wins.get(side) for day in days)]
    series = [(f"{SIDES[side][0]} 이김", SIDES[side][1], [day.wins.get(side, 0) for day in days]) for side in winners]
    series.append(("비김", ORANGE, [day.tie for day in days]))
    series.append(("둘 다 나쁨", RED, [day.both_bad for day in days]))
    return _drawn("votes", 3.0, lambda axes: _stacked(axes, [f"{day.day:%m-%d}" for day in days], series))


def verdicts_plot(days: Sequence[VerdictDay]) -> str:
    """Share of answers without a fault, by day and side."""
    shown = sorted({day.day for day in days})[-_DAYS:]

    def draw(axes: Any) -> None:
        for side, (name, colour) in SIDES.items():
            mine = {day.day: 100 * day.ok / day.answers for day in days if day.side == side and day.answers}
            places = [place for place, day in enumerate(shown) if day in mine]
            if places:
                axes.plot(
                    places, [mine[shown[place]] for place in places], marker="o", color=colour, label=name, linewidth=2
                )
        _day_axis(axes, [f"{day:%m-%d}" for day in shown])
        axes.set_ylim(-4, 104)
        axes.set_yticks([0, 25, 50, 75, 100], [f"{tick}%" for tick in (0, 25, 50, 75, 100)])
        _legend(axes)

    return _drawn("verdicts", 3.0, draw)


def latency_plot(latencies: Sequence[Latency]) -> str:
    """Seconds to the first token and to the end, middle and slow tail, by model."""
    names = [f"{SIDES.get(one.side, (one.side,))[0]} · {_short(one.source)}" for one in latencies]
    series = [
        ("첫 토큰 p50", "#9fd3ba", [one.first_p50 for one in latencies]),
        ("첫 토큰 p95", GREEN, [one.first_p95 for one in latencies]),
        ("전체 p50", "#b3c6ec", [one.seconds_p50 for one in latencies]),
        ("전체 p95", BLUE, [one.seconds_p95 for one in latencies]),
    ]
    most = max((value for _, _, values in series for value in values if value is not None), default=1.0) or 1.0
    return _drawn("latency", 1.0 * len(names) + 1.1, lambda axes: _grouped(axes, names, series, "{:.2f}초", 1.2 * most))


def _grouped(
    axes: Any, names: list[str], series: list[tuple[str, str, list[float | None]]], form: str, right: float
) -> None:
    height = 0.8 / len(series)
    for order, (label, colour, values) in enumerate(series):
        for place, value in enumerate(values):
            y = place - 0.4 + (order + 0.5) * height
            axes.barh(y, value or 0, height * 0.88, color=colour, label=label if place == 0 else None)
            text = "–" if value is None else form.format(value)
            axes.annotate(
                text, (value or 0, y), xytext=(4, 0), textcoords="offset points", va="center", color=_INK, fontsize=10
            )
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(0, right)
    axes.set_xticks([])
    axes.invert_yaxis()
    _legend(axes)


def _stacked(axes: Any, days: list[str], series: list[tuple[str, str, list[int]]]) -> None:
    base = [0] * len(days)
    for label, colour, values in series:
        axes.bar(range(len(days)), values, bottom=base, color=colour, label=label, width=0.7)
        base = [low + value for low, value in zip(base, values, strict=True)]
    _day_axis(axes, days)
    axes.set_ylim(0, max(max(base, default=0) * 1.15, 1))
    axes.yaxis.set_major_locator(_whole_numbers())
    _legend(axes)


def _day_axis(axes: Any, days: list[str]) -> None:
    step = max(1, -(-len(days) // 8))
    axes.set_xticks(range(0, len(days), step), days[::step])
    axes.set_xlim(-0.6, max(len(days), 1) - 0.4)


def _legend(axes: Any) -> None:
    axes.figure.legend(loc="outside lower center", ncols=4, frameon=False, labelcolor=_INK, fontsize=10)


def _whole_numbers() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5, integer=True)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _short(name: str) -> str:
    return name if len(name) <= 28 else f"{name[:27]}…"


def _drawn(name: str, height: float, draw: Any) -> str:
    """An SVG of 7 by ``height`` inches, with ``draw(axes)`` in it; ``name`` keeps its inner ids apart from the others'."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.family": _font(),
        "font.size": 11,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "axes.unicode_minus": False,
    }
    with _LOCK, matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the browser has it, and draws it
        figure = Figure(figsize=(7, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_alpha(0.4)
        draw(axes)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # the same in every picture; nothing refers to them
    # The picture is described beside it; a screen reader would read the numbers of its axes otherwise.
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1 aria-hidden="true" focusable="false" width="100%"', svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    return svg.replace(_INK, "currentColor")


@cache
def _font() -> list[str]:
    """A font that holds Hangul, if there is one, to measure labels with; the browser chooses its own to draw them."""
    from matplotlib import font_manager

    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    return [*[name for name in _KOREAN_FONTS if name in installed][:1], "DejaVu Sans"]
