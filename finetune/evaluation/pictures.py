"""The two pictures: measures side by side, and what survives each step."""

from __future__ import annotations

from pathlib import Path

# Families that hold Hangul, by the systems that ship them.
KOREAN_FONTS = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "AppleGothic",
    "Noto Sans CJK JP",
    "UnDotum",
)
_COLOURS = (
    "#8c8c8c",
    "#3b6ea5",
    "#d98c5f",
    "#5f9e6e",
    "#b55d60",
    "#857aab",
    "#8d7866",
    "#c9a227",
    "#4fa3a5",
    "#d48fb1",
    "#6b6b3a",
    "#2f4858",
)


def draw_measures(titles: dict[str, str], records: dict[str, dict], metrics, path: Path) -> bool:
    """Bars with 95 % intervals, one colour a model (``titles``: name -> Korean).  True when labels are Korean.

    ``metrics``: the shares to draw; one that no model has is left out.
    """
    font = korean_font()
    family = {"fontproperties": font} if font else {}
    drawn = [metric for metric in metrics if any(record["measures"][metric.key] for record in records.values())]
    height = 0.8 / max(len(records), 1)
    figure, axes = _canvas(9, len(drawn) * (0.2 + 0.11 * len(records)) + 1.4)
    for place, (name, record) in enumerate(records.items()):
        for level, metric in enumerate(drawn):
            found = record["measures"][metric.key]
            if found is None:
                continue
            y = level - 0.4 + (place + 0.5) * height
            label = (titles[name] if font else name) if level == _first(drawn, record) else None
            axes.barh(y, found["value"], height * 0.9, color=_COLOURS[place % len(_COLOURS)], label=label)
            axes.plot([found["low"], found["high"]], [y, y], color="0.2", linewidth=1)
    axes.set_yticks(range(len(drawn)), [metric.korean if font else metric.english for metric in drawn], **family)
    axes.set_ylim(len(drawn) - 0.5, -0.5)
    axes.set_xlim(0, 1.02)
    axes.xaxis.set_major_formatter(lambda value, position: f"{value:.0%}")
    axes.set_title("held-out rows, 95% interval" if not font else "따로 둔 행에서 잰 비율, 95% 구간", **family)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=4, prop=font, frameon=False)
    figure.savefig(path)
    return font is not None


def draw_survival(table: dict, path: Path) -> bool:
    """Accuracy with interval, answer NLL, size and speed, one panel each.  True when labels are Korean."""
    font = korean_font()
    family = {"fontproperties": font} if font else {}
    lines = table["lines"]
    names = [line["title"].replace("*", "") if font else line["name"] for line in lines]
    figure, panels = _canvas(11, 0.45 * len(lines) + 1.5, columns=len(_PANELS))
    for axes, (key, korean, english) in zip(panels, _PANELS, strict=True):
        for place, line in enumerate(lines):
            found = line[key]
            if found is None:
                axes.text(0, place, " –", va="center", color="0.5")
                continue
            value = found["value"] if isinstance(found, dict) else found / 1e6 if key == "bytes" else found
            axes.barh(place, value, color=_COLOURS[place % len(_COLOURS)])
            if isinstance(found, dict):
                axes.plot([found["low"], found["high"]], [place, place], color="0.2", linewidth=1)
            text = f"{value:.0%}" if key == "exact" else f"{value:,.3f}" if key == "nll_token" else f"{value:,.0f}"
            axes.annotate(text, (value, place), xytext=(3, 6), textcoords="offset points", fontsize=7)
        axes.set_title(korean if font else english, fontsize=9, **family)
        axes.margins(x=0.18)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_yticks(range(len(lines)), names, **family)
    panels[0].set_ylim(len(lines) - 0.4, -0.6)
    figure.savefig(path)
    return font is not None


_PANELS = (
    ("exact", "최종 세액이 정확", "final amount exact"),
    ("nll_token", "정답 NLL (nat/토큰)", "answer NLL (nat/token)"),
    ("bytes", "크기 (MB)", "size (MB)"),
    ("tokens_per_second", "tokens/s", "tokens/s"),
)


def korean_font():
    """Properties of an installed font that really holds Hangul, or None (then labels are English, never empty boxes)."""
    from matplotlib import font_manager

    installed = {entry.name: entry.fname for entry in font_manager.fontManager.ttflist}
    for name in KOREAN_FONTS:
        if name in installed and font_manager.get_font(installed[name]).get_char_index(ord("한")):
            return font_manager.FontProperties(fname=installed[name])
    return None


def _first(metrics, record: dict) -> int:
    """Place of the first metric the record has: its bar carries the legend."""
    return next((place for place, metric in enumerate(metrics) if record["measures"][metric.key]), -1)


def _canvas(width: float, height: float, columns: int = 1):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns, sharey=True)
