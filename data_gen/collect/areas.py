"""Which tax a document is about: from the field its source names, from an act, or from the words of its text."""

from __future__ import annotations

import re
from collections import Counter

from data_gen.collect.statute_documents import area_of
from taxlaw.articles import indexed_laws

OTHER = "기타"
# As the digest names its areas; the casebook and the tax office's site have names of their own.
_OF_FIELD = {
    "국기": "국세기본",
    "법인": "법인세",
    "상증": "상속증여세",
    "부가": "부가가치세",
    "소득": "소득세",
    "양도": "양도소득세",
    "종부": "종합부동산세",
    "국조": "국제조세",
    "종합소득세": "소득세",
    "원천세": "소득세",
}
_OF_WORD = {
    "증여": "상속증여세",
    "상속": "상속증여세",
    "상증": "상속증여세",
    "양도소득": "양도소득세",
    "양도세": "양도소득세",
    "양도차익": "양도소득세",
    "종합부동산세": "종합부동산세",
    "종부세": "종합부동산세",
    "부가가치세": "부가가치세",
    "부가세": "부가가치세",
    "세금계산서": "부가가치세",
    "간이과세": "부가가치세",
    "법인세": "법인세",
    "종합소득": "소득세",
    "근로소득": "소득세",
    "사업소득": "소득세",
    "연말정산": "소득세",
    "원천징수": "소득세",
    "소득세": "소득세",
    "취득세": "지방세",
    "재산세": "지방세",
    "지방세": "지방세",
    "조세특례": "조세특례",
    "조특법": "조세특례",
    "국세기본": "국세기본",
    "경정청구": "국세기본",
    "수정신고": "국세기본",
    "가산세": "국세기본",
    "조세조약": "국제조세",
}
# Longer words first: 양도소득세 is not a word of 소득세.
_WORD = re.compile("|".join(sorted(map(re.escape, _OF_WORD), key=len, reverse=True)))


def area_of_field(field: str) -> str:
    """'종합소득세' or '상증' -> the digest's name; an act ('상속세 및 증여세법') -> its area; anything else as it is."""
    name = " ".join(field.split())
    if not name:
        return OTHER
    return _OF_FIELD.get(name) or (area_of(name) if name in indexed_laws() else name)


def area_of_text(text: str) -> str:
    """The area whose words stand in the text most often (the first of them when equal); '기타' when none does."""
    counts = Counter(_OF_WORD[match[0]] for match in _WORD.finditer(text))
    return counts.most_common(1)[0][0] if counts else OTHER
