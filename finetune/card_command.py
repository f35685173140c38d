"""``python -m finetune card RUN``: write the model card of a finished run again, with its evaluation if there is one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

DESCRIPTION = "끝난 실행의 run.json 과 eval/eval.json 으로 model_card.md 를 다시 씁니다."


def add_parser(commands) -> None:
    """Add ``card`` to the sub-commands."""
    parser = commands.add_parser("card", help="모델 카드 쓰기 (write the model card)", description=DESCRIPTION)
    parser.add_argument("run", type=Path, help="끝난 실행의 폴더, 예: runs/demo")
    parser.add_argument("--eval", type=Path, help="eval.json (기본: <run>/eval/eval.json, 있으면)")


def run(arguments: argparse.Namespace) -> int:
    """Write model_card.md, and NOTICE beside a Gemma derivative.  Raises InputError (exit 2)."""
    from finetune.card import GEMMA_NOTICE, render_card
    from finetune.errors import InputError
    from finetune.evaluation.run_folder import read_run

    finished = read_run(arguments.run)
    file = arguments.eval or arguments.run / "eval" / "eval.json"
    evaluation = None
    if file.is_file():
        evaluation = evaluation_of(finished.record, file)
    elif arguments.eval:
        raise InputError(
            f"평가 결과가 없습니다 (no such file): {file}\n  먼저 `python -m finetune eval --run …` 을 하세요."
        )
    card = arguments.run / "model_card.md"
    card.write_text(render_card(finished.record, evaluation), encoding="utf-8")
    print(f"모델 카드: {card}" + ("" if evaluation else " (평가 표 없음: finetune eval 을 먼저 하면 들어갑니다)"))
    if finished.record["base"]["licence"] == "gemma":
        notice = arguments.run / "NOTICE"
        notice.write_text(GEMMA_NOTICE, encoding="utf-8")
        print(f"재배포에 필요한 고지: {notice}")
    return 0


def evaluation_of(record: dict, file: Path) -> dict:
    """What ``finetune eval`` wrote of the run of ``record``.  Raises InputError when it is of another."""
    from finetune.errors import InputError

    try:
        evaluation = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as exc:
        raise InputError(f"JSON 이 아닙니다 (not JSON): {file}: {exc}") from exc
    if not isinstance(evaluation, dict) or evaluation.get("run") != record["fingerprint"]:
        raise InputError(
            f"이 실행을 잰 결과가 아닙니다 (of another run): {file}\n  `python -m finetune eval --run …` 으로 다시 재세요."
        )
    return evaluation
