"""Masking: nothing of a person stays, nothing of the law goes, and offsets hold."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.private_data import MASK, mask
from taxlaw.personal_data import find_personal_data
from taxlaw.rulings import load_casebook

SHARED = Path(__file__).parents[3] / "shared" / "data" / "nts_rulings"


def test_a_text_keeps_its_length_and_loses_its_persons():
    text = "김세무(850101-1234566, 010-1234-5678, kim@example.com)는 계좌 123-456-789012로 601,400,000원을 받았다."
    masked, counts = mask(text)
    assert masked == (
        "김세무(○○○○○○-○○○○○○○, ○○○-○○○○-○○○○, ○○○@○○○○○○○.○○○)는 계좌 ○○○-○○○-○○○○○○로 601,400,000원을 받았다."
    )
    assert len(masked) == len(text)
    assert counts == {
        "주민등록번호(외국인등록번호)": 1,
        "휴대전화 번호": 1,
        "전자우편 주소": 1,
        "계좌번호": 1,
    }


def test_a_text_without_persons_is_the_same_text():
    text = (
        "사전-2024-법규법인-0177(2024. 4. 22.), 대법원 2015두46963, 「소득세법」 제104조의3, 6억 140만원, 124-81-00999"
    )
    assert mask(text) == (text, {})


@given(
    st.text(
        st.sampled_from("0123456789-.,() 원가계좌번호@kmo억은행카드"),
        max_size=60,
    )
)
def test_masking_twice_is_masking_once_and_leaves_nothing(text):
    masked, counts = mask(text)
    assert len(masked) == len(text)
    assert mask(masked) == (masked, {})
    assert all(new == old or (new == MASK and old.isalnum()) for new, old in zip(masked, text, strict=True))
    assert sum(counts.values()) == len(find_personal_data(text))


def test_of_the_casebook_only_the_offices_own_telephone_is_masked():
    """The one number among 96 rulings that is masked is the telephone of the office that printed the book."""
    texts = [
        "\n".join((ruling.number, ruling.issue, ruling.gist, ruling.laws, ruling.body)) for ruling in load_casebook()
    ]
    counts = sum((mask(text)[1] for text in texts), start=mask("")[1])
    assert set(counts) <= {"전화번호"} and sum(counts.values()) <= 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="real rulings are not part of the repository")
def test_of_real_rulings_only_telephones_of_offices_are_masked():
    kinds = set()
    for path in sorted(SHARED.rglob("*.gz")):
        kinds |= set(mask(gzip.decompress(path.read_bytes()).decode("utf-8"))[1])
    for row in json.loads((SHARED / "data_main_sample.json").read_text(encoding="utf-8")):
        kinds |= set(mask(json.dumps(row, ensure_ascii=False))[1])
    assert kinds <= {"전화번호"}
