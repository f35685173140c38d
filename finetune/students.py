"""What is known of the named students without downloading them: shape, licence, tokens per character (students.yaml)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

from taxlaw.strict_config import StrictModel, load_config


class TokensPerCharacter(StrictModel):
    """Least-squares fit of a tokenizer's token counts; ``measured`` is false where a relative's figures stand in."""

    hangul: float  # per Hangul syllable
    ascii: float  # per visible ASCII character
    space: float  # per white space
    other: float
    measured: bool

    def estimate(self, text: str) -> float:
        """Tokens of ``text``, about."""
        hangul = sum("가" <= character <= "힣" for character in text)
        space = sum(character.isspace() for character in text)
        ascii_ = sum(character.isascii() for character in text) - sum(c.isascii() for c in text if c.isspace())
        other = len(text) - hangul - space - ascii_
        return hangul * self.hangul + space * self.space + ascii_ * self.ascii + other * self.other


class Student(StrictModel):
    """One base on the hub, as its config.json states it."""

    hub: str
    licence: str
    model_type: Literal["gemma3", "gemma3_text", "phi"]
    shape: dict[str, int]  # keys of transformers' (text) configuration
    tie_word_embeddings: bool
    tokenizer_like: str | None = None  # Python package whose tokenizer gives the same tokens
    tokens_per_character: TokensPerCharacter


class Students(StrictModel):
    students: tuple[Student, ...]


@functools.cache
def known_students() -> tuple[Student, ...]:
    """Every student of students.yaml."""
    return load_config(Path(__file__).parent / "students.yaml", Students).students


def find_student(hub: str | None) -> Student | None:
    """The student with this hub id, if it is a known one."""
    return next((student for student in known_students() if student.hub == hub), None)
