"""The pieces of the review page as HTML.  Everything that comes from the data is escaped here, nothing is trusted."""

from __future__ import annotations

import datetime
from html import escape

from data_gen.highlight import marked, span_marks
from data_gen.korean_names import korean
from data_gen.review.desk import Progress
from data_gen.review.log import Decision
from data_gen.spans import find_spans
from taxlaw.findings import Verdict

_LEGEND = (("cite", "인용"), ("money", "금액"), ("rate", "비율·기간·날짜"), ("words", "같은 문구"))
_PROVENANCE = (
    ("document_id", "문서"),
    ("document_version", "문서 판"),
    ("teacher", "교사"),
    ("model", "모델"),
    ("prompt", "프롬프트"),
    ("prompt_hash", "프롬프트 해시"),
    ("request", "요청 키"),
    ("seed", "씨앗"),
    ("input_tokens", "입력 토큰"),
    ("output_tokens", "출력 토큰"),
    ("usd", "비용(달러)"),
    ("judge", "판정 모델"),
    ("note", "비고"),
)
_PASSED = "통과"  # what a gate says that has no more to say
EMPTY = '<p class="rv-none">조건에 맞는 쌍이 없습니다. 거르기를 바꿔 보세요.</p>'


def header(name: str, reviewer: str) -> str:
    return (
        f'<div class="rv-title"><h1>{escape(name)}</h1>'
        f"<p>사람의 검토 · {escape(reviewer)} <span>Review log: review.jsonl</span></p></div>"
    )


def progress(now: Progress) -> str:
    """Decided of total with a bar, by decision and by reviewer."""
    share = now.decided / now.total if now.total else 0
    parts = [f"{korean('decision', name)} {count:,}" for name, count in now.by_decision]
    parts += [f"거절된 쌍 가운데 {now.rejects:,}"] if now.rejects else []
    people = " · ".join(f"{escape(name)} {count:,}" for name, count in now.by_reviewer)
    return (
        f'<div class="rv-progress" role="status"><b>{now.decided:,} / {now.total:,}</b> 결정함 ({share:.1%})'
        f'<span class="rv-track" aria-hidden="true"><i style="width:{share:.2%}"></i></span>'
        f"<small>{' · '.join(parts)}{' — ' + people if people else ''}</small></div>"
    )


def position(place: int, shown: int) -> str:
    return f'<span class="rv-place">{place + 1:,} / {shown:,}</span>' if shown else '<span class="rv-place">0</span>'


def evidence(row: dict, decision: Decision | None) -> str:
    """The text the teacher was shown, with what the answer (as it was decided) rests on marked."""
    text = row.get("evidence") or ""
    if not text:
        note = (
            "계산 예제에는 근거 문서가 없습니다. 답은 계산기가 냈습니다."
            if row.get("style") == "worked"
            else "근거가 비었습니다."
        )
        return f'<p class="rv-none">{note}</p>'
    spans = row.get("spans")
    if not spans or (decision is not None and decision.decision == "edit"):
        spans = [vars(span) for span in find_spans(text, *texts(row, decision))]
    used = {name for *_, name, _ in span_marks(spans)}
    legend = "".join(f'<mark class="m-{name}">{word}</mark>' for name, word in _LEGEND if name in used)
    return (
        f'<div class="rv-legend">{legend or "표시할 곳을 찾지 못했습니다"}</div>'
        f'<div class="rv-evidence" tabindex="0" aria-label="근거">{marked(text, span_marks(spans))}</div>'
    )


def pair(row: dict, split: str, decision: Decision | None, verdict: Verdict | None) -> str:
    """The pair under its facts: history turns, question, answer with what the verifier found marked, and the decision."""
    facts = [korean("split", split), korean("source", row.get("source", "")), korean("style", row.get("style", ""))]
    facts += [korean("tax", row.get("tax", "")), f"기준일 {row.get('as_of') or '없음'}"]
    facts += [f"난이도 {row['difficulty']}"] if row.get("difficulty") else []
    chips = "".join(f"<span>{escape(fact)}</span>" for fact in dict.fromkeys(facts) if fact)
    question, answer = texts(row, decision)
    turns = "".join(
        _turn("질문", turn["question"], "past") + _turn("답변", turn["answer"], "past")
        for turn in row.get("history") or ()
    )
    body = _turn("질문", question, "question") + _turn("답변", answer, "answer", _finding_marks(verdict))
    former = ""
    if (question, answer) != (row["question"], row["answer"]):
        former = f"<details><summary>고치기 전</summary>{_turn('질문', row['question'], 'past')}{_turn('답변', row['answer'], 'past')}</details>"
    return f'{_stamp(decision)}<div class="rv-chips">{chips}</div>{turns}{body}{former}'


def texts(row: dict, decision: Decision | None) -> tuple[str, str]:
    """Question and answer as they stand now: those of an edit in force, else the row's own."""
    if decision is not None and decision.decision == "edit":
        return decision.question, decision.answer
    return row["question"], row["answer"]


def _turn(name: str, text: str, kind: str, marks: tuple = ()) -> str:
    return f'<section class="rv-turn {kind}"><h3>{name}</h3><div>{marked(text, marks) or "<i>비어 있음</i>"}</div></section>'


def _stamp(decision: Decision | None) -> str:
    if decision is None:
        return '<p class="rv-stamp none">아직 결정하지 않았습니다</p>'
    when = decision.time.astimezone().strftime("%Y-%m-%d %H:%M")
    reason = f": {escape(decision.reason)}" if decision.reason else ""
    word = korean("decision", decision.decision)
    return f'<p class="rv-stamp {decision.decision}"><b>{word}</b>{reason} <small>{escape(decision.reviewer)}, {when}</small></p>'


def _finding_marks(verdict: Verdict | None) -> tuple:
    if verdict is None:
        return ()
    return tuple(
        (*finding.span, finding.severity, f"{korean('severity', finding.severity)}: {finding.message}")
        for finding in verdict.findings
        if finding.span
    )


def checks(row: dict, verdict: Verdict | None) -> str:
    """What each gate said, what the verifier says now, and where the row comes from."""
    verdicts = row.get("verdicts") or ()
    said = [*verdicts, *("" for _ in row.get("gates") or ())]
    passed, lines = [], []
    for gate, words in zip(row.get("gates") or (), said, strict=False):
        if words in ("", _PASSED):
            passed.append(f'<span title="{_PASSED}">✓ {escape(korean("gate", gate))}</span>')
        else:
            lines.append(_gate(gate, words, "good"))
    if row.get("gate"):
        lines.append(_gate(row["gate"], row.get("reason") or "사유 없음", "bad"))
    gates = f'<div class="rv-chips passed">{"".join(passed)}</div>' if passed else ""
    gates += f'<ul class="rv-gates">{"".join(lines)}</ul>' if lines else ""
    gates = gates or '<p class="rv-none">관문의 기록이 없습니다.</p>'
    provenance = row.get("provenance") or {}
    known = [(label, provenance.get(name)) for name, label in _PROVENANCE]
    known += [("행 id", row.get("id")), ("묶음", row.get("family")), ("조문", ", ".join(row.get("articles") or ()))]
    known += [("계산 요청", row.get("call"))]
    facts = "".join(
        f"<div><dt>{label}</dt><dd>{escape(str(value))}</dd></div>"
        for label, value in known
        if value not in (None, "", 0)
    )
    return (
        f"<h3>관문</h3>{gates}<h3>지금 다시 검증</h3>{verdict_html(verdict)}"
        f'<details class="rv-from"><summary>출처와 기록</summary><dl>{facts}</dl></details>'
    )


def _gate(name: str, said: str, kind: str) -> str:
    return f'<li class="{kind}"><b>{escape(korean("gate", name))}</b> <span>{escape(said)}</span></li>'


def verdict_html(verdict: Verdict | None) -> str:
    """The verifier's verdict: its summary, then each fault and each thing it could not check."""
    if verdict is None:
        return '<p class="rv-none">기준일이 없거나 답변이 비어 검증하지 않았습니다.</p>'
    kind, word = ("good", "잘못을 찾지 못함") if verdict.ok else ("bad", "잘못이 있음")
    order = {"fault": 0, "unchecked": 1}
    told = sorted((f for f in verdict.findings if f.severity in order), key=lambda f: order[f.severity])
    lines = "".join(
        f'<li class="{"bad" if finding.severity == "fault" else "dim"}"><b>{korean("severity", finding.severity)}</b> '
        f"<span>[{korean('finding', finding.kind)}] {escape(finding.message)}</span></li>"
        for finding in told
    )
    summary = escape(verdict.summary())
    listed = f'<ul class="rv-gates">{lines}</ul>' if lines else ""
    return f'<div class="rv-verdict"><span class="rv-badge {kind}">{word}</span> <span>{summary}</span>{listed}</div>'


def message(text: str, kind: str = "info") -> str:
    """One line for the reviewer; empty text clears it."""
    return f'<p class="rv-message {kind}" role="alert">{escape(text).replace(chr(10), "<br>")}</p>' if text else ""


def judge(row: dict, question: str, answer: str) -> Verdict | None:
    """taxlaw.verify on the row's date and evidence; None when the row has no date or the answer is blank."""
    from taxlaw.verify import verify

    try:
        as_of = datetime.date.fromisoformat(row.get("as_of") or "")
    except ValueError:
        return None
    return verify(question, answer, as_of, row.get("evidence") or None) if answer.strip() else None
