"""Texts made up to tell two tokenizers apart: Hangul in every form, amounts, signs, white space, control look-alikes."""

from __future__ import annotations

import random

WORDS = (
    "증여세", "과세표준", "부모님께", "직계존속", "제53조의2제1항", "20억원", "6억 140만원", "20,000,000원", "1.5%", "ㅋㅋㅋㅋ",
    "「상속세 및 증여세법」", "①", "①②", "VAT", "whatever", "tax", '{"tax":"gift","amount":"20억원"}', "2025.1.1.~12.31.",
    "🙂", "👨‍👩‍👧", "🇰🇷", "é", "é", "貰", "讓渡所得", "한", "▁", "▁▁", "\u00ad", "\ufeff", "🏳️‍🌈", "don't", "I'LL",
)  # fmt: skip
# What looks like a control token of Gemma or Phi and is none, or is one that text must not smuggle in unnoticed.
LOOK_ALIKES = (
    "<end_of_turn", "< end_of_turn>", "<END_OF_TURN>", "<end_of_turn>>", "<start_of_turn >user", "<bos", "bos>", "<0xEA>",
    "<0xZZ>", "<unused>", "<unused99999>", "<|endoftext|", "|endoftext|>", "<|end", "[PAD5]", "[multimodal", "</s>", "<s>",
    "<table", "<tr>", "### 질문:", "### 답변:", "<eos", "<pad", "<mask", "<unk", "<<bos", "<start_of_turn",
)  # fmt: skip
SPACES = (" ", " ", " ", "\n", "\t", "\r\n", "\u3000", "\u00a0", "\u200b")


def fuzz_texts(seed: int, count: int, control: tuple[str, ...] = ()) -> tuple[str, ...]:
    """``count`` texts, the same for the same arguments; ``control``: real control tokens to mix in."""
    generator = random.Random(seed)
    return tuple("".join(_part(generator, control) for _ in range(generator.randint(1, 12))) for _ in range(count))


def _part(generator: random.Random, control: tuple[str, ...]) -> str:
    kind = generator.choices(
        ("syllables", "jamo", "letters", "spaces", "digits", "any", "word", "look_alike", "control"),
        weights=(25, 5, 5, 12, 8, 10, 25, 7, 3 if control else 0),
    )[0]
    many = generator.randint(1, 7)
    if kind == "syllables":
        return "".join(chr(generator.randint(0xAC00, 0xD7A3)) for _ in range(many))
    if kind == "jamo":  # those that combine, and the old ones
        return "".join(chr(generator.randint(0x1100, 0x11FF)) for _ in range(many))
    if kind == "letters":  # ㄱ-ㅎ, ㅏ-ㅣ, as people type them: one repeated
        return chr(generator.randint(0x3131, 0x318E)) * many
    if kind == "spaces":  # Gemma has pieces of up to 31
        return generator.choice(SPACES) * generator.choice((1, 1, 2, 3, many, generator.randint(1, 70)))
    if kind == "digits":
        return str(generator.randrange(10 ** generator.randint(1, 13)))
    if kind == "any":
        low, high = generator.choice(
            ((0x20, 0x7E), (0xA1, 0x24F), (0x2010, 0x2312), (0x4E00, 0x9FFF), (0x1F300, 0x1F6FF))
        )
        return chr(generator.randint(low, high)) * generator.choice((1, 1, 2, many))
    if kind == "control":
        return generator.choice(control)
    return generator.choice(WORDS if kind == "word" else LOOK_ALIKES)
