"""Every beginning of every right call may become one; what no further letter can mend is said to be none."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.worked.candidates import DRAW
from data_gen.worked.words import EVERY_WORDING
from taxlaw.call_beginning import may_become_call
from taxlaw.calls import call_text, find_call, keys_of, parse_call

CALL = '{"tax":"acquisition","value":"5억원","homes":2,"adjusted":true}'


@pytest.mark.parametrize("tax", DRAW)
def test_no_beginning_of_a_right_call_is_refused(tax):
    rng = random.Random(f"beginning:{tax}")
    for _ in range(20):
        text = call_text(
            parse_call(json.dumps({"tax": tax, **DRAW[tax](rng, EVERY_WORDING).facts}, ensure_ascii=False))
        )
        refused = [text[:end] for end in range(len(text) + 1) if not may_become_call(text[:end])]
        assert refused == []
        assert may_become_call(f"{text}\n취득세 과세표준: 5억원")


@pytest.mark.parametrize(
    "text",
    [
        "말",
        "[",
        '{"tax":"gift","sale',
        '{"tax":"gift","sale_price":',
        '{"sale_price":"5억","tax":"gift",',
        '{"tax":"wealth",',
        '{"tax":"gift","amount":"3억","amount"',
        '{"tax":"gift","amount":"3억"원',
        '{"tax":"gift","amount":"3퍼센트",',
        '{"tax":"gift","amount":"3억","relation":"이웃사촌"}',
        '{"tax":"acquisition","value":"5억","homes":2억',
        '{"tax":"acquisition","value":"5억","homes":"둘"}',
        '{"tax":"gift","minor":tru,',
        '{"tax":{"gift"',
        '{"tax":1,"',
        '{"tax":"gift","amount":"3\n',
    ],
)
def test_what_can_no_longer_become_a_call(text):
    assert not may_become_call(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "{",
        '{"',
        '{"ta',
        '{"amount":"3억","t',
        '{"tax":"gift","minor":t',
        '{"tax":"inheritance","minors":[1,',
        f"{CALL}\n",
    ],
)
def test_what_still_may(text):
    assert may_become_call(text)


@given(st.integers(0, len(CALL)), st.text(st.sampled_from('{}[]",:0123억원truefalsnul \n'), max_size=6))
def test_whatever_is_refused_is_no_call_however_it_ends(end, rest):
    text = CALL[:end] + rest
    if not may_become_call(text):
        assert find_call(text + CALL[end:]) is None and find_call(text) is None


def test_the_keys_of_a_tax_are_those_that_its_call_knows():
    assert {"tax", "amount", "relation", "minor"} <= set(keys_of("gift")) and "value" not in keys_of("gift")
    assert keys_of("wealth") == {}
