"""All tables as Parquet, one file each, in the columns of the database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

TABLES = ("sessions", "turns", "answers", "votes")
# Rows held at once: answers with their evidence are a few KB each.
_GROUP = 1000


def table_file(output: Path, table: str) -> Path:
    """``records.parquet`` -> ``records.answers.parquet``."""
    return output.with_name(f"{output.name.removesuffix('.parquet')}.{table}.parquet")


def write_tables(connection: sqlite3.Connection, output: Path) -> dict[str, int]:
    """Write every table beside ``output``; returns how many rows each has.  Texts are as they are kept."""
    import pyarrow
    import pyarrow.parquet

    types = {"TEXT": pyarrow.string(), "INTEGER": pyarrow.int64(), "REAL": pyarrow.float64()}
    written = {}
    connection.execute("BEGIN")  # one moment for all tables
    for table in TABLES:
        columns = connection.execute(f"SELECT name, type FROM pragma_table_info('{table}')").fetchall()
        schema = pyarrow.schema([(row["name"], types[row["type"]]) for row in columns])
        rows = connection.execute(f"SELECT * FROM {table} ORDER BY seq")
        written[table] = 0
        with pyarrow.parquet.ParquetWriter(table_file(output, table), schema, compression="zstd") as writer:
            while group := [dict(row) for row in rows.fetchmany(_GROUP)]:
                writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
                written[table] += len(group)
    connection.execute("COMMIT")
    return written
