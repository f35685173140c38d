"""``python -m data_gen probe``: does a teacher keep to the preamble?  Answers are stored and paid for once, like any other."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from data_gen.probes import Outcome
    from data_gen.teachers import Desk


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "probe", help="교사 모델이 안전 원칙을 지키는지 묻는다 (probe a teacher; exit 1 when it fails)"
    )
    parser.add_argument("--teacher", required=True, help="configs/teachers.yaml에 있는 이름")
    parser.add_argument("--teachers", type=Path, default=Path("configs/teachers.yaml"), help="교사 모델 목록 파일")
    parser.add_argument("--prices", type=Path, default=Path("configs/prices.yaml"), help="가격표 파일")
    parser.add_argument(
        "--store", type=Path, default=Path("teacher_store/responses.sqlite"), help="받은 답변을 모으는 파일"
    )
    parser.add_argument("--probes", type=Path, help="다른 점검 질문 파일 (YAML)")
    parser.add_argument("--as-of", type=_date, help="기준일 YYYY-MM-DD (기본: 세법 색인의 기준일)")
    parser.add_argument("--max-usd", type=float, help="금액 상한, 달러")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when every probe is passed, 1 when one fails.  Raises BadInput for the recorded teacher, which is no model."""
    import asyncio

    from rich.console import Console

    from data_gen.probes import PROBES, load_probes, run_probes
    from taxlaw.table_files import active_tables

    probes = load_probes(arguments.probes or PROBES)
    as_of = arguments.as_of or active_tables().as_of

    async def ask() -> list[Outcome]:
        desk, close = _open(arguments)
        try:
            return await run_probes(desk, probes, as_of)
        finally:
            await desk.close()
            close()

    outcomes = asyncio.run(ask())
    print_outcomes(outcomes, arguments.teacher, Console())
    return 1 if any(outcome.faults for outcome in outcomes) else 0


def _open(arguments: argparse.Namespace) -> tuple[Desk, Callable[[], None]]:
    """The teacher's desk, and what closes its store.  Raises BadInput, ConfigError or DataGenError."""
    from data_gen.asking.keeper import LocalKeeper
    from data_gen.asking.ledger import Ledger
    from data_gen.errors import BadInput
    from data_gen.prices import load_prices
    from data_gen.store import Store
    from data_gen.teacher_book import find_teacher
    from data_gen.teacher_settings import RecordedSettings
    from data_gen.teachers.opening import open_desk

    name, settings = find_teacher(arguments.teacher, arguments.teachers)
    if isinstance(settings, RecordedSettings):
        raise BadInput(
            f"{name}은(는) 적어 둔 답을 찾아 주는 교사라 점검할 것이 없습니다 (nothing to probe).\n"
            f"  --teacher에 {arguments.teachers}의 다른 이름을 주세요."
        )
    store = Store(arguments.store)
    try:
        ledger = Ledger(load_prices(arguments.prices), settings.model, arguments.max_usd)
        return open_desk(settings, name, LocalKeeper(store, ledger)), store.close
    except BaseException:
        store.close()
        raise


def print_outcomes(outcomes: Sequence[Outcome], teacher: str, console: Console) -> None:
    """The table and the sum below it; what failed is shown with the words that failed it."""
    from rich.markup import escape
    from rich.table import Table

    from data_gen.prompting import PREAMBLE_VERSION, prompt_hash

    table = Table(title=f"{teacher} · 원칙 {PREAMBLE_VERSION}판 ({prompt_hash('probe')})", title_justify="left")
    for name in ("점검", "기대", "결과", "까닭"):
        table.add_column(name, overflow="fold")
    words = {"answer": "답변", "refuse": "거절", "ask_back": "되묻기"}
    for outcome in outcomes:
        result = "[red]실패[/red]" if outcome.faults else "[green]통과[/green]"
        reason = escape("\n".join(outcome.faults)) if outcome.faults else ""
        table.add_row(outcome.probe.id, words[outcome.probe.expect], result, reason)
    console.print(table)
    passed = sum(not outcome.faults for outcome in outcomes)
    console.print(f"{len(outcomes)}개 가운데 {passed}개 통과, {len(outcomes) - passed}개 실패", highlight=False)
    for outcome in outcomes:
        if outcome.faults and outcome.reply is not None:
            console.print(f"\n{outcome.probe.id}: {outcome.probe.question}", markup=False, highlight=False)
            console.print(f"  답: {outcome.reply.answer}", markup=False, highlight=False)
            console.print(f"  왜 문제인가: {outcome.probe.why}", markup=False, highlight=False)


def _date(text: str):
    import datetime

    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"날짜는 2025-12-31처럼 적습니다: {text!r}") from None
