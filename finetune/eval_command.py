"""``python -m finetune eval``: measure a finished run, GGUF files or a base on held-out rows.  Only parses and wires."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = "학습에 쓰지 않은 행으로 교사·base·학생·양자화를 나란히 재고 report.md, eval.json, eval.png 를 씁니다."


def add_parser(commands) -> None:
    """Add ``eval`` to the sub-commands."""
    parser = commands.add_parser("eval", help="끝난 모델 재기 (measure models)", description=DESCRIPTION)
    parser.add_argument("--run", type=Path, help="끝난 실행의 폴더 (base, adapter, 합친 모델, GGUF 를 모두 잼)")
    parser.add_argument("--gguf", type=Path, action="append", default=[], help="GGUF 파일; 여러 번 쓸 수 있음")
    parser.add_argument("--base", help="학습 전 모델: 폴더, Hugging Face 이름, 또는 그 base 를 적은 설정 YAML")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        help="실행 폴더, GGUF 파일, 또는 --base 에 쓸 수 있는 것; 여러 번 쓸 수 있음",
    )
    parser.add_argument("--dataset", type=Path, help="데이터셋 폴더 (--run 이 있으면 그 실행의 것)")
    parser.add_argument(
        "--data", type=Path, help='바깥 질문의 JSONL: 한 줄에 {"question", "as_of", "answer"|"amount"|"articles"}'
    )
    parser.add_argument(
        "--evidence",
        action="store_true",
        help="근거가 있는 행은 모두 근거와 함께 묻는다 (retrieval on; 기본은 실행의 설정)",
    )
    parser.add_argument(
        "--search",
        type=_positive,
        metavar="N",
        help="문서에 관한 행 가운데 근거가 없는 것은 지금 찾은 조문·예규 N개와 함께 묻는다 (서비스의 기본은 5)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        action="append",
        default=[],
        help="--search 가 찾을 법령·예규 폴더; 여러 번 쓸 수 있음 (기본: corpora/*, ../shared/data)",
    )
    parser.add_argument(
        "--split",
        choices=("validation", "test"),
        default="validation",
        help="데이터셋의 어느 쪽을 잴지 (기본 validation)",
    )
    parser.add_argument("--rows", type=_positive, help="행 수; 문체와 세목에서 돌아가며 뽑음 (기본 96, --data 는 모두)")
    parser.add_argument("--base-rows", type=_positive, default=24, help="학습 전 base 에 묻는 행 수 (기본 24)")
    parser.add_argument(
        "--reread",
        action=argparse.BooleanOptionalAction,
        help="GGUF 가 질문과 맞지 않는 호출을 쓰면 서비스처럼 다시 읽게 한다 (기본: --data 에서만)",
    )
    parser.add_argument("--out", type=Path, help="결과 폴더 (기본 <run>/eval)")
    parser.add_argument(
        "--only",
        help="--run 에서 잴 단계, 쉼표로 나눔: base,adapter,merged,student (기본 모두, --data 에는 student 만)",
    )
    parser.add_argument(
        "--quantisations", default="", help="합친 모델에서 만들어 잴 양자화, 예: F16,Q8_0,Q6_K,Q5_K_M,Q4_K_M"
    )
    parser.add_argument(
        "--target",
        choices=("program", "worked", "mixed", "facts_first"),
        help="계산 행에서 배운 글 (--run 이 없을 때, 기본 program)",
    )
    parser.add_argument("--max-new-tokens", type=_length, help="계산 행의 답 한도 (기본 160, 풀이를 쓰는 학생은 512)")
    parser.add_argument("--document-tokens", type=_length, default=256, help="그 밖의 답 한도 (기본 256)")
    parser.add_argument("--no-speed", action="store_true", help="tokens/s 를 재지 않음")
    judge = parser.add_argument_group("판정 모델 (LLM judge, 기본은 쓰지 않음; 질문과 답을 그 주소로 보냄)")
    judge.add_argument("--judge-model", help="OpenAI 호환 모델 이름")
    judge.add_argument("--judge-url", help="OpenAI 호환 주소, 예: http://localhost:8000/v1")
    judge.add_argument("--judge-key-env", default="OPENAI_API_KEY", help="키가 든 환경 변수 이름 (기본 OPENAI_API_KEY)")
    judge.add_argument(
        "--judge-rows", type=_positive, default=24, help="모델마다 견줄 행 수; 행마다 두 번 물음 (기본 24)"
    )
    judge.add_argument(
        "--judge-against", default="answer", help="견줄 상대: answer(행의 답, 기본) 또는 base, adapter, …"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure and write.  Raises InputError, ConfigError (exit 2) or GateError (exit 1)."""
    from finetune.evaluation.comparison import Plan, compare, write_comparison
    from finetune.evaluation.run_folder import STEPS, read_run
    from finetune.evaluation.subjects import Caps

    _sort_models(arguments)
    if arguments.only is None:  # cases from outside are about what is served; the steps before it are slow in torch
        arguments.only = "student" if arguments.data else ",".join(STEPS)
    _check(arguments)
    finished = read_run(arguments.run) if arguments.run else None
    dataset = arguments.data.parent if arguments.data else arguments.dataset or finished.config.dataset
    target = finished.target if finished else arguments.target or "program"
    cap = arguments.max_new_tokens or (Caps().worked if target == "program" else 512)
    plan = Plan(
        dataset=dataset,
        split=arguments.data.stem if arguments.data else arguments.split,
        rows=_rows(arguments, finished, dataset),
        target=target,
        caps=Caps(worked=cap, words=arguments.document_tokens),
        base_rows=arguments.base_rows,
        speed=not arguments.no_speed,
        teacher=arguments.data is None,
        data=arguments.data,
    )
    judging = _judging(arguments)
    record, answers = compare(plan, _subjects(arguments, finished), judging)
    record["run"] = finished and finished.record["fingerprint"]  # the card of another run must not show this
    out = arguments.out or _default_out(arguments)
    write_comparison(record, answers, out)
    print(f"결과: {out / 'report.md'}, {out / 'eval.json'}, {out / 'eval.png'}")
    return 0


def _sort_models(arguments: argparse.Namespace) -> None:
    """Each --model becomes a --run, --gguf or --base by what it is."""
    from finetune.errors import InputError

    for name in arguments.model:
        path = Path(name)
        if path.suffix == ".gguf":
            arguments.gguf.append(path)
            continue
        option = "run" if (path / "run.json").is_file() else "base"
        if getattr(arguments, option) is not None:
            raise InputError(f"--model: GGUF 가 아닌 모델은 하나씩 재세요 (one {option} at a time): {name}")
        setattr(arguments, option, path if option == "run" else name)


def _rows(arguments: argparse.Namespace, finished, dataset: Path) -> list:
    """The rows to measure, with evidence shown where asked for or where the run was trained so."""
    from finetune.evaluation.outside import read_cases
    from finetune.evaluation.rows import choose_rows, read_split
    from finetune.evidence import show_evidence

    if arguments.data:
        rows = read_cases(arguments.data)
        rows = choose_rows(rows, arguments.rows or len(rows))
    else:
        rows = read_split(dataset, arguments.split, arguments.rows or 96)
    if arguments.evidence:
        rows = show_evidence(rows, 1.0, 0)
    elif finished and not arguments.search:
        rows = show_evidence(rows, finished.config.evidence, finished.config.seed, finished.config.refers)
    return _searched(rows, arguments) if arguments.search else rows


def _searched(rows: list, arguments: argparse.Namespace) -> list:
    """Every row about the law that shows no evidence of its own, with what is found for it."""
    from finetune.evaluation.found_sources import is_document, open_sources, with_found

    search = open_sources(arguments.folder)
    print(f"찾는 곳: {search.describe()}; 질문마다 {arguments.search}개")
    lacking = [is_document(row) and not row.shows_evidence for row in rows]
    return [
        with_found(row, search, arguments.search) if lacks else row for row, lacks in zip(rows, lacking, strict=True)
    ]


def _check(arguments: argparse.Namespace) -> None:
    from finetune.errors import InputError
    from finetune.evaluation.run_folder import STEPS
    from finetune.settings import QUANTISATIONS

    if not (arguments.run or arguments.gguf or arguments.base):
        raise InputError("무엇을 잴지 --model, --run, --gguf, --base 가운데 하나는 주세요 (nothing to measure).")
    if arguments.data and arguments.dataset:
        raise InputError("--data 와 --dataset 가운데 하나만 쓰세요 (give one of them).")
    if not (arguments.run or arguments.dataset or arguments.data):
        raise InputError("--dataset 으로 데이터셋 폴더를, 또는 --data 로 질문 파일을 주세요 (--run 없이는 알 수 없음).")
    if arguments.run and arguments.base:
        raise InputError("--run 은 자기 base 를 잽니다. --base 는 --run 없이 쓰세요 (give one of them).")
    for option, names, known in (
        ("--only", _names(arguments.only), STEPS),
        ("--quantisations", _names(arguments.quantisations), tuple(QUANTISATIONS)),
    ):
        if unknown := [name for name in names if name not in known]:
            raise InputError(
                f"{option} 에 모르는 이름이 있습니다: {', '.join(unknown)}\n  쓸 수 있는 이름: {', '.join(known)}"
            )
    if arguments.folder and not arguments.search:
        raise InputError("--folder 는 --search N 과 함께 쓰세요 (needs --search).")
    if arguments.quantisations and not arguments.run:
        raise InputError("--quantisations 는 --run 의 합친 모델로 만듭니다. --run 을 함께 주세요 (needs --run).")


def _subjects(arguments: argparse.Namespace, finished):
    """Every model that was asked for, one at a time."""
    from finetune.evaluation.rereading import reading_again
    from finetune.evaluation.run_folder import base_subject, run_subjects
    from finetune.evaluation.subjects import gguf_subject

    if arguments.base:
        yield base_subject(arguments.base)
    served = arguments.data is not None if arguments.reread is None else arguments.reread

    def as_served(subject, file: Path):
        return reading_again(subject, file) if served else subject

    if finished:
        for subject in run_subjects(finished, _names(arguments.only), _names(arguments.quantisations)):
            yield as_served(subject, finished.student) if subject.name == "student" else subject
    taken: set[str] = set()
    for file in arguments.gguf:
        name = file.stem if file.stem not in taken else f"{file.parent.name}/{file.stem}"
        taken.add(name)
        yield as_served(gguf_subject(name, f"GGUF {name}", file), file)


def _judging(arguments: argparse.Namespace):
    if not arguments.judge_model:
        return None
    from finetune.evaluation.comparison import Judging
    from finetune.evaluation.judge import JudgeSettings, open_judge

    settings = JudgeSettings(arguments.judge_model, arguments.judge_url, arguments.judge_key_env)
    return Judging(open_judge(settings), arguments.judge_model, arguments.judge_against, arguments.judge_rows)


def _default_out(arguments: argparse.Namespace) -> Path:
    if arguments.run:
        return arguments.run / "eval"
    if arguments.gguf:
        return arguments.gguf[0].with_name(f"{arguments.gguf[0].stem}-eval")
    return Path("runs/base-eval")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _positive(text: str, least: int = 1) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{least} 이상의 수여야 합니다 (at least {least}): {text}")
    return int(text)


def _length(text: str) -> int:
    return _positive(text, 8)  # what settings.Evaluation asks for
