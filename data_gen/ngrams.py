"""n-grams as 64-bit hashes: the same stretch of text has the same number in every run and on every machine.

Words are what remains between blanks and punctuation, in NFC and lower case.  Digits stay: 5,000만원 is not 6,000만원.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# Signs between digits belong to the number (5,000만원, 2026-06-01, 1.5배); any other sign separates.
_WORD = re.compile(r"(?:(?<=\d)[.,·-](?=\d)|\w)+")
_FACTOR = 0x9E3779B97F4A7C15  # odd, so that no word of a stretch is lost in the product


def words(text: str) -> list[str]:
    """The words of a text, normalised."""
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())


def word_grams(text: str, size: int) -> np.ndarray:
    """Hashes (uint64, sorted, distinct) of every stretch of ``size`` words; empty when the text is shorter."""
    import numpy as np

    found = words(text)
    if len(found) < size:
        return np.empty(0, np.uint64)
    return np.unique(_rolled(np.array([_hash(word) for word in found], np.uint64), size))


def letters(text: str) -> str:
    """The text without blanks and punctuation: spacing differs from writer to writer in Korean."""
    return "".join(words(text))


def letter_grams(text: str, size: int) -> np.ndarray:
    """Hashes (uint64, sorted, distinct) of every stretch of ``size`` characters of ``letters(text)``."""
    import numpy as np

    found = letters(text)
    if len(found) < size:
        return np.empty(0, np.uint64)
    # Mixed, so that neighbouring code points do not give neighbouring sums.
    codes = np.frombuffer(found.encode("utf-32-le"), np.uint32).astype(np.uint64)
    codes = (codes + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
    codes ^= codes >> np.uint64(31)
    return np.unique(_rolled(codes, size))


def whole_hash(text: str) -> int:
    """Hash of a whole text by its letters."""
    return _hash(letters(text))


def _rolled(values: np.ndarray, size: int) -> np.ndarray:
    """Polynomial hash, modulo 2^64, of each window of ``size`` values."""
    import numpy as np

    total = np.zeros(len(values) - size + 1, np.uint64)
    factor = np.uint64(_FACTOR)
    with np.errstate(over="ignore"):
        for offset in range(size):
            total = total * factor + values[offset : offset + len(total)]
        total ^= total >> np.uint64(29)
        total *= np.uint64(0x94D049BB133111EB)
    return total ^ (total >> np.uint64(32))


@lru_cache(maxsize=200_000)
def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8"), digest_size=8).digest(), "big")
