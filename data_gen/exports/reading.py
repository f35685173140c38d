"""The rows of a dataset folder, one at a time, each with the split it stands in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from data_gen.columns import row_fault
from data_gen.errors import BadInput
from data_gen.rows import SPLITS, read_jsonl

# A folder without these is not a dataset; test.jsonl may be absent (older folders have none).
_NEEDED = ("train", "validation")


def splits_of(dataset: Path, split: str) -> tuple[str, ...]:
    """The splits to read for ``--split``.  Raises BadInput when this is no dataset folder or it lacks the split asked for."""
    if split not in (*SPLITS, "all"):
        raise BadInput(f"모르는 묶음입니다: {split!r}. 쓸 수 있는 값: {', '.join((*SPLITS, 'all'))}")
    missing = [f"{name}.jsonl" for name in _NEEDED if not (dataset / f"{name}.jsonl").is_file()]
    if missing:
        raise BadInput(
            f"데이터셋 폴더가 아닙니다: {dataset} ({', '.join(missing)} 없음)\n"
            "  먼저 python -m data_gen build --config configs/data_gen/demo.yaml 을 실행하세요."
        )
    if split == "all":
        return tuple(name for name in SPLITS if (dataset / f"{name}.jsonl").is_file())
    if not (dataset / f"{split}.jsonl").is_file():
        raise BadInput(
            f"이 데이터셋에는 {split} 묶음이 없습니다: {dataset / f'{split}.jsonl'}\n  --split all을 쓰세요."
        )
    return (split,)


def rows_of(
    dataset: Path, splits: Sequence[str], keys: Sequence[str], whole: bool = False
) -> Iterator[tuple[str, dict]]:
    """(split, row) in the order of the files.

    Raises BadInput naming the line of a row that lacks one of ``keys``; with ``whole``, of any row that is not exactly of
    the form of a row.
    """
    for split in splits:
        path = dataset / f"{split}.jsonl"
        for number, row in enumerate(read_jsonl(path), 1):
            absent = [key for key in keys if key not in row]
            fault = f"키가 없습니다: {', '.join(absent)}" if absent else row_fault(row) if whole else ""
            if fault:
                raise BadInput(
                    f"데이터셋의 행이 아닙니다: {path}:{number} ({fault})\n"
                    "  docs/contracts.md 2절에 맞게 고치거나 python -m data_gen build로 다시 만드세요."
                )
            yield split, row
