"""``python -m data_gen judge-check``: how often is a judge right?  Its answers are stored and paid for once, like any other."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from data_gen.judge.measure import Measured


def add_parser(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "judge-check", help="판정 모델이 얼마나 맞히는지 잰다 (precision and recall of a judge model)"
    )
    parser.add_argument("--teacher", required=True, help="configs/teachers.yaml에 있는 이름")
    parser.add_argument("--teachers", type=Path, default=Path("configs/teachers.yaml"), help="교사 모델 목록 파일")
    parser.add_argument("--prices", type=Path, default=Path("configs/prices.yaml"), help="가격표 파일")
    parser.add_argument(
        "--store", type=Path, default=Path("teacher_store/responses.sqlite"), help="받은 답변을 모으는 파일"
    )
    parser.add_argument("--golden", type=Path, help="다른 기준 쌍 파일 (YAML)")
    parser.add_argument("--max-usd", type=float, help="금액 상한, 달러")
    parser.add_argument("--min-precision", type=float, default=0.0, help="이보다 낮으면 종료 코드 1")
    parser.add_argument("--min-recall", type=float, default=0.0, help="이보다 낮으면 종료 코드 1")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 measured; 1 below what was asked for.  Raises BadInput (unknown name; recorded), ConfigError, DataGenError."""
    import asyncio

    from rich.console import Console

    from data_gen.judge.measure import GOLDEN, save_measured

    measured = asyncio.run(_measure(arguments, arguments.golden or GOLDEN))
    console = Console()
    print_measured(measured, console)
    console.print(f"기록: {save_measured(measured, arguments.store)}", markup=False, highlight=False)
    good = measured.precision >= arguments.min_precision and measured.recall >= arguments.min_recall
    return 0 if good else 1


async def _measure(arguments: argparse.Namespace, golden: Path) -> Measured:
    from data_gen.asking.keeper import LocalKeeper
    from data_gen.asking.ledger import Ledger
    from data_gen.errors import BadInput
    from data_gen.judge.measure import measure
    from data_gen.prices import load_prices
    from data_gen.store import Store
    from data_gen.teacher_book import find_teacher
    from data_gen.teacher_settings import RecordedSettings
    from data_gen.teachers.opening import open_desk

    name, settings = find_teacher(arguments.teacher, arguments.teachers)
    if isinstance(settings, RecordedSettings):
        raise BadInput(
            f"{name}은(는) 적어 둔 답을 찾아 주는 교사라 판정할 수 없습니다 (a recorded teacher cannot judge).\n"
            f"  --teacher에 {arguments.teachers}의 다른 이름을 주세요."
        )
    prices = load_prices(arguments.prices)
    with Store(arguments.store) as store:
        desk = open_desk(settings, name, LocalKeeper(store, Ledger(prices, settings.model, arguments.max_usd)))
        try:
            return await measure(desk, golden)
        finally:
            await desk.close()


def print_measured(measured: Measured, console: Console) -> None:
    """The confusion by kind of case, and the two figures."""
    from rich.table import Table

    from data_gen.judge.measure import VERDICTS, describe

    korean = {
        "supported": "맞는 쌍",
        "number": "숫자를 바꿈",
        "article": "조문을 바꿈",
        "date": "날짜·기간을 바꿈",
        "negation": "부정을 뒤집음",
        "subject": "주어를 바꿈",
    }
    words = dict(zip(VERDICTS, ("뒷받침됨", "어긋남", "근거 없음", "불분명", "판정 없음"), strict=True))
    table = Table(title=f"판정 모델 점검: {measured.judge} ({measured.model})", title_justify="left")
    table.add_column("준 것")
    for verdict in VERDICTS:
        table.add_column(f"{words[verdict]}\n{verdict}", justify="right")
    for kind, found in measured.confusion.items():
        table.add_row(korean[kind], *(f"{found[verdict]:,}" if found[verdict] else "" for verdict in VERDICTS))
    console.print(table)
    console.print(describe(measured), markup=False, highlight=False)
