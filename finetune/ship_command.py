"""python -m finetune ship | open: a finished run into a small folder for the repository, and such a folder into a student."""

from __future__ import annotations

import argparse
from pathlib import Path

from finetune.export_command import QUANTISED

SHIP = (
    "끝난 실행에서 저장소에 담을 것만 폴더로 씁니다: float16 어댑터, 어휘의 번호, 실행 기록, 모델 카드, 고지. base 의 가중치와 GGUF 는 담지 "
    "않으며 25 MB 를 넘으면 쓰지 않습니다. (ship a finished run)"
)
OPEN = (
    "담아 둔 학생을 엽니다: base 를 꺼내 어휘를 맞추고, 어댑터를 float32 로 합치고, GGUF 로 써서 양자화하고, 합친 모델과 같은지 확인해 serve 가 "
    "여는 실행 폴더를 만듭니다. 바뀐 것이 없으면 다시 쓰지 않습니다. (open a shipped student)"
)


def add_parser(commands) -> None:
    """Add the two commands."""
    ship = commands.add_parser("ship", help="끝난 실행을 저장소에 담는다 (ship a run)", description=SHIP)
    ship.add_argument("--run", dest="run_folder", type=Path, required=True, metavar="폴더", help="끝난 실행 폴더")
    ship.add_argument("--out", type=Path, required=True, metavar="폴더", help="담을 폴더, 예: students/gemma3-270m-tax")
    ship.add_argument("--quantisation", choices=QUANTISED, help="open 이 쓸 양자화 (기본: 실행의 것)")
    ship.add_argument(
        "--config", type=Path, metavar="YAML", help="실행의 설정 파일 (기본: configs/finetune 에서 같은 것을 찾는다)"
    )
    ship.add_argument("--force", action="store_true", help="담아 둔 것을 덮어쓴다")

    opened = commands.add_parser("open", help="담아 둔 학생을 연다 (open a shipped student)", description=OPEN)
    opened.add_argument("--student", type=Path, required=True, metavar="폴더", help="담아 둔 학생의 폴더")
    opened.add_argument("--out", type=Path, metavar="폴더", help="만들 실행 폴더 (기본: runs/<학생 폴더의 이름>)")
    opened.add_argument("--quantisation", choices=QUANTISED, help="양자화 (기본: 담을 때 정한 것)")
    opened.add_argument("--force", action="store_true", help="바뀐 것이 없어도 다시 연다")
    for step, parser in (("ship", ship), ("open", opened)):
        parser.set_defaults(run=run, step=step)


def run(arguments: argparse.Namespace) -> int:
    """Do the step ``arguments.step`` names.  Raises InputError, ConfigError or GateError."""
    from finetune.quiet import quiet_libraries

    if arguments.step == "open":
        from finetune.open_student import open_student

        open_student(arguments.student, arguments.out, arguments.quantisation, arguments.force)
        return 0
    from finetune.ship import ship

    quiet_libraries()
    ship(arguments.run_folder, arguments.out, arguments.quantisation, arguments.config, arguments.force)
    return 0
