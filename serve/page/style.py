"""Colours and type of the page.  Nothing is fetched from outside: system fonts only."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

__all__ = ["CSS", "HEAD", "theme"]

_SANS = (
    "Pretendard",
    "Apple SD Gothic Neo",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "Malgun Gothic",
    "system-ui",
    "sans-serif",
)
_MONO = ("SF Mono", "D2Coding", "Menlo", "Consolas", "Noto Sans Mono CJK KR", "monospace")


def theme() -> gr.themes.Base:
    return gr.themes.Base(
        primary_hue=gr.themes.colors.emerald,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_lg,
        font=_SANS,
        font_mono=_MONO,
    ).set(
        body_background_fill="#f6f7f4",
        body_background_fill_dark="#101512",
        block_background_fill="#ffffff",
        block_background_fill_dark="#171e1a",
        block_border_color="#e2e6df",
        block_border_color_dark="#28322c",
        input_background_fill="#ffffff",
        input_background_fill_dark="#131a16",
        button_primary_background_fill="#1c6b48",
        button_primary_background_fill_hover="#15563a",
        button_primary_background_fill_dark="#1f7550",
        button_primary_background_fill_hover_dark="#25845b",
        button_primary_text_color="#ffffff",
    )


_HERE = Path(__file__).parent
CSS = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "answers.css"))
_SCRIPT = (_HERE / "page.js").read_text(encoding="utf-8")
HEAD = f'<meta name="referrer" content="no-referrer">\n<script>\n{_SCRIPT}</script>\n'
