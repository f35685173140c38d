"""Colours and type of the page.  Nothing is fetched from outside: system fonts only."""

from __future__ import annotations

import gradio as gr

from serve.page.script import HEAD

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
        button_primary_background_fill_dark="#2a8a5f",
        button_primary_background_fill_hover_dark="#33a271",
        button_primary_text_color="#ffffff",
    )


CSS = """
:root { --sf-green:#1c6b48; --sf-blue:#3c5a8c; --sf-ink:#1f2722; --sf-soft:#5d6a62; --sf-line:#e2e6df; --sf-card:#fff;
  --sf-tint:#eef5f0; --sf-good:#17633f; --sf-good-bg:#e3f3ea; --sf-bad:#a3261d; --sf-bad-bg:#fdebe9;
  --sf-dim-bg:#f0f1ed; --sf-warn-bg:#fff6e0; --sf-warn:#7a5200; }
.dark { --sf-green:#5cc796; --sf-blue:#93b1e6; --sf-ink:#e7ece8; --sf-soft:#9fada4; --sf-line:#28322c; --sf-card:#171e1a;
  --sf-tint:#1a2620; --sf-good:#7fdcae; --sf-good-bg:#163526; --sf-bad:#ffa79e; --sf-bad-bg:#43201d;
  --sf-dim-bg:#222a25; --sf-warn-bg:#352b13; --sf-warn:#f0cc7a; }
.gradio-container { max-width:1320px !important; margin:0 auto !important; padding:0 20px !important; color:var(--sf-ink); }
.gradio-container main { padding:20px 0 !important; }
.gradio-container .prose, .gradio-container .html-container { color:var(--sf-ink); overflow-wrap:anywhere; word-break:keep-all; }
.html-container { padding:0 !important; }
.sf-header { display:flex; flex-wrap:wrap; gap:16px 40px; align-items:flex-end; justify-content:space-between;
  padding:6px 4px 10px; }
.sf-title { flex:1 1 460px; min-width:0; }
.sf-header h1 { font-size:30px; line-height:1.15; font-weight:750; letter-spacing:-.025em; margin:0 0 6px; color:var(--sf-green); }
.sf-header p { margin:0; font-size:16px; line-height:1.55; color:var(--sf-ink); }
.sf-header .sf-en { font-size:13px; color:var(--sf-soft); margin-top:2px; }
.sf-score { flex:0 1 400px; min-width:250px; display:grid; gap:5px; }
.sf-score-label { font-size:12.5px; color:var(--sf-soft); }
.sf-bar { display:grid; grid-template-columns:46px 1fr 54px; gap:10px; align-items:center; font-size:13px; }
.sf-bar-name { color:var(--sf-soft); }
.sf-bar-track { height:9px; border-radius:9px; background:var(--sf-line); overflow:hidden; display:block; }
.sf-bar-track i { display:block; height:100%; border-radius:9px; background:var(--sf-soft); }
.sf-bar.after i { background:var(--sf-green); }
.sf-bar b { text-align:right; font-variant-numeric:tabular-nums; font-size:14px; }
.sf-bar.after b { color:var(--sf-green); }
#ask-panel { border:1px solid var(--sf-line); border-radius:16px; background:var(--sf-card); overflow:visible;
  box-shadow:0 1px 2px rgba(20,40,30,.04), 0 8px 24px -18px rgba(20,60,40,.35); }
#ask-panel .styler { background:transparent; border-radius:16px; overflow:visible; }
#ask-row { align-items:flex-end; gap:12px; padding:14px 16px 6px; background:transparent; }
#ask-row .form { background:transparent; border:none; box-shadow:none; gap:12px; overflow:visible; }
#ask-row .block, #buttons { background:transparent !important; border:none !important; padding:0 !important; box-shadow:none; overflow:visible; }
#ask-row label > span, #as-of .label-content span, #as-of > span { font-size:12.5px !important; color:var(--sf-soft) !important; background:none !important; padding:0 !important; margin-bottom:5px; }
#question textarea { font-size:16px; line-height:1.5; min-height:46px; padding:10px 14px; border:1px solid var(--sf-line); border-radius:12px; }
#question textarea:focus { border-color:var(--sf-green); box-shadow:0 0 0 3px color-mix(in srgb, var(--sf-green) 18%, transparent); }
#as-of input { height:46px; font-size:15px; border:1px solid var(--sf-line); border-radius:12px; font-variant-numeric:tabular-nums; }
#as-of .timebox { gap:0; } #as-of input { border-radius:12px 0 0 12px; border-right:none; min-width:0; }
#as-of .calendar { height:46px; width:42px; padding:0 9px; background:var(--sf-dim-bg); border:1px solid var(--sf-line); border-radius:0 12px 12px 0; }
#as-of .calendar svg { width:20px; height:20px; }
#buttons .row { gap:8px; flex-wrap:nowrap; }
#send, #stop { height:46px; border-radius:12px; font-size:16px; font-weight:650; }
#notice-row { padding:0 16px 12px; align-items:center; background:transparent; gap:12px; }
#notice-row .block { background:transparent !important; border:none !important; padding:0 !important; }
#notice-row > .block:first-child { flex:1 1 320px !important; } #wanted { flex:0 0 auto !important; width:auto !important; }
#wanted label > span { font-size:14px; }
.sf-notice { margin:0 !important; font-size:13px; line-height:1.5; color:var(--sf-soft); }
.sf-notice.sf-outside { color:var(--sf-warn); }
#examples { background:transparent !important; border:none !important; padding:2px 4px !important; }
#examples .label { font-size:12.5px; color:var(--sf-soft); margin-bottom:6px; }
.gallery { gap:8px !important; }
.gallery-item { border-radius:999px !important; border:1px solid var(--sf-line) !important; background:var(--sf-card) !important;
  padding:6px 13px !important; font-size:13.5px !important; color:var(--sf-ink) !important; max-width:100%; white-space:normal !important; text-align:left; }
.gallery-item:hover, .gallery-item:focus-visible { border-color:var(--sf-green) !important; background:var(--sf-tint) !important; }
#panes { gap:18px; align-items:stretch; }
.sf-pane { background:var(--sf-card); border:1px solid var(--sf-line); border-radius:16px; padding:0 !important; gap:0 !important;
  overflow:hidden; min-height:340px; }
.sf-pane > .block { margin:0 !important; flex-grow:0 !important; overflow:visible !important; }
.sf-pane > .block[id$="-foot"] { margin-top:auto !important; }
.sf-pane .block { border:none !important; background:transparent !important; box-shadow:none !important; }
.sf-head { display:flex; flex-wrap:wrap; gap:4px 10px; align-items:baseline; padding:13px 20px 11px; border-bottom:1px solid var(--sf-line); }
#student .sf-head { box-shadow:inset 0 3px 0 var(--sf-green); } #teacher .sf-head { box-shadow:inset 0 3px 0 var(--sf-blue); }
.sf-role { font-weight:750; font-size:17px; } #student .sf-role { color:var(--sf-green); } #teacher .sf-role { color:var(--sf-blue); }
.sf-name { font-size:13.5px; font-weight:600; } .sf-detail { font-size:12.5px; color:var(--sf-soft); }
.block.sf-answer { padding:16px 20px 4px !important; } .block.sf-answer:has(.md:empty) { padding:0 !important; }
.sf-answer .prose, .sf-answer .md { font-size:16px; line-height:1.75; } .sf-answer .prose p { margin:0 0 .7em; }
.sf-answer h1, .sf-answer h2, .sf-answer h3, .sf-answer h4 { font-size:17px !important; line-height:1.5; margin:.9em 0 .35em !important; }
.sf-answer pre { white-space:pre-wrap; background:var(--sf-dim-bg); border-radius:10px; padding:10px 12px; font-size:13.5px; }
.sf-answer li { margin:.2em 0; }
[id$="-card"] .html-container, [id$="-foot"] .html-container { padding:0 20px !important; }
.sf-empty { color:var(--sf-soft); font-size:15px; padding:26px 0 0; margin:0; }
.sf-pane h3 { font-size:13.5px; font-weight:700; margin:0 0 8px; color:var(--sf-soft); display:flex; flex-wrap:wrap; gap:4px 8px; align-items:center; }
.sf-facts { padding:16px 0 4px; }
.sf-facts dl { display:flex; flex-wrap:wrap; gap:8px; margin:0; }
.sf-facts div { border:1px solid var(--sf-line); border-radius:10px; padding:5px 12px 6px; }
.sf-facts dt { font-size:12px; color:var(--sf-soft); line-height:1.4; } .sf-facts dd { margin:0; font-weight:650; font-size:15px; line-height:1.4; }
.sf-working { padding:16px 0 2px; }
.sf-code-mark { font-size:11.5px; font-weight:650; padding:2px 8px; border-radius:999px; background:var(--sf-tint); color:var(--sf-green); border:1px solid color-mix(in srgb, var(--sf-green) 30%, transparent); }
.sf-steps { list-style:none !important; margin:0 !important; padding:0 !important; font-size:15px; }
.sf-steps li { display:flex; flex-wrap:wrap; justify-content:space-between; gap:0 14px; padding:7px 0; margin:0; line-height:1.5; }
.sf-steps li + li { border-top:1px solid var(--sf-line); } .sf-steps b { font-weight:600; font-variant-numeric:tabular-nums; }
.sf-steps small { flex-basis:100%; color:var(--sf-soft); font-size:13px; }
.sf-payable { display:flex; justify-content:space-between; align-items:baseline; gap:12px; margin:8px 0 10px !important; padding:11px 14px;
  border-radius:12px; background:var(--sf-tint); font-size:15px; } .sf-payable b { font-size:20px; color:var(--sf-green); font-variant-numeric:tabular-nums; }
.sf-articles { font-size:13px; line-height:1.6; color:var(--sf-soft); margin:0 0 6px !important; }
.sf-pane details { font-size:13.5px; margin:4px 0 8px; } .sf-pane summary { cursor:pointer; color:var(--sf-soft); padding:3px 0; }
.sf-pane summary:hover { color:var(--sf-ink); } .sf-pane details ul { margin:4px 0 6px; padding-left:18px; list-style:disc; }
.sf-raw pre { white-space:pre-wrap; overflow-wrap:anywhere; font-size:13px; background:var(--sf-dim-bg); padding:9px 12px; border-radius:10px; margin:4px 0 0; }
.sf-foot { margin-top:12px; padding:12px 0 16px; border-top:1px solid var(--sf-line); }
.sf-badges { display:flex; flex-wrap:wrap; gap:6px; margin-bottom:6px; }
.sf-badge { font-size:12.5px; padding:3px 10px; border-radius:999px; border:1px solid transparent; }
.sf-badge.strong { font-weight:700; }
.sf-badge.good { color:var(--sf-good); background:var(--sf-good-bg); } .sf-badge.bad { color:var(--sf-bad); background:var(--sf-bad-bg); }
.sf-badge.dim { color:var(--sf-soft); background:var(--sf-dim-bg); }
.sf-findings { list-style:none !important; padding-left:0 !important; }
.sf-findings li { padding:5px 0; line-height:1.55; } .sf-findings li + li { border-top:1px dashed var(--sf-line); }
.sf-findings li.good b { color:var(--sf-good); } .sf-findings li.bad b { color:var(--sf-bad); } .sf-findings li.dim b { color:var(--sf-soft); }
.sf-expected { font-weight:600; white-space:nowrap; }
.sf-stats { display:flex; flex-wrap:wrap; gap:2px 6px; align-items:center; font-size:13px; color:var(--sf-soft); font-variant-numeric:tabular-nums; }
.sf-stats b { color:var(--sf-ink); font-weight:650; } .sf-ai { margin-left:auto; color:var(--sf-soft); }
.sf-pulse { width:8px; height:8px; border-radius:50%; background:var(--sf-green); animation:sf-pulse 1.1s ease-in-out infinite; }
@keyframes sf-pulse { 50% { opacity:.25; } }
@media (prefers-reduced-motion: reduce) { .sf-pulse { animation:none; } }
.sf-recorded { display:inline-block; margin:16px 0 0 !important; padding:4px 12px; border-radius:999px; font-size:13px !important; font-weight:650;
  color:var(--sf-warn) !important; background:var(--sf-warn-bg); }
.sf-state { margin:18px 0 6px; padding:13px 16px; border-radius:12px; background:var(--sf-dim-bg); font-size:15px; line-height:1.6; }
.sf-state p { margin:4px 0 0 !important; font-size:13.5px; color:var(--sf-soft); }
.sf-state.error { background:var(--sf-bad-bg); } .sf-state.error b { color:var(--sf-bad); }
.sf-state.stop { background:var(--sf-warn-bg); } .sf-state.stop b { color:var(--sf-warn); }
.sf-legal { border-top:1px solid var(--sf-line); margin-top:6px; padding:12px 4px 4px; display:flex; flex-wrap:wrap; gap:2px 28px; }
.sf-legal p { margin:0; font-size:13px; line-height:1.6; color:var(--sf-soft); }
@media (max-width:768px) {
  .gradio-container { padding:0 12px !important; }
  .sf-header h1 { font-size:25px; } .sf-header p { font-size:15px; } .sf-score { flex-basis:100%; }
  #ask-row { padding:12px 12px 6px; } #notice-row { padding:0 12px 12px; }
  #ask-row .form, #question, #as-of, #buttons { flex:1 1 100% !important; min-width:0 !important; }
  #buttons button { flex:1 1 0; }
  #panes { flex-direction:column; } .sf-pane { min-height:220px; flex:none !important; width:100%; min-width:0 !important; }
  .sf-head { padding:12px 16px 10px; } .block.sf-answer { padding:14px 16px 2px !important; }
  [id$="-card"] .html-container, [id$="-foot"] .html-container { padding:0 16px !important; }
  .sf-ai { margin-left:0; flex-basis:100%; }
}
"""
