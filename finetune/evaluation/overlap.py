"""ROUGE-L and BLEU over Korean morphemes: the field's usual figures, kept for continuity.

They reward likeness of words, not truth; an answer with one wrong digit scores almost full marks.  Morphemes come from
kiwipiepy, because particles glued to words make spaces useless as boundaries in Korean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

ORDERS = 4  # n-grams of BLEU


@cache
def _kiwi():
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)


@lru_cache(maxsize=4096)
def morphemes(text: str) -> tuple[str, ...]:
    """Surface forms of the morphemes, in order; a form with a space inside is joined, since BLEU splits at spaces."""
    return tuple(token.form.replace(" ", "_") for token in _kiwi().tokenize(text)) if text.strip() else ()


def rouge_l(candidate: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the longest common subsequence (Lin 2004), 0 to 1; 0 when either side is empty."""
    from rapidfuzz.distance import LCSseq

    common = LCSseq.similarity(list(candidate), list(reference))
    return 2 * common / (len(candidate) + len(reference)) if common else 0.0


def bleu_statistics(candidate: Sequence[str], reference: Sequence[str]) -> tuple[int, ...]:
    """What corpus BLEU adds up for one pair: lengths of both, n-grams found, n-grams there (1 to 4)."""
    from sacrebleu.metrics import BLEU

    scorer = BLEU(tokenize="none", force=True, effective_order=True)  # affects sentence scores only, not the counts
    found = scorer.sentence_score(" ".join(candidate), [" ".join(reference)])
    return (found.sys_len, found.ref_len, *found.counts, *found.totals)


def corpus_bleu(sums: Sequence[float]) -> float:
    """BLEU, 0 to 100, from added-up statistics; sacrebleu's default smoothing (exp)."""
    from sacrebleu.metrics import BLEU

    whole = [round(value) for value in sums]
    score = BLEU.compute_bleu(whole[2 : 2 + ORDERS], whole[2 + ORDERS :], whole[0], whole[1], smooth_method="exp")
    return score.score
