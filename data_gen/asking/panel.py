"""What a person sees while a teacher is asked: how far, how fast, how much.  Counts are read from the run, never kept here.

On a terminal a live panel; anywhere else a plain line every few seconds, so that a log stays readable.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from data_gen.asking.ledger import Ledger
from data_gen.asking.pulse import Pulse
from data_gen.prices import UNKNOWN, PriceTable, show_usd, show_won

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Seconds over which rates are taken: short enough to show a stall, long enough not to flicker.
_WINDOW = 30.0


class Counted(Protocol):
    """What the panel reads of the run's tally."""

    documents: int
    accepted: int
    rejected: int
    failed: int
    replies: int
    sent: int
    """Of ``replies``, those for which something was sent now."""
    capped: int


@dataclass(frozen=True)
class _Sample:
    at: float
    answered: int
    tokens: int
    documents: int


class Panel:
    """``with Panel(...):`` around the asking.  ``tally`` and ``ledgers`` are read at each refresh, ``pulse`` is called."""

    def __init__(
        self,
        console: Console,
        teacher: str,
        documents: int,
        tally: Counted,
        pulse: Callable[[], Pulse],
        ledgers: tuple[Ledger, ...],
        prices: PriceTable,
        every_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``documents``: how many there are to ask about.  ``ledgers``: the teacher's, then the judge's if there is one."""
        self._console, self._teacher, self._total = console, teacher, documents
        self._tally, self._pulse, self._ledgers, self._prices = tally, pulse, ledgers, prices
        self._every_s, self._clock = every_s, clock
        self._samples: deque[_Sample] = deque()
        self._over = threading.Event()
        self._speaker: threading.Thread | None = None
        self._live = None

    def __enter__(self) -> Panel:
        self._sample()
        if self._console.is_terminal:
            from rich.live import Live

            self._live = Live(self, console=self._console, refresh_per_second=4, transient=False)
            self._live.start()
        else:
            self._speaker = threading.Thread(target=self._speak, name="panel", daemon=True)
            self._speaker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._live is not None:
            self._live.stop()
        if self._speaker is not None:
            self._speaker.join()
            self._console.print(self.line(), markup=False, highlight=False, soft_wrap=True)

    def _speak(self) -> None:
        while not self._over.wait(self._every_s):
            self._console.print(self.line(), markup=False, highlight=False, soft_wrap=True)

    def __rich__(self) -> RenderableType:
        from rich import box
        from rich.panel import Panel as Frame
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        pulse, rates = self._pulse(), self._sample()
        tally, done = self._tally, self._tally.documents
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, style="bold")
        grid.add_column()
        far = Table.grid(padding=(0, 2))
        far.add_row(
            f"{done:,} / {self._total:,}",
            ProgressBar(total=max(1, self._total), completed=done, width=24),
            _left(rates),
        )
        grid.add_row("문서", far)
        rows = f"통과 {tally.accepted:,} · 거절 {tally.rejected:,} · 실패 {tally.failed:,}"
        grid.add_row("행", rows + (f" (그중 금액 상한 {tally.capped:,})" if tally.capped else ""))
        grid.add_row("속도", f"{rates.requests:,.1f} 응답/초 · {rates.tokens:,.0f} 토큰/초")
        waiting = f" · {pulse.paused_s:,.0f}초 쉬는 중" if pulse.paused_s else ""
        grid.add_row("동시", f"진행 {pulse.in_flight} / 한도 {pulse.limit} (최대 {pulse.most}){waiting}")
        grid.add_row(
            "요청",
            f"보냄 {pulse.sent:,} · 재시도 {pulse.retries:,} · 429 {pulse.throttled:,} · 저장된 답변 {pulse.reused:,}",
        )
        used = pulse.usage
        thought = f" (추론 {used.reasoning:,})" if used.reasoning else ""
        grid.add_row("토큰", f"입력 {used.input:,} · 출력 {used.output:,}{thought}")
        grid.add_row("금액", Text("\n".join(self._money())))
        return Frame(grid, title=f"교사에게 묻는 중 · {self._teacher}", box=box.ROUNDED)

    def line(self) -> str:
        """The same on one line."""
        pulse, rates, tally = self._pulse(), self._sample(), self._tally
        parts = [
            f"문서 {tally.documents:,}/{self._total:,}",
            f"통과 {tally.accepted:,} 거절 {tally.rejected:,} 실패 {tally.failed:,}",
            f"{rates.requests:,.1f} 응답/초 {rates.tokens:,.0f} 토큰/초",
            f"동시 {pulse.in_flight}/{pulse.limit}",
            f"429 {pulse.throttled:,} 재시도 {pulse.retries:,}",
            *self._money(),
            _left(rates),
        ]
        return " · ".join(parts)

    def _money(self) -> list[str]:
        spent, cap = sum(ledger.spent_usd for ledger in self._ledgers), self._ledgers[0].purse.max_usd
        unpriced = sum(ledger.unpriced for ledger in self._ledgers)
        shown = f"씀 {show_usd(spent)} ({show_won(spent, self._prices)})"
        if unpriced:
            shown += f" · {UNKNOWN} 응답 {unpriced:,}개"
        forecast = self._projected(spent)
        ahead = [] if forecast is None else [f"끝까지 약 {show_usd(forecast)} ({show_won(forecast, self._prices)})"]
        if cap is not None:
            ahead.append(f"상한 {show_usd(cap)}")
        return [shown, *([" · ".join(ahead)] if ahead else [])]

    def _projected(self, spent: float) -> float | None:
        """What the run will have cost if every remaining reply must be sent for; None before the first was.

        A little too much when some of the rest is stored already; taking stored replies for the rule would promise a
        resumed run that it costs nothing.
        """
        tally = self._tally
        if not tally.sent or not tally.documents:
            return None
        remaining = (self._total - tally.documents) * tally.replies / tally.documents
        return spent + remaining * spent / tally.sent

    def _sample(self) -> _Rates:
        pulse = self._pulse()
        now = _Sample(self._clock(), pulse.answered, pulse.usage.input + pulse.usage.output, self._tally.documents)
        self._samples.append(now)
        while len(self._samples) > 2 and now.at - self._samples[0].at > _WINDOW:
            self._samples.popleft()
        first = self._samples[0]
        seconds = now.at - first.at
        if seconds <= 0:
            return _Rates(0.0, 0.0, None)
        per_document = (now.documents - first.documents) / seconds
        left = (self._total - now.documents) / per_document if per_document else None
        return _Rates((now.answered - first.answered) / seconds, (now.tokens - first.tokens) / seconds, left)


@dataclass(frozen=True)
class _Rates:
    requests: float
    tokens: float
    left_s: float | None
    """Seconds to the end at this rate; None while nothing is getting done."""


def _left(rates: _Rates) -> str:
    return "남은 시간 모름" if rates.left_s is None else f"남은 시간 약 {show_duration(rates.left_s)}"


def show_duration(seconds: float) -> str:
    """``2시간 5분``, ``3분``, ``40초``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}초"
    minutes = round(whole / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours}시간 {rest}분" if hours else f"{minutes}분"
