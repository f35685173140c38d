// Input method, keys, what a screen reader is told, downloads, the key of the tab: what Gradio has no parameter for.
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

  // The length of a question is counted when typing pauses.
  let pause = 0;
  document.addEventListener("input", (event) => {
    if (!event.target.closest("#question")) return;
    clearTimeout(pause);
    pause = setTimeout(() => document.getElementById("count")?.click(), 400);
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
    // What assistive technology needs and Gradio has no parameter for; components come and go, so it is done again.
    tend(language) {
      if (language) document.documentElement.lang = language;
      const named = {left: "left-name", right: "right-name", base: "base-name", consent: "sf-consent-title"};
      for (const [id, name] of Object.entries(named)) {
        const part = document.getElementById(id);
        part?.setAttribute("role", id === "consent" ? "group" : "region");
        part?.setAttribute("aria-labelledby", name);
        for (const what of ["stop", "retry"]) {
          document.getElementById(`${id}-${what}`)?.setAttribute("aria-describedby", name);
        }
      }
      document.getElementById("vote")?.setAttribute("role", "group");
      const day = document.querySelector("#as-of .label-content")?.innerText.trim() || "";
      document.querySelector("#as-of input")?.setAttribute("aria-label", day);
      const calendar = document.querySelector("#as-of .calendar");
      calendar?.setAttribute("aria-label", day);
      calendar?.setAttribute("aria-haspopup", "dialog");
      document.querySelector("#question textarea")?.setAttribute("aria-describedby", "counter");
    },
    // A question that waits for consent is decided before anything else.
    asked() {
      slmForest.tend();
      const yes = document.getElementById("consent-yes");
      if (yes) { yes.focus(); yes.scrollIntoView({block: "nearest"}); }
    },
  };
  window.slmForest = slmForest;
  if (document.body) document.body.append(live);
  else document.addEventListener("DOMContentLoaded", () => document.body.append(live));
})();
