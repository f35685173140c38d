"""Figures that others published and that are wrong: asked in our words and answered with them, the verifier refuses.

The facts are those of the rows of known_bad_examples.jsonl; the questions and answers are our own.
"""

import json
from datetime import date
from pathlib import Path

import pytest

from taxlaw.verify import verify

ROWS = Path(__file__).parents[2].parent / "shared" / "data" / "worked_examples" / "known_bad_examples.jsonl"
DAY = date(2026, 6, 15)

TWO_GIFTS = (
    "2025년에 성년 자녀가 어머니에게서 3억원을 증여받고 기한 안에 신고했습니다. 5년 전에도 같은 어머니에게서 2억원을"
    " 증여받았고 그때 산출세액은 2,000만원이었습니다. 납부할 증여세는 얼마인가요?"
)
THREE_HOMES = (
    "조정대상지역의 3주택자가 4년 보유한 주택을 2026년 6월 1일에 6억원에 팔았습니다. 취득가액은 3억원이고 필요경비는 없습니다."
    " 2026년 5월 9일까지 매매계약이나 토지거래허가 신청을 하지 않았습니다. 양도소득세 산출세액은 얼마인가요?"
)
SOON_SOLD = (
    "2025년 8월 1일에 3억원에 산 주택을 2026년 6월 1일에 5억원에 팔았습니다. 필요경비는 1,000만원입니다."
    " 양도소득세 산출세액은 얼마인가요?"
)
UNREGISTERED = (
    "2018년 1월 1일에 3억원에 산 상가를 2026년 6월 1일에 미등기로 5억원에 양도했습니다. 필요경비는 1,000만원입니다."
    " 양도소득세 산출세액은 얼마인가요?"
)
HIGH_PRICE = (
    "1세대 1주택을 5년 보유하고 5년 거주한 뒤 2025년에 15억원에 팔았습니다. 취득가액은 10억원이고 필요경비는 없습니다."
    " 양도소득세는 얼마인가요?"
)
LOTTERY = "2025년에 복권 당첨금 5억원을 받습니다. 이 복권 당첨금에서 원천징수할 소득세는 얼마인가요?"
INCOME = "2025년 종합소득 과세표준이 196,650,000원이면 종합소득세 산출세액은 얼마인가요?"

# row, question, the wrong answer, the right figure as the verifier writes it, an answer that is right
CASES = [
    ("kb-02", TWO_GIFTS, "납부할 세액은 67,900,000원입니다.", "5,820만원", "납부할 세액은 58,200,000원입니다."),
    ("kb-03", THREE_HOMES, "산출세액은 166,040,000원입니다.", "1억 8,236만원", "산출세액은 182,360,000원입니다."),
    (
        "kb-04",
        LOTTERY,
        "원천징수할 세액은 126,000,000원입니다.",
        "1억 2,000만원",
        "원천징수할 세액은 120,000,000원입니다.",
    ),
    ("kb-05", SOON_SOLD, "산출세액은 131,249,999원입니다.", "1억 3,125만원", "산출세액은 131,250,000원입니다."),
    ("kb-05", UNREGISTERED, "산출세액은 132,999,999원입니다.", "1억 3,300만원", "산출세액은 133,000,000원입니다."),
    ("kb-06", INCOME, "산출세액은 54,726,750원입니다.", "5,478만 7,000원", "산출세액은 54,787,000원입니다."),
    (
        "kb-10",
        "2026년에 지급받는 배당소득의 배당가산율은 몇 퍼센트인가요?",
        "소득세법 제17조제3항에 따라 2026년 배당가산율은 11%입니다.",
        "가산율 10%",
        "소득세법 제17조제3항의 2026년 배당가산율은 10%입니다.",
    ),
    (
        "kb-12",
        HIGH_PRICE,
        "양도차익 5억원이 12억원보다 작으므로 납부할 세액은 0원입니다.",
        "804만원",
        "납부할 세액은 8,040,000원입니다.",
    ),
]
# Rows not put as a question with a wrong figure, and why.
NOT_A_FIGURE = {"kb-11": "an answer key of an examination that was read wrongly: no tax and no amount"}
# Years outside the tables: nothing can be shown to be wrong, but the figure must not pass as checked.
OUTSIDE_YEARS = {"kb-13": (2010, 2030)}


@pytest.mark.parametrize(("row", "question", "wrong", "right", "answer"), CASES, ids=[f"{c[0]}-{c[3]}" for c in CASES])
def test_the_wrong_figure_is_refused_with_the_right_one(row, question, wrong, right, answer):
    verdict = verify(question, wrong, DAY)
    faults = [finding for finding in verdict.findings if finding.severity == "fault"]
    assert not verdict.ok
    assert any(right in f"{fault.expected} {fault.message}" for fault in faults), faults


@pytest.mark.parametrize(("row", "question", "wrong", "right", "answer"), CASES, ids=[f"{c[0]}-{c[3]}" for c in CASES])
def test_the_right_figure_is_not_refused(row, question, wrong, right, answer):
    assert verify(question, answer, DAY).ok


@pytest.mark.parametrize("year", OUTSIDE_YEARS["kb-13"])
def test_a_year_outside_the_tables_is_never_confirmed(year):
    question = f"{year}년에 성년 자녀가 아버지에게서 3억원을 증여받고 기한 안에 신고했습니다. 증여세는 얼마인가요?"
    findings = verify(question, "납부할 세액은 38,800,000원입니다.", DAY).findings
    assert [finding.severity for finding in findings if finding.kind == "number"] == ["unchecked"]
    assert any(f"{year}년" in finding.message for finding in findings)


@pytest.mark.skipif(not ROWS.exists(), reason="the worked examples are not beside this checkout")
def test_every_published_row_is_named_here():
    rows = {json.loads(line)["id"] for line in ROWS.read_text(encoding="utf-8").splitlines() if line.strip()}
    assert rows == {case[0] for case in CASES} | NOT_A_FIGURE.keys() | OUTSIDE_YEARS.keys()
