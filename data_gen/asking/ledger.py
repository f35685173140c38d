"""Money of one run: set aside before a call, charged after it, never past the cap by more than the calls in flight.

Only what is sent now is counted; an answer that stood in the store costs nothing.  Every method is synchronous, so within
one event loop each is a single step and no two calls can both take the last dollar.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from data_gen.asking.expectation import Expectation
from data_gen.asking.values import Request, Usage
from data_gen.errors import BadInput, BudgetReached
from data_gen.prices import PriceTable, show_money


@dataclass
class Purse:
    """The money of a run, which a teacher and a judge spend from together."""

    max_usd: float | None = None
    spent_usd: float = 0.0
    reserved_usd: float = 0.0
    in_flight: int = 0
    _waiting: list[asyncio.Future] = field(default_factory=list, repr=False, compare=False)

    def __getstate__(self) -> dict:
        """Those who wait stay behind when the purse travels: they belong to this process."""
        return {**self.__dict__, "_waiting": []}

    def take(self, usd: float) -> bool:
        """Set ``usd`` aside; False, and nothing is set aside, when the cap is spent or would be."""
        # The second test is what keeps a run near its cap from sending a last wave it has no money for.
        if self.max_usd is not None and (
            self.spent_usd >= self.max_usd or self.spent_usd + self.reserved_usd + usd > self.max_usd
        ):
            return False
        self.reserved_usd += usd
        self.in_flight += 1
        return True

    def free(self, usd: float) -> None:
        self.in_flight -= 1
        # Sums of floats drift; with nothing in flight the truth is known.
        self.reserved_usd = self.reserved_usd - usd if self.in_flight else 0.0
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    async def settled(self) -> bool:
        """Wait until a call in flight is over.  False at once when that can free nothing: none is, or the cap is spent."""
        if not self.in_flight or (self.max_usd is not None and self.spent_usd >= self.max_usd):
            return False
        over = asyncio.get_running_loop().create_future()
        self._waiting.append(over)
        await over
        return True


class Ledger:
    """What one run has spent on one model, and what its calls in flight are expected to cost."""

    def __init__(
        self,
        prices: PriceTable,
        model: str,
        max_usd: float | None = None,
        expectation: Expectation | None = None,
        purse: Purse | None = None,
    ) -> None:
        """``purse``: that of another ledger of the same run, instead of one of its own with ``max_usd``.

        Raises BadInput when there is a cap and the model has no price: such a cap could not be kept.
        """
        self.purse = purse or Purse(max_usd)
        if self.purse.max_usd is not None and prices.price_of(model) is None:
            raise BadInput(
                f"{model}의 가격을 몰라 금액 상한을 지킬 수 없습니다 (max_usd with an unknown price).\n"
                f"  configs/prices.yaml의 models 아래에 {model}의 가격을 적거나(자체 서버는 0.0), "
                "상한(--max-usd, max_usd) 없이 실행하세요."
            )
        self._prices, self._model = prices, model
        self.expectation = expectation or Expectation(model)
        self.spent_usd = 0.0
        self.charged = 0
        """Answers charged, the unpriced ones among them."""
        self.unpriced = 0
        """Answers whose price is not known; they are in no sum of dollars."""
        self.usage = Usage()
        self._held: dict[str, list[float]] = {}

    def reserve(self, request: Request) -> None:
        """Set the expected price aside.  Raises BudgetReached when the cap is spent, or would be with this call."""
        expected = self.expected_usd(request) or 0.0
        if not self.purse.take(expected):
            raise BudgetReached(
                f"금액 상한에 이르렀습니다: {show_money(self.purse.max_usd, self._prices)} 가운데 "
                f"{show_money(self.purse.spent_usd, self._prices)}를 썼고 응답을 기다리는 요청이 "
                f"{show_money(self.purse.reserved_usd, self._prices)}, 이 요청이 {show_money(expected, self._prices)}로 "
                "예상됩니다 (money cap reached). 받은 답변은 저장되어 있으니, 상한을 올려 다시 실행하면 이어집니다."
            )
        self._held.setdefault(request.key, []).append(expected)

    async def reserve_or_wait(self, request: Request) -> None:
        """As ``reserve``, but money that calls in flight may leave over is waited for.

        So a cap is used up to its last whole call, though the first answers were expected to be longer than they are.
        """
        while True:
            try:
                return self.reserve(request)
            except BudgetReached:
                if not await self.purse.settled():
                    raise

    def expected_usd(self, request: Request, batch: bool = False) -> float | None:
        """What the request is expected to cost; None when its model has no price."""
        return self._prices.cost_usd(self._model, self.expectation.expect(request), batch)

    def charge(self, request: Request, usage: Usage, via: Literal["live", "batch"] = "live") -> float | None:
        """Price an answer, free what was set aside for it, and learn from it.  Returns dollars, None when unknown."""
        self.release(request)
        self.expectation.learn(request, usage)
        usd = self._prices.cost_usd(self._model, usage, batch=via == "batch")
        self.charged += 1
        self.usage += usage
        if usd is None:
            self.unpriced += 1
        else:
            self.spent_usd += usd
            self.purse.spent_usd += usd
        return usd

    def release(self, request: Request) -> None:
        """Free what was set aside for a call from which no answer came.  A call that set nothing aside is none of ours."""
        held = self._held.get(request.key)
        if held:
            self.purse.free(held.pop())
            if not held:
                del self._held[request.key]
