"""The rolling pool and the circuit breaker."""

import asyncio
from contextlib import aclosing

import pytest

from data_gen.asking.breaker import Breaker
from data_gen.asking.pool import run_pool
from data_gen.errors import DataGenError


async def collect(items, work, places, **options):
    return [result async for result in run_pool(items, work, places, **options)]


def test_the_next_begins_as_soon_as_one_is_done_and_never_more_than_the_places():
    running, most, begun = 0, 0, []

    async def main():
        gates = {name: asyncio.Event() for name in range(10)}

        async def work(name):
            nonlocal running, most
            running += 1
            most = max(most, running)
            begun.append(name)
            await gates[name].wait()
            running -= 1
            return name

        results = run_pool(range(10), work, 3)
        first = asyncio.ensure_future(anext(results))
        for _ in range(5):
            await asyncio.sleep(0)
        assert begun == [0, 1, 2]
        gates[1].set()  # the slow first one holds nobody up
        assert await first == 1
        for gate in gates.values():
            gate.set()
        return [1, *[one async for one in results]]

    assert sorted(asyncio.run(main())) == list(range(10))
    assert most == 3 and begun[:4] == [0, 1, 2, 3]


def test_items_are_pulled_only_when_there_is_a_place_and_results_do_not_pile_up():
    pulled = 0

    def endless():
        nonlocal pulled
        while True:
            pulled += 1
            yield pulled

    async def work(number):
        return number

    async def main():
        async with aclosing(run_pool(endless(), work, 4)) as results:
            for consumed in range(1, 50):
                await anext(results)
                for _ in range(20):  # a slow consumer
                    await asyncio.sleep(0)
                assert pulled <= consumed + 8

    asyncio.run(main())


def test_a_failure_stops_the_admitting_lets_those_under_way_finish_and_then_is_raised():
    begun, finished, stopped = [], [], []

    async def work(number):
        begun.append(number)
        if number == 2:
            raise DataGenError("끝")
        for _ in range(20):
            await asyncio.sleep(0)
        finished.append(number)
        return number

    with pytest.raises(DataGenError, match="끝"):
        asyncio.run(collect(range(1000), work, 4, on_stop=lambda: stopped.append(True)))
    assert len(begun) < 12 and sorted([*finished, 2]) == sorted(begun) and stopped == [True]


def test_an_interrupt_lets_those_under_way_finish():
    begun, finished = [], []

    async def work(number):
        begun.append(number)
        await asyncio.sleep(0.02)
        finished.append(number)

    async def main():
        task = asyncio.ensure_future(collect(range(1000), work, 5))
        while len(begun) < 5:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert begun == finished == [0, 1, 2, 3, 4]


def test_a_source_that_breaks_is_raised_after_those_under_way():
    finished = []

    def source():
        yield 1
        raise DataGenError("깨진 파일")

    async def work(number):
        await asyncio.sleep(0)
        finished.append(number)

    with pytest.raises(DataGenError, match="깨진 파일"):
        asyncio.run(collect(source(), work, 4))
    assert finished == [1]


def test_no_items_no_results_and_no_place_is_an_error():
    async def work(number):
        return number

    assert asyncio.run(collect([], work, 4)) == []
    with pytest.raises(ValueError, match="places"):
        asyncio.run(collect([1], work, 0))


def test_failures_in_a_row_open_the_breaker_and_a_success_between_does_not_let_them_add_up():
    breaker = Breaker(consecutive=5)
    for _ in range(10):
        for _ in range(4):
            breaker.failed("HTTP 500")
        breaker.succeeded()
    assert breaker.opened is None
    for _ in range(5):
        breaker.failed("HTTP 503")
    assert "연달아 5번" in str(breaker.opened) and "HTTP 503" in str(breaker.opened)


def test_a_share_of_failures_over_a_window_opens_it_too():
    breaker = Breaker(consecutive=100, window=20, share=0.9)
    for number in range(19):
        breaker.succeeded() if number % 10 == 9 else breaker.failed("연결 실패")
    assert breaker.opened is None
    breaker.failed("연결 실패")
    breaker.failed("연결 실패")
    assert "최근 20번" in str(breaker.opened)


def test_429_is_borne_much_longer_than_silence():
    breaker = Breaker(consecutive=5)
    for _ in range(39):
        breaker.throttled("HTTP 429")
    assert breaker.opened is None
    breaker.throttled("HTTP 429")
    assert "429" in str(breaker.opened)
