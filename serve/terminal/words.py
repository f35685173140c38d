"""The words under and around an answer: the finished computation, the verdict, the evidence, the figures."""

from __future__ import annotations

from urllib.parse import unquote

from serve import look_up
from serve.answer import FINISH_KO, Answer
from serve.complete import FACTS_TITLE, OWN_WORKING_TITLE, WORKING_TITLE

Note = tuple[str, str]  # text and style (serve/terminal/screen.py)


def finished_text(answer: Answer) -> str:
    """What code made of a calculator call: the facts the model read, the working, or why there is none; else its text, or the source it named."""
    completion = answer.completion
    parts = []
    if completion.facts:
        facts = "\n".join(f"- {label}: {value}" for label, value in completion.facts)
        parts.append(f"[{FACTS_TITLE}]\n{facts}\n- 모델의 출력: {completion.raw}")
    if completion.working:
        parts.append(f"[{WORKING_TITLE}]\n{completion.working}")
    if completion.own_working:
        parts.append(f"[{OWN_WORKING_TITLE}]\n{completion.own_working}")
    if completion.problem:
        said = "" if completion.facts else f"\n모델의 출력: {completion.raw}"
        parts.append(f"[{completion.unable}]\n{completion.problem}{said}")
    return "\n\n".join(parts) or completion.words


def notes_of(answer: Answer, *, stats: bool, sources: bool) -> list[Note]:
    """What is said about an answer on standard error, line by line."""
    from serve.verification import explain

    explained = explain(answer)
    notes: list[Note] = [(f"검증: {explained.summary}", "good" if answer.verdict.ok else "bad")]
    notes += [
        (f"  ✗ {finding.message}", "bad") for finding in answer.verdict.findings if str(finding.severity) == "fault"
    ]
    # Why nothing was computed stands in the answer already.
    lacking = [text for text in explained.missing if text != answer.completion.problem]
    notes += [(f"  확인하세요: {text}", "note") for text in lacking]
    if answer.stats.finish != "stop":
        notes.append((f"  주의: {FINISH_KO.get(answer.stats.finish or '', '끝을 알 수 없음')}", "bad"))
    if look_up.asks(answer) and not answer.sources:
        notes.append(("  --sources 를 붙이면 조문을 찾아 답합니다 (대화에서는 /sources).", "note"))
    if answer.completion.first:
        notes.append((_first(answer.completion.first), "note"))
    if answer.cached:
        notes.append(("  전에 쓴 답입니다 (같은 질문, 같은 모델과 설정).", "note"))
    if answer.calculation is not None and not answer.calculation.agrees:
        notes.append((f"[코드가 질문에서 읽어 계산한 결과]\n{answer.calculation.working}", "note"))
    if sources and answer.measured:
        notes += _source_lines(answer)
    if stats:
        notes += _figures(answer)
    return notes


def _first(first: str) -> str:
    """Why another reading was gone by, with what stood there first: of a working only its call, or the line that was wrong."""
    from taxlaw.rereading import led_by
    from taxlaw.sum_check import first_wrong_place

    wrong = first_wrong_place(first)
    if wrong is None:
        return f"  질문과 맞지 않아 다시 읽었습니다. 처음 출력: {led_by(first).strip() or first}"
    line = first[first.rfind("\n", 0, wrong.start) + 1 :].split("\n", 1)[0]
    return f"  계산이 맞지 않아 다시 썼습니다. 처음에 틀린 줄: {line}"


def _source_lines(answer: Answer) -> list[Note]:
    if not answer.sources:
        return [("근거: 찾지 못했습니다.", "note")]
    read = "질문과 함께 모델에 보인 것" if answer.sources_read else "모델에는 질문만 보냈습니다"
    lines = [f"근거 ({read}):"]
    for hit in answer.sources:
        passage = hit.passage
        heading = f"({passage.heading})" if passage.heading else ""
        day = f" · {passage.effective_from} 시행" if passage.effective_from and passage.kind != "ruling" else ""
        lines.append(
            f"  {hit.rank}. {passage.title}{heading}{day}{f' · {_readable(passage.url)}' if passage.url else ''}"
        )
    return [("\n".join(lines), "note")]


def _readable(url: str) -> str:
    """A link as browsers show it, with the name of the law in Hangul; as it is where that would tear it."""
    shown = unquote(url)
    return shown if shown.isprintable() and " " not in shown else url


def _figures(answer: Answer) -> list[Note]:
    stats = answer.stats
    if not answer.measured or answer.cached or stats.first_seconds is None:
        return []
    parts = [f"첫 토큰 {stats.first_seconds:.2f}초"]
    parts.append(f"{stats.tokens_per_second:.1f}토큰/초" if stats.tokens_per_second else "속도를 잴 만큼 길지 않음")
    if stats.chars_per_second:
        parts.append(f"{stats.chars_per_second:.0f}자/초")
    parts.append(f"입력 {_count(stats.prompt_tokens)} · 출력 {_count(stats.new_tokens)}토큰")
    parts.append(f"모두 {stats.seconds:.2f}초")
    if answer.won is not None and answer.usd:
        parts.append(f"{answer.won:,.1f}원")
    return [("  " + " · ".join(parts), "note")]


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"
