"""Which tables of facts are in use: those built into the package, or a newer set that ``taxlaw update`` has written.

A set is used whole or not at all; nothing is put together from two sets behind the reader's back.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

from taxlaw.errors import SourceError

TABLES = ("article_index.tsv.gz", "versions.tsv.gz", "effective_dates.tsv.gz", "paragraph_index.tsv.gz")
MANIFEST, LAYOUT = "tables.json", 1
FOLDER_VARIABLE = "SLM_FOREST_DATA"


@dataclass(frozen=True)
class TableSet:
    """One set; ``folder`` is None for the one in the package, ``laws`` says which laws an update has refreshed."""

    as_of: date
    folder: Path | None = None
    laws: Mapping[str, date] = field(default_factory=dict)
    note: str = ""

    def read(self, name: str) -> str:
        """The text of one table.  Raises SourceError when it cannot be read."""
        try:
            if self.folder is None:
                raw = resources.files("taxlaw").joinpath("data", name).read_bytes()
            else:
                raw = (self.folder / name).read_bytes()
            return gzip.decompress(raw).decode("utf-8")
        except (OSError, EOFError, UnicodeDecodeError) as exc:
            what = (
                "scripts/ 의 build_*.py 로 다시 만드세요"
                if self.folder is None
                else f"폴더를 지우거나 {_AGAIN} 로 다시 받으세요"
            )
            raise SourceError(f"조문 표를 읽을 수 없습니다: {self.folder or '내장'} {name}\n  {what}. ({exc})") from exc

    def describe(self, law: str | None = None) -> str:
        """'내장 표 (2026-06-01 기준)', or where the refreshed set lies and whether it holds news of ``law``."""
        if self.folder is None:
            return f"내장 표 ({self.as_of} 기준){self.note}"
        base = f"갱신한 표 ({self.as_of} 기준, {self.folder})"
        if law is None:
            return base
        return (
            f"{base}: {self.laws[law]} 기준으로 law.go.kr에서 받음"
            if law in self.laws
            else f"{base}: 이 법은 내장 표 그대로"
        )


_AGAIN = "python -m taxlaw update"


def data_folder() -> Path:
    """Where ``taxlaw update`` writes: ``$SLM_FOREST_DATA`` or ~/.local/share/slm-forest/taxlaw."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else Path.home() / ".local" / "share" / "slm-forest" / "taxlaw"


@cache
def active_tables() -> TableSet:
    """The refreshed set when there is one and it is newer than the package's, else the package's.

    Raises SourceError when the refreshed set is damaged: falling back to older law in silence would be worse.
    """
    packaged = packaged_tables()
    refreshed = tables_in(data_folder())
    if refreshed is None:
        return packaged
    if refreshed.as_of <= packaged.as_of:
        return TableSet(
            packaged.as_of,
            note=f"; {refreshed.folder}의 표는 {refreshed.as_of} 기준이라 더 새롭지 않아 쓰지 않음",
        )
    return refreshed


def read_table(name: str) -> str:
    """The text of a table of the set in use."""
    return active_tables().read(name)


@cache
def packaged_tables() -> TableSet:
    """The set in the package; its day is the last date of its article index."""
    return TableSet(last_day(TableSet(date.min).read(TABLES[0])))


def last_day(index: str) -> date:
    """The last date of an article index."""
    return date.fromisoformat(index.split("\n", 1)[0].split("\t")[-1])


def tables_in(folder: Path) -> TableSet | None:
    """The set that an update wrote there, its files checked; None when there is none."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise SourceError(f"갱신한 표를 읽을 수 없습니다: {folder / MANIFEST}\n  {exc}") from exc
    from taxlaw.table_manifest import read_manifest  # pydantic is not loaded for the tables in the package

    manifest = read_manifest(text, folder / MANIFEST)
    if manifest.layout != LAYOUT or set(manifest.files) != set(TABLES):
        raise SourceError(f"다른 판이 만든 표입니다: {folder}\n  폴더를 지우고 {_AGAIN} 로 다시 받으세요.")
    for name, digest in manifest.files.items():
        try:
            same = hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        except OSError as exc:
            raise SourceError(f"갱신한 표를 읽을 수 없습니다: {folder / name}\n  {exc}") from exc
        if not same:
            raise SourceError(f"갱신한 표가 상했습니다: {folder / name}\n  폴더를 지우거나 {_AGAIN} 로 다시 받으세요.")
    return TableSet(manifest.as_of, folder, manifest.laws)


def write_tables(folder: Path, texts: Mapping[str, str], as_of: date, laws: Mapping[str, date], source: str) -> None:
    """Write a set.  The manifest goes first and comes back last, so that a set cut short is never taken for one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    digests = {}
    for name in TABLES:
        raw = gzip.compress(texts[name].encode("utf-8"), compresslevel=9, mtime=0)
        write_whole(folder / name, raw)
        digests[name] = hashlib.sha256(raw).hexdigest()
    manifest = {
        "layout": LAYOUT,
        "as_of": as_of.isoformat(),
        "source": source,
        "laws": {law: day.isoformat() for law, day in sorted(laws.items())},
        "files": digests,
    }
    write_whole(folder / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1).encode("utf-8"))


def write_whole(file: Path, raw: bytes) -> None:
    """Write so that the file is either the old one or the whole new one, whatever stops us."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(file.name + ".part")
    half.write_bytes(raw)
    os.replace(half, file)
