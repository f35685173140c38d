"""`python -m finetune pairs`: preference pairs, and rows to learn, from a finished run's own answers; parses and prints."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(commands) -> None:
    """Add ``pairs`` to the sub-commands."""
    text = "학생이 직접 쓴 답을 계산기로 채점해 선호 학습용 쌍(맞은 답, 틀린 답)을 만듭니다."
    pairs = commands.add_parser("pairs", help="선호 쌍 만들기 (preference pairs)", description=text)
    pairs.add_argument("--run", type=Path, required=True, help="끝난 실행 폴더, 예: runs/demo")
    pairs.add_argument("--dataset", type=Path, required=True, help="그 실행이 학습한 데이터셋 폴더")
    pairs.add_argument("--out", type=Path, required=True, help="쓸 JSONL 파일")
    pairs.add_argument("--rows", type=int, default=200, help="물어볼 학습 행 수 (기본 200)")
    pairs.add_argument("--samples", type=int, default=8, help="질문마다 뽑을 답의 수 (기본 8)")
    pairs.add_argument("--per-row", type=int, default=1, help="질문마다 만들 쌍의 최대 수 (기본 1)")
    pairs.add_argument("--temperature", type=float, default=1.0, help="높을수록 틀린 답이 많음 (기본 1.0)")
    pairs.add_argument("--max-new-tokens", type=int, default=96, help="답의 최대 토큰 (기본 96)")
    pairs.add_argument("--seed", type=int, default=0, help="행과 답을 뽑는 난수의 씨앗 (기본 0)")
    pairs.add_argument(
        "--sampled-only", action="store_true", help="맞은 표본이 없으면 데이터셋의 답을 쓰지 않고 건너뜀"
    )
    pairs.add_argument(
        "--keep-right",
        type=Path,
        metavar="JSONL",
        help="세액이 맞고 검증기가 잘못을 찾지 못했으며 배운 글과 다른 자기 답을 데이터셋의 행으로 여기에 씀 (own answers as rows)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0; 1 when not one pair came out (rows to learn are written all the same).  Raises InputError for a folder that is not a run of this dataset."""
    import torch

    from finetune.evaluation.run_folder import read_run
    from finetune.pair_making import (
        ask,
        load_student,
        make_pairs,
        own_rows,
        sample_answers,
        worked_rows,
        write_pairs,
        write_rows,
    )
    from finetune.quiet import quiet_libraries

    quiet_libraries()
    finished = read_run(arguments.run)
    rows = worked_rows(arguments.dataset, arguments.rows, arguments.seed)
    model, tokenizer = load_student(finished)
    torch.manual_seed(arguments.seed)

    def sample(question: str):
        return sample_answers(
            model,
            tokenizer,
            question,
            arguments.samples,
            arguments.temperature,
            arguments.max_new_tokens,
        )

    asked, target = ask(rows, sample), finished.config.target
    made = make_pairs(asked, target, arguments.per_row, not arguments.sampled_only)
    print(
        f"질문 {len(rows):,}개: 언제나 맞음 {made.always_right:,}, 언제나 틀림 {made.always_wrong:,}, 섞임 {made.both:,} "
        f"→ 쌍 {len(made.pairs):,}개"
    )
    if arguments.keep_right:
        own = own_rows(asked, target)
        write_rows(arguments.keep_right, own)
        print(f"배운 글과 다른 맞은 답 {len(own):,}개를 썼습니다: {arguments.keep_right}")
    if not made.pairs:
        print("쌍이 하나도 나오지 않았습니다. --samples, --temperature, --rows 를 늘리세요. (no pairs)")
        return 1
    write_pairs(arguments.out, made.pairs)
    print(f"썼습니다: {arguments.out}")
    return 0
