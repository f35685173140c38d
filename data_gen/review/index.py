"""Where each row of a dataset stands on disk and what it can be filtered by: about 40 bytes a row, the texts stay on disk."""

from __future__ import annotations

import json
import unicodedata
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data_gen.errors import BadInput
from data_gen.review.log import content_hash
from data_gen.rows import SPLITS, short_hash

REJECTED = "rejected"
FILES = (*dict.fromkeys((*SPLITS, "test")), REJECTED)
FACETS = ("split", "source", "tax", "style", "gate")
_SEARCHED = ("id", "question", "answer", "evidence", "reason")


@dataclass(frozen=True)
class Filters:
    """What is shown; an empty value is no filter.  ``rejected``: also the rows that a gate rejected."""

    split: str = ""
    source: str = ""
    tax: str = ""
    style: str = ""
    gate: str = ""
    undecided: bool = False
    rejected: bool = False
    text: str = ""


@dataclass
class DatasetIndex:
    """The rows of a dataset folder by number, in the order of its files."""

    folder: Path
    stamps: tuple = ()
    starts: array = field(default_factory=lambda: array("Q"))
    ids: array = field(default_factory=lambda: array("Q"))
    contents: array = field(default_factory=lambda: array("Q"))
    codes: dict[str, array] = field(default_factory=lambda: {facet: array("H") for facet in FACETS})
    values: dict[str, list[str]] = field(default_factory=lambda: {facet: [] for facet in FACETS})

    def __len__(self) -> int:
        return len(self.starts)

    def value(self, facet: str, number: int) -> str:
        return self.values[facet][self.codes[facet][number]]

    @property
    def kept(self) -> int:
        """How many rows passed the gates."""
        code = self._code_of_rejected()
        return sum(split != code for split in self.codes["split"])

    def is_reject(self, number: int) -> bool:
        return self.value("split", number) == REJECTED

    def row(self, number: int) -> dict:
        """One row from disk."""
        with self._file(number).open("rb") as file:
            file.seek(self.starts[number])
            return json.loads(file.readline())

    def is_current(self) -> bool:
        """Whether the files are those that were indexed; a build replaces them."""
        return self.stamps == _stamps(self.folder)

    def select(self, filters: Filters, decided: Callable[[int], bool]) -> array:
        """Numbers of the rows that pass, in order."""
        wanted = []
        for facet in FACETS:
            value = getattr(filters, facet)
            if value:
                known = self.values[facet]
                wanted.append((self.codes[facet], known.index(value) if value in known else -1))
        splits = self.codes["split"]
        hidden = -1 if filters.rejected or filters.split == REJECTED or filters.gate else self._code_of_rejected()
        numbers = (
            number
            for number in range(len(self))
            if splits[number] != hidden
            and all(codes[number] == code for codes, code in wanted)
            and not (filters.undecided and decided(number))
        )
        return array("Q", self._holding(filters.text, numbers) if filters.text.strip() else numbers)

    def _holding(self, text: str, numbers: Iterator[int]) -> Iterator[int]:
        """Rows whose id or texts hold ``text``, letter case aside; most lines are ruled out unread."""
        wanted = unicodedata.normalize("NFC", " ".join(text.split())).lower()
        raw = json.dumps(wanted, ensure_ascii=False)[1:-1].encode("utf-8")
        opened, file = None, None
        try:
            for number in numbers:
                path = self._file(number)
                if path != opened:
                    if file:
                        file.close()
                    opened, file = path, path.open("rb")
                file.seek(self.starts[number])
                line = file.readline()
                if raw in line.lower():
                    row = json.loads(line)
                    if any(wanted in str(row.get(key, "")).lower() for key in _SEARCHED):
                        yield number
        finally:
            if file:
                file.close()

    def _file(self, number: int) -> Path:
        return self.folder / f"{self.value('split', number)}.jsonl"

    def _code_of_rejected(self) -> int:
        splits = self.values["split"]
        return splits.index(REJECTED) if REJECTED in splits else -2


def read_index(folder: Path) -> DatasetIndex:
    """Index a dataset folder in one pass.  Raises BadInput when it is none, or naming a line that is not a row."""
    if not (folder / "train.jsonl").is_file():
        raise BadInput(
            f"데이터셋 폴더가 아닙니다: {folder} (train.jsonl 없음)\n"
            "  먼저 python -m data_gen build --config configs/data_gen/demo.yaml 을 실행하세요."
        )
    index = DatasetIndex(folder, _stamps(folder))
    places: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
    for split in FILES:
        path = folder / f"{split}.jsonl"
        if not path.is_file():
            continue
        start = 0
        with path.open("rb") as file:
            for line_number, line in enumerate(file, 1):
                if line.strip():
                    _add(index, places, _row(line, path, line_number), split, start)
                start += len(line)
    index.values = {facet: list(places[facet]) for facet in FACETS}
    return index


def key(text: str) -> int:
    """A short_hash as a number that fits the index."""
    return int(text, 16)


def _row(line: bytes, path: Path, number: int) -> dict:
    try:
        row = json.loads(line)
    except ValueError as exc:
        raise BadInput(f"JSON이 아닌 줄이 있습니다: {path}:{number}\n  {exc}") from exc
    missing = [name for name in ("id", "question", "answer") if not isinstance(row, dict) or name not in row]
    if missing:
        raise BadInput(f"행에 키가 없습니다: {path}:{number} ({', '.join(missing)})")
    return row


def _add(index: DatasetIndex, places: dict[str, dict[str, int]], row: dict, split: str, start: int) -> None:
    index.starts.append(start)
    index.ids.append(key(short_hash(row["id"])))
    index.contents.append(key(content_hash(row["question"], row["answer"])))
    for facet in FACETS:
        value = split if facet == "split" else str(row.get(facet) or "")
        index.codes[facet].append(places[facet].setdefault(value, len(places[facet])))


def _stamps(folder: Path) -> tuple:
    found = []
    for split in FILES:
        path = folder / f"{split}.jsonl"
        if path.is_file():
            stat = path.stat()
            found.append((split, stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)
