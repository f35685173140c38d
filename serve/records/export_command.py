"""``python -m serve export``: votes and verdicts as data for training, with what was left out and why."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from serve.errors import EXIT_OK, EXIT_USAGE, Code, ServeError

_EPILOG = """예시 (examples)
  python -m serve export dpo --output votes.jsonl       # finetune의 preference.pairs로; 출처는 votes.meta.jsonl
  python -m serve export sft --output served.jsonl      # 데이터셋 폴더의 행 (docs/contracts.md 2절)
  python -m serve export parquet --output records.parquet   # 표마다 한 파일: records.answers.parquet …

개인정보가 든 질문은 dpo와 sft에서 빠집니다. parquet은 남아 있는 기록 그대로입니다."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``export``."""
    parser.description = "투표와 검증 결과를 학습 데이터로 내보냅니다 (votes and verdicts as training data)."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "kind", choices=["dpo", "sft", "parquet"], help="dpo: 선호 쌍, sft: 질문과 답, parquet: 모든 표"
    )
    parser.add_argument("--output", "-o", type=Path, required=True, metavar="FILE", help="쓸 파일")
    parser.add_argument("--config", type=Path, metavar="YAML", help="설정 파일 (기본: configs/serve/demo.yaml)")
    parser.add_argument("--records", type=Path, metavar="FILE", help="기록 파일 (기본: 설정의 records.path)")


def run(args: argparse.Namespace) -> int:
    """Exit code 0, or 2 with the reason on stderr; also 2 when not one row came out."""
    from taxlaw.errors import ConfigError

    try:
        return _export(args.kind, args.output, records_file(args.records, args.config))
    except (ServeError, ConfigError) as exc:
        print(f"오류: {exc}", file=sys.stderr)
        return EXIT_USAGE


def records_file(chosen: Path | None, config: Path | None) -> Path:
    """The records file to work on.  Raises ServeError when the configuration keeps none, ConfigError when it is wrong."""
    from serve.settings import read_config

    path = chosen or read_config(config).records.path
    if path is None:
        raise ServeError(
            Code.USAGE,
            "설정의 records.path가 null이라 기록이 없습니다.",
            "--records로 기록 파일을 주거나 설정을 고치세요 (no records are kept).",
        )
    return path.expanduser()


def _export(kind: str, output: Path, records: Path) -> int:
    from serve.records.database import reading
    from serve.records.preferences import position_bias
    from serve.records.voted import read_answers, read_votes

    if not output.parent.is_dir():
        raise ServeError(Code.USAGE, f"폴더가 없습니다: {output.parent}", "폴더를 만들고 다시 하세요 (no such folder).")
    with reading(records) as connection:
        try:
            if kind == "parquet":
                return _parquet(connection, output)
            connection.execute("BEGIN")  # votes and answers of one moment
            answers = read_answers(connection)
            votes = read_votes(connection, answers)
            connection.execute("COMMIT")
            code = (_dpo if kind == "dpo" else _sft)(answers, votes, output)
        except OSError as exc:
            raise ServeError(Code.USAGE, f"쓸 수 없습니다: {output} ({exc})", "다른 --output을 주세요.") from exc
        except sqlite3.Error as exc:
            raise ServeError(
                Code.USAGE, f"기록을 읽을 수 없습니다: {records} ({exc})", "다른 프로그램을 닫고 다시 하세요."
            ) from exc
    print_bias(position_bias(votes))
    return code


def _parquet(connection, output: Path) -> int:
    from serve.records.tables import table_file, write_tables

    for table, rows in write_tables(connection, output).items():
        print(f"{rows:>8,}  {table_file(output, table)}")
    return EXIT_OK


def _dpo(answers: Sequence, votes: Sequence, output: Path) -> int:
    from serve.records.preferences import REASONS, preferences

    made = preferences(votes)
    print_excluded(f"투표 {len(votes):,}개", "선호 쌍", len(made.rows), made.excluded, REASONS)
    if not made.rows:
        return _nothing()
    write_lines(output, made.rows)
    origins = output.with_name(f"{output.name.removesuffix('.jsonl')}.meta.jsonl")
    write_lines(origins, made.origins)
    print(f"썼습니다: {output}, 출처: {origins}")
    return EXIT_OK


def _sft(answers: Sequence, votes: Sequence, output: Path) -> int:
    from serve.records.training_rows import REASONS, training_rows

    made = training_rows(answers, votes)
    print_excluded(f"답 {len(answers):,}개", "행", len(made.rows), made.excluded, REASONS)
    if not made.rows:
        return _nothing()
    write_lines(output, made.rows)
    print(f"썼습니다: {output}")
    return EXIT_OK


def _nothing() -> int:
    print(
        "내보낼 것이 없어 파일을 쓰지 않았습니다. 대화 저장에 동의한 투표가 더 필요합니다 (nothing to export).",
        file=sys.stderr,
    )
    return EXIT_USAGE


def print_excluded(of: str, made: str, number: int, excluded: Counter[str], reasons: Mapping[str, str]) -> None:
    """A table of what came out and what was left out, by reason; the parts add up to the whole."""
    print(f"{of} → {made} {number:,}개")
    for reason, korean in reasons.items():
        if excluded[reason]:
            print(f"{excluded[reason]:>8,}  {korean} ({reason})")


def print_bias(biases: Iterable) -> None:
    """How often the left pane won, with its interval."""
    print("위치 치우침 (position bias): 왼쪽이 이긴 비율, 95% 구간(Wilson)")
    for bias in biases:
        if not bias.decided:
            print(f"  {bias.name}: 승부가 난 투표 없음")
            continue
        share = f"{bias.left}/{bias.decided} = {bias.left / bias.decided:.0%} ({bias.low:.0%}~{bias.high:.0%})"
        print(f"  {bias.name}: {share}{'  한쪽으로 치우침' if bias.one_sided else ''}")


def write_lines(path: Path, rows: Iterable[dict]) -> None:
    """JSONL, readable by its owner only, whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    partial.replace(path)
