"""The dry run: counts what a run would send, prices it, and sends nothing at all, not even a look at the key."""

import asyncio
import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from data_gen.asking.chain import follow
from data_gen.asking.desk import LiveDesk
from data_gen.asking.estimate import Estimate, TaskEstimate, estimate, estimate_judge, print_estimates
from data_gen.asking.keeper import LocalKeeper
from data_gen.asking.ledger import Ledger
from data_gen.asking.values import Usage
from data_gen.prices import PriceTable
from data_gen.store import Store
from data_gen.tasks.all_tasks import TASKS
from data_gen.tasks.pairs import PAIRS
from data_gen.teacher_settings import OpenAISettings

PRICES = PriceTable(
    as_of="2026-11-01",
    usd_krw=1400.0,
    usd_krw_date="2026-10-30",
    models={"gpt-4o": {"input": 2.5, "output": 10.0, "batch": 0.5, "source": "시험"}},
)


def teacher(**changes) -> OpenAISettings:
    values = {"kind": "openai", "model": "gpt-4o", "key_env": "FAKE_TEACHER_KEY", "concurrency": 10}
    return OpenAISettings(**(values | changes))


def shown(estimates, width: int = 80, **options) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    print_estimates(estimates, PRICES, console, **options)
    return console.export_text()


@pytest.fixture
def documents(document):
    return [document(number, text=f"{document().text} 사례 {number}번.") for number in range(20)]


@pytest.fixture
def asked(fake, monkeypatch, tmp_path, documents):
    """Ask about the first so many documents, and give the endpoint's address."""
    monkeypatch.setenv("FAKE_TEACHER_KEY", "test-value")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    with fake.serving(fake.Script()) as endpoint:

        async def ask(store: Store, count: int, settings: OpenAISettings) -> None:
            desk = LiveDesk(settings, "t", LocalKeeper(store, Ledger(PRICES, "gpt-4o")))
            await asyncio.gather(*(desk.ask(one, PAIRS) for one in documents[:count]), return_exceptions=True)
            await desk.close()

        def run(count: int, sequence=(), **changes) -> tuple[Store, OpenAISettings]:
            endpoint.script.sequence = list(sequence)
            settings = teacher(base_url=endpoint.url, answer_format="json_schema", **changes)
            store = Store(tmp_path / "s.sqlite")
            asyncio.run(ask(store, count, settings))
            return store, settings

        run.endpoint = endpoint
        yield run


def test_every_document_and_task_that_concerns_it_is_one_call(documents, document):
    early = document(99, fault="기준일에 아직 시행되지 않은 조문")
    found = estimate([*documents, early], [PAIRS, TASKS["refusal"]], "t", teacher(), None)
    pairs, refusal = found.tasks
    assert (pairs.calls, pairs.stored, refusal.calls) == (20, 0, 0)  # refusals are asked about other kinds
    assert found.usage.input > 20 * 200 and found.usage.output > 20 * 100
    assert refusal.usage.input == 0


def test_nothing_is_sent_and_no_key_is_needed(fake, documents, monkeypatch, tmp_path):
    monkeypatch.delenv("FAKE_TEACHER_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    with fake.serving(fake.Script()) as endpoint:
        found = estimate(documents, [PAIRS], "t", teacher(base_url=endpoint.url), None)
        text = shown([found], max_usd=1.0)
    assert endpoint.asked == [] and endpoint.connections == 0
    assert "아무것도 보내지 않았습니다" in text


def test_stored_answers_cost_nothing_and_correct_the_guesses(asked, documents):
    store, settings = asked(12)
    with store:
        found = estimate(documents, [PAIRS], "t", settings, store)
        counted = [one.usage for one in store.responses()]
    assert (found.tasks[0].calls, found.tasks[0].stored, found.observed) == (8, 12, 12)
    # The fake endpoint counts tokens its own way; after twelve answers the estimate knows it.
    mean_input, mean_output = (sum(getattr(one, name) for one in counted) / 12 for name in ("input", "output"))
    assert found.usage.input == pytest.approx(8 * mean_input, rel=0.02)
    assert found.usage.output == pytest.approx(8 * mean_output, rel=0.02)
    assert "저장된 응답 12개의 평균" in shown([found])
    before = len(asked.endpoint.asked)
    store, _ = asked(20)
    store.close()
    assert len(asked.endpoint.asked) - before == found.calls  # the dry run promised what the run then sent


def test_a_malformed_answer_is_to_be_asked_again_and_a_hopeless_one_is_not(asked, documents):
    store, settings = asked(2, sequence=["malformed", "malformed", "malformed", "malformed"], answers=2)
    with store:
        found = estimate(documents, [PAIRS], "t", settings, store)
        more = estimate(documents, [PAIRS], "t", settings.model_copy(update={"answers": 3}), store)
    assert (found.tasks[0].calls, found.tasks[0].given_up, found.tasks[0].stored) == (18, 2, 0)
    assert (more.tasks[0].calls, more.tasks[0].given_up) == (20, 0)
    assert "다시 묻지 않습니다" in shown([found])


def test_requests_in_an_open_batch_are_told_apart(documents, tmp_path):
    with Store(tmp_path / "s.sqlite") as store:
        requests = [follow(teacher(), "t", PAIRS, one, store.find).ask for one in documents[:5]]
        store.add_batch("b1", "x", "t", requests)
        found = estimate(documents, [PAIRS], "t", teacher(), store)
    assert (found.tasks[0].calls, found.tasks[0].waiting) == (15, 5)
    assert "열린 배치에서 기다리는 요청 5개" in shown([found])


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [({"rpm": 2.0}, 600.0), ({"rpm": 1e9, "concurrency": 1}, None), ({"tpm": 1.0}, None)],
)
def test_the_tightest_limit_sets_the_time(documents, limits, seconds):
    found = estimate(documents, [PAIRS], "t", teacher(**limits), None)
    free = estimate(documents, [PAIRS], "t", teacher(), None)
    assert found.seconds == seconds if seconds else found.seconds > 5 * free.seconds
    if "tpm" in limits:
        assert found.seconds == pytest.approx((found.usage.input + found.usage.output) * 60)


def test_a_thinking_teacher_is_expected_to_cost_more(documents):
    plain = estimate(documents, [PAIRS], "t", teacher(max_output_tokens=8000), None)
    thinking = estimate(documents, [PAIRS], "t", teacher(max_output_tokens=8000, reasoning_effort="high"), None)
    assert thinking.usage.output > plain.usage.output + 20 * 1000


def test_the_whole_screen_at_eighty_columns(documents):
    first = estimate(documents, [PAIRS, TASKS["analysis"]], "gpt-4o", teacher(), None)
    judge = estimate_judge(documents, [PAIRS, TASKS["analysis"]], "판정", teacher(model="nobody-1"), None)
    assert judge.calls == 40  # two rows of each document; an analysis gives none
    text = shown([first, judge], max_usd=0.01)
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    usd = PRICES.cost_usd("gpt-4o", first.usage)
    for part in (
        "gpt-4o (gpt-4o)",
        "물을 요청과 토큰",
        "배치 달러",
        "합계",
        f"${usd:.4f}",
        f" {usd * 1400:,.0f} ",
        f"${usd / 2:.4f}",
        "모름",
        "예상 금액: 가격 모름 (unknown)",
        "가격표 2026-11-01, 환율 1,400.0원(2026-10-30)",
        "글자 수로 어림",
        "기본 가정",
    ):
        assert part in text.replace("\n", ""), part
    assert "…" not in text and "analysis" in text
    assert "상한에서 멈춥니다" in shown([first], max_usd=0.01)
    assert "상한 안입니다" in shown([first], max_usd=100.0)


def test_a_large_run_still_fits_the_screen():
    tasks = tuple(
        TaskEstimate(name, calls=123_456, stored=12_345, usage=Usage(input=234_567_890, output=98_765_432))
        for name in ("calculation", "law_change", "pairs")
    )
    text = shown([Estimate("gpt-4o", "gpt-4o", tasks, 86_400.0, 0, None)])
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    for part in (
        "calculation",
        "123,456",
        "12,345",
        "234.6M",
        "98.8M",
        "$1,574.07",
        "2,203,704",
        "$787.04",
        "24시간 0분",
    ):
        assert part in text, part
