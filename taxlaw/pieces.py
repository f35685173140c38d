"""Which pieces of a vocabulary a text may be begun with, so that a model cuts a given beginning as it would itself.

A text that is to be gone on from ends anywhere, but a model has learnt its words cut as they stand in whole answers: where
'{"tax":"income","base":"' is one piece, '{"tax":"income' is cut in a way it has never seen, and what it writes after that is
noise.  So a beginning is not handed over as tokens: it is written by the model itself, from the pieces that agree with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import takewhile


class Pieces:
    """The pieces of one vocabulary, by their bytes; those without any (control tokens) are left out."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._sorted = sorted((piece, token) for token, piece in enumerate(pieces) if piece)

    def fitting(self, text: bytes) -> list[int]:
        """The tokens whose bytes begin ``text`` (which is not empty), or begin with all of it; [] when no piece does."""
        shorter = (self._from(text[:end]) for end in range(1, len(text)))
        return [token for some in shorter for token in some] + self._from(text, longer=True)

    def _from(self, text: bytes, longer: bool = False) -> list[int]:
        place = bisect_left(self._sorted, (text, -1))
        rest = (self._sorted[at] for at in range(place, len(self._sorted)))
        return [
            token for _, token in takewhile(lambda one: one[0].startswith(text) if longer else one[0] == text, rest)
        ]


def rest_of(beginning: bytes, written: bytes) -> bytes:
    """What of ``beginning`` is still to be written after ``written``; none when it has been, or something else has."""
    return beginning[len(written) :] if beginning.startswith(written) else b""
