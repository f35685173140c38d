"""Of every vocabulary exactly the pieces that agree with a text are found, and any text made of pieces can be written so."""

from hypothesis import given
from hypothesis import strategies as st

from taxlaw.pieces import Pieces, rest_of

some_bytes = st.binary(max_size=4).map(lambda raw: bytes(byte % 3 for byte in raw))


@given(st.lists(some_bytes, max_size=40), some_bytes.filter(bool))
def test_the_pieces_that_agree_with_a_text_and_no_others(pieces, text):
    found = Pieces(pieces).fitting(text)
    agreeing = [
        token for token, piece in enumerate(pieces) if piece and (text.startswith(piece) or piece.startswith(text))
    ]
    assert sorted(found) == agreeing


@given(st.lists(some_bytes.filter(bool), min_size=1, max_size=12), st.data())
def test_whatever_is_taken_of_them_writes_the_text(pieces, data):
    vocabulary = [*pieces, *(bytes([byte]) for byte in range(3))]
    text = b"".join(data.draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=4)))
    written, rest = b"", text
    while rest:
        written += vocabulary[data.draw(st.sampled_from(Pieces(vocabulary).fitting(rest)))]
        rest = rest_of(text, written)
    assert written.startswith(text)


def test_what_is_left_of_a_beginning():
    assert rest_of(b"abc", b"a") == b"bc" and rest_of(b"abc", b"") == b"abc"
    assert rest_of(b"abc", b"abc") == rest_of(b"abc", b"abcd") == rest_of(b"abc", b"x") == b""
    assert Pieces([b"b", b""]).fitting(b"a") == []
