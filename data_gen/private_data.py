"""What names a person, blotted out in place: each digit and letter becomes ○, so offsets into the text still hold.

What counts as personal is decided in taxlaw.personal_data (check digits, words beside the number); nothing is guessed here.
"""

from __future__ import annotations

from collections import Counter

MASK = "○"


def mask(text: str) -> tuple[str, Counter]:
    """The text with personal numbers and addresses as ○ (same length, separators kept), and how many of each kind.

    Masking a masked text changes nothing.
    """
    from taxlaw.personal_data import find_personal_data

    counts: Counter = Counter()
    pieces, done = [], 0
    for found in find_personal_data(text):
        counts[found.kind] += 1
        blotted = "".join(MASK if char.isalnum() else char for char in text[found.start : found.end])
        pieces += [text[done : found.start], blotted]
        done = found.end
    return "".join([*pieces, text[done:]]), counts
