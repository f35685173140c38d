"""Every promulgated version of the tax laws since 2014: which one is the law on a date, and which ones wait.

Facts only (promulgation and effective dates, numbers), built in.  The text of a version may hold amendments that are
not in force yet; that is the business of addenda.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from taxlaw.law_names import full_name
from taxlaw.table_files import read_table


@dataclass(frozen=True)
class Version:
    """One version of a law: 공포일, 공포번호, 시행일, its law.go.kr serial number (법령MST, may be '') and kind."""

    law: str
    promulgated: date
    number: str
    effective: date
    serial: str
    revision: str  # 일부개정, 타법개정, 전부개정


def version_on(law: str, as_of: date) -> Version | None:
    """The version to read on a date: the latest 공포일 with 공포일 and 시행일 both on or before it.

    Not the latest 시행일: a version promulgated earlier may take effect later and lack what came between.
    None when the law is not in the table or the date lies before its first version.
    """
    there = [version for version in versions_of(law) if version.promulgated <= as_of and version.effective <= as_of]
    return max(there, key=lambda version: (version.promulgated, int(version.number)), default=None)


def versions_waiting(law: str, as_of: date) -> tuple[Version, ...]:
    """Versions promulgated on or before the date that take effect after it, soonest first."""
    waiting = [version for version in versions_of(law) if version.promulgated <= as_of < version.effective]
    return tuple(sorted(waiting, key=lambda version: (version.effective, version.promulgated)))


def versions_of(law: str) -> tuple[Version, ...]:
    """All known versions of a law (full name or abbreviation), oldest first; empty when it is not in the table."""
    return _table().get(full_name(law) or law, ())


@cache
def _table() -> dict[str, tuple[Version, ...]]:
    lines = read_table("versions.tsv.gz").splitlines()
    table: dict[str, list[Version]] = {}
    law = ""
    for line in lines:
        if line.startswith("#"):
            law = line[1:]
            continue
        promulgated, number, effective, serial, revision = line.split("\t")
        table.setdefault(law, []).append(
            Version(law, date.fromisoformat(promulgated), number, date.fromisoformat(effective), serial, revision)
        )
    return {name: tuple(versions) for name, versions in table.items()}
