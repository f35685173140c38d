"""python -m data_gen: collect raw law, build a dataset, look at it, pass it on.  Parses and dispatches; knows nothing else."""

from __future__ import annotations

import argparse
import sys

from data_gen import audit_command, build_command, probe_command
from data_gen.asking import batch_command
from data_gen.collect import command as collect_command
from data_gen.exports import command as export_command
from data_gen.hub_command import add_parser as add_push
from data_gen.judge import command as judge_command
from data_gen.report import command as report_command
from data_gen.review import command as review_command


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 done; 1 failed, or faults were found; 2 bad input or usage; 4 stopped at the money cap; 130 interrupted."""
    arguments = _parser().parse_args(argv)
    from data_gen.errors import BadInput, BudgetReached, DataGenError
    from taxlaw.errors import ConfigError, TaxLawError

    try:
        return arguments.run(arguments)
    except (BadInput, ConfigError) as exc:
        return _complain(exc, 2)
    except BudgetReached as exc:
        return _complain(exc, 4)
    except (DataGenError, TaxLawError) as exc:
        return _complain(exc, 1)
    except OSError as exc:
        return _complain(f"파일을 읽거나 쓰지 못했습니다: {exc}", 1)
    except KeyboardInterrupt:
        return _complain(
            "중단했습니다. 만들던 것은 지웠고 전에 있던 것은 그대로입니다. 받은 답변은 저장되어 있어 다시 실행하면 이어집니다.",
            130,
        )


def _complain(message: object, code: int) -> int:
    print(f"오류: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_gen",
        description="세법 원문을 검증된 질문·답변 데이터셋으로 (raw tax law to verified question-answer pairs).",
    )
    commands = parser.add_subparsers(required=True, metavar="명령")
    collect_command.add_parser(commands)
    build_command.add_parser(commands)
    batch_command.add_parser(commands)
    probe_command.add_parser(commands)
    judge_command.add_parser(commands)
    review_command.add_parser(commands)
    report_command.add_parser(commands)
    export_command.add_parser(commands)
    add_push(commands)
    audit_command.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
