"""python -m finetune merge | export | quantize: weights out of a finished run, each step with its gate."""

from __future__ import annotations

import argparse
from pathlib import Path

FILE_TYPES = ("F32", "F16", "BF16")
QUANTISED = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M")
MERGE = (
    "끝난 실행의 어댑터를 새로 읽은 온전한 base 에 float32 로 합쳐 safetensors 폴더로 씁니다. NaN 이 있으면 멈춥니다. "
    "(merge a finished run's adapter)"
)
EXPORT = (
    "합친 모델 폴더나 끝난 실행을 컴파일러 없이 GGUF 로 쓰고, 토큰 번호와 다음 토큰의 확률이 합친 모델과 같은지 확인합니다. "
    "--adapter 는 어댑터만 씁니다. (write a GGUF and check it)"
)
QUANTIZE = (
    "양자화하지 않은 GGUF 를 양자화하고, 파일마다 원본과 같은 토큰을 고르는 비율, KL, 크기, tokens/s 를 표로 냅니다. "
    "문턱을 넘지 못하면 멈춥니다. (quantise, measure, gate)"
)


def add_parser(commands) -> None:
    """Add the three commands."""
    merge = commands.add_parser(
        "merge", help="어댑터를 base 에 fp32 로 합친다 (merge into the base)", description=MERGE
    )
    merge.add_argument("--run", dest="run_folder", type=Path, required=True, metavar="폴더", help="끝난 실행 폴더")
    merge.add_argument("--out", type=Path, required=True, metavar="폴더", help="safetensors 와 토크나이저를 쓸 새 폴더")

    export = commands.add_parser("export", help="모델 폴더나 실행을 GGUF 로 (write a GGUF)", description=EXPORT)
    export.add_argument("source", type=Path, metavar="폴더", help="합친 모델 폴더, 또는 끝난 실행 폴더")
    export.add_argument("--out", type=Path, required=True, metavar="파일.gguf", help="쓸 파일")
    export.add_argument("--type", dest="file_type", choices=FILE_TYPES, default="F16", help="수의 형식 (기본 F16)")
    export.add_argument(
        "--adapter", action="store_true", help="실행의 어댑터만: base GGUF 하나에 학생 여럿 (adapter GGUF only)"
    )
    export.add_argument("--base-gguf", type=Path, metavar="파일.gguf", help="--adapter 를 이 base 위에서 확인한다")

    quantize = commands.add_parser(
        "quantize", help="GGUF 를 양자화하고 잃은 것을 잰다 (quantise and measure)", description=QUANTIZE
    )
    quantize.add_argument("source", type=Path, metavar="파일.gguf", help="F32, F16 또는 BF16 파일")
    quantize.add_argument("--to", nargs="+", choices=QUANTISED, default=["Q8_0"], help="하나 이상 (기본 Q8_0)")
    quantize.add_argument("--out", type=Path, required=True, metavar="폴더", help="양자화한 파일을 쓸 폴더")
    for parser in (merge, export, quantize):
        parser.add_argument("--force", action="store_true", help="있는 것을 덮어쓴다")
        parser.set_defaults(run=run)
    merge.set_defaults(step="merge")
    export.set_defaults(step="export")
    quantize.set_defaults(step="quantize")


def run(arguments: argparse.Namespace) -> int:
    """Do the step ``arguments.step`` names.  Raises InputError or GateError."""
    from finetune import export_steps
    from finetune.quiet import quiet_libraries

    quiet_libraries()
    if arguments.step == "merge":
        export_steps.merge_run(arguments.run_folder, arguments.out, arguments.force)
    elif arguments.step == "quantize":
        export_steps.quantise_file(arguments.source, arguments.to, arguments.out, arguments.force)
    elif arguments.adapter:
        export_steps.export_run_adapter(arguments.source, arguments.out, arguments.base_gguf, arguments.force)
    else:
        export_steps.export_folder(arguments.source, arguments.out, arguments.file_type, arguments.force)
    return 0
