"""Gates of form: is everything there, is it Korean, of a fitting length, and does it name nobody?"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from data_gen.gates.verdicts import Said, texts_of
from data_gen.rows import Candidate
from taxlaw.personal_data import find_personal_data

if TYPE_CHECKING:
    from data_gen.settings import LengthSettings

# Below this share of Hangul among the letters a text is not Korean; calls, won and law numbers are not letters.
HANGUL_SHARE = 0.6
# A refusal rests on no article; who asks back, or labels a question that cannot be answered, may have none to name.
WITHOUT_ARTICLES = frozenset({"refusal", "ask_back", "labelled"})


def schema_gate(candidate: Candidate) -> Said:
    """The teacher's reply held this pair in the asked form, and nothing the dataset needs is blank."""
    if candidate.schema_fault:
        return False, candidate.schema_fault
    row = candidate.row
    needed = ("question", "answer") if row.style in WITHOUT_ARTICLES else ("question", "answer", "articles")
    blank = [key for key in needed if not getattr(row, key)]
    blank += [name for name, text in texts_of(row) if row.history and not text.strip()]
    if blank:
        return False, f"빈 값: {', '.join(dict.fromkeys(blank))}"
    if row.style == "worked" and (row.call is None or row.payable is None):
        return False, "계산 예제에 call 또는 payable이 없습니다"
    if row.style == "followup" and not row.history:
        return False, "이어지는 질문인데 앞선 문답(history)이 없습니다"
    return True


def korean_gate(candidate: Candidate) -> Said:
    """Every question and answer is mostly Hangul, in composed form, without broken characters."""
    for name, text in texts_of(candidate.row):
        if "\ufffd" in text:
            return False, f"{name}: 깨진 글자가 있습니다"
        if text != unicodedata.normalize("NFC", text):
            return False, f"{name}: 한글이 자모로 풀려 있습니다 (not NFC)"
        letters = [letter for letter in text if letter.isalpha()]
        hangul = sum("가" <= letter <= "힣" for letter in letters)
        if not letters or hangul / len(letters) < HANGUL_SHARE:
            return False, f"{name}: 한국어가 아닙니다 (글자 가운데 한글 {hangul}/{len(letters)})"
    return True


def length_gate(candidate: Candidate, length: LengthSettings) -> Said:
    """Lengths in characters.  Of earlier turns only the upper bounds count: "그럼 딸은요?" is a good question there."""
    row = candidate.row
    bounds = {
        "질문": (length.question_min, length.question_max),
        "답변": (length.answer_min, length.answer_max),
    }
    for name, text in texts_of(row):
        low, high = bounds[name[-2:]]
        low = 1 if row.history and name.endswith("질문") else low
        if not low <= len(text) <= high:
            return False, f"{name}: {len(text)}자 (허용 {low}~{high}자)"
    return True, f"질문 {len(row.question)}자, 답변 {len(row.answer)}자"


def private_data_gate(candidate: Candidate) -> Said:
    """No number or address of a person, in the evidence neither: documents are masked when they are collected."""
    row = candidate.row
    for name, text in [*texts_of(row), ("근거", row.evidence)]:
        if found := find_personal_data(text):
            kinds = ", ".join(dict.fromkeys(one.kind for one in found))
            hint = " (문서는 collect로 모으면 가려집니다)" if name == "근거" else ""
            return False, f"{name}에 개인정보가 있습니다: {kinds}{hint}"
    return True
