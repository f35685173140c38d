"""Command line of the fine-tuning stage; only parses."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from finetune import (
    card_command,
    eval_command,
    export_command,
    fit_vocab_command,
    pairs_command,
    plan_command,
    ship_command,
)
from finetune.threads import spin_briefly

DESCRIPTION = "검증된 질문-답 쌍으로 작은 LoRA 학생을 학습하고, 합치고, GGUF 로 양자화하고, 정답률을 잽니다."

RUN = (
    "설정 하나로 끝까지: 단계별 학습(m1, m2, 선호), 병합, GGUF, 양자화, 정답률, 모델 카드. 관문을 하나라도 넘지 못하면 그 이름을 "
    "말하고 멈춥니다. 중간에 끊기면 같은 명령이 마지막 체크포인트부터 이어 갑니다. (the whole run; resumes)"
)


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``python -m finetune``."""
    parser = argparse.ArgumentParser(prog="python -m finetune", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="명령")
    plan_command.add_parser(commands)
    run = commands.add_parser("run", help="한 번의 학습 전체 (the whole run)", description=RUN)
    run.add_argument("--config", type=Path, required=True, help="설정 YAML, 예: configs/finetune/demo.yaml")
    run.add_argument("--dataset", type=Path, help="데이터셋 폴더 (설정의 dataset 대신)")
    run.add_argument("--out", type=Path, help="결과 폴더 (설정의 out 대신)")
    run.add_argument("--force", action="store_true", help="같은 실행이 끝나 있어도 다시 학습")
    for part in (eval_command, card_command, export_command, fit_vocab_command, pairs_command, ship_command):
        part.add_parser(commands)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 1 a check failed, 2 wrong input, 130/143 interrupted."""
    options = build_parser().parse_args(arguments)
    from finetune.errors import FinetuneError, InputError
    from taxlaw.errors import TaxLawError

    spin_briefly()  # before torch loads
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return _ACTIONS[options.command](options) or 0
    except (InputError, TaxLawError) as exc:
        print(f"오류: {exc}", file=sys.stderr)
        return 2
    except FinetuneError as exc:
        print(f"중단: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as exc:
        print(
            "\n중단했습니다. 끝나지 않은 결과는 <out>.partial 에 있고, 같은 명령으로 그 자리부터 이어집니다. (interrupted; resumes)",
            file=sys.stderr,
        )
        return 143 if exc.args == (signal.SIGTERM,) else 130


def _run(options: argparse.Namespace) -> int:
    from finetune.settings import read_config

    config = read_config(options.config, options.dataset, options.out)
    from finetune.run import run

    run(config, options.force)
    return 0


_ACTIONS = {
    "plan": plan_command.run,
    "run": _run,
    "eval": eval_command.run,
    "card": card_command.run,
    "merge": export_command.run,
    "export": export_command.run,
    "quantize": export_command.run,
    "fit-vocab": fit_vocab_command.run,
    "pairs": pairs_command.run,
    "ship": ship_command.run,
    "open": ship_command.run,
}


def _terminated(number, frame) -> None:
    raise KeyboardInterrupt(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
