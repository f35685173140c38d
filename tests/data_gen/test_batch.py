"""Batches over the store: same keys as live, never paid twice whatever cuts a run off, and only the rest is asked live."""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from data_gen.asking import batch as batches
from data_gen.asking import batch_fetch
from data_gen.asking.batch_command import add_parser
from data_gen.asking.chain import follow
from data_gen.asking.desk import LiveDesk
from data_gen.asking.keeper import LocalKeeper
from data_gen.asking.ledger import Ledger
from data_gen.asking.values import Request
from data_gen.documents import Library
from data_gen.errors import BadInput, BudgetReached, DataGenError, TeacherFailure
from data_gen.prices import load_prices
from data_gen.store import Store
from data_gen.tasks.pairs import PAIRS
from data_gen.teacher_settings import OpenAISettings

REPO = Path(__file__).parents[2]
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


class Bench:
    """A config, its store and a fake endpoint; ``batch("submit")`` is the command, ``live()`` what a build would do."""

    def __init__(self, endpoint, folder: Path, documents, monkeypatch, capsys) -> None:
        self.endpoint, self.folder, self.documents, self._capsys = endpoint, folder, documents, capsys
        self.store_path = folder / "store" / "responses.sqlite"
        self.teacher = {
            "kind": "openai",
            "model": "priced",
            "key_env": "FAKE_TEACHER_KEY",
            "base_url": endpoint.url,
            "answer_format": "json_schema",
            "max_output_tokens": 1000,
            "retries": 0,
            "batch": True,
        }
        prices = {
            "as_of": "2026-11-01",
            "usd_krw": 1400.0,
            "usd_krw_date": "2026-11-01",
            "models": {"priced": {"input": 1.0, "output": 10.0, "batch": 0.5, "source": "시험"}},
        }
        (folder / "prices.yaml").write_text(yaml.safe_dump(prices, allow_unicode=True), encoding="utf-8")
        self.write_config()
        monkeypatch.setattr(
            "data_gen.documents.load_library", lambda *_: Library(tuple(self.documents), "시험용 문서.")
        )

    def write_config(self, **teacher) -> Path:
        self.teacher |= teacher
        config = {
            "name": "test",
            "as_of": "2026-06-01",
            "documents": {"casebook": True, "provisions": "none"},
            "teacher": self.teacher,
            "prices": str(self.folder / "prices.yaml"),
            "store": str(self.store_path),
        }
        self.config = self.folder / "build.yaml"
        self.config.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        return self.config

    def batch(self, *words: str) -> tuple[int, str]:
        """Exit code and what was printed."""
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers(required=True))
        arguments = parser.parse_args(["batch", words[0], "--config", str(self.config), *words[1:]])
        code = arguments.run(arguments)
        return code, self._capsys.readouterr().out

    def live(self) -> list:
        """Ask about every document as a build does: the reply, or why there is none."""

        async def ask(store: Store) -> list:
            settings = OpenAISettings(**self.teacher)
            desk = LiveDesk(
                settings, "t", LocalKeeper(store, Ledger(load_prices(self.folder / "prices.yaml"), "priced"))
            )
            try:
                return await asyncio.gather(*(desk.ask(d, PAIRS) for d in self.documents), return_exceptions=True)
            finally:
                await desk.close()

        with Store(self.store_path) as store:
            return asyncio.run(ask(store))

    def stored(self) -> list:
        with Store(self.store_path, read_only=True) as store:
            return list(store.responses())

    def key_of(self, document) -> str:
        return follow(OpenAISettings(**self.teacher), "t", PAIRS, document, lambda _: None).ask.key


@pytest.fixture
def bench(fake, document, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FAKE_TEACHER_KEY", "test-value")
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)

    def make_document(number: int):
        return document(number, text=f"{document().text} 사례 {number}번.")

    with fake.serving(fake.Script()) as endpoint:
        yield Bench(endpoint, tmp_path, [make_document(number) for number in range(4)], monkeypatch, capsys)


def test_what_a_batch_answered_is_never_asked_live(bench):
    code, shown = bench.batch("submit")
    assert code == 0 and "요청 4개" in shown and "예상 금액 $0.0" in shown
    (name, remote) = next(iter(bench.endpoint.batches.batches.items()))
    sent = [json.loads(line) for line in bench.endpoint.batches.files[remote["input_file_id"]][1].splitlines()]
    assert [line["custom_id"] for line in sent] == [bench.key_of(document) for document in bench.documents]
    assert {(line["method"], line["url"]) for line in sent} == {("POST", "/v1/chat/completions")}
    assert (remote["completion_window"], name) == ("24h", "batch_1")

    assert "끝남" in bench.batch("status")[1]
    code, shown = bench.batch("fetch")
    assert code == 0 and "쓸 수 있음 4 · 쓸 수 없음 0 · 답 없음 0" in shown
    stored = bench.stored()
    assert {one.via for one in stored} == {"batch"} and {one.status for one in stored} == {"ok"}
    one = stored[0]
    assert one.usd == pytest.approx((one.usage.input * 1.0 + one.usage.output * 10.0) / 2e6)
    replies = bench.live()
    assert all(
        reply.stored and reply.usd == pytest.approx(one.usd) for reply, one in zip(replies, stored, strict=False)
    )
    assert bench.endpoint.asked == []
    assert not list(bench.store_path.parent.glob("*.jsonl"))  # nothing lies about
    assert "보낼 요청이 없습니다" in bench.batch("submit")[1]
    assert "가져올 배치가 없습니다" in bench.batch("fetch")[1]


def test_a_waiting_request_is_neither_asked_live_nor_sent_again_until_it_is_forgotten(bench):
    bench.batch("submit")
    assert all(isinstance(one, TeacherFailure) and "기다리는 중" in str(one) for one in bench.live())
    assert "보낼 요청이 없습니다" in bench.batch("submit")[1]
    assert bench.endpoint.asked == [] and len(bench.endpoint.batches.batches) == 1
    with Store(bench.store_path) as store:
        (open_batch,) = store.batches(open_only=True)
    with pytest.raises(BadInput, match=open_batch.id):
        bench.batch("forget", "no-such")
    assert "청구" in bench.batch("forget", open_batch.id)[1]
    assert all(not reply.stored for reply in bench.live())
    assert len(bench.endpoint.asked) == 4


def test_an_unfinished_batch_stays_open_and_is_fetched_later(bench):
    bench.endpoint.script.batch_polls = 3
    bench.batch("submit")
    assert "진행 중 0/4" in bench.batch("fetch")[1]
    assert not bench.stored() and all(isinstance(one, TeacherFailure) for one in bench.live())
    bench.batch("status")
    # The endpoint is done now; as long as nothing is fetched, its answers must not be paid for a second time.
    assert "끝남" in bench.batch("status")[1]
    assert all(isinstance(one, TeacherFailure) for one in bench.live())
    assert "쓸 수 있음 4" in bench.batch("fetch")[1]


def test_failed_and_malformed_items_are_asked_again_and_no_others(bench):
    bench.endpoint.script.sequence = ["ok", "error", "malformed", "truncate"]
    bench.batch("submit")
    assert "쓸 수 있음 1 · 쓸 수 없음 2 · 답 없음 1" in bench.batch("fetch")[1]
    by_key = {one.key: one.status for one in bench.stored()}
    first, second, third, fourth = (bench.key_of(document) for document in bench.documents)
    assert (by_key[first], by_key[third], by_key[fourth]) == ("ok", "malformed", "length") and second not in by_key
    with Store(bench.store_path, read_only=True) as store:
        assert any("server_error" in reason for reason in store.notes())
    replies = bench.live()
    assert [reply.stored for reply in replies] == [True, False, False, False]
    asked = [json.dumps(body, ensure_ascii=False) for body in bench.endpoint.asked]
    assert len(asked) == 3 and not any("사례 0번" in body for body in asked)


def test_what_failed_may_go_into_the_next_batch_and_both_ways_mix(bench):
    bench.endpoint.script.sequence = ["ok", "error", "malformed", "ok"]
    bench.batch("submit")
    bench.batch("fetch")
    assert "요청 2개" in bench.batch("submit")[1]
    assert "쓸 수 있음 2" in bench.batch("fetch")[1]
    assert all(reply.stored for reply in bench.live()) and bench.endpoint.asked == []
    answered = [one["hash"] for one in bench.endpoint.log if one["id"]]
    assert len(answered) == len(set(answered)) == 5  # four documents, one of them answered badly first


def test_live_answers_are_not_sent_in_a_batch(bench):
    everything, bench.documents = bench.documents, bench.documents[:1]
    bench.live()
    bench.documents = everything
    assert "요청 3개" in bench.batch("submit")[1]


@pytest.mark.parametrize(("end", "ok", "failed"), [("expired", 2, 2), ("cancelled", 2, 2), ("failed", 0, 4)])
def test_a_batch_that_did_not_complete_gives_what_it_has_and_frees_the_rest(bench, end, ok, failed):
    bench.endpoint.script.batch_end = end
    bench.batch("submit")
    _, shown = bench.batch("fetch")
    assert f"쓸 수 있음 {ok} · 쓸 수 없음 0 · 답 없음 {failed}" in shown
    assert ("invalid_json_line" in shown) == (end == "failed")
    replies = bench.live()
    assert sum(reply.stored for reply in replies) == ok and len(bench.endpoint.asked) == failed


def test_a_fetch_that_is_cut_off_goes_on_where_it_stopped(bench, monkeypatch):
    bench.batch("submit")
    real, calls = batch_fetch.read_completion, []

    def read_two(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(batch_fetch, "read_completion", read_two)
        with pytest.raises(KeyboardInterrupt):
            bench.batch("fetch")
    assert len(bench.stored()) == 2
    _, shown = bench.batch("fetch")
    assert "쓸 수 있음 4" in shown and "paid for twice" not in shown
    assert len(bench.stored()) == 4


def test_an_answer_that_came_live_in_the_meantime_stays_and_the_second_bill_is_told(bench):
    bench.batch("submit")
    request = follow(OpenAISettings(**bench.teacher), "t", PAIRS, bench.documents[0], lambda _: None).ask
    with Store(bench.store_path) as store:
        from data_gen.asking.completion import read_completion

        completion = bench.endpoint.completion(request.body, "ok", request.key)
        store.keep(request, read_completion(request, completion | {"id": "live-1"}, PAIRS.answer))
    _, shown = bench.batch("fetch")
    assert "쓸 수 있음 3" in shown and "paid for twice" in shown
    assert next(one for one in bench.stored() if one.key == request.key).response_id == "live-1"


def test_the_cap_holds_even_if_every_answer_is_as_long_as_it_may_be(bench):
    bench.write_config(max_output_tokens=10_000)  # so that the longest answer costs five cents in a batch
    code, shown = bench.batch("submit", "--max-usd", "0.12")
    assert code == 4 and "요청 2개" in shown and "2개를 남겼습니다" in shown
    bench.batch("fetch")
    code, shown = bench.batch("submit", "--max-usd", "0.0001")
    assert code == 4 and "2개를 남겼습니다" in shown and len(bench.endpoint.batches.batches) == 1
    for nonsense in ("0", "-1", "inf", "많이"):
        with pytest.raises(SystemExit):
            bench.batch("submit", "--max-usd", nonsense)
    bench.write_config(model="nobody-1")
    with pytest.raises(BadInput, match=r"nobody-1(.|\n)*prices.yaml"):
        bench.batch("submit", "--max-usd", "1")
    code, shown = bench.batch("submit")
    assert code == 0 and "가격 모름 (unknown)" in shown


def test_a_teacher_without_batches_is_told_so(bench):
    bench.write_config(batch=False)
    with pytest.raises(BadInput, match="batch: true"):
        bench.batch("submit")
    bench.write_config(batch=True, base_url=bench.endpoint.url + "/nowhere")
    with pytest.raises(DataGenError, match="배치 기능이 없거나"):
        bench.batch("submit")
    bench.write_config(base_url=bench.endpoint.url)
    assert "요청 4개" in bench.batch("submit")[1]  # the refused one holds nothing back


def test_a_refused_key_says_which_variable_and_never_the_key(bench):
    bench.endpoint.script.key = "another"
    with pytest.raises(DataGenError, match="key_env") as caught:
        bench.batch("submit")
    assert "test-value" not in str(caught.value)


def test_a_create_whose_answer_was_lost_is_found_by_its_metadata_and_never_repeated(bench):
    fake_batches = bench.endpoint.batches
    create = fake_batches._create
    fake_batches._create = lambda asked: (create(asked), (500, "application/json", b"{}"))[1]
    with pytest.raises(DataGenError, match="HTTP 500"):
        bench.batch("submit")
    fake_batches._create = create
    assert len(fake_batches.batches) == 1  # one try, though the client retries elsewhere
    assert "보내다 멈춤" in bench.batch("status")[1]
    assert all(isinstance(one, TeacherFailure) for one in bench.live())
    for number in range(30):  # others of the same account, more than a page
        create({"input_file_id": "file-1", "endpoint": "x", "completion_window": "24h", "metadata": {"a": str(number)}})
    _, shown = bench.batch("submit")
    assert "이어서 보냄" in shown and "batch_1 " in shown and "요청 4개" in shown
    assert len(fake_batches.batches) == 31
    assert "쓸 수 있음 4" in bench.batch("fetch")[1]


def test_an_unsent_batch_over_a_new_cap_is_refused_before_anything_is_sent(bench):
    bench.endpoint.batches._create = lambda asked: (503, "application/json", b"{}")
    with pytest.raises(DataGenError):
        bench.batch("submit")
    del bench.endpoint.batches._create
    with pytest.raises(BudgetReached, match="forget"):
        bench.batch("submit", "--max-usd", "0.001")
    assert bench.endpoint.batches.batches == {}
    assert "요청 4개" in bench.batch("submit", "--max-usd", "1")[1]


KILLED = """
import argparse, os, signal, sys
from openai.resources.batches import Batches
real = Batches.create
def create(self, **options):
    if sys.argv[2] == "after":
        real(self, **options)
    os.kill(os.getpid(), signal.SIGKILL)
Batches.create = create
from data_gen.asking.batch_command import add_parser
parser = argparse.ArgumentParser()
add_parser(parser.add_subparsers(required=True))
arguments = parser.parse_args(["batch", "submit", "--config", sys.argv[1]])
arguments.run(arguments)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_around_the_creation_pays_once(bench, monkeypatch, moment):
    environment = {name: value for name, value in os.environ.items() if name not in PROXIES}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(bench.config), moment],
        cwd=REPO,
        env=environment | {"FAKE_TEACHER_KEY": "test-value"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    created = len(bench.endpoint.batches.batches)
    assert created == (1 if moment == "after" else 0)
    monkeypatch.undo()  # the real library, as the killed run read it
    monkeypatch.setenv("FAKE_TEACHER_KEY", "test-value")
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    _, shown = bench.batch("submit")
    assert "이어서 보냄" in shown and "\n보냄" not in shown
    assert not list(bench.store_path.parent.glob("*.jsonl"))
    assert len(bench.endpoint.batches.batches) == 1
    bench.batch("fetch")
    answered = [one["hash"] for one in bench.endpoint.log]
    assert len(answered) == len(set(answered)) == len(bench.stored()) > 50


def _request(number: int, size: int) -> Request:
    return Request(f"k{number}", {"messages": [{"content": "가" * size}]}, "t", "pairs", f"d{number}")


@given(st.lists(st.integers(0, 300), max_size=40), st.integers(1, 7), st.integers(1200, 4000))
def test_files_keep_the_order_and_stay_within_both_bounds(sizes, most_requests, most_bytes):
    requests = [_request(number, size) for number, size in enumerate(sizes)]
    groups = list(batches.split_requests(requests, most_requests, most_bytes))
    assert [one for group in groups for one in group] == requests
    for number, group in enumerate(groups):
        size = sum(len(batches._line(one)) for one in group)
        assert 0 < len(group) <= most_requests and size <= most_bytes
        if number + 1 < len(groups):  # none is closed before it is full
            following = size + len(batches._line(groups[number + 1][0]))
            assert len(group) == most_requests or following > most_bytes


def test_several_files_become_several_batches(bench, monkeypatch):
    assert (batches.MOST_REQUESTS, batches.MOST_BYTES) == (50_000, 200_000_000)
    monkeypatch.setattr(batches.submit, "__defaults__", (3, 200_000_000))
    _, shown = bench.batch("submit")
    assert "배치 2개, 요청 4개" in shown
    assert [one["request_counts"]["total"] for one in bench.endpoint.batches.batches.values()] == [3, 1]
    bench.batch("fetch")
    assert len(bench.stored()) == 4


def test_a_request_too_large_for_any_file_is_named():
    with pytest.raises(DataGenError, match="문서 d1"):
        list(batches.split_requests([_request(1, 500)], most_bytes=100))
