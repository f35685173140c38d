"""The drawer under an answer, as pure functions from values to HTML: badges, citations, steps, sources, what is missing.

Every text that is not ours is escaped here.  Lists and ``details`` only, so that a keyboard and a screen reader get
everywhere; a mark is never the only sign of a tone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Literal

from serve.explanation import Check, CitedSource, Explanation
from taxlaw.money import format_won

Language = Literal["ko", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "badges": ("검증 결과", "Verification"),
    "drawer": ("검증 내용", "What was checked"),
    "good": ("확인", "confirmed"),
    "bad": ("틀림", "wrong"),
    "dim": ("미확인", "not checked"),
    "citations": ("인용한 근거", "Citations"),
    "no_citations": ("인용한 조문이 없습니다.", "The answer cites nothing."),
    "effective": ("시행일", "in force from"),
    "as_of": ("기준일", "as of"),
    "statute": ("법령 본문", "Text of the law"),
    "source": ("본문", "Text"),
    "ruling": ("예규·판례의 내용", "Text of the ruling"),
    "digest": ("법령 원문이 아니라 이 프로그램이 요약한 말", "Summary by this program, not the text of the law"),
    "no_text": (
        "본문이 이 컴퓨터에 없습니다. 링크에서 확인하세요.",
        "The text is not on this computer; see the link.",
    ),
    "link": ("국가법령정보센터에서 보기", "See at law.go.kr"),
    "link_note": ("지금의 법령이 열립니다", "opens the law as it is today"),
    "new_tab": ("새 창", "new tab"),
    "steps_question": ("코드가 질문에서 바로 계산한 단계", "Steps computed by code from the question"),
    "steps_model": ("모델이 읽은 사실로 코드가 계산한 단계", "Steps computed by code from the facts the model read"),
    "told": ("답변에 있음", "in the answer"),
    "not_told": ("답변에 없음", "not in the answer"),
    "payable": ("납부할 세액", "Tax payable"),
    "stated": ("답변의 세액", "Stated in the answer"),
    "sums": ("답변의 계산식을 다시 계산", "Sums of the answer, recomputed"),
    "right": ("맞음", "right"),
    "wrong": ("틀림", "wrong"),
    "should_be": ("바른 값", "should be"),
    "checks": ("검증기가 찾은 것", "Findings"),
    "expected": ("맞는 값", "expected"),
    "missing": ("모자란 것", "Missing"),
    "nothing": ("확인할 것이 없었습니다.", "There was nothing to check."),
    "sources": ("찾은 근거", "Sources found"),
    "not_read": (
        "모델에는 질문만 보냈습니다. 근거는 직접 비교하세요.",
        "The model was sent the question alone.  Compare the sources yourself.",
    ),
    "why": ("찾은 까닭", "why"),
    "replied": ("회신일", "replied"),
    "calculation": ("코드가 질문에서 바로 계산", "Computed by code from the question"),
    "by_code": ("모델이 아니라 코드가 계산", "computed by code, not by a model"),
    "facts": ("읽은 사실", "Facts read"),
    "working": ("계산 과정", "Working"),
    "assumptions": ("전제", "Assumptions"),
    "agrees": ("답변의 세액과 같습니다.", "The answer states the same tax."),
    "differs": ("답변의 세액과 다릅니다", "The answer states another tax"),
    "silent": ("답변에서 최종 세액을 찾지 못했습니다.", "The answer states no final tax."),
    "unsure": ("답변의 세액과 같은지 판단하지 못했습니다.", "Whether the answer agrees could not be told."),
}
_MARKS = {"good": "✓", "bad": "✗", "dim": "?"}
_TONES = {"confirmed": "good", "fault": "bad", "unchecked": "dim"}
_KINDS = {
    "citation": ("인용", "citation"),
    "number": ("금액", "amount"),
    "calculation": ("계산", "sum"),
    "contradiction": ("근거와 어긋남", "contradiction"),
    "form": ("형식", "form"),
}
_SOURCE_KINDS = {
    "article": ("조문", "article"),
    "digest": ("요약", "summary"),
    "heading": ("제목만", "heading only"),
    "ruling": ("예규·판례", "ruling"),
}


def badges_html(explanation: Explanation, language: Language = "ko") -> str:
    """One line of badges; the tone stands in words for those who do not see the colour."""
    items = "".join(
        f'<li class="sf-badge {badge.tone}"><span aria-hidden="true">{_MARKS[badge.tone]}</span> '
        f'{escape(badge.words if language == "ko" else badge.english)}<span class="sf-sr"> ({_say(badge.tone, language)})</span></li>'
        for badge in explanation.badges
    )
    return f'<ul class="sf-badges" aria-label="{_say("badges", language)}">{items}</ul>'


def drawer_html(explanation: Explanation, language: Language = "ko") -> str:
    """Everything checked about one answer, closed until it is opened."""
    parts = [
        _section("missing", _list(escape(text) for text in explanation.missing), language, explanation.missing),
        _section("citations", _citations(explanation, language), language, True),
        _steps(explanation, language),
        _section("sums", _sums(explanation, language), language, explanation.sums),
        _section("checks", _list(_check(one, language) for one in explanation.checks), language, explanation.checks),
    ]
    return (
        f'<details class="sf-drawer"><summary>{_say("drawer", language)} · {escape(_summary(explanation, language))}'
        f' <span class="sf-day">{_say("as_of", language)} {explanation.as_of}</span></summary>{"".join(parts)}</details>'
    )


def _summary(explanation: Explanation, language: Language) -> str:
    """The verdict in a line: the verifier's own words, in English those of the badges."""
    return explanation.summary if language == "ko" else ", ".join(badge.english for badge in explanation.badges)


def sources_html(hits: Sequence[Any], language: Language = "ko", read: bool = True) -> str:
    """The evidence found (taxlaw.search.Hit), best first; '' when there is none.  ``read``: it stood in the prompt."""
    if not hits:
        return ""
    items = "".join(f"<li>{_source(hit.passage, hit.why, language)}</li>" for hit in hits)
    note = "" if read else f'<p class="sf-none">{_say("not_read", language)}</p>'
    return (
        f'<details class="sf-sources"><summary>{_say("sources", language)} {len(hits)}</summary>{note}'
        f'<ol class="sf-source-list">{items}</ol></details>'
    )


def calculation_html(answer: Any, language: Language = "ko") -> str:
    """The exact computation that code made from the question itself, beside the answer; '' when it could not read one."""
    calculation = answer.calculation
    if calculation is None:
        return ""
    result = calculation.result
    facts = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in calculation.facts
    )
    steps = "".join(
        f"<li><span>{escape(step.label)}</span> <b>{format_won(step.amount)}</b>{_expression(step)}</li>"
        for step in result.steps
    )
    notes = _list(escape(note) for note in result.assumptions)
    return (
        f'<section class="sf-calculation" aria-label="{_say("calculation", language)}">'
        f'<h3>{_say("calculation", language)} <span class="sf-code-mark">{_say("by_code", language)}</span></h3>'
        f'<p class="sf-payable"><span>{_say("payable", language)}</span> <b>{format_won(result.payable)}</b></p>'
        f"{_agreement(calculation, language)}"
        f"<details><summary>{_say('working', language)}</summary>"
        f'<h4>{_say("facts", language)}</h4><dl>{facts}</dl><ol class="sf-steps">{steps}</ol>'
        f'<p class="sf-articles">{_articles(result.articles)}</p>'
        f"<h4>{_say('assumptions', language)}</h4>{notes}</details></section>"
    )


def _articles(articles: Iterable[str]) -> str:
    """Each law named once, then its articles."""
    by_law: dict[str, list[str]] = {}
    for article in articles:
        law, _, number = article.rpartition(" ")
        by_law.setdefault(law, []).append(number)
    return escape(" · ".join(f"「{law}」 {', '.join(numbers)}" for law, numbers in by_law.items()))


def _agreement(calculation: Any, language: Language) -> str:
    said = "" if calculation.stated is None else f" ({format_won(calculation.stated)})"
    if calculation.agrees:
        tone, words = "good", _say("agrees", language)
    elif calculation.agrees is False:
        tone, words = "bad", _say("differs", language) + said
    else:
        tone, words = "dim", _say("unsure" if said else "silent", language) + said
    return f'<p class="sf-agree {tone}"><span aria-hidden="true">{_MARKS[tone]}</span> {words}</p>'


# --- parts of the drawer ------------------------------------------------------------------------------------------
def _citations(explanation: Explanation, language: Language) -> str:
    if not explanation.citations:
        return f'<p class="sf-none">{_say("no_citations", language)}</p>'
    return (
        f'<ul class="sf-citations">{"".join(_cited(one, explanation, language) for one in explanation.citations)}</ul>'
    )


def _cited(cited: CitedSource, explanation: Explanation, language: Language) -> str:
    places = f" {escape(', '.join(cited.places))}" if cited.places else ""
    heading = f"({escape(cited.heading)})" if cited.heading else ""
    word = "replied" if cited.status == "ruling" else "effective"
    day = f" · {_say(word, language)} {cited.effective}" if cited.effective else ""
    version = f" ({escape(cited.version)})" if cited.version else ""
    faults = "".join(
        f'<p class="sf-why {_TONES[check.severity]}">{_check(check, language)}</p>' for check in cited.checks
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in cited.notes)
    return (
        f'<li class="{cited.tone}"><b><span aria-hidden="true">{_MARKS[cited.tone]}</span> {escape(cited.name)}{heading}{places}</b>'
        f'<p class="sf-status">{escape(cited.status_words)} ({_say("as_of", language)} {explanation.as_of}){day}{version}</p>'
        f"{faults}{notes}{_text(cited, language)}{_link(cited.url, cited.name, language)}</li>"
    )


def _text(cited: CitedSource, language: Language) -> str:
    if cited.text is None:
        return f'<p class="sf-none">{_say("no_text", language)}</p>' if cited.url else ""
    source = f" · {escape(cited.text_source)}" if cited.text_source else ""
    return (
        f"<details><summary>{_say(cited.text_kind or 'source', language)}{source}</summary>"
        f'<div class="sf-law" tabindex="0">{_lines(cited.text)}</div></details>'
    )


def _link(url: str | None, name: str, language: Language) -> str:
    if not url or not url.startswith("https://"):
        return ""
    label = f"{escape(name)}: {_say('link', language)} ({_say('new_tab', language)})"
    return (
        f'<p><a href="{escape(url)}" target="_blank" rel="noopener noreferrer" aria-label="{label}">{_say("link", language)}</a>'
        f" <small>{_say('link_note', language)}</small></p>"
    )


def _steps(explanation: Explanation, language: Language) -> str:
    if explanation.steps_from is None or explanation.payable is None:
        return ""
    rows = "".join(
        f"<li><span>{escape(step.label)}</span> <b>{format_won(step.amount)}</b>{_expression(step)}"
        f' <span class="sf-told {"good" if step.told else "dim"}">{_say("told" if step.told else "not_told", language)}</span></li>'
        for step in explanation.steps
    )
    said = format_won(explanation.stated) if explanation.stated is not None else "-"
    totals = (
        f'<dl class="sf-totals"><div><dt>{_say("payable", language)}</dt><dd>{format_won(explanation.payable)}</dd></div>'
        f"<div><dt>{_say('stated', language)}</dt><dd>{said}</dd></div></dl>"
    )
    return _section(f"steps_{explanation.steps_from}", f'<ol class="sf-steps">{rows}</ol>{totals}', language, True)


def _sums(explanation: Explanation, language: Language) -> str:
    return _list(
        f'<span class="{"good" if one.correct else "bad"}"><span aria-hidden="true">{"✓" if one.correct else "✗"}</span> '
        f"{_say('right' if one.correct else 'wrong', language)}</span> {escape(one.text)}"
        + (
            ""
            if one.correct
            else f' <span class="sf-expected">{_say("should_be", language)}: {escape(one.expected)}</span>'
        )
        for one in explanation.sums
    )


def _check(check: Check, language: Language) -> str:
    tone = _TONES.get(check.severity, "dim")
    kind = _KINDS.get(check.kind, (check.kind, check.kind))[language == "en"]
    expected = (
        f' <span class="sf-expected">{_say("expected", language)}: {escape(check.expected)}</span>'
        if check.expected
        else ""
    )
    return (
        f'<span class="{tone}"><b><span aria-hidden="true">{_MARKS[tone]}</span> {escape(kind)} {_say(tone, language)}</b></span> '
        f"{escape(check.message)}{expected}"
    )


def _source(passage: Any, why: Sequence[str], language: Language) -> str:
    kind = _SOURCE_KINDS.get(passage.kind, (passage.kind, passage.kind))[language == "en"]
    day = "replied" if passage.kind == "ruling" else "effective"
    dated = f" · {_say(day, language)} {passage.effective_from}" if passage.effective_from else ""
    heading = f"({escape(passage.heading)})" if passage.heading else ""
    text = (
        f"<details><summary>{_say('digest' if passage.kind == 'digest' else 'source', language)}</summary>"
        f'<div class="sf-law" tabindex="0">{_lines(passage.text)}</div></details>'
        if passage.text
        else ""
    )
    reasons = f'<small class="sf-why">{_say("why", language)}: {escape(", ".join(why))}</small>' if why else ""
    return (
        f'<b>{escape(passage.title)}{heading}</b> <span class="sf-kind">{escape(kind)}</span>{dated}'
        f"{reasons}{text}{_link(passage.url, passage.title, language)}"
    )


def _expression(step: Any) -> str:
    """How the amount came about; nothing when the step only states an amount."""
    return "" if step.expression == format_won(step.amount) else f" <small>{escape(step.expression)}</small>"


def _section(title: str, body: str, language: Language, wanted: object) -> str:
    return f'<section class="sf-part"><h4>{_say(title, language)}</h4>{body}</section>' if wanted else ""


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _say(word: str, language: Language) -> str:
    return _WORDS[word][language == "en"]
