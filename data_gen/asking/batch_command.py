"""``python -m data_gen batch``: submit, status, fetch, forget.  A build then uses what was fetched and sends only the rest.

While a batch is open no build asks its requests live, since both answers would be paid for; they count as failed in such a
build, with the batch as the reason.  Whoever does not want to wait says so with ``forget``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import OpenAI

    from data_gen.asking.batch_fetch import Fetched
    from data_gen.asking.expectation import Expectation
    from data_gen.asking.values import Request
    from data_gen.prices import PriceTable
    from data_gen.settings import BuildConfig
    from data_gen.store import Store
    from data_gen.teacher_settings import OpenAISettings

# Room for input tokens that were only guessed from characters, when a cap must hold whatever the answers are.
_GUESS_MARGIN = 1.5
_STATUS = {
    "validating": "검사 중",
    "in_progress": "진행 중",
    "finalizing": "마무리 중",
    "completed": "끝남",
    "failed": "실패",
    "expired": "24시간을 넘김",
    "cancelling": "취소 중",
    "cancelled": "취소됨",
    "unknown": "서버에 없음",
}


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "batch", help="배치로 묻는다: 값이 싸고 하루 안에 답이 온다 (ask through a batch endpoint)"
    )
    steps = parser.add_subparsers(required=True, metavar="단계")
    for step, words in (
        ("submit", "아직 답이 없는 요청을 보낸다 (send what is not answered yet)"),
        ("status", "보낸 배치가 어디까지 갔는지 본다 (how far they are)"),
        ("fetch", "끝난 배치의 답을 저장한다 (store the answers of finished batches)"),
        ("forget", "배치를 기다리지 않기로 한다: 그 요청을 build가 다시 묻는다 (stop waiting for a batch)"),
    ):
        one = steps.add_parser(step, help=words)
        one.add_argument("--config", type=Path, required=True, help="build와 같은 설정 파일")
        if step == "submit":
            one.add_argument(
                "--max-usd", type=_dollars, metavar="달러", help="보낼 배치의 금액 상한, 달러 (기본: 설정의 max_usd)"
            )
        if step == "forget":
            one.add_argument("id", help="status가 보여 주는 배치 이름")
        one.set_defaults(run=run, step=step)


def _dollars(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"0보다 큰 달러 금액을 적습니다: {text!r}")
    return value


@dataclass(frozen=True)
class _Context:
    config: BuildConfig
    teacher: str
    settings: OpenAISettings
    endpoint: str
    prices: PriceTable


def run(arguments: argparse.Namespace) -> int:
    """Exit code: 0 done; 4 the cap left requests out.  Raises DataGenError, BadInput, ConfigError."""
    from data_gen.store import Store

    context = _context(arguments.config)
    with Store(context.config.store) as store:
        if arguments.step == "forget":
            return _forget(store, arguments.id)
        client = _client(context.settings)
        try:
            if arguments.step == "submit":
                cap = context.config.max_usd if arguments.max_usd is None else arguments.max_usd
                return _submit(store, client, context, cap)
            if arguments.step == "status":
                return _status(store, client, context)
            return _fetch(store, client, context)
        finally:
            client.close()


def _context(path: Path) -> _Context:
    from data_gen.asking.batch import OPENAI_URL
    from data_gen.errors import BadInput
    from data_gen.prices import load_prices
    from data_gen.settings import load_build_config
    from data_gen.teacher_book import find_teacher
    from data_gen.teacher_settings import OpenAISettings

    config = load_build_config(path)
    teacher, settings = find_teacher(config.teacher, config.teachers)
    if not isinstance(settings, OpenAISettings) or not settings.batch:
        raise BadInput(
            f"이 교사에는 배치가 없습니다: {teacher} (no batch endpoint)\n"
            "  서버가 /files와 /batches를 받으면 교사 설정에 batch: true를 적고, 아니면 build로 물으세요."
        )
    endpoint = (settings.base_url or OPENAI_URL).rstrip("/")
    return _Context(config, teacher, settings, endpoint, load_prices(config.prices))


def _client(settings: OpenAISettings) -> OpenAI:
    import openai

    from data_gen.asking.client import read_key

    return openai.OpenAI(
        api_key=read_key(settings.key_env),
        base_url=settings.base_url,
        max_retries=settings.retries,
        timeout=max(settings.timeout_s, 600.0),  # an input file may be 200 MB
    )


class _Cap:
    """Lets requests through while the worst they can cost fits.  A batch cannot be stopped once it is sent."""

    def __init__(self, context: _Context, expectation: Expectation, max_usd: float | None) -> None:
        from data_gen.asking.values import Usage
        from data_gen.errors import BadInput

        self._prices, self._model = context.prices, context.settings.model
        self._expectation, self._max_usd = expectation, max_usd
        self.expected_usd: float | None = 0.0
        self.most_usd: float | None = 0.0
        self.left_out = 0
        if max_usd is not None and self._prices.cost_usd(self._model, Usage(), batch=True) is None:
            raise BadInput(
                f"{self._model}의 배치 가격을 몰라 금액 상한을 지킬 수 없습니다 (--max-usd with an unknown batch price).\n"
                f"  {context.config.prices}의 models.{self._model}에 가격과 batch(배율)를 적거나, 상한 없이 실행하세요."
            )

    def take(self, request: Request) -> bool:
        from data_gen.asking.expectation import most_output
        from data_gen.asking.values import Usage

        expected = self._expectation.expect(request)
        most = Usage(round(expected.input * _GUESS_MARGIN), 0, round(min(most_output(request.body), 10**7)))
        most_usd = self._prices.cost_usd(self._model, most, batch=True)
        if self._max_usd is not None and (self.most_usd or 0.0) + (most_usd or 0.0) > self._max_usd:
            return False
        expected_usd = self._prices.cost_usd(self._model, expected, batch=True)
        self.expected_usd = None if expected_usd is None else (self.expected_usd or 0.0) + expected_usd
        self.most_usd = None if most_usd is None else (self.most_usd or 0.0) + most_usd
        return True

    def let_through(self, requests: Iterable[Request]) -> Iterator[Request]:
        """Those that fit; the others are counted in ``left_out``."""
        for request in requests:
            if self.take(request):
                yield request
            else:
                self.left_out += 1


def _submit(store: Store, client: OpenAI, context: _Context, max_usd: float | None) -> int:
    from data_gen.asking.batch import askable, resume, submit, unsent
    from data_gen.asking.estimate import averages
    from data_gen.errors import BudgetReached
    from data_gen.prices import show_money

    expectation, *_ = averages(store, context.teacher, context.settings.model)
    cap = _Cap(context, expectation, max_usd)
    for batch in unsent(store, context.endpoint):
        for request in store.batch_requests(batch.id):
            if not cap.take(request):
                raise BudgetReached(
                    f"지난번에 기록하고 보내지 못한 배치 {batch.id}가 상한 {show_money(max_usd, context.prices)}를 넘습니다.\n"
                    f"  상한을 올리거나, 버리려면 batch forget {batch.id} --config … 를 실행하세요. 아직 아무것도 보내지 않았습니다."
                )
    sent = []
    for one in resume(store, client, context.endpoint):
        sent.append(one)
        print(f"이어서 보냄: {one.id} → {one.remote} (요청 {one.requests:,}개)", flush=True)
    asked = cap.let_through(askable(store, _open_requests(store, context)))
    for one in submit(store, client, context.endpoint, context.teacher, asked):
        sent.append(one)
        print(f"보냄: {one.id} → {one.remote} (요청 {one.requests:,}개)", flush=True)
    if not sent and not cap.left_out:
        print("보낼 요청이 없습니다: 모두 저장되어 있거나 배치에서 기다리는 중입니다 (nothing to send).")
    if sent:
        print(
            f"배치 {len(sent)}개, 요청 {sum(one.requests for one in sent):,}개. "
            f"예상 금액 {show_money(cap.expected_usd, context.prices)}, "
            f"출력 한도까지 쓰면 {show_money(cap.most_usd, context.prices)} (배치 가격).\n"
            "답은 24시간 안에 옵니다. 그동안 build는 이 요청들을 따로 묻지 않습니다. 끝나면 batch fetch를 실행하세요."
        )
    if cap.left_out:
        print(
            f"상한 {show_money(max_usd, context.prices)}에 닿아 요청 {cap.left_out:,}개를 남겼습니다 (left out at the cap).\n"
            "  배치는 보낸 뒤에 멈출 수 없어, 답이 출력 한도까지 길 때의 값으로 셉니다."
        )
    return 4 if cap.left_out else 0


def _open_requests(store: Store, context: _Context) -> Iterator[Request]:
    """What a build would send next, document by document."""
    from data_gen.asking.chain import follow
    from data_gen.documents import load_library
    from data_gen.tasks.all_tasks import TASKS, applies

    config = context.config
    for document in load_library(config.documents, config.as_of):
        for name in config.tasks:
            task = TASKS[name]
            if document.fault or not applies(task, document):
                continue
            chain = follow(context.settings, context.teacher, task, document, store.find)
            if chain.ask is not None:
                yield chain.ask


def _status(store: Store, client: OpenAI, context: _Context) -> int:
    from data_gen.asking.batch import unsent
    from data_gen.asking.batch_fetch import look

    shown = 0
    for batch in unsent(store, context.endpoint):
        shown += 1
        print(f"{batch.id}  보내다 멈춤: batch submit을 다시 실행하면 이어집니다.")
    for batch, remote in look(store, client, context.endpoint):
        shown += 1
        status = remote.status if remote else "unknown"
        counts = remote.request_counts if remote else None
        far = f" {counts.completed:,}/{counts.total:,}, 실패 {counts.failed:,}" if counts else ""
        print(f"{batch.id}  {batch.remote}  {_STATUS.get(status, status)}{far}  ({batch.submitted[:16]} 보냄)")
    others = [batch for batch in store.batches(open_only=True) if batch.endpoint != context.endpoint]
    for batch in others:
        print(f"{batch.id}  다른 주소의 배치: {batch.endpoint} (교사 {batch.teacher})")
    if not shown and not others:
        print("기다리는 배치가 없습니다 (no open batch).")
    return 0


def _fetch(store: Store, client: OpenAI, context: _Context) -> int:
    from data_gen.asking.batch_fetch import fetch
    from data_gen.tasks.all_tasks import TASKS

    answers = {name: task.answer for name, task in TASKS.items()}
    found = []
    for one in fetch(store, client, context.endpoint, answers, context.prices):
        found.append(one)
        for line in _fetched_lines(one, context.prices):
            print(line, flush=True)
    if not found:
        print("가져올 배치가 없습니다 (nothing to fetch).")
    elif any(one.over for one in found):
        print("이제 build를 실행하면 저장된 답을 쓰고, 실패하거나 쓸 수 없는 것만 다시 묻습니다.")
    return 0


def _fetched_lines(one: Fetched, prices: PriceTable) -> list[str]:
    from data_gen.prices import UNKNOWN, show_money

    status = _STATUS.get(one.status, one.status)
    trouble = f" {one.trouble}" if one.trouble else ""
    if not one.over:
        far = f" {one.done:,}/{one.total:,}" if one.total else ""
        lines = [f"{one.id}  {status}{far}{trouble}"]
        if one.status == "unknown":
            lines.append(
                f"  키와 프로젝트가 보낼 때와 같은지 확인하고, 정말 없다면 batch forget {one.id}를 실행하세요."
            )
        return lines
    money = show_money(one.usd, prices) + (f" + {UNKNOWN} {one.unpriced:,}개" if one.unpriced else "")
    lines = [
        f"{one.id}  {status}: 쓸 수 있음 {one.ok:,} · 쓸 수 없음 {one.unusable:,} · 답 없음 {one.failed:,} · {money}{trouble}"
    ]
    if one.twice:
        lines.append(f"  그사이 따로 물어 답을 받은 {one.twice:,}개는 먼저 온 답을 씁니다 (paid for twice).")
    return lines


def _forget(store: Store, batch_id: str) -> int:
    from data_gen.errors import BadInput

    open_batches = [batch.id for batch in store.batches(open_only=True)]
    if batch_id not in open_batches:
        raise BadInput(
            f"열린 배치 가운데 그런 이름이 없습니다: {batch_id}\n  열린 배치: {', '.join(open_batches) or '없음'}"
        )
    store.set_batch(batch_id, "lost")
    print(
        f"{batch_id}: 더 기다리지 않습니다. 그 요청은 다음 build나 batch submit이 다시 묻습니다.\n"
        "  서버에서 이미 처리된 몫은 청구되며, 그 답은 가져올 수 없습니다 (its answers are lost)."
    )
    return 0
