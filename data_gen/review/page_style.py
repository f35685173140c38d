"""Colours, type and keys of the review page.  Nothing is fetched from outside: system fonts only."""

from __future__ import annotations

import gradio as gr

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
        button_cancel_background_fill="#fdebe9",
        button_cancel_background_fill_hover="#fad9d5",
        button_cancel_background_fill_dark="#43201d",
        button_cancel_background_fill_hover_dark="#572a26",
        button_cancel_text_color="#a3261d",
        button_cancel_text_color_dark="#ffa79e",
    )


# Keys go by their place on the keyboard (event.code), so that they work with a Korean layout; never while typing.
HEAD = """
<meta name="referrer" content="no-referrer">
<script>
(() => {
  const keys = { KeyA: "#b-accept", KeyE: "#b-edit", KeyR: "#b-reject", KeyJ: "#b-forth", KeyK: "#b-back", KeyU: "#b-undo" };
  const seen = (selector) => [...document.querySelectorAll(selector)].find((found) => found.offsetParent !== null);
  const typing = (target) => target instanceof Element && target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true], [role=listbox]");
  window.reviewFocus = (selector) => {
    let tries = 0;
    const look = () => {
      const field = seen(selector);
      if (field) field.focus(); else if (++tries < 40) setTimeout(look, 25);
    };
    look();
  };
  window.reviewTop = () => {
    const main = document.querySelector("#rv-main");
    if (main && main.getBoundingClientRect().top < 0) main.scrollIntoView();
    const text = document.querySelector(".rv-evidence");
    if (!text) return;
    // The paragraph that is cited, where it stands further down; a heading alone is no place to go to.
    const place = [...text.querySelectorAll("mark.m-cite")].find((mark) => mark.textContent.length > 30);
    text.scrollTop = place ? Math.max(0, place.offsetTop - text.offsetTop - 60) : 0;
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.repeat || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    if (event.code === "Escape") {
      const leave = seen(".b-leave");
      if (leave) { leave.click(); if (document.activeElement) document.activeElement.blur(); }
      return;
    }
    if (command && (event.code === "Enter" || event.code === "NumpadEnter")) {
      const button = seen("#b-save") || seen("#b-refuse");
      // A field gives its text to the page when it is left.
      if (button) { event.preventDefault(); document.activeElement.blur(); setTimeout(() => button.click(), 60); }
      return;
    }
    if (command || event.shiftKey || typing(event.target)) return;
    if (event.code === "Slash") {
      const head = document.querySelector("#rv-filters > button");
      if (!seen("#f-text") && head) head.click();
      event.preventDefault(); window.reviewFocus("#f-text textarea, #f-text input");
      return;
    }
    const panel = seen("#rv-reject");
    const digit = panel && /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    if (digit) {
      const radio = panel.querySelectorAll("input[type=radio]")[digit[1] - 1];
      if (radio) { event.preventDefault(); radio.click(); radio.focus(); }
      return;
    }
    if (panel && event.code === "Enter" && !event.target.closest("button")) { seen("#b-refuse").click(); return; }
    if (seen("#rv-edit")) return; // a letter beside the field must not throw the edit away
    const button = keys[event.code] && document.querySelector(keys[event.code]);
    if (button) { event.preventDefault(); button.click(); }
  });
})();
</script>
"""

CSS = """
:root { --rv-green:#1c6b48; --rv-blue:#3c5a8c; --rv-ink:#1f2722; --rv-soft:#5d6a62; --rv-line:#e2e6df; --rv-card:#fff;
  --rv-dim:#f0f1ed; --rv-good:#17633f; --rv-good-bg:#e3f3ea; --rv-bad:#a3261d; --rv-bad-bg:#fdebe9;
  --rv-cite:#e3f1e9; --rv-money:#ffe3a3; --rv-rate:#d9e4fb; --rv-words:#3c5a8c; }
.dark { --rv-green:#5cc796; --rv-blue:#93b1e6; --rv-ink:#e7ece8; --rv-soft:#9fada4; --rv-line:#28322c; --rv-card:#171e1a;
  --rv-dim:#222a25; --rv-good:#7fdcae; --rv-good-bg:#163526; --rv-bad:#ffa79e; --rv-bad-bg:#43201d;
  --rv-cite:#1d3a2b; --rv-money:#5c4610; --rv-rate:#263a5e; --rv-words:#93b1e6; }
.gradio-container { max-width:1400px !important; margin:0 auto !important; padding:0 20px !important; color:var(--rv-ink); }
.gradio-container main { padding:16px 0 84px !important; } .gradio-container .fillable { padding:0 !important; }
.gradio-container .html-container { padding:0 !important; color:var(--rv-ink); overflow-wrap:anywhere; word-break:keep-all; }
#rv-top { align-items:center; gap:8px 32px; } #rv-top > .block, #rv-message, #rv-place, .rv-pane .block { background:transparent !important; border:none !important; box-shadow:none; padding:0 !important; }
.rv-title h1 { margin:0; font-size:24px; line-height:1.25; font-weight:750; letter-spacing:-.02em; color:var(--rv-green); }
.rv-title p { margin:2px 0 0; font-size:14px; } .rv-title span, .rv-h span { color:var(--rv-soft); font-size:12.5px; font-weight:400; margin-left:6px; }
.rv-progress { font-size:14px; font-variant-numeric:tabular-nums; } .rv-progress small { display:block; color:var(--rv-soft); font-size:12.5px; min-height:1.5em; }
.rv-track { display:block; height:8px; border-radius:8px; background:var(--rv-line); overflow:hidden; margin:5px 0 3px; } .rv-track i { display:block; height:100%; background:var(--rv-green); }
#rv-filters { border-radius:14px; } #rv-filters .row { align-items:end; gap:10px; }
#rv-filters .block { border:none !important; box-shadow:none; background:transparent !important; padding:0 !important; overflow:visible; }
#rv-filters .form { border:none; background:transparent; box-shadow:none; gap:10px; overflow:visible; align-items:end; flex:1 1 100%; display:grid; grid-template-columns:repeat(auto-fit, minmax(138px, 1fr)); }
#rv-filters .form > * { min-width:0 !important; }
#rv-filters .wrap, #rv-filters textarea, #rv-filters input[type=text]:not(.wrap input), .rv-panel textarea { border:1px solid var(--rv-line) !important; border-radius:10px !important; }
#rv-filters .wrap input { border:none !important; padding:0 !important; min-height:0; height:28px; } #rv-filters .wrap-inner { padding:5px 4px !important; } #rv-filters .wrap .wrap, #rv-filters .wrap-inner { border:none !important; }
#rv-filters .wrap { box-shadow:none !important; background:var(--rv-card); padding:0 6px; } #rv-filters label span { font-size:13px; white-space:nowrap; }
#f-undecided, #f-rejected { align-self:end; flex:0 0 auto !important; } #f-undecided label, #f-rejected label { min-height:40px; align-items:center; }
.rv-panel .block { overflow:visible; } #r-why label { padding:5px 12px; border-radius:999px; border:1px solid var(--rv-line); background:var(--rv-card); font-size:14px; } #r-why .wrap { gap:6px; }
.rv-chips.passed span { color:var(--rv-good); background:var(--rv-good-bg); }
#rv-main { gap:16px; align-items:flex-start; }
.rv-pane { background:var(--rv-card); border:1px solid var(--rv-line); border-radius:16px; padding:14px 18px 16px !important; gap:8px !important; }
#rv-left { position:sticky; top:12px; } #rv-right { box-shadow:inset 0 3px 0 var(--rv-green); } #rv-left { box-shadow:inset 0 3px 0 var(--rv-blue); }
.rv-h { margin:0; font-size:16px; font-weight:750; } #rv-left .rv-h { color:var(--rv-blue); } #rv-right .rv-h { color:var(--rv-green); }
.rv-evidence { white-space:pre-wrap; font-size:15px; line-height:1.8; max-height:calc(100vh - 250px); min-height:120px; overflow:auto; padding-right:6px; }
.rv-evidence:focus-visible { outline:2px solid var(--rv-blue); outline-offset:4px; border-radius:6px; }
mark { color:inherit; background:none; border-radius:3px; }
mark.m-cite { background:var(--rv-cite); } mark.m-rate { background:var(--rv-rate); } mark.m-money { background:var(--rv-money); }
mark.m-words { text-decoration:underline; text-decoration-color:var(--rv-words); text-decoration-thickness:2px; text-underline-offset:4px; }
mark.m-confirmed { text-decoration:underline; text-decoration-color:var(--rv-good); text-underline-offset:4px; }
mark.m-unchecked { text-decoration:underline dashed; text-decoration-color:var(--rv-soft); text-underline-offset:4px; }
mark.m-fault { background:var(--rv-bad-bg); text-decoration:underline wavy; text-decoration-color:var(--rv-bad); text-underline-offset:4px; }
.rv-legend { display:flex; flex-wrap:wrap; gap:6px; font-size:12.5px; color:var(--rv-soft); margin-bottom:8px; } .rv-legend mark { padding:1px 9px; border:1px solid var(--rv-line); border-radius:999px; }
.rv-chips { display:flex; flex-wrap:wrap; gap:6px; margin:8px 0 4px; } .rv-chips span { font-size:12.5px; padding:2px 9px; border-radius:999px; background:var(--rv-dim); color:var(--rv-soft); }
.rv-turn { margin:10px 0 0; } .rv-turn h3, #rv-checks h3 { margin:0 0 3px; font-size:12.5px; font-weight:650; color:var(--rv-soft); }
.rv-turn > div { white-space:pre-wrap; font-size:16px; line-height:1.75; } .rv-turn.question > div { font-weight:600; }
.rv-turn.past > div { font-size:14.5px; color:var(--rv-soft); border-left:3px solid var(--rv-line); padding-left:10px; }
.rv-stamp { margin:0; padding:7px 12px; border-radius:10px; font-size:14px; background:var(--rv-dim); } .rv-stamp small { color:var(--rv-soft); }
.rv-stamp.accept, .rv-stamp.edit { background:var(--rv-good-bg); color:var(--rv-good); } .rv-stamp.reject { background:var(--rv-bad-bg); color:var(--rv-bad); } .rv-stamp.none { color:var(--rv-soft); }
#rv-checks { border-top:1px solid var(--rv-line) !important; padding-top:12px !important; margin-top:6px; border-radius:0; } #rv-checks h3 { margin-top:10px; }
.rv-gates { list-style:none !important; margin:0 !important; padding:0 !important; font-size:13.5px; }
.rv-gates li { display:flex; gap:8px; padding:4px 0; margin:0; line-height:1.5; } .rv-gates li + li { border-top:1px dashed var(--rv-line); }
.rv-gates b { flex:0 0 92px; font-weight:650; } .rv-gates .good b { color:var(--rv-good); } .rv-gates .bad b, .rv-gates .bad span { color:var(--rv-bad); } .rv-gates .dim b { color:var(--rv-soft); }
.rv-badge { font-size:12.5px; font-weight:700; padding:2px 9px; border-radius:999px; } .rv-badge.good { color:var(--rv-good); background:var(--rv-good-bg); } .rv-badge.bad { color:var(--rv-bad); background:var(--rv-bad-bg); }
.rv-verdict { font-size:13.5px; line-height:1.7; } .rv-none { margin:0; font-size:14px; color:var(--rv-soft); }
.rv-pane details { font-size:13.5px; margin-top:10px; } .rv-pane summary { cursor:pointer; color:var(--rv-soft); padding:4px 0; } .rv-pane summary:hover { color:var(--rv-ink); }
.rv-from dl { margin:4px 0 0; } .rv-from dl div { display:grid; grid-template-columns:104px 1fr; gap:8px; padding:3px 0; } .rv-from dt { color:var(--rv-soft); } .rv-from dd { margin:0; overflow-wrap:anywhere; }
.rv-panel { border:1px solid var(--rv-line); border-radius:12px; padding:12px !important; gap:10px !important; background:var(--rv-dim); } .rv-panel .form { border:none; background:transparent; box-shadow:none; overflow:visible; gap:10px; }
.rv-panel textarea { font-size:15px; line-height:1.65; } .rv-hint { margin:0; font-size:12.5px; color:var(--rv-soft); }
.rv-message { margin:0; padding:9px 14px; border-radius:10px; font-size:14px; background:var(--rv-dim); } .rv-message.error { background:var(--rv-bad-bg); color:var(--rv-bad); }
#rv-bar { position:fixed; left:0; right:0; bottom:0; z-index:20; margin:0; padding:10px 20px calc(10px + env(safe-area-inset-bottom)); background:var(--rv-card);
  border-top:1px solid var(--rv-line); justify-content:center; align-items:center; gap:8px; flex-wrap:nowrap; }
#rv-bar button { flex:0 1 128px; height:44px; font-size:15px; white-space:nowrap; padding:0 8px; } #rv-place { flex:0 0 auto !important; min-width:86px !important; width:auto; text-align:center; }
.rv-place { font-size:13.5px; color:var(--rv-soft); font-variant-numeric:tabular-nums; white-space:nowrap; }
@media (max-width:768px) {
  .gradio-container { padding:0 12px !important; } .gradio-container main { padding-bottom:132px !important; }
  #rv-top { flex-direction:column; align-items:stretch; } #rv-main { flex-direction:column; }
  .rv-pane { width:100%; min-width:0 !important; padding:12px 14px 14px !important; } #rv-left { position:static; } .rv-evidence { max-height:44vh; }
  #rv-bar { flex-wrap:wrap; padding:8px 12px calc(8px + env(safe-area-inset-bottom)); gap:6px; }
  #rv-bar button { flex:1 1 22%; min-width:0 !important; height:42px; font-size:14px; } #b-back, #b-forth { flex:1 1 30% !important; }
  .rv-gates b { flex-basis:78px; } .rv-hint { display:none; }
}
"""
