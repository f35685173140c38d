"use strict";
// Pages through the embedded rows.  Text from the data becomes text nodes only; no markup is ever built from it.
(() => {
  const PAGE = 10;
  const data = JSON.parse(document.getElementById("data").textContent);
  const CLASSES = { "인용": "cite", "금액": "money", "비율": "rate", "기간": "rate", "나이": "rate", "날짜": "rate", "문구": "words" };
  const FACETS = ["gate", "source", "tax", "style"];
  const LABELS = { id: "행 id", as_of: "기준일", articles: "조문", call: "계산 요청", document_id: "문서", document_version: "문서 판", teacher: "교사", model: "모델",
    prompt: "프롬프트", prompt_hash: "프롬프트 해시", request: "요청 키", seed: "씨앗", input_tokens: "입력 토큰", output_tokens: "출력 토큰", usd: "달러", judge: "판정 모델", note: "비고" };
  const by = (name) => document.getElementById(`by-${name}`);
  const state = { list: data.rows.rejected.length ? "rejected" : "accepted", page: 0, shown: [] };

  function node(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children.filter((child) => child !== null));
    return made;
  }
  const named = (facet, value) => (Object.hasOwn(data.names[facet], value) ? data.names[facet][value] : value);

  // Offsets count characters (code points), not the halves of JavaScript's strings.
  function marked(text, spans) {
    const letters = Array.from(text);
    const kept = spans.filter(([start, end]) => 0 <= start && start < end && end <= letters.length);
    const edges = [...new Set([0, letters.length, ...kept.flatMap(([start, end]) => [start, end])])].sort((a, b) => a - b);
    const pieces = [];
    for (let at = 0; at + 1 < edges.length; at++) {
      const [start, end] = [edges[at], edges[at + 1]];
      const words = letters.slice(start, end).join("");
      const over = kept.filter((span) => span[0] <= start && end <= span[1]);
      if (!over.length) { pieces.push(words); continue; }
      const mark = node("mark", [...new Set(over.map((span) => CLASSES[span[2]] || "words"))].join(" "), words);
      mark.title = [...new Set(over.map((span) => span[2]))].join(", ");
      pieces.push(mark);
    }
    return pieces;
  }

  function facts(row) {
    const known = { id: row.id, as_of: row.as_of, articles: row.articles.join(", "), call: row.call, ...row.provenance };
    const list = node("dl", "facts");
    for (const [name, value] of Object.entries(known)) {
      if (value !== undefined && value !== null && value !== "") list.append(node("div", "", node("dt", "", LABELS[name] || name), node("dd", "", String(value))));
    }
    return list;
  }

  function body(row) {
    const pair = node("div", "");
    for (const [question, answer] of row.history) pair.append(node("p", "text past", question), node("p", "text past", answer));
    pair.append(node("h4", "", "질문"), node("p", "text", row.question), node("h4", "", "답변"), node("p", "text", row.answer || "비어 있음"));
    const evidence = data.evidence[row.evidence];
    const source = node("div", "", node("h4", "", "근거"), node("div", "text evidence", ...(evidence ? marked(evidence, row.spans) : ["근거 문서가 없습니다."])));
    if (evidence) source.lastChild.tabIndex = 0;
    const gates = node("p", "chips");
    row.gates.forEach((gate, at) => {
      const said = row.verdicts[at];
      gates.append(node("span", "good", `✓ ${named("gate", gate)}${said && said !== "통과" ? `: ${said}` : ""}`));
    });
    if (row.gate) gates.append(node("span", "bad", `✗ ${named("gate", row.gate)}`));
    return node("div", "body", pair, source, node("div", "full", node("h4", "", "관문"), gates, node("h4", "", "출처와 기록"), facts(row)));
  }

  function card(row) {
    const chips = node("p", "chips");
    if (row.gate) chips.append(node("span", "bad", named("gate", row.gate)));
    for (const facet of ["split", "source", "style", "tax"]) if (row[facet] && !(facet === "split" && row.gate)) chips.append(node("span", "", named(facet, row[facet])));
    if (row.difficulty) chips.append(node("span", "", `난이도 ${row.difficulty}`));
    const made = node("details", "card row", node("summary", "", node("strong", "", row.question || "(쌍이 되지 못함)"), row.reason ? node("p", "why", row.reason) : null, chips));
    made.addEventListener("toggle", () => { if (made.open && made.childElementCount === 1) made.append(body(row)); });
    return made;
  }

  function passes(row, wanted, text) {
    if (FACETS.some((facet) => wanted[facet] && row[facet] !== wanted[facet])) return false;
    return !text || [row.id, row.question, row.answer, row.reason, data.evidence[row.evidence]].some((part) => part && part.toLowerCase().includes(text));
  }

  function show() {
    const last = Math.max(0, Math.ceil(state.shown.length / PAGE) - 1);
    state.page = Math.min(Math.max(0, state.page), last);
    const rows = state.shown.slice(state.page * PAGE, (state.page + 1) * PAGE);
    document.getElementById("rows").replaceChildren(...(rows.length ? rows.map(card) : [node("p", "note", "조건에 맞는 쌍이 없습니다.")]));
    for (const pager of document.querySelectorAll(".pager")) {
      pager.hidden = false;
      pager.querySelector(".before").disabled = state.page === 0;
      pager.querySelector(".after").disabled = state.page === last;
      pager.querySelector(".where").textContent = rows.length ? `${state.page + 1} / ${last + 1}쪽 · ${state.shown.length.toLocaleString("ko-KR")}개` : "0개";
    }
  }

  function filter() {
    const wanted = Object.fromEntries(FACETS.map((facet) => [facet, by(facet).value]));
    const text = by("text").value.normalize("NFC").trim().toLowerCase();
    state.shown = data.rows[state.list].filter((row) => passes(row, wanted, text));
    state.page = 0;
    show();
  }

  function open(list) {
    state.list = list;
    for (const tab of document.querySelectorAll(".tabs button")) tab.setAttribute("aria-selected", String(tab.dataset.list === list));
    for (const facet of FACETS) {
      const values = [...new Set(data.rows[list].map((row) => row[facet]).filter(Boolean))];
      const before = by(facet).value;
      const choices = [["", "모두"], ...values.map((value) => [value, named(facet, value)])];
      by(facet).replaceChildren(...choices.map(([value, name]) => { const choice = node("option", "", name); choice.value = value; return choice; }));
      by(facet).value = values.includes(before) ? before : "";
      by(facet).disabled = !values.length;
    }
    filter();
  }

  for (const tab of document.querySelectorAll(".tabs button")) tab.addEventListener("click", () => open(tab.dataset.list));
  for (const facet of FACETS) by(facet).addEventListener("change", filter);
  by("text").addEventListener("input", filter);
  const turn = (step) => { state.page += step; show(); document.getElementById("browse").scrollIntoView(); };
  for (const button of document.querySelectorAll(".before")) button.addEventListener("click", () => turn(-1));
  for (const button of document.querySelectorAll(".after")) button.addEventListener("click", () => turn(1));
  open(state.list);
})();
