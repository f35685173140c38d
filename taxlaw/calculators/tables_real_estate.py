"""The figures of 종합부동산세, 취득세 and 재산세, 2024-2026, each with its article (and addendum or decree).

Only the fair market ratio of an only home (재산세) changes hands every year, by decree; the rest stood still.
"""

from __future__ import annotations

from fractions import Fraction

from taxlaw.calculators.tables import Brackets, percent

HOLDING_ACT = "종합부동산세법"
HOLDING_DECREE = "종합부동산세법 시행령"
LOCAL_ACT = "지방세법"
LOCAL_DECREE = "지방세법 시행령"


def permille(rate: int | str) -> Fraction:
    """A rate given in parts per thousand, as these acts write them ('2.5' -> 25/10000)."""
    return Fraction(rate) / 1000


# --- 종합부동산세 -------------------------------------------------------------------------------------------------
HOMES, OPEN_LAND, BUSINESS_LAND = "주택", "종합합산 토지", "별도합산 토지"
ONE_HOME_DEDUCTION = 1_200_000_000  # 종합부동산세법 제8조제1항제1호
DEDUCTIONS = {HOMES: 900_000_000, OPEN_LAND: 500_000_000, BUSINESS_LAND: 8_000_000_000}  # 제8조제1항제3호, 제13조
# 시행령 제2조의4: homes 60 % since 2022, land 100 % since 2022.
HOLDING_RATIOS = {HOMES: percent(60), OPEN_LAND: percent(100), BUSINESS_LAND: percent(100)}
# 제9조제1항제1호·제2호 (법률 제19200호, from 2023): from 1.2 billion won of base the two tables part.
_LOW_HOMES: Brackets = ((300_000_000, permille(5)), (600_000_000, permille(7)), (1_200_000_000, permille(10)))
FEW_HOMES_BRACKETS: Brackets = (
    *_LOW_HOMES,
    (2_500_000_000, permille(13)),
    (5_000_000_000, permille(15)),
    (9_400_000_000, permille(20)),
    (None, permille(27)),
)
MANY_HOMES_BRACKETS: Brackets = (
    *_LOW_HOMES,
    (2_500_000_000, permille(20)),
    (5_000_000_000, permille(30)),
    (9_400_000_000, permille(40)),
    (None, permille(50)),
)
MANY_HOMES = 3
COMPANY_RATES = (permille(27), permille(50))  # 제9조제2항제3호가목·나목
OPEN_LAND_BRACKETS: Brackets = (  # 제14조제1항
    (1_500_000_000, permille(10)),
    (4_500_000_000, permille(20)),
    (None, permille(30)),
)
BUSINESS_LAND_BRACKETS: Brackets = (  # 제14조제4항
    (20_000_000_000, permille(5)),
    (40_000_000_000, permille(6)),
    (None, permille(7)),
)
# 제9조제6항, 제8항: (from this age or these full years, rate), highest first; together at most the cap of 제5항.
AGE_CREDIT = ((70, percent(40)), (65, percent(30)), (60, percent(20)))
HELD_CREDIT = ((15, percent(50)), (10, percent(40)), (5, percent(20)))
ONE_HOME_CREDIT_CAP = percent(80)
BURDEN_CAP = percent(150)  # 제10조, 제15조

# --- 취득세 -------------------------------------------------------------------------------------------------------
HOME, FARMLAND, OTHER_PROPERTY = "주택", "농지", "그 밖의 부동산"
BOUGHT, INHERITED, GIVEN, BUILT, DIVIDED = "매매", "상속", "증여", "신축", "공유물 분할"
# 지방세법 제11조제1항: cause -> (item of the article, rate on farmland, rate on the rest).
ACQUISITION_RATES: dict[str, tuple[tuple[str, Fraction], tuple[str, Fraction]]] = {
    INHERITED: (("제1호가목", permille(23)), ("제1호나목", permille(28))),
    GIVEN: (("제2호", permille(35)), ("제2호", permille(35))),
    BUILT: (("제3호", permille(28)), ("제3호", permille(28))),
    DIVIDED: (("제5호", permille(23)), ("제5호", permille(23))),
    BOUGHT: (("제7호가목", permille(30)), ("제7호나목", permille(40))),
}
NON_PROFIT_GIFT_RATE = permille(28)  # 제11조제1항제2호 단서
HOME_LOW, HOME_HIGH = 600_000_000, 900_000_000  # 제11조제1항제8호
HOME_LOW_RATE, HOME_HIGH_RATE = permille(10), permille(30)
HOME_SLOPE = 300_000_000  # 같은 호 나목: (price × 2 ÷ this - 3) per cent
STANDARD_RATE, SURCHARGE_UNIT = (
    permille(40),
    permille(20),
)  # 제13조의2: 제11조제1항제7호나목, 중과기준세율 (제6조제19호)
MIDDLE_SURCHARGE = STANDARD_RATE + 2 * SURCHARGE_UNIT  # 8 %
TOP_SURCHARGE = STANDARD_RATE + 4 * SURCHARGE_UNIT  # 12 %
GIFT_SURCHARGE_FROM = 300_000_000  # 시행령 제28조의6제1항: by the standard value (시가표준액)
# 시행령 제28조의2제1호: homes of a standard value up to this are never surcharged.  Outside the capital area the line rose
# to 200 million won for homes acquired from 2025-01-02 (영 제35477호 부칙 제2조).
SMALL_HOME = 100_000_000
SMALL_HOME_PROVINCES = {2024: 100_000_000, 2025: 200_000_000, 2026: 200_000_000}

# --- 재산세 -------------------------------------------------------------------------------------------------------
PROPERTY_RATIO = percent(70)  # 지방세법 시행령 제109조제1항제1호: land and buildings
HOME_RATIO = percent(60)  # 같은 항 제2호
# 같은 호 단서, for an only home: (standard value up to, ratio).  Written anew each year: 영 제34528호 (2024-05-28),
# 제35544호 (2025-05-27), 제36364호 (2026-05-29), with the same three ratios.
_ONLY_HOME = ((300_000_000, percent(43)), (600_000_000, percent(44)), (None, percent(45)))
ONLY_HOME_RATIOS: dict[int, tuple[tuple[int | None, Fraction], ...]] = {
    2024: _ONLY_HOME,
    2025: _ONLY_HOME,
    2026: _ONLY_HOME,
}
BASE_CEILING_RATE = percent(5)  # 법 제110조제3항 (from 2024, 법률 제19230호 부칙 제1조제2호), 시행령 제109조의2
HOME_TAX_BRACKETS: Brackets = (  # 제111조제1항제3호나목
    (60_000_000, permille(1)),
    (150_000_000, permille("1.5")),
    (300_000_000, permille("2.5")),
    (None, permille(4)),
)
# 제111조의2: only homes up to this value; until 2026-12-29 (법률 제17769호 부칙 제2조).
ONLY_HOME_LIMIT = 900_000_000
ONLY_HOME_BRACKETS: Brackets = (
    (60_000_000, permille("0.5")),
    (150_000_000, permille(1)),
    (300_000_000, permille(2)),
    (None, permille("3.5")),
)
# 제111조제1항제1호·제2호: kind -> (item of the article, brackets).
LAND_AND_BUILDING_RATES: dict[str, tuple[str, Brackets]] = {
    "종합합산 토지": (
        "제1호가목",
        ((50_000_000, permille(2)), (100_000_000, permille(3)), (None, permille(5))),
    ),
    "별도합산 토지": (
        "제1호나목",
        ((200_000_000, permille(2)), (1_000_000_000, permille(3)), (None, permille(4))),
    ),
    "분리과세 농지·임야": ("제1호다목", ((None, permille("0.7")),)),
    "골프장·고급오락장 토지": ("제1호다목", ((None, permille(40)),)),
    "그 밖의 분리과세 토지": ("제1호다목", ((None, permille(2)),)),
    "골프장·고급오락장 건축물": ("제2호가목", ((None, permille(40)),)),
    "주거지역 공장": ("제2호나목", ((None, permille(5)),)),
    "건축물": ("제2호다목", ((None, permille("2.5")),)),
}
URBAN_RATE = permille("1.4")  # 제112조제1항제2호; an ordinance may set up to 2.3 (제2항)
PETTY_TAX = 2_000  # 제119조: a bill below this is not collected
