"""Both languages are whole: no label is missing, none is left in the other language, and both fill in the same values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serve.errors import Code
from serve.page import words
from serve.page.words import ERRORS_EN, TABLE, say, say_safe

HANGUL = re.compile("[가-힣]")
USED = re.compile(r'say(?:_safe)?\(\s*[\w.]*language,\s*f?"([a-z_{}. ]+)"')


@pytest.mark.parametrize("key", TABLE)
def test_a_label_stands_in_both_languages(key: str) -> None:
    korean, english = TABLE[key]
    assert HANGUL.search(korean), "Korean first"
    assert english.strip() and not HANGUL.search(english)
    fields = [set(re.findall(r"{(\w+)}", text)) for text in (korean, english)]
    tags = [sorted(re.findall(r"</?\w+>", text)) for text in (korean, english)]
    assert fields[0] == fields[1] and tags[0] == tags[1]


def test_every_word_the_page_asks_for_is_in_the_table() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(words.__file__).parent.glob("*.py"))
    asked = {key for key in USED.findall(sources) if "{" not in key}
    assert len(asked) > 40 and asked <= TABLE.keys()


def test_every_error_has_its_kind_in_english() -> None:
    assert {str(code) for code in Code} == ERRORS_EN.keys()


def test_values_are_put_in_and_escaped_for_html() -> None:
    assert say("en", "queue", ahead=2) == "In line: 2 ahead of you"
    assert "<b>&lt;i&gt;</b>" in say_safe("ko", "goes_out", host="<i>")
