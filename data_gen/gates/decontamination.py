"""Rows that repeat a test: no stretch of an evaluation file the user names may come back in a training pair.

Two measures, both blind to punctuation and letter case and neither to digits:
- ``words`` (12 by default) words in a row, anywhere in a text of the file.  Twelve Korean words (어절) are about forty
  syllables: longer than any name of a law with its article, shorter than most statements of facts.
- A text of the file with fewer words than that (a short question) has no such stretch.  It is compared by letters without
  spaces, since spacing differs from writer to writer: a row that holds 80% of its 16-letter stretches repeats it.  One
  shared stretch is not enough there: "공익사업을 위한 토지 등의 취득 및 보상에 관한 법률" alone is 23 letters.  A text of
  fewer than 16 letters repeats only as a whole question, and below 6 (an answer's "가", "정답") not at all; nor does a
  field that only names a provision, which every row about it names too.

A file is read when it is named, and never otherwise; what it says is never printed, only where and a hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data_gen.gates.evaluation_files import evaluation_files, texts_of_file
from data_gen.gates.verdicts import Said, texts_of
from data_gen.ngrams import letter_grams, letters, whole_hash, word_grams, words
from data_gen.rows import Candidate
from taxlaw.citations import find_citations

if TYPE_CHECKING:
    import numpy as np

LETTERS = 16
SHARE = 0.8
FEWEST_LETTERS = 6


@dataclass(frozen=True)
class _Tests:
    """Hashes of the files.  ``long``: word stretches, with the file of each; ``short``: letter stretches, with their text."""

    names: tuple[str, ...]
    long: np.ndarray
    long_file: np.ndarray
    short: np.ndarray
    short_text: np.ndarray
    sizes: np.ndarray
    """Stretches of each short text."""
    short_file: np.ndarray
    whole: dict[int, int]
    """File of each text that counts only as a whole, by hash."""


class DecontaminationGate:
    """Refuses rows that share a stretch with the files.  Raises BadInput for a file that cannot be read."""

    def __init__(self, paths: Sequence[Path], size: int = 12) -> None:
        self.size = size
        files = evaluation_files(paths)
        self._tests = _index(files, size) if files else None

    def __call__(self, candidate: Candidate) -> Said:
        if self._tests is None:
            return True, "평가 자료를 주지 않음"
        texts = [text for _, text in texts_of(candidate.row)]
        fault = self._long("\n".join(texts)) or self._short(texts)
        return (False, fault) if fault else True

    def _long(self, text: str) -> str:
        import numpy as np

        tests, grams = self._tests, word_grams(text, self.size)
        at = _find(tests.long, grams)
        hits = np.flatnonzero(at >= 0)
        if not len(hits):
            return ""
        name = tests.names[tests.long_file[at[hits[0]]]]
        return f"평가 자료와 겹칩니다: {name} ({self.size}어절 {len(hits)}곳, 해시 {int(grams[hits[0]]):016x})"

    def _short(self, texts: list[str]) -> str:
        import numpy as np

        tests = self._tests
        for text in texts:
            file = tests.whole.get(whole_hash(text))
            if file is not None:
                return f"평가 자료의 문장과 같습니다: {tests.names[file]} (해시 {whole_hash(text):016x})"
        if not len(tests.short):
            return ""
        grams = np.unique(np.concatenate([letter_grams(text, LETTERS) for text in texts]))
        start = np.searchsorted(tests.short, grams, "left")
        end = np.searchsorted(tests.short, grams, "right")
        found = [tests.short_text[a:b] for a, b in zip(start, end, strict=True) if a < b]
        if not found:
            return ""
        numbers, counts = np.unique(np.concatenate(found), return_counts=True)
        repeated = numbers[counts >= SHARE * tests.sizes[numbers]]
        if not len(repeated):
            return ""
        first = int(tests.short[np.flatnonzero(tests.short_text == repeated[0])[0]])
        name = tests.names[tests.short_file[repeated[0]]]
        return f"평가 자료의 짧은 문장과 겹칩니다: {name} ({LETTERS}글자 해시 {first:016x})"


def _find(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Position in the sorted ``table`` of each value, -1 where it is not."""
    import numpy as np

    if not len(table) or not len(values):
        return np.full(len(values), -1)
    at = np.minimum(np.searchsorted(table, values), len(table) - 1)
    return np.where(table[at] == values, at, -1)


def _index(files: Iterable[tuple[str, Path]], size: int) -> _Tests:
    import numpy as np

    names: list[str] = []
    long, long_file, short, short_text, sizes, short_file = [], [], [], [], [], []
    whole: dict[int, int] = {}
    for number, (name, path) in enumerate(files):
        names.append(name)
        for text in texts_of_file(path):
            if len(words(text)) >= size:
                grams = word_grams(text, size)
                long.append(grams)
                long_file.append(np.full(len(grams), number, np.uint32))
                continue
            length = len(letters(text))
            if _only_cites(text):
                continue
            if length >= LETTERS:
                grams = letter_grams(text, LETTERS)
                short.append(grams)
                short_text.append(np.full(len(grams), len(sizes), np.uint32))
                sizes.append(len(grams))
                short_file.append(number)
            elif length >= FEWEST_LETTERS:
                whole.setdefault(whole_hash(text), number)
    long_grams, first = np.unique(_joined(long, np.uint64), return_index=True)
    letters_found = _joined(short, np.uint64)
    order = np.argsort(letters_found, kind="stable")
    return _Tests(
        names=tuple(names),
        long=long_grams,
        long_file=_joined(long_file, np.uint32)[first],
        short=letters_found[order],
        short_text=_joined(short_text, np.uint32)[order],
        sizes=np.array(sizes, np.uint32),
        short_file=np.array(short_file, np.uint32),
        whole=whole,
    )


def _only_cites(text: str) -> bool:
    """A field that names provisions and says nothing else: every row about them would repeat it."""
    rest = text
    for citation in reversed(found := find_citations(text)):
        rest = rest[: citation.start] + rest[citation.end :]
    for citation in found:
        rest = rest.replace(citation.law or "", "")
    return bool(found) and len(letters(rest)) < FEWEST_LETTERS


def _joined(arrays: list[np.ndarray], kind) -> np.ndarray:
    import numpy as np

    return np.concatenate(arrays) if arrays else np.empty(0, kind)
