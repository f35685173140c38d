"""The keeper of a cluster without the cluster: its steps, in one event loop, as Ray would interleave them."""

import asyncio
from dataclasses import dataclass, field

import pytest

from data_gen import ray_keeper
from data_gen.asking.values import Request, Stored, Usage
from data_gen.errors import BudgetReached, DataGenError, TeacherFailure
from data_gen.ray_keeper import DIED, KeeperActor, RayKeeper
from data_gen.store import Store


@dataclass
class Money:
    """A ledger at one dollar a call."""

    cap: int
    spent: int = 0
    held: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None
    """Where a reservation waits, when there is one: for money of other calls."""

    async def reserve_or_wait(self, request):
        if self.gate:
            await self.gate.wait()
        if self.spent + len(self.held) >= self.cap:
            raise BudgetReached("상한")
        self.held.append(request.key)

    def charge(self, request, usage, via):
        self.release(request)
        self.spent += 1
        return 1.0

    def release(self, request):
        self.held.remove(request.key)


class Handle:
    """An actor handle without Ray: ``handle.method.remote(...)`` gives something to await."""

    def __init__(self, actor) -> None:
        self._actor = actor

    def __getattr__(self, name):
        method = getattr(self._actor, name)
        return type("Method", (), {"remote": staticmethod(method)})


def request(name: str) -> Request:
    return Request(name, {"about": name}, "t", "pairs", f"document {name}")


def answer(name: str) -> Stored:
    texts = (name, "t", "m", "pairs", f"document {name}", "ok", "", f"답 {name}", "", "stop", "id")
    return Stored(*texts, Usage(1, 0, 1, 0), None, 0.1, "live", "2026-06-01T00:00:00")


@pytest.fixture
def cluster(tmp_path):
    """Run a coroutine function of (actor, keeper of worker a, keeper of worker b, money)."""

    def run(scenario, cap=100):
        async def whole():
            money = Money(cap)
            actor = KeeperActor(str(tmp_path / "store.sqlite"), {"t": money})
            done, fault = await actor.open()
            assert done, fault
            handle = Handle(actor)
            try:
                return await scenario(actor, RayKeeper(handle, "t", "a"), RayKeeper(handle, "t", "b"), money)
            finally:
                await actor.close()

        return asyncio.run(asyncio.wait_for(whole(), 30))

    return run


async def settle():
    """Let every task run as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_what_one_worker_stored_another_finds(cluster):
    async def scenario(_, a, b, money):
        assert await a.find(request("x")) is None
        await a.reserve(request("x"))
        kept = await a.keep(request("x"), answer("x"))
        assert kept.usd == 1.0
        assert await b.find(request("x")) == kept
        assert (money.spent, money.held) == (1, [])

    cluster(scenario)


def test_the_same_request_of_two_workers_is_sent_once(cluster):
    async def scenario(_, a, b, money):
        assert await a.find(request("x")) is None
        second = asyncio.ensure_future(b.find(request("x")))
        await settle()
        await a.reserve(request("x"))
        await settle()
        assert not second.done()
        assert await b.find(request("y")) is None  # another request is nobody's concern
        await a.keep(request("x"), answer("x"))
        assert (await second).text == "답 x"
        assert money.spent == 1

    cluster(scenario)


def test_a_lost_call_is_its_workers_to_repeat_until_nothing_is_heard_of_it(cluster, monkeypatch):
    async def scenario(_, a, b, money):
        await a.find(request("x"))
        await a.reserve(request("x"))
        second = asyncio.ensure_future(b.find(request("x")))
        await a.drop(request("x"), "HTTP 500")
        await settle()
        assert not second.done()
        await a.reserve(request("x"))  # the next try, after which the machine is lost
        await settle()
        assert not second.done()
        second.cancel()
        monkeypatch.setattr(ray_keeper, "_LAPSE_S", 0.0)
        assert await b.find(request("x")) is None
        assert not money.held
        await b.reserve(request("x"))
        assert (await b.keep(request("x"), answer("x"))).text == "답 x"
        assert (money.spent, money.held) == (1, [])

    cluster(scenario)


def test_the_cap_holds_for_all_workers_and_is_raised_as_itself(cluster):
    async def scenario(_, a, b, money):
        for keeper, name in ((a, "1"), (b, "2")):
            await keeper.find(request(name))
            await keeper.reserve(request(name))
        await a.find(request("3"))
        with pytest.raises(BudgetReached, match=r"^상한$"):
            await a.reserve(request("3"))
        # Nobody waits for a request that was not sent.
        assert await b.find(request("3")) is None
        await a.keep(request("1"), answer("1"))
        await b.drop(request("2"), "lost")
        await b.reserve(request("3"))
        assert (money.spent, money.held) == (1, ["3"])

    cluster(scenario, cap=2)


def test_money_and_requests_of_a_dead_worker_are_free_again(cluster, tmp_path):
    async def scenario(actor, a, b, money):
        await a.find(request("sent"))
        await a.reserve(request("sent"))
        await a.find(request("about to be sent"))
        await b.find(request("other"))
        await b.reserve(request("other"))
        waiting = asyncio.ensure_future(b.find(request("sent")))
        await settle()
        await actor.hello("a")  # its process was killed, Ray started another under its name
        assert await waiting is None
        assert await b.find(request("about to be sent")) is None
        assert money.held == ["other"]

    cluster(scenario)
    with Store(tmp_path / "store.sqlite", read_only=True) as store:
        assert store.notes() == {DIED: 1}


def test_after_a_stop_nothing_is_sent_and_what_is_under_way_is_kept(cluster):
    async def scenario(actor, a, b, money):
        await a.find(request("x"))
        await a.reserve(request("x"))
        await actor.stop(DataGenError("키 거부"))
        await b.find(request("y"))
        with pytest.raises(DataGenError, match=r"^키 거부$"):
            await b.reserve(request("y"))
        idle = asyncio.ensure_future(actor.idle(20))
        await settle()
        assert not idle.done()
        await a.keep(request("x"), answer("x"))
        assert await idle is True
        assert await b.find(request("x")) == await a.find(request("x"))
        assert money.spent == 1

    cluster(scenario)


def test_money_that_came_after_a_stop_sends_nothing_and_is_free_again(cluster):
    async def scenario(actor, a, _b, money):
        money.gate = asyncio.Event()
        await a.find(request("x"))
        sending = asyncio.ensure_future(a.reserve(request("x")))
        await settle()
        await actor.stop(DataGenError("키 거부"))
        money.gate.set()
        with pytest.raises(DataGenError, match=r"^키 거부$"):
            await sending
        assert not money.held
        assert await actor.idle(20) is True

    cluster(scenario)


def test_who_waits_for_money_keeps_its_request_until_its_successor_comes(cluster, monkeypatch):
    async def scenario(actor, a, b, money):
        money.gate = asyncio.Event()
        await a.find(request("x"))
        first = asyncio.ensure_future(a.reserve(request("x")))
        await settle()
        monkeypatch.setattr(ray_keeper, "_LAPSE_S", 0.0)
        other = asyncio.ensure_future(b.find(request("x")))
        await settle()
        assert not other.done()  # silence while waiting is no sign of death
        await actor.hello("a")
        assert await other is None
        second = asyncio.ensure_future(b.reserve(request("x")))
        await settle()
        money.gate.set()
        with pytest.raises(TeacherFailure):
            await first
        await second
        assert money.held == ["x"]  # the successor's alone
        assert (await b.keep(request("x"), answer("x"))).text == "답 x"
        assert (money.spent, money.held) == (1, [])

    cluster(scenario)


def test_waiting_for_calls_under_way_has_an_end(cluster):
    async def scenario(actor, a, _b, _money):
        await a.find(request("x"))
        await a.reserve(request("x"))
        assert await actor.idle(0.01) is False
        await a.drop(request("x"), "lost")
        judge = RayKeeper(Handle(actor), "t")
        await judge.find(request("judge"))
        await judge.reserve(request("judge"))
        assert await actor.idle(20) is True

    cluster(scenario)


def test_a_store_held_by_another_run_is_said_as_a_data_error(tmp_path):
    with Store(tmp_path / "store.sqlite"):
        done, fault = asyncio.run(KeeperActor(str(tmp_path / "store.sqlite"), {}).open())
    assert not done
    assert isinstance(fault, DataGenError)
