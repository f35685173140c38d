"""The live panel as a person sees it: the whole screen at 80 columns, and plain lines where there is no terminal."""

import io
import threading
from dataclasses import dataclass

import pytest
from rich.cells import cell_len
from rich.console import Console

from data_gen.asking.ledger import Ledger
from data_gen.asking.panel import Panel, show_duration
from data_gen.asking.pulse import Pulse
from data_gen.asking.values import Request, Usage
from data_gen.prices import PriceTable

PRICES = PriceTable(
    as_of="2026-11-01",
    usd_krw=1400.0,
    usd_krw_date="2026-11-01",
    models={"gpt-4o": {"input": 2.5, "output": 10.0, "source": "시험"}},
)


@dataclass
class Tally:
    documents: int = 0
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    replies: int = 0
    sent: int = 0
    capped: int = 0


class Run:
    """A run that stands still between the steps of a test."""

    def __init__(self, model: str = "gpt-4o", max_usd: float | None = 20.0) -> None:
        self.now, self.tally, self.pulse = 0.0, Tally(), Pulse(limit=8, most=64)
        self.ledger = Ledger(PRICES, model, max_usd)

    def panel(self, console: Console, total: int = 1000, **changes) -> Panel:
        return Panel(
            console,
            "gpt-4o",
            total,
            self.tally,
            lambda: self.pulse,
            (self.ledger,),
            PRICES,
            clock=lambda: self.now,
            **changes,
        )

    def answer(self, documents: int, seconds: float) -> None:
        self.now += seconds
        used = Usage(input=1000 * documents, output=400 * documents, reasoning=100 * documents)
        self.tally.documents += documents
        self.tally.accepted += 2 * documents - 5
        self.tally.rejected += 3
        self.tally.failed += 2
        self.tally.replies += documents
        self.tally.sent += documents
        self.pulse = Pulse(
            in_flight=61,
            limit=64,
            most=64,
            sent=documents + 7,
            answered=documents,
            retries=7,
            throttled=4,
            reused=12,
            usage=used,
        )
        self.ledger.charge(Request("k", {"messages": []}, "t", "pairs", "d"), used)


def screen(panel: Panel, width: int = 80) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=False)
    console.print(panel)
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_the_whole_screen_at_eighty_columns():
    run = Run()
    panel = run.panel(Console(file=io.StringIO()))
    panel._sample()
    run.answer(250, seconds=20)
    shown = screen(panel)
    assert all(cell_len(line) == 80 for line in shown)
    text = "\n".join(shown)
    for part in (
        "교사에게 묻는 중 · gpt-4o",
        "250 / 1,000",
        "남은 시간 약 1분",
        "통과 495 · 거절 3 · 실패 2",
        "12.5 응답/초 · 17,500 토큰/초",
        "진행 61 / 한도 64 (최대 64)",
        "보냄 257 · 재시도 7 · 429 4 · 저장된 답변 12",
        "입력 250,000 · 출력 100,000 (추론 25,000)",
        "씀 $1.62 (2,275원)",
        "끝까지 약 $6.50 (9,100원) · 상한 $20.00",
    ):
        assert part in text, part


def test_before_the_first_answer_nothing_is_promised():
    run = Run(max_usd=None)
    panel = run.panel(Console(file=io.StringIO()))
    text = "\n".join(screen(panel))
    assert "0 / 1,000" in text and "남은 시간 모름" in text and "씀 $0.00 (0원)" in text
    assert "끝까지" not in text and "상한" not in text


def test_stored_answers_do_not_make_the_rest_look_free():
    run = Run()
    panel = run.panel(Console(file=io.StringIO()))
    run.answer(100, seconds=10)
    run.tally.documents += 400  # found in the store: nothing was sent for them
    run.tally.replies += 400
    assert "끝까지 약 $3.90" in panel.line()  # 0.65 spent on 100, and 500 more to come


def test_a_model_without_a_price_is_said_to_have_none():
    run = Run(model="nobody-1", max_usd=None)
    panel = run.panel(Console(file=io.StringIO()))
    run.answer(10, seconds=1)
    assert "가격 모름 (unknown) 응답 1개" in panel.line()


def test_a_pause_and_a_reached_cap_are_shown():
    run = Run()
    panel = run.panel(Console(file=io.StringIO()))
    run.answer(10, seconds=1)
    run.pulse = Pulse(in_flight=0, limit=4, most=64, paused_s=12.0)
    run.tally.capped = 3
    text = "\n".join(screen(panel))
    assert "진행 0 / 한도 4 (최대 64) · 12초 쉬는 중" in text and "실패 2 (그중 금액 상한 3)" in text


def test_the_rate_is_that_of_the_last_seconds_not_of_the_whole_run():
    run = Run()
    panel = run.panel(Console(file=io.StringIO()))
    panel._sample()
    run.answer(100, seconds=10)
    assert "10.0 응답/초" in panel.line()
    for _ in range(7):  # then it stalls for 35 seconds
        run.now += 5
        line = panel.line()
    assert " 0.0 응답/초" in line and "남은 시간 모름" in line


class Written(io.StringIO):
    """A log file that tells when a line has come."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Event()

    def write(self, text: str) -> int:
        if "문서" in text:
            self.came.set()
        return super().write(text)


def test_without_a_terminal_plain_lines_come_by_themselves_and_a_last_one_at_the_end():
    run, log = Run(), Written()
    console = Console(file=log, width=80, force_terminal=False)
    with run.panel(console, every_s=0.001):
        assert log.came.wait(timeout=10)
        run.answer(250, seconds=20)
    last = log.getvalue().strip().splitlines()[-1]
    assert last.startswith("문서 250/1,000 · 통과 495 거절 3 실패 2 · ") and "$1.62 (2,275원)" in last
    assert "\x1b" not in log.getvalue() and "╭" not in log.getvalue()


def test_on_a_terminal_the_panel_is_drawn():
    run, log = Run(), io.StringIO()
    console = Console(file=log, width=80, force_terminal=True)
    with run.panel(console):
        run.answer(250, seconds=20)
    assert "╭" in log.getvalue() and "250 / 1,000" in log.getvalue()


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0초"), (59.4, "59초"), (60, "1분"), (3599, "1시간 0분"), (7500, "2시간 5분")]
)
def test_durations_are_shown_in_words(seconds, shown):
    assert show_duration(seconds) == shown
