"""The money cap holds within the calls in flight, whatever the order of things, and an unknown price cannot promise one."""

import asyncio
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_gen.asking.expectation import Expectation, from_averages, guessed_output
from data_gen.asking.ledger import Ledger
from data_gen.asking.values import Request, Usage
from data_gen.errors import BadInput, BudgetReached
from data_gen.prices import PriceTable

PRICES = PriceTable(
    as_of="2026-11-01",
    usd_krw=1400.0,
    usd_krw_date="2026-11-01",
    models={
        "m": {"input": 1.0, "output": 10.0, "batch": 0.5, "source": "시험"},
        "free": {"input": 0.0, "output": 0.0, "source": "시험"},
    },
)


def ask(
    number: int = 1, task: str = "pairs", words: str = "증여세 공제는 얼마입니까?", limit: int | None = 2000
) -> Request:
    body = {"model": "m", "messages": [{"role": "user", "content": words}]}
    body |= {"max_tokens": limit} if limit else {}
    return Request(key=f"key-{number}", body=body, teacher="t", task=task, document_id=f"d{number}")


def test_an_answer_is_charged_and_frees_what_was_set_aside():
    ledger = Ledger(PRICES, "m", 1.0)
    ledger.reserve(ask())
    assert ledger.purse.in_flight == 1 and 0 < ledger.purse.reserved_usd < 0.03
    assert ledger.charge(ask(), Usage(input=1000, output=1000)) == pytest.approx(0.011)
    assert (ledger.purse.in_flight, ledger.purse.reserved_usd) == (0, 0.0)
    assert ledger.spent_usd == ledger.purse.spent_usd == pytest.approx(0.011)
    assert ledger.charge(ask(2), Usage(input=1000, output=1000), via="batch") == pytest.approx(0.0055)


def test_a_call_without_an_answer_costs_nothing_and_frees_its_money_once():
    ledger = Ledger(PRICES, "m", 1.0)
    ledger.reserve(ask())
    ledger.release(ask())
    ledger.release(ask())
    ledger.release(ask(99))  # never set aside: a stored answer's, for example
    assert (ledger.purse.in_flight, ledger.purse.reserved_usd, ledger.spent_usd) == (0, 0.0, 0.0)


def test_nothing_is_sent_once_the_cap_is_spent_and_the_message_says_how_to_go_on():
    ledger = Ledger(PRICES, "m", 0.02)
    ledger.reserve(ask())
    ledger.charge(ask(), Usage(input=0, output=2000))
    with pytest.raises(BudgetReached, match="상한을 올려") as caught:
        ledger.reserve(ask(2))
    assert "$0.0200 (28원)" in str(caught.value)


def test_the_calls_in_flight_are_counted_before_they_answer():
    ledger = Ledger(PRICES, "m", 0.05, from_averages("m", {"pairs": 1000}))
    sent = 0
    with pytest.raises(BudgetReached):
        for number in range(100):
            ledger.reserve(ask(number))
            sent += 1
    assert sent == 4  # a cent each for the output, and a little for the input
    ledger.release(ask(0))
    ledger.reserve(ask(200))  # money freed is money to spend


def test_before_the_first_answer_a_guess_is_set_aside_not_the_whole_limit():
    ledger = Ledger(PRICES, "m", 1.0)
    ledger.reserve(ask(limit=100_000))
    assert ledger.purse.reserved_usd < 0.01  # the limit would be a whole dollar, and one call at a time
    assert guessed_output("pairs", {"max_tokens": 50}, "m") == 50
    thinking = guessed_output("pairs", {"max_tokens": 9000, "reasoning_effort": "high"}, "m")
    assert thinking > guessed_output("pairs", {"max_tokens": 9000}, "m") + 1000


def test_what_was_answered_teaches_what_to_expect_per_task():
    expectation = Expectation("m")
    for _ in range(30):
        expectation.learn(ask(task="pairs"), Usage(input=500, output=300))
        expectation.learn(ask(task="analysis"), Usage(input=500, output=100, reasoning=900))
    expectation.learn(ask(task="pairs"), Usage())  # an endpoint that counts nothing teaches nothing
    assert expectation.expect(ask(task="pairs")) == Usage(input=500, output=300)
    assert expectation.expect(ask(task="analysis")).output == 900
    assert expectation.expect(ask(task="analysis", limit=400)).output == 400


def test_a_cap_needs_a_price_and_zero_is_one():
    with pytest.raises(BadInput, match=r"nobody-1(.|\n)*prices.yaml(.|\n)*--max-usd"):
        Ledger(PRICES, "nobody-1", 1.0)
    without = Ledger(PRICES, "nobody-1")
    without.reserve(ask())
    assert without.charge(ask(), Usage(10, 0, 10)) is None
    assert (without.unpriced, without.charged, without.spent_usd) == (1, 1, 0.0)
    free = Ledger(PRICES, "free", 0.01)
    for number in range(1000):
        free.reserve(ask(number))
    assert free.purse.reserved_usd == 0.0


def test_a_judge_spends_from_the_same_purse():
    teacher = Ledger(PRICES, "m", 0.02)
    judge = Ledger(PRICES, "m", purse=teacher.purse)
    teacher.charge(ask(), Usage(output=2000))
    with pytest.raises(BudgetReached):
        judge.reserve(ask(2))
    with pytest.raises(BadInput):
        Ledger(PRICES, "nobody-1", purse=teacher.purse)


def test_ledgers_of_one_run_travel_together_and_still_share_the_purse():
    teacher = Ledger(PRICES, "m", 0.02)
    ledgers = pickle.loads(pickle.dumps({"t": teacher, "judge": Ledger(PRICES, "m", purse=teacher.purse)}))
    ledgers["t"].charge(ask(), Usage(output=2000))
    with pytest.raises(BudgetReached):
        ledgers["judge"].reserve(ask(2))


@pytest.mark.parametrize("waits", [True, False])
def test_waiting_for_calls_in_flight_uses_the_cap_up_to_its_last_whole_call(waits):
    """Forty workers, answers a third as long as expected at first: without waiting most of the money is left."""
    ledger = Ledger(PRICES, "m", 0.1)
    most_in_flight = 0

    async def worker(number: int) -> None:
        nonlocal most_in_flight
        request = ask(number)
        if waits:
            await ledger.reserve_or_wait(request)
        else:
            ledger.reserve(request)
        most_in_flight = max(most_in_flight, ledger.purse.in_flight)
        await asyncio.sleep(0)
        ledger.charge(request, Usage(input=30, output=150))  # $0.00153

    async def run() -> list:
        return await asyncio.gather(*(worker(number) for number in range(200)), return_exceptions=True)

    outcomes = asyncio.run(run())
    stopped = [one for one in outcomes if one is not None]
    assert stopped and all(isinstance(one, BudgetReached) for one in stopped)
    assert most_in_flight > 10 and ledger.purse.in_flight == 0
    if waits:
        assert 0.1 - 0.00153 - 0.0001 < ledger.spent_usd <= 0.1
    else:
        assert ledger.spent_usd < 0.06


def test_a_wait_ends_when_the_money_is_spent_and_an_interrupted_one_leaves_nothing_behind():
    async def run() -> None:
        ledger = Ledger(PRICES, "m", 0.02, from_averages("m", {"pairs": 1900}))
        ledger.reserve(ask(1))
        waiting = asyncio.ensure_future(ledger.reserve_or_wait(ask(2)))
        gone = asyncio.ensure_future(ledger.reserve_or_wait(ask(3)))
        await asyncio.sleep(0)
        assert not waiting.done()
        assert pickle.loads(pickle.dumps(ledger)).purse.in_flight == 1  # a copy for the panel, while others wait
        gone.cancel()
        await asyncio.sleep(0)
        ledger.charge(ask(1), Usage(output=2000))
        with pytest.raises(BudgetReached):
            await waiting
        assert ledger.purse.in_flight == 0

    asyncio.run(run())


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "answer", "lose"]),
        st.integers(0, 60),  # which call answers or is lost
        st.integers(0, 3000),  # tokens of its answer
        st.sampled_from(["pairs", "scenario", "analysis"]),
        st.integers(1, 400),  # characters of its prompt
    ),
    max_size=120,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.floats(0.0005, 0.5))
def test_spending_never_passes_the_cap_by_more_than_the_calls_in_flight(steps, cap):
    ledger = Ledger(PRICES, "m", cap)
    flying: dict[int, Request] = {}
    flying_at_last_send: set[int] = set()
    over = 0.0  # paid after the last send, by calls that were in flight then
    number = 0

    def settle(which: int, tokens: int) -> None:
        nonlocal over
        usd = ledger.charge(flying.pop(which), Usage(input=50, output=tokens))
        assert which in flying_at_last_send
        over += usd

    for kind, pick, tokens, task, length in steps:
        if kind == "send":
            number += 1
            request = ask(number, task, "가" * length)
            before = ledger.spent_usd
            try:
                ledger.reserve(request)
            except BudgetReached:
                continue
            assert before < cap
            flying[number] = request
            flying_at_last_send, over = set(flying), 0.0
        elif flying:
            which = sorted(flying)[pick % len(flying)]
            if kind == "lose":
                ledger.release(flying.pop(which))
            else:
                settle(which, tokens)
        assert ledger.purse.in_flight == len(flying)
        assert ledger.spent_usd <= cap + over
    for which in list(flying):
        settle(which, 3000)
    assert ledger.spent_usd <= cap + over
    assert (ledger.purse.in_flight, ledger.purse.reserved_usd) == (0, 0.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(100, 3000), st.floats(0.001, 0.2))
def test_when_answers_are_as_long_as_expected_the_cap_is_never_passed_at_all(wide, tokens, cap):
    ledger = Ledger(PRICES, "m", cap, from_averages("m", {"pairs": tokens}))
    flying, number, stopped = [], 0, False
    while not stopped:
        while len(flying) < wide and not stopped:
            number += 1
            try:
                ledger.reserve(ask(number, limit=None))
            except BudgetReached:
                stopped = True
            else:
                flying.append(ask(number, limit=None))
        for request in flying:
            expected = ledger.expectation.expect(request)
            ledger.charge(request, Usage(input=expected.input, output=tokens))
        flying = []
    assert ledger.spent_usd <= cap * (1 + 1e-9)
