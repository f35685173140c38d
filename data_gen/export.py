"""A dataset folder in other people's formats.  ``slm-forest``: the predecessor's one JSON list, train and validation together."""

from __future__ import annotations

import json
import os
from pathlib import Path

from data_gen.errors import BadInput
from data_gen.rows import SPLITS, read_jsonl

FORMATS = ("slm-forest",)
_KEYS = ("question", "answer", "type", "source")


def export(dataset: Path, format_name: str, out: Path) -> int:
    """Write ``dataset`` to ``out`` and return the number of rows.  Raises BadInput when it is not a dataset folder."""
    if format_name not in FORMATS:
        raise BadInput(f"모르는 형식입니다: {format_name}. 쓸 수 있는 형식: {', '.join(FORMATS)}")
    missing = [f"{split}.jsonl" for split in SPLITS if not (dataset / f"{split}.jsonl").is_file()]
    if missing:
        raise BadInput(
            f"데이터셋 폴더가 아닙니다: {dataset} ({', '.join(missing)} 없음)\n"
            "  먼저 python -m data_gen build --config configs/data_gen/demo.yaml 을 실행하세요."
        )
    rows = []
    for split in SPLITS:
        path = dataset / f"{split}.jsonl"
        for number, row in enumerate(read_jsonl(path), 1):
            absent = [key for key in _KEYS if key not in row]
            if absent:
                raise BadInput(f"행에 키가 없습니다: {path}:{number} ({', '.join(absent)})")
            rows.append({key: row[key] for key in _KEYS})
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    partial.write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, out)
    return len(rows)
