"""``--dry-run``: how many calls, tokens, won and hours a run would take.  Reads the store, sends nothing, needs no key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data_gen.asking.chain import follow
from data_gen.asking.expectation import Expectation, from_averages, guessed_input
from data_gen.asking.panel import show_duration
from data_gen.asking.values import Request, Usage
from data_gen.documents import Document
from data_gen.prices import PriceTable, show_money, show_usd, show_won
from data_gen.store import Store
from data_gen.tasks import Task
from data_gen.teacher_settings import OpenAISettings

if TYPE_CHECKING:
    from rich.console import Console

# Until the endpoint has been timed: a second to begin, then so many tokens a second.  An assumption.
_START_S = 1.0
_TOKENS_PER_S = 60.0
# Characters of the row that a judge is shown besides its source; an assumption.
_ROW_CHARACTERS = 400


@dataclass
class TaskEstimate:
    """Calls to come for one task, and tokens expected of them."""

    task: str
    calls: int = 0
    stored: int = 0
    """Documents for which a usable answer is stored: nothing is sent for them."""
    waiting: int = 0
    """In an open batch: neither sent nor paid for again."""
    given_up: int = 0
    """The budget of answers is used up without a usable one."""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class Estimate:
    teacher: str
    model: str
    tasks: tuple[TaskEstimate, ...]
    seconds: float
    """At the configured limits, when the endpoint allows them."""
    observed: int
    """Stored responses of this teacher, from which outputs and times were averaged; 0: assumptions only."""
    input_factor: float | None
    """Counted input tokens over guessed ones, from this run's own requests; None when none of them is stored."""

    @property
    def usage(self) -> Usage:
        return sum((line.usage for line in self.tasks), Usage())

    @property
    def calls(self) -> int:
        return sum(line.calls for line in self.tasks)


def estimate(
    documents: Iterable[Document],
    tasks: Sequence[Task],
    teacher: str,
    settings: OpenAISettings,
    store: Store | None,
) -> Estimate:
    """What asking ``tasks`` about ``documents`` would take.  ``store``: None when there is none yet."""
    from data_gen.tasks.all_tasks import applies

    expectation, observed, seconds_each = averages(store, teacher, settings.model)
    lines = {task.name: TaskEstimate(task.name) for task in tasks}
    guessed: dict[str, float] = dict.fromkeys(lines, 0.0)
    samples: dict[str, Request] = {}
    counted = guessed_of_counted = 0.0
    for document in documents:
        for task in tasks:
            if document.fault or not applies(task, document):
                continue
            chain = follow(settings, teacher, task, document, store.find if store else lambda _key: None)
            for request, stored in chain.got:
                if stored.usage.input:
                    counted += stored.usage.input
                    guessed_of_counted += guessed_input(request.body, settings.model)
            line = lines[task.name]
            if chain.ask is None:
                line.stored += chain.answered
                line.given_up += not chain.answered
            elif store is not None and store.batch_of(chain.ask.key):
                line.waiting += 1
            else:
                line.calls += 1
                guessed[task.name] += guessed_input(chain.ask.body, settings.model)
                samples[task.name] = chain.ask
    factor = counted / guessed_of_counted if guessed_of_counted else None
    for name, line in lines.items():
        if line.calls:
            said = expectation.expect(samples[name]).output
            line.usage = Usage(input=round(guessed[name] * (factor or 1.0)), output=said * line.calls)
    found = tuple(lines.values())
    return Estimate(teacher, settings.model, found, _wall_s(found, settings, seconds_each), observed, factor)


def estimate_judge(
    documents: Iterable[Document], tasks: Sequence[Task], teacher: str, settings: OpenAISettings, store: Store | None
) -> Estimate:
    """What a judge model over every row would take.  The rows do not exist yet, so each task is taken to give all of its.

    Answers of the judge that are stored already are not known here: this is the most it can be.
    """
    from data_gen.prompting import PROMPTS, preamble
    from data_gen.tasks.all_tasks import applies

    expectation, observed, seconds_each = averages(store, teacher, settings.model)
    around = preamble() + (PROMPTS / "judge.j2").read_text(encoding="utf-8") + "가" * _ROW_CHARACTERS
    line, given = TaskEstimate("judge"), 0.0
    sample: Request | None = None
    for document in documents:
        rows = sum(len(task.styles) for task in tasks if not document.fault and applies(task, document))
        body = {
            "messages": [{"content": around + document.text}],
            settings.token_limit_key: settings.max_output_tokens,
            "reasoning_effort": settings.reasoning_effort,
        }
        sample = Request("", body, teacher, "judge", document.id)
        line.calls += rows
        given += rows * guessed_input(body, settings.model)
    if sample is not None:
        line.usage = Usage(input=round(given), output=expectation.expect(sample).output * line.calls)
    return Estimate(teacher, settings.model, (line,), _wall_s((line,), settings, seconds_each), observed, None)


def averages(store: Store | None, teacher: str, model: str) -> tuple[Expectation, int, float | None]:
    """(expected outputs, responses seen, seconds of a live call) from every response of the teacher in the store."""
    outputs: dict[str, list[int]] = {}
    seconds = [0.0, 0]
    for stored in store.responses() if store else ():
        if stored.teacher != teacher or not stored.usage.output:
            continue
        outputs.setdefault(stored.task, []).append(max(stored.usage.output, stored.usage.reasoning))
        if stored.via == "live":
            seconds = [seconds[0] + stored.seconds, seconds[1] + 1]
    means = {task: sum(values) / len(values) for task, values in outputs.items()}
    observed = sum(len(values) for values in outputs.values())
    return from_averages(model, means), observed, seconds[0] / seconds[1] if seconds[1] else None


def _wall_s(lines: Iterable[TaskEstimate], settings: OpenAISettings, seconds_each: float | None) -> float:
    """The slowest of: so many calls at once, requests a minute, tokens a minute."""
    lines = [line for line in lines if line.calls]
    calls = sum(line.calls for line in lines)
    usage = sum((line.usage for line in lines), Usage())
    working = calls * seconds_each if seconds_each else calls * _START_S + usage.output / _TOKENS_PER_S
    times = [working / min(settings.concurrency, max(1, calls))]
    if settings.rpm:
        times.append(calls / settings.rpm * 60)
    if settings.tpm:
        times.append((usage.input + usage.output) / settings.tpm * 60)
    return max(times)


def print_estimates(
    estimates: Sequence[Estimate], prices: PriceTable, console: Console, max_usd: float | None = None
) -> None:
    """A table for each model, and in words what it rests on."""
    from rich import box
    from rich.table import Table

    total: float | None = 0.0
    for one in estimates:
        table = Table(
            title=f"{one.teacher} ({one.model}) · 물을 요청과 토큰(tokens)",
            box=box.SIMPLE_HEAD,
            title_justify="left",
            padding=(0, 1, 0, 0),
        )
        table.add_column("과제", no_wrap=True)
        for name in ("요청", "저장됨", "입력", "출력", "달러", "원", "배치 달러"):
            table.add_column(name, justify="right", overflow="fold")
        for line in one.tasks:
            table.add_row(line.task, *_cells(one, line.calls, line.stored, line.usage, prices))
        table.add_section()
        table.add_row("합계", *_cells(one, one.calls, sum(line.stored for line in one.tasks), one.usage, prices))
        console.print(table)
        for sentence in _words(one):
            console.print(f"· {sentence}", markup=False, highlight=False)
        usd = prices.cost_usd(one.model, one.usage)
        total = None if total is None or usd is None else total + usd
    console.print(f"\n예상 금액: {show_money(total, prices)}", highlight=False)
    if max_usd is not None and total is not None:
        within = "상한 안입니다." if total <= max_usd else "상한에서 멈춥니다."
        console.print(f"상한: {show_money(max_usd, prices)}. {within}", highlight=False)
    console.print(
        f"가격표 {prices.as_of}, 환율 {prices.usd_krw:,.1f}원({prices.usd_krw_date}). 추정이며(estimate) 청구서가 아닙니다. "
        "가격은 실행 전에 확인하세요. 아무것도 보내지 않았습니다 (nothing was sent).",
        highlight=False,
    )


def _cells(one: Estimate, calls: int, stored: int, usage: Usage, prices: PriceTable) -> list[str]:
    usd = prices.cost_usd(one.model, usage)
    batch = prices.cost_usd(one.model, usage, batch=True)
    return [
        f"{calls:,}",
        f"{stored:,}",
        _short(usage.input),
        _short(usage.output),
        "모름" if usd is None else show_usd(usd),
        "모름" if usd is None else show_won(usd, prices).removesuffix("원"),
        "-" if batch is None else show_usd(batch),
    ]


def _short(tokens: int) -> str:
    """Three figures are more than an estimate knows, and fit the screen."""
    if tokens < 10_000:
        return f"{tokens:,}"
    return f"{tokens / 1e3:,.0f}k" if tokens < 10_000_000 else f"{tokens / 1e6:,.1f}M"


def _words(one: Estimate) -> list[str]:
    words = []
    if waiting := sum(line.waiting for line in one.tasks):
        words.append(f"열린 배치에서 기다리는 요청 {waiting:,}개는 세지 않았습니다 (waiting in a batch).")
    if given_up := sum(line.given_up for line in one.tasks):
        words.append(f"쓸 수 있는 답을 끝내 받지 못한 요청 {given_up:,}개는 다시 묻지 않습니다 (answers used up).")
    if one.input_factor is None:
        words.append("입력 토큰: 글자 수로 어림했습니다. 응답이 저장되면 서버가 센 값으로 보정합니다.")
    else:
        words.append(
            f"입력 토큰: 글자 수로 어림하고, 저장된 응답에서 서버가 센 값으로 보정했습니다 (×{one.input_factor:.2f})."
        )
    source = f"저장된 응답 {one.observed:,}개의 평균" if one.observed else "이 프로젝트의 기본 가정"
    words.append(f"출력 토큰과 응답 시간: {source}. 저장된 적이 없는 과제는 기본 가정.")
    words.append(
        f"걸리는 시간: 설정한 한도에서 약 {show_duration(one.seconds)} (재시도 없이, 서버가 한도를 받아 줄 때)."
    )
    return words
