"""The figures of the law, year by year, 2024-2026, each with the article (and addendum, 부칙) it comes from.

A year outside these tables is refused, never extrapolated: the text of an article often shows an amendment that an
addendum delays, so every row here was set against the addenda as well as the article.
"""

from __future__ import annotations

from fractions import Fraction

from taxlaw.errors import UnsupportedCase

FIRST_YEAR, LAST_YEAR = 2024, 2026

INHERITANCE_GIFT_ACT = "상속세 및 증여세법"
INCOME_ACT = "소득세법"
VAT_ACT = "부가가치세법"
VAT_DECREE = "부가가치세법 시행령"
CORPORATE_ACT = "법인세법"

# A bracket table is ((upper bound in won or None, rate), ...), lowest first.
Brackets = tuple[tuple[int | None, Fraction], ...]


def percent(rate: int | str) -> Fraction:
    """A rate given in percent ('1.3' -> 13/1000)."""
    return Fraction(rate) / 100


def require_year(year: int, what: str) -> int:
    """The year itself when the tables cover it; raises UnsupportedCase naming the year otherwise."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise UnsupportedCase(
            f"{what}: {year}년의 세율표가 없습니다. {FIRST_YEAR}년부터 {LAST_YEAR}년까지만 계산합니다. "
            f"(no table for {year}; supported: {FIRST_YEAR}-{LAST_YEAR})"
        )
    return year


# --- 증여세 -------------------------------------------------------------------------------------------------------
# 상속세 및 증여세법 제26조 (제56조가 준용); unchanged since 2000.
GIFT_BRACKETS: Brackets = (
    (100_000_000, percent(10)),
    (500_000_000, percent(20)),
    (1_000_000_000, percent(30)),
    (3_000_000_000, percent(40)),
    (None, percent(50)),
)
# 제53조: giver's relation to the receiver -> (item of the article, deduction over ten years in won).
# The circle of 기타친족 narrowed on 2025-03-14 (법률 제20777호, 부칙 제4조: earlier gifts follow the old circle: 6촌 이내
# 혈족·4촌 이내 인척); its amount did not change.
GIFT_DEDUCTIONS: dict[str, tuple[str, int]] = {
    "배우자": ("제1호", 600_000_000),
    "직계존속": ("제2호", 50_000_000),
    "직계비속": ("제3호", 50_000_000),
    "기타친족": ("제4호", 10_000_000),
    "타인": ("", 0),
}
GIFT_DEDUCTION_MINOR = 20_000_000  # 제53조제2호 단서: a minor receiving from 직계존속
MARRIAGE_BIRTH_CAP = 100_000_000  # 제53조의2제3항; from 2024-01-01 (법률 제19932호 부칙 제3조)
PRIOR_GIFT_FLOOR = 10_000_000  # 제47조제2항: gifts of the same giver in ten years are added from this sum on
GIFT_TAX_FREE_BASE = 500_000  # 제55조제2항: no tax on a base below this
SKIP_RATE = percent(30)  # 제57조제1항
SKIP_RATE_MINOR = percent(40)  # 제57조제1항: a minor and gifts above SKIP_MINOR_ABOVE only
SKIP_MINOR_ABOVE = 2_000_000_000
FILING_CREDIT_RATE = percent(3)  # 제69조제2항; since 2019

# --- 종합소득세 ---------------------------------------------------------------------------------------------------
# 소득세법 제55조제1항; since 2023 (법률 제19196호).
INCOME_BRACKETS: Brackets = (
    (14_000_000, percent(6)),
    (50_000_000, percent(15)),
    (88_000_000, percent(24)),
    (150_000_000, percent(35)),
    (300_000_000, percent(38)),
    (500_000_000, percent(40)),
    (1_000_000_000, percent(42)),
    (None, percent(45)),
)
# 제47조제1항: earned-income deduction as brackets of gross pay, and its cap.
EARNED_DEDUCTION: Brackets = (
    (5_000_000, percent(70)),
    (15_000_000, percent(40)),
    (45_000_000, percent(15)),
    (100_000_000, percent(5)),
    (None, percent(2)),
)
EARNED_DEDUCTION_CAP = 20_000_000
PERSONAL_DEDUCTION = 1_500_000  # 제50조제1항, per head
# 제59조제1항: brackets of the tax calculated on the pay.
EARNED_CREDIT: Brackets = ((1_300_000, percent(55)), (None, percent(30)))
# 제59조제2항: (gross pay above, cap at that point, cut per won above it, the cap never falls below); since 2023.
EARNED_CREDIT_CAPS: tuple[tuple[int, int, Fraction, int], ...] = (
    (120_000_000, 500_000, Fraction(1, 2), 200_000),
    (70_000_000, 660_000, Fraction(1, 2), 500_000),
    (33_000_000, 740_000, Fraction(8, 1000), 660_000),
    (0, 740_000, Fraction(0), 740_000),
)
# 제59조의2제1항: (first child, second child more, each further child), and from which age.
# 2024: 법률 제19933호 부칙 제3조.  2025: 법률 제20615호 부칙 제7조.
# Age in 2026 is 9: the article says 13, 법률 제21548호 부칙 제2조 raises it year by year.
CHILD_CREDIT: dict[int, tuple[int, int, int]] = {
    2024: (150_000, 200_000, 300_000),
    2025: (250_000, 300_000, 400_000),
    2026: (250_000, 300_000, 400_000),
}
CHILD_CREDIT_AGE: dict[int, int] = {2024: 8, 2025: 8, 2026: 9}
STANDARD_CREDIT_EARNER = 130_000  # 제59조의4제9항제1호

# --- 부가가치세 간이과세 ------------------------------------------------------------------------------------------
# 법 제61조제1항, 시행령 제109조제1항: 1억400만원 from 2024-07-01 (영 제34270호 부칙 제10조); 8천만원 before.
SIMPLIFIED_CEILING = 104_000_000
# 법 제61조제1항제3호: 부동산임대업 stays simplified only below this.
SIMPLIFIED_CEILING_RENTAL = 48_000_000
SIMPLIFIED_EXEMPT_BELOW = 48_000_000  # 법 제69조제1항
VAT_RATE = percent(10)  # 법 제63조제2항
PURCHASE_CREDIT_RATE = percent("0.5")  # 법 제63조제3항제1호
CARD_CREDIT_RATE = percent("1.3")  # 법 제46조제1항제3호; until 2026-12-31
CARD_CREDIT_CAP = 10_000_000  # 같은 호; until 2026-12-31, then 5,000,000

# 시행령 제111조제2항 표: 업종 -> value-added rate.
VALUE_ADDED_RATES: dict[str, Fraction] = {
    "소매업": percent(15),
    "재생용 재료수집 및 판매업": percent(15),
    "음식점업": percent(15),
    "제조업": percent(20),
    "농업·임업 및 어업": percent(20),
    "소화물 전문 운송업": percent(20),
    "숙박업": percent(25),
    "건설업": percent(30),
    "운수 및 창고업": percent(30),
    "정보통신업": percent(30),
    "금융 및 보험 관련 서비스업": percent(40),
    "전문·과학 및 기술서비스업": percent(40),
    "사업시설관리·사업지원 및 임대서비스업": percent(40),
    "부동산 관련 서비스업": percent(40),
    "부동산임대업": percent(40),
    "그 밖의 서비스업": percent(30),
}
# What people call the rows of that table.  Spaces and middle dots are dropped before the look-up.
_COMMON_WORDS: dict[str, str] = {
    "소매업": "소매 편의점 슈퍼마켓 옷가게 의류소매업 온라인쇼핑몰 쇼핑몰 문구점 꽃집",
    "재생용 재료수집 및 판매업": "재생용재료수집판매업 고물상 재활용품수집판매업",
    "음식점업": "음식점 식당 카페 커피숍 커피전문점 분식집 치킨집 제과점 요식업",
    "제조업": "제조 떡집 떡방앗간",
    "농업·임업 및 어업": "농업 임업 어업",
    "소화물 전문 운송업": "소화물운송업 소화물전문운송 택배업 퀵서비스 퀵서비스업",
    "숙박업": "숙박 모텔 민박 민박업 펜션 펜션업 게스트하우스 여관",
    "건설업": "건설 인테리어 인테리어업 인테리어공사업",
    "운수 및 창고업": "운수업 창고업 택시업 개인택시 여객운송업 화물운송업",
    "정보통신업": "정보통신",
    "금융 및 보험 관련 서비스업": "금융보험서비스업",
    "전문·과학 및 기술서비스업": "전문서비스업 과학기술서비스업",
    "사업시설관리·사업지원 및 임대서비스업": "사업시설관리업 사업지원서비스업 임대서비스업",
    "부동산 관련 서비스업": "부동산중개업 공인중개사 공인중개업 부동산중개사무소",
    "부동산임대업": "부동산임대 상가임대업 상가임대 임대업",
    "그 밖의 서비스업": "기타서비스업 서비스업 서비스 미용실 미용업 이발소 세탁소 세탁업 목욕탕 네일샵 피시방 PC방 노래연습장 사진관",
}
INDUSTRY_SYNONYMS: dict[str, str] = {word: row for row, words in _COMMON_WORDS.items() for word in words.split()}
# 시행령 제109조제2항: item -> trades that cannot be simplified at any size.
_EXCLUDED_WORDS: dict[str, str] = {
    "제1호": "광업",
    "제3호": "도매업 도매 도소매업 상품중개업",
    "제4호": "부동산매매업 부동산매매",
    "제5호": "유흥주점 유흥주점업 룸살롱 나이트클럽",
    "제7호": "변호사업 변호사 변리사업 법무사업 공인회계사업 회계사업 세무사업 세무사 경영지도사업 감정평가사업 손해사정인업 "
    "통관업 건축사업 측량사업 공인노무사업 의사업 병원 한의사업 약사업 약국 수의사업",
    "제12호": "전기업 가스업 수도업",
}
EXCLUDED_INDUSTRIES: dict[str, str] = {word: item for item, words in _EXCLUDED_WORDS.items() for word in words.split()}
# 시행령 제109조제2항제2호·제13호·제14호: simplified only when they mainly serve final consumers.
CONSUMER_FACING_ONLY = frozenset(
    {"제조업", "건설업", "전문·과학 및 기술서비스업", "사업시설관리·사업지원 및 임대서비스업"}
)

# --- 법인세 -------------------------------------------------------------------------------------------------------
_CORPORATE_2023: Brackets = (
    (200_000_000, percent(9)),
    (20_000_000_000, percent(19)),
    (300_000_000_000, percent(21)),
    (None, percent(24)),
)
_CORPORATE_2026: Brackets = (
    (200_000_000, percent(10)),
    (20_000_000_000, percent(20)),
    (300_000_000_000, percent(22)),
    (None, percent(25)),
)
# 법인세법 제55조제1항제1호, by the year in which the business year starts (법률 제19193호 부칙 제18조;
# 법률 제21217호 부칙 제5조: years starting on or after 2026-01-01).
CORPORATE_BRACKETS: dict[int, Brackets] = {2024: _CORPORATE_2023, 2025: _CORPORATE_2023, 2026: _CORPORATE_2026}
# 제55조제1항제2호: companies of 제60조의2제1항제1호 (mainly letting property, and small); for years starting on or after
# 2025-01-01 (법률 제20613호 부칙 제5조).
SMALL_RENTAL_BRACKETS: dict[int, Brackets] = {
    2025: ((20_000_000_000, percent(19)), (300_000_000_000, percent(21)), (None, percent(24))),
    2026: ((20_000_000_000, percent(20)), (300_000_000_000, percent(22)), (None, percent(25))),
}
