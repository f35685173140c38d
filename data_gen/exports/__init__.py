"""A dataset folder in the formats that other trainers read."""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from data_gen.errors import BadInput

FORMATS = ("messages", "alpaca", "sharegpt", "slm-forest", "parquet")


def export(
    dataset: Path, format_name: str, out: Path, split: str = "all", system: str = "", metadata: bool = True
) -> int:
    """Write ``dataset`` to the file ``out`` and return the number of rows.

    ``split``: one of rows.SPLITS or ``all``.  ``system`` opens each conversation (messages, sharegpt, alpaca).
    ``metadata`` off leaves only the conversation; slm-forest never has it, Parquet always.  The file appears whole or not
    at all.  Raises BadInput (unknown format or split, no dataset folder, a broken row).
    """
    check_format(format_name)
    if system and format_name in ("slm-forest", "parquet"):
        raise BadInput(f"--system은 messages, alpaca, sharegpt에만 씁니다 ({format_name}에는 자리가 없습니다).")
    if out.is_dir():
        raise BadInput(f"쓸 파일의 자리에 폴더가 있습니다: {out}\n  --out에 파일 이름까지 적으세요.")
    from data_gen.exports.reading import rows_of, splits_of

    splits = splits_of(dataset, split)
    with _whole_or_nothing(out) as partial:
        if format_name == "parquet":
            from data_gen.exports.parquet import write_parquet

            return write_parquet(partial, rows_of(dataset, splits, ("answer",), whole=True))
        return _write_text(dataset, splits, format_name, partial, system, metadata)


def check_format(name: str) -> None:
    """Raise BadInput when ``name`` is none of FORMATS, with the nearest one."""
    if name in FORMATS:
        return
    near = difflib.get_close_matches(name.lower().replace("_", "-"), FORMATS, n=1, cutoff=0.4)
    hint = f"혹시 {near[0]!r}? " if near else ""
    raise BadInput(f"모르는 형식입니다: {name!r}. {hint}쓸 수 있는 형식: {', '.join(FORMATS)}")


def _write_text(
    dataset: Path, splits: tuple[str, ...], format_name: str, path: Path, system: str, metadata: bool
) -> int:
    from data_gen.exports import shapes
    from data_gen.exports.reading import rows_of
    from data_gen.exports.text_files import write_lines, write_list

    shape = {
        "messages": shapes.messages,
        "alpaca": shapes.alpaca,
        "sharegpt": shapes.sharegpt,
        "slm-forest": shapes.predecessor,
    }[format_name]
    plain = format_name == "slm-forest"
    keys = ("question", "answer", "type", "source") if plain else ("question", "answer")
    if metadata and not plain:
        keys += tuple(name for name in shapes.METADATA if name != "split")

    def shaped() -> Iterator[dict]:
        for split, row in rows_of(dataset, splits, keys):
            yield shape(row | {"split": split}, system, metadata)

    with path.open("w", encoding="utf-8") as file:
        if format_name == "messages":
            return write_lines(file, shaped)
        # The predecessor's rows have four full strings each: nothing to type first, so they keep their order.
        return write_list(file, shaped, reorder=not plain)


@contextlib.contextmanager
def _whole_or_nothing(out: Path) -> Iterator[Path]:
    """A temporary file beside ``out`` that takes its name only when the block ends well."""
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o644)
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
