"""The few lines of JavaScript of the page: input method, keys, what a screen reader is told, downloads, the tab's key."""

from __future__ import annotations

HEAD = """
<meta name="referrer" content="no-referrer">
<script>
(() => {
  // A composing Enter (한글 조합 중) belongs to the input method; without this, Safari sends half a word.
  let composing = false;
  const isComposing = (event) => event.isComposing || event.keyCode === 229;
  document.addEventListener("keydown", (event) => {
    composing = event.key === "Enter" && isComposing(event);
    if (composing) event.stopImmediatePropagation();
  }, true);
  document.addEventListener("keypress", (event) => {
    if (composing && event.key === "Enter") event.stopImmediatePropagation();
  }, true);

  // Esc stops every answer, / goes to the question.
  document.addEventListener("keydown", (event) => {
    if (isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") document.getElementById("stop-all")?.click();
    if (event.key === "/" && !typing) {
      event.preventDefault();
      document.querySelector("#question textarea")?.focus();
    }
  });

  const live = document.createElement("div");
  live.id = "sf-live";
  live.className = "sf-sr";
  live.setAttribute("role", "status");
  live.setAttribute("aria-live", "polite");

  const slmForest = {
    // Finished answers only: a text read out while it is written cannot be followed.
    announce(place) {
      const said = document.querySelector(`#${place}-foot .sf-said`);
      if (said && said.dataset.said) live.textContent = said.dataset.said;
    },
    save(file) {
      if (!file) return;
      const {name, type, text} = JSON.parse(file);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], {type: type + ";charset=utf-8"}));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    },
    key() {
      try { return sessionStorage.getItem("slm-forest-tab") || ""; } catch { return ""; }
    },
    keep(key) {
      try { sessionStorage.setItem("slm-forest-tab", key); } catch { /* a browser that keeps nothing */ }
    },
    focusQuestion() { document.querySelector("#question textarea")?.focus(); },
    // What assistive technology needs and Gradio has no parameter for.
    label(language) {
      document.documentElement.lang = language;
      for (const place of ["left", "right", "base"]) {
        const pane = document.getElementById(place);
        if (!pane) continue;
        pane.setAttribute("role", "region");
        pane.setAttribute("aria-labelledby", `${place}-name`);
        for (const what of ["stop", "retry"]) {
          const button = document.getElementById(`${place}-${what}`);
          button?.setAttribute("aria-describedby", `${place}-name`);
        }
      }
      const question = document.querySelector("#question textarea");
      question?.setAttribute("aria-label", language === "ko" ? "질문" : "Question");
      question?.setAttribute("aria-describedby", "counter");
      const consent = document.getElementById("consent");
      consent?.setAttribute("role", "group");
      consent?.setAttribute("aria-labelledby", "sf-consent-title");
      document.getElementById("vote")?.setAttribute("role", "group");
    },
  };
  window.slmForest = slmForest;
  document.addEventListener("DOMContentLoaded", () => document.body.append(live));
})();
</script>
"""
