"""Train, validation and test without a leak: no document, ruling, article or 12-gram stands in two of them.

Rows that share one of these belong to one component (union-find), and a component goes to one split as a whole.

Calculator rows (style ``worked``) cannot be told apart by article, since every gift case cites 제53조, nor by their answers,
whose wording is the calculator's own.  They are told apart by family (tax and main amount) and by the 12-grams of their
questions.  So are rows of templates that ask back or refuse: one missing fact has one answer, and by it all questions
about that fact would go to one split.

Measured on configs/data_gen/demo.yaml (6,000 worked rows): 67 questions share a 12-gram with another; the largest component holds
115 of 2,224 gift rows, 548 of 1,634 income, 78 of 1,066 simplified VAT and 22 of 1,076 corporate rows, and every tax has its 10% in validation.  (With 8-grams the largest would be 60% of gift and income.)

Components are taken in the order of a hash and go to validation or test while there is room for them, tax by tax for
calculator rows; what does not fit, a giant component first of all, goes to train.  The same rows, shares and seed give the
same splits in whatever order the rows come.  Only hashes are kept: 8 bytes a 12-gram, and a document's evidence once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from data_gen.ngrams import word_grams
from data_gen.rows import Row
from taxlaw.citations import find_citations

if TYPE_CHECKING:
    import numpy as np

    from data_gen.settings import SplitSettings

# A stratum this large has a row in every split that has a share; a smaller one only when its share rounds to one.
FEWEST = 4


@dataclass(frozen=True)
class SplitKeys:
    """What a row must not share with another split, as 64-bit hashes; ``stratum`` is what shares are counted in."""

    stratum: str
    names: tuple[int, ...]
    grams: tuple[np.ndarray, ...]
    held_out: bool = False
    """Drawn so that no other row is like it: goes to test, and joins nobody."""


def split_keys(row: Row, ngram: int = 12) -> SplitKeys:
    """The keys of one row.  Rows of one document share the array of its evidence as long as they come together."""
    if row.held_out:
        return SplitKeys(f"held out {row.held_out}", (), (), held_out=True)
    if row.style == "worked":
        return SplitKeys(row.tax, (_hash(f"family {row.family}"),), (word_grams(row.question, ngram),))
    if row.style in ("ask_back", "refusal") and row.provenance.teacher == "templates":
        stratum = f"{row.style} {row.tax}" if row.style == "ask_back" else row.style
        return SplitKeys(stratum, (_hash(f"family {row.family}"),), (word_grams(row.question, ngram),))
    if row.family.startswith("grounded:"):
        # Its evidence shows whatever a search found; the articles of the test are kept out of it when it is made.
        return SplitKeys("grounded", (_hash(f"family {row.family}"),), ())
    names = {f"document {row.provenance.document_id}", f"family {row.family}"}
    names |= {f"article {name}" for name in articles_of(row)}
    said = [text for turn in row.history for text in (turn.question, turn.answer)]
    # Turn by turn: a stretch over the seam of two texts is nobody's.
    grams = [word_grams(text, ngram) for text in (*said, row.question, row.answer)]
    return SplitKeys(
        "documents",
        tuple(sorted(map(_hash, names))),
        (*(array for array in grams if len(array)), _evidence_grams(row.evidence, ngram)),
    )


def articles_of(row: Row) -> set[str]:
    """Articles a document row rests on, "소득세법 제12조": those it lists, and the one its document is."""
    named = [*row.articles, *([row.family.removeprefix("law:")] if row.family.startswith("law:") else [])]
    return {f"{found.law} {found.article}" for text in named for found in find_citations(text) if found.law}


def assign(keys: Iterable[tuple[str, SplitKeys]], shares: SplitSettings, seed: int) -> dict[str, str]:
    """The split of each row id, near ``shares`` of each stratum.  Raises ValueError when an id comes twice."""
    ids: list[str] = []
    strata: list[str] = []
    owners, arrays = [], []
    alone: list[tuple[int, int]] = []
    before: SplitKeys | None = None
    apart: dict[str, str] = {}
    for row_id, key in keys:
        if key.held_out:
            apart[row_id] = "test"
            continue
        place = len(ids)
        ids.append(row_id)
        strata.append(key.stratum)
        alone += [(name, place) for name in key.names]
        # Rows of one document hold together by name: its evidence need not be kept for each.
        again = before is not None and not set(before.names).isdisjoint(key.names)
        for array in key.grams:
            if not (again and before.grams and array is before.grams[-1]):
                owners.append(place)
                arrays.append(array)
        before = key
    if not ids:
        return apart
    if len(set(ids)) != len(ids):
        twice = next(name for name, count in Counter(ids).items() if count > 1)
        raise ValueError(f"row id twice: {twice}")
    parent = _join(len(ids), alone, owners, arrays)
    components: dict[int, list[int]] = {}
    for place in range(len(ids)):
        components.setdefault(_root(parent, place), []).append(place)
    return _deal(list(components.values()), ids, strata, shares, seed) | apart


def _join(count: int, alone: list[tuple[int, int]], owners: list[int], arrays: list[np.ndarray]) -> list[int]:
    """Union-find over rows that share a hash; sorted arrays instead of a table of millions of Python numbers."""
    import numpy as np

    sizes = [len(array) for array in arrays]
    hashes = np.concatenate([np.array([name for name, _ in alone], np.uint64), *arrays])
    places = np.concatenate(
        [np.array([place for _, place in alone], np.uint32), np.repeat(np.array(owners, np.uint32), sizes)]
    )
    order = np.argsort(hashes, kind="stable")
    hashes, places = hashes[order], places[order]
    same = np.flatnonzero(hashes[1:] == hashes[:-1])
    parent = list(range(count))
    pairs = np.unique(np.stack([places[same], places[same + 1]], axis=1), axis=0) if len(same) else ()
    for left, right in pairs:
        a, b = _root(parent, int(left)), _root(parent, int(right))
        if a != b:
            parent[max(a, b)] = min(a, b)
    return parent


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


def _deal(
    components: list[list[int]], ids: list[str], strata: list[str], shares: SplitSettings, seed: int
) -> dict[str, str]:
    wanted = {"validation": shares.validation, "test": shares.test}
    totals = Counter(strata)
    room = {
        split: {stratum: _room(share, total) for stratum, total in totals.items()} for split, share in wanted.items()
    }
    # A component is known by the least hash of its rows: the order in which rows come does not matter.
    marked = [(min(_hash(f"{seed} {ids[place]}") for place in places), places) for places in components]
    held_out = shares.validation + shares.test
    split_of: dict[str, str] = {}
    for mark, places in sorted(marked):
        sizes = Counter(strata[place] for place in places)
        first = held_out and (_hash(f"turn {mark}") / 2**64 < shares.test / held_out)
        for split in ("test", "validation") if first else ("validation", "test"):
            if all(size <= room[split][stratum] for stratum, size in sizes.items()):
                for stratum, size in sizes.items():
                    room[split][stratum] -= size
                break
        else:
            split = "train"
        split_of |= {ids[place]: split for place in places}
    return split_of


def _room(share: float, total: int) -> int:
    room = int(share * total + 0.5)
    return max(room, 1) if share and total >= FEWEST else room


@lru_cache(maxsize=64)
def _evidence_grams(evidence: str, ngram: int) -> np.ndarray:
    return word_grams(evidence, ngram)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8"), digest_size=8).digest(), "big")
