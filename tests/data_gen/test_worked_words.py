import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.worked.words import amount_words, draw_won, from_whom, subject, topic, with_object
from taxlaw.money import find_amounts, parse_won


@given(st.integers(1, 10**13), st.integers())
def test_every_wording_reads_back_as_the_amount(won, seed):
    words = amount_words(random.Random(seed), won)
    assert parse_won(words) == won


@given(st.integers(100, 10**8), st.integers())
def test_an_amount_before_a_particle_is_found_whole(man, seed):
    # The call copies the words of the question: a student that copies must be able to find them.
    words = amount_words(random.Random(seed), man * 10_000)
    found = find_amounts(f"부모님께 {words}을 증여받았습니다.")
    assert [amount.text for amount in found] == [words]


@given(st.integers())
def test_drawn_amounts_stay_inside_their_bounds(seed):
    assert 50_000_000 <= draw_won(random.Random(seed), 50_000_000, 103_990_000) <= 103_990_000


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (subject("남편"), "남편이"),
        (subject("어머니"), "어머니가"),
        (topic("아들"), "아들은"),
        (with_object("카페"), "카페를"),
        (with_object("소매업"), "소매업을"),
        (from_whom("부모님"), "부모님으로부터"),
        (from_whom("아들"), "아들로부터"),
        (from_whom("친구"), "친구로부터"),
    ],
)
def test_particles_follow_the_last_syllable(made, expected):
    assert made == expected
