"""Names of Korean laws: full names of the tax laws, what people write for them, and names that only look like tax laws.

Answers "which law is 상증령?".  Does not know which articles a law has (see articles.py).
"""

from __future__ import annotations

import difflib
import re
from functools import cache

DECREE, RULE = " 시행령", " 시행규칙"

# Full name -> abbreviations of the act.  Short forms that are also common words (법령, 부칙, 부령, 지령) are left out.
ACTS: dict[str, tuple[str, ...]] = {
    "국세기본법": ("국기법",),
    "국세징수법": ("국징법",),
    "소득세법": ("소법", "소득법"),
    "법인세법": ("법법", "법인법"),
    "부가가치세법": ("부가세법", "부가법", "부법"),
    "상속세 및 증여세법": ("상증법", "상증세법", "상속증여세법", "상속ㆍ증여세법", "상속세·증여세법"),
    "조세특례제한법": ("조특법", "조세특례법"),
    "국제조세조정에 관한 법률": ("국조법", "국제조세조정법", "국제조세법"),
    "종합부동산세법": ("종부세법", "종부법"),
    "개별소비세법": ("개소세법", "개소법"),
    "지방세법": ("지법",),
    "지방세특례제한법": ("지특법", "지방세특례법"),
    "지방세기본법": ("지기법",),
    "지방세징수법": ("지징법",),
    "농어촌특별세법": ("농특세법", "농특법"),
    "교육세법": (),
    "인지세법": (),
    "증권거래세법": ("증거세법",),
    "주세법": (),
    "관세법": (),
    "조세범 처벌법": ("조처법",),
    "조세범 처벌절차법": ("조세범절차법",),
}
# Full name of the act -> what stands for its decree, for its rule.
_DECREES = {
    "국세기본법": ("국기령",),
    "국세징수법": ("국징령",),
    "소득세법": ("소령", "소득령", "소득세령"),
    "법인세법": ("법인령",),
    "부가가치세법": ("부가령", "부가세령"),
    "상속세 및 증여세법": ("상증령", "상증세령"),
    "조세특례제한법": ("조특령",),
    "국제조세조정에 관한 법률": ("국조령",),
    "종합부동산세법": ("종부세령", "종부령"),
    "지방세특례제한법": ("지특령",),
    "지방세기본법": ("지기령",),
}
_RULES = {
    "소득세법": ("소칙", "소득칙"),
    "법인세법": ("법인칙",),
    "부가가치세법": ("부가칙",),
    "상속세 및 증여세법": ("상증칙",),
    "조세특례제한법": ("조특칙",),
    "종합부동산세법": ("종부칙",),
}
# Real laws that are often cited beside the tax laws; longest forms matter only for reading the name in running text.
OTHERS: dict[str, tuple[str, ...]] = {
    "민법": (),
    "상법": (),
    "형법": (),
    "헌법": ("대한민국헌법",),
    "세무사법": (),
    "교통ㆍ에너지ㆍ환경세법": ("교통세법",),
    "과세자료의 제출 및 관리에 관한 법률": ("과세자료법",),
    "상가건물 임대차보호법": ("상임법",),
    "주택임대차보호법": ("주임법",),
    "국세와 지방세의 조정 등에 관한 법률": (),
    "공익사업을 위한 토지 등의 취득 및 보상에 관한 법률": ("토지보상법",),
    "자본시장과 금융투자업에 관한 법률": ("자본시장법",),
    "독점규제 및 공정거래에 관한 법률": ("공정거래법",),
    "국토의 계획 및 이용에 관한 법률": ("국토계획법",),
    "채무자 회생 및 파산에 관한 법률": ("채무자회생법",),
    "도시 및 주거환경정비법": ("도시정비법",),
    "인공지능 발전과 신뢰 기반 조성 등에 관한 기본법": ("AI 기본법", "인공지능기본법"),
}
# Repealed or renamed tax laws: real, but not in today's index.  The value is the law of today, when there is one.
FORMER: dict[str, str | None] = {
    "상속세법": "상속세 및 증여세법",
    "조세감면규제법": "조세특례제한법",
    "조감법": "조세특례제한법",
    "특별소비세법": "개별소비세법",
    "특소세법": "개별소비세법",
    "토지초과이득세법": None,
    "부당이득세법": None,
    "영업세법": None,
    "방위세법": None,
}
# Taxes that have no law of their own: what people mean.
_NO_SUCH_LAW = {
    "증여세법": "상속세 및 증여세법",
    "양도소득세법": "소득세법",
    "양도세법": "소득세법",
    "종합소득세법": "소득세법",
    "근로소득세법": "소득세법",
    "퇴직소득세법": "소득세법",
    "법인소득세법": "법인세법",
    "취득세법": "지방세법",
    "재산세법": "지방세법",
    "등록면허세법": "지방세법",
    "자동차세법": "지방세법",
    "주민세법": "지방세법",
    "지방소득세법": "지방세법",
    "부동산세법": "종합부동산세법",
}
_DOTS = re.compile(r"[\s·ㆍ･・‧⋅]")
_SUFFIX = re.compile(r"\s*(시행령|시행규칙)$")


def compact(name: str) -> str:
    """A name without spaces and middle dots, for comparing."""
    return _DOTS.sub("", name)


def full_name(name: str) -> str | None:
    """The full name of a known law ('상증령' -> '상속세 및 증여세법 시행령'), or None when the name is not known."""
    plain = compact(name).replace("법법", "법") if len(compact(name)) > 3 else compact(name)  # a slip: 소득세법법
    if plain in _aliases():
        return _aliases()[plain]
    if match := _SUFFIX.search(plain):
        act = _aliases().get(plain[: match.start()])
        return f"{act} {match[1]}" if act and not _SUFFIX.search(act) else None
    return None


def act_of(law: str) -> str:
    """The act a decree or rule belongs to: '소득세법 시행령' -> '소득세법'."""
    return _SUFFIX.sub("", law)


def looks_like_tax_law(name: str) -> bool:
    """True when a name claims to be a tax law, so that not finding it means that it is wrong."""
    act = compact(act_of(name))
    if act in FORMER or act in {compact(other) for other in OTHERS}:
        return False
    return act.endswith("세법") or act.startswith(("국세", "지방세", "조세특례", "조세감면"))


def nearest_law(name: str) -> str | None:
    """The known tax law that a wrong name most likely means, suffix kept; None when nothing is near."""
    act, match = compact(act_of(name)), _SUFFIX.search(name)
    suffix = f" {match[1]}" if match else ""
    meant = _NO_SUCH_LAW.get(act) or FORMER.get(act)
    if meant is None:
        names = {compact(law): law for law in ACTS}
        near = difflib.get_close_matches(act, names, n=1, cutoff=0.6)
        meant = names[near[0]] if near else None
    return meant + suffix if meant else None


def spellings() -> list[str]:
    """Every known spelling of an act, decree or rule, longest first (for finding names in running text)."""
    words = [*ACTS, *OTHERS, *FORMER]
    for table in (ACTS, OTHERS, _DECREES, _RULES):
        words += [alias for aliases in table.values() for alias in aliases]
    return sorted(set(words), key=len, reverse=True)


def laws_in(text: str) -> tuple[str, ...]:
    """Full names of the laws a text names, in its order: '주세법 시행령의 서식' -> ('주세법 시행령',).

    Short forms of two letters (소법, 부령) are left out: they stand inside other words.
    """
    found = (full_name(match[0]) for match in _law_pattern().finditer(text))
    return tuple(dict.fromkeys(name for name in found if name))


def without_laws(text: str) -> str:
    """A text without the names that ``laws_in`` finds in it."""
    return _law_pattern().sub(" ", text)


@cache
def _law_pattern() -> re.Pattern[str]:
    """A name at the start of a word, spaces and dots as anyone puts them, with 시행령 or 시행규칙 after it."""
    names = ("[ ·ㆍ]?".join(map(re.escape, compact(word))) for word in spellings() if len(compact(word)) > 2)
    return re.compile(rf"(?<![가-힣])(?:{'|'.join(names)})(?: ?(?:시행령|시행규칙))?")


@cache
def _aliases() -> dict[str, str]:
    table = {compact(former): former for former in FORMER}
    for laws in (ACTS, OTHERS):
        for law, short in laws.items():
            table |= {compact(word): law for word in (law, *short)}
    for forms, suffix in ((_DECREES, DECREE), (_RULES, RULE)):
        for law, short in forms.items():
            table |= {compact(word): law + suffix for word in short}
    return table
