"""What became of every requested pair, as a table on the screen and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data_gen.rows import Counts

GATE_KOREAN = {
    "schema": "형식",
    "korean": "한국어",
    "length": "길이",
    "private_data": "개인정보",
    "conduct": "바른 조언",
    "decontamination": "평가 문항 겹침",
    "citations": "조문 실재",
    "amounts": "금액 재계산",
    "verify": "근거 대조",
    "judge": "판정 모델",
    "review": "사람의 검토",
    "duplicate": "중복",
}
# In the order a row meets them; the judge model and people come after the code that needs no one's word.
FUNNEL = tuple(GATE_KOREAN)
SOURCE_KOREAN = {
    "openapi": "법령·요약",
    "judgment": "예규·해석",
    "practical": "계산 예제",
    "web": "웹 문서",
    "question": "답 없는 질문",
    "topic": "세법 밖 주제",
}
# Families that hold Hangul, by the systems that ship them; the first of Noto's collections is the Japanese face.
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


def stages(counts: Counts, gates: Sequence[str]) -> list[tuple[str, int, int]]:
    """(name, how many were left after it, how many it took out), from the request down to what was kept."""
    left = counts.requested
    rows = [("requested", left, 0)]
    left -= counts.failed
    rows.append(("answered", left, counts.failed))
    for gate in gates:
        out = counts.by_gate.get(gate, 0)
        left -= out
        rows.append((gate, left, out))
    return rows


def print_funnel(counts: Counts, gates: Sequence[str], console) -> None:
    """Two rich tables: the funnel, and the same by source."""
    from rich.table import Table

    table = Table(title="깔때기: 요청한 쌍이 어디까지 남았나 (funnel)")
    table.add_column("단계")
    table.add_column("남은 수", justify="right")
    table.add_column("걸러진 수", justify="right")
    names = {"requested": "요청", "answered": "응답 있음"}
    for name, left, out in stages(counts, gates):
        label = names.get(name) or f"관문 {GATE_KOREAN[name]} ({name})"
        table.add_row(label, f"{left:,}", f"{out:,}" if out else "")
    console.print(table)

    table = Table(title="출처별 (by source)")
    for heading in ("출처", "요청", "채택", "거절", "실패"):
        table.add_column(heading, justify="left" if heading == "출처" else "right")
    for source, cell in counts.by_source.items():
        cells = (cell[outcome] for outcome in ("requested", "accepted", "rejected", "failed"))
        table.add_row(f"{SOURCE_KOREAN[source]} ({source})", *(f"{value:,}" for value in cells))
    console.print(table)


def draw_funnel(counts: Counts, gates: Sequence[str], path: Path) -> bool:
    """Write the funnel as PNG.  True when its labels are Korean, False when no font with Hangul is installed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    font = korean_font()
    rows = stages(counts, gates)
    words = {"requested": "요청", "answered": "응답 있음", **GATE_KOREAN} if font else {}
    labels = [words.get(name, name) for name, _, _ in rows]

    figure = Figure(figsize=(8, 0.5 * len(rows) + 1.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    family = {"fontproperties": font} if font else {}
    widths = [left for _, left, _ in rows]
    axes.barh(range(len(rows)), widths, color="#3b6ea5")
    axes.barh(range(len(rows)), [out for _, _, out in rows], left=widths, color="#d98c5f")
    for position, (_, left, out) in enumerate(rows):
        text = f" {left:,}" + (f"  (-{out:,})" if out else "")
        axes.text(left + out, position, text, va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), labels, **family)
    axes.invert_yaxis()
    axes.set_xlim(0, max(counts.requested, 1) * 1.2)
    axes.spines[["top", "right"]].set_visible(False)
    title = "요청에서 채택까지" if font else "From request to kept pair"
    axes.set_title(f"{title} ({counts.accepted:,} / {counts.requested:,})", **family)
    figure.savefig(path, dpi=120)
    return font is not None


def korean_font():
    """Properties of an installed font that really holds Hangul, or None (then labels are English, never empty boxes)."""
    from matplotlib import font_manager

    installed = {entry.name: entry.fname for entry in font_manager.fontManager.ttflist}
    for name in KOREAN_FONTS:
        if name in installed and font_manager.get_font(installed[name]).get_char_index(ord("한")):
            return font_manager.FontProperties(fname=installed[name])
    return None
