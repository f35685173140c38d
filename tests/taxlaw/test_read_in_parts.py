"""What stands in a file of the pieces that are written and not read: told and read again, damaged ones refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.read_in_parts import KEY, as_read, parts_from, parts_text

FIRST = 50
PARTS = st.lists(st.lists(st.integers(0, FIRST - 1), min_size=1, max_size=5), max_size=12)


@given(PARTS, st.lists(st.integers(0, FIRST + 11), max_size=30))
def test_what_is_told_is_read_again_and_every_piece_is_read_as_its_parts(parts, ids):
    known = parts_from(parts_text(FIRST, parts))
    assert known == {FIRST + place: tuple(some) for place, some in enumerate(parts)}
    read = as_read(ids, known)
    assert not {*read} & {*known}
    expected = []
    for i in ids:
        expected += parts[i - FIRST] if 0 <= i - FIRST < len(parts) else [i]
    assert read == expected


def test_a_vocabulary_without_such_pieces_is_read_as_it_is():
    assert parts_from(None) == {} and as_read((3, 1, 2), parts_from(None)) == [3, 1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "no",
        '{"first":3}',
        '{"first":"x","parts":[]}',
        '{"first":3,"parts":[[3]]}',
        '{"first":3,"parts":[[-1]]}',
        '{"first":3,"parts":[[]]}',
        '{"first":3,"parts":[["a"]]}',
        '{"first":3,"parts":7}',
    ],
)
def test_a_damaged_one_is_refused_and_named(text):
    with pytest.raises(ValueError, match=KEY):
        parts_from(text)
