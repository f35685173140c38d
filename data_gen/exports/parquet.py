"""Parquet with every column of the rows, nested provenance included, written in row groups."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from data_gen.columns import row_schema

# Rows held at once: a thousand rows of statute text are a few MB.
_GROUP = 1000


def write_parquet(path: Path, rows: Iterable[tuple[str, dict]]) -> int:
    """Write (split, row) pairs, each row of the exact form, to ``path``; returns how many."""
    import pyarrow
    import pyarrow.parquet

    schema = row_schema(split="string")
    flat = (row | {"split": split} for split, row in rows)
    written = 0
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := list(islice(flat, _GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            written += len(group)
    return written
