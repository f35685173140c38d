"""python -m finetune fit-vocab: a base with the vocabulary Korean tax text needs, as a model folder and as GGUF."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = (
    "base 의 어휘에서 한국어 세법 글에 필요한 조각만 남기고(원하면 세법 조각을 더하고), 남은 조각으로 된 글이 전과 똑같이 "
    "나뉘는지 확인해 base 폴더와 GGUF 로 씁니다. Gemma 계열에서만 됩니다. (fit or extend the vocabulary)"
)


def add_parser(commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "fit-vocab", help="어휘를 말뭉치에 맞게 줄이거나 늘린다 (fit or extend the vocabulary)", description=DESCRIPTION
    )
    parser.add_argument("--config", type=Path, required=True, help="설정 YAML: base 와 dataset 을 읽는다")
    parser.add_argument("--dataset", type=Path, help="데이터셋 폴더 (설정의 dataset 대신)")
    parser.add_argument(
        "--texts",
        action="append",
        default=[],
        metavar="출처",
        help="조각을 고를 글: digest, statutes:auto, 법령 폴더, .txt, .jsonl (여러 번 쓸 수 있다; 데이터셋은 늘 쓴다)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="폴더", help="맞춘 base 폴더 (base.folder 로 쓴다)")
    parser.add_argument("--gguf", type=Path, metavar="파일.gguf", help="같은 base 의 GGUF; 없으면 base.package 의 것")
    parser.add_argument("--gguf-out", type=Path, metavar="파일.gguf", help="행을 골라 줄인 GGUF 를 여기에 쓴다")
    parser.add_argument("--extend", type=int, default=0, metavar="N", help="세법 조각을 N개 더한다 (0: 더하지 않음)")
    parser.add_argument("--held-out", metavar="법", help="이 법은 조각을 배우지 않고 토큰당 글자 수를 재는 데만 쓴다")
    parser.add_argument("--force", action="store_true", help="있는 것을 덮어쓴다")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fit, and extend where asked.  Raises InputError or GateError."""
    from finetune.errors import InputError
    from finetune.fit_vocab import Wanted, fit_vocab
    from finetune.quiet import quiet_libraries
    from finetune.settings import read_config

    quiet_libraries()
    if arguments.extend < 0:
        raise InputError(f"--extend 는 0 이상이어야 합니다 (must not be negative): {arguments.extend}")
    config = read_config(arguments.config, arguments.dataset)
    wanted = Wanted(
        sources=tuple(arguments.texts),
        out=arguments.out,
        gguf=arguments.gguf,
        gguf_out=arguments.gguf_out,
        extend=arguments.extend,
        held_out=arguments.held_out,
        force=arguments.force,
    )
    fit_vocab(config, wanted)
    return 0
