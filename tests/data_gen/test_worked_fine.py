"""The finer working: every group of digits is right, and without them it is the working the verifier knows."""

import datetime
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.errors import DataGenError
from data_gen.gates import judge, stateless_gates
from data_gen.rows import Candidate, Row
from data_gen.settings import GateSettings, WorkedSettings, load_build_config
from data_gen.worked.candidates import DRAW, worked_candidates
from data_gen.worked.fine_steps import fine_working
from data_gen.worked.words import Case
from taxlaw.arithmetic import find_calculations
from taxlaw.calculators import GiftFacts, gift_tax
from taxlaw.calls import answer_payable, parse_call, render_working, run_call
from taxlaw.digit_work import (
    BELOW_WON,
    PLACES,
    add,
    first_wrong_group,
    multiply,
    subtract,
    without_digits,
    write_operation,
)
from taxlaw.errors import ConfigError
from taxlaw.money import format_won
from taxlaw.strict_config import validate
from taxlaw.sum_check import first_wrong_place
from taxlaw.verify import verify

AS_OF = datetime.date(2026, 6, 1)
CONFIG = Path(__file__).parents[2] / "configs/data_gen/gift_worked.yaml"
FINE = WorkedSettings(count=90, shares={"gift": 1}, steps="fine")
# Round amounts as in life, and amounts to the single won.
WON = st.one_of(
    st.builds(lambda digits, zeros: digits * 10**zeros, st.integers(1, 999), st.integers(4, 8)),
    st.integers(1, 9_999_999_999),
)
RATES = st.sampled_from((3, 10, 20, 30, 40, 50))


@pytest.fixture(scope="module")
def rows():
    candidates = list(worked_candidates(FINE, AS_OF, seed=11))
    assert all(isinstance(candidate, Candidate) for candidate in candidates)
    return [candidate.row for candidate in candidates]


def _groups(work: str) -> list[tuple[int, str]]:
    """(place, what stands after it) of each group; -1 below one won."""
    found = re.findall(rf"([{PLACES}{BELOW_WON}])([^{PLACES}{BELOW_WON}]+)", work)
    assert "".join(place + rest for place, rest in found) == work
    return [(PLACES.find(place), rest) for place, rest in found]


def _value(groups: list[tuple[int, str]], at: int) -> int:
    return sum(int(rest[at]) * 10**place for place, rest in groups if place >= 0)


@given(WON, WON)
def test_subtraction_is_right_as_a_whole_and_in_every_group(a, b):
    a, b = max(a, b), min(a, b)
    work, value = subtract(a, b)
    assert value == a - b
    groups = _groups(work)
    if a == b:
        assert not groups
        return
    assert [place for place, _ in groups] == list(range(groups[0][0], groups[0][0] + len(groups)))
    assert (_value(groups, 0), _value(groups, 1), _value(groups, 2)) == (a, b, a - b)
    borrow = 0
    for _, rest in groups:
        left = int(rest[0]) - int(rest[1]) - borrow
        borrow = int("↓" in rest)
        assert left + 10 * borrow == int(rest[2])
    assert not borrow


@given(WON, WON)
def test_addition_is_right_as_a_whole_and_in_every_group(a, b):
    work, value = add(a, b)
    groups = _groups(work)
    assert value == a + b == _value(groups, 2)
    assert (_value(groups, 0), _value(groups, 1)) == (a, b)
    carry = 0
    for _, rest in groups:
        total = int(rest[0]) + int(rest[1]) + carry
        carry = int("↑" in rest)
        assert total == int(rest[2]) + 10 * carry
    assert not carry


@given(WON, RATES)
def test_a_rate_is_right_as_a_whole_in_every_group_and_drops_what_is_below_a_won(a, rate):
    work, value = multiply(a, rate)
    groups = _groups(work)
    assert value == a * rate // 100 == _value(groups, 1)
    factor, carry = (rate // 10 if rate >= 10 else rate), 0
    for _, rest in groups:
        total = int(rest[0]) * factor + carry
        carry = int(rest[2:] or 0)
        assert total == int(rest[1]) + 10 * carry
    assert not carry
    digits = "".join(rest[0] for _, rest in reversed(groups)).lstrip("0")
    assert digits == str(a).rstrip("0")


def test_groups_stand_as_described():
    assert write_operation("-", 340_000_000, 50_000_000) == (" - 5,000만원 [⑦459↓⑧302]", 290_000_000)
    assert write_operation("+", 60_000_000, 70_000_000) == (" + 7,000만원 [⑦673↑⑧001]", 130_000_000)
    assert write_operation("×", 290_000_000, 20) == (" × 20% [⑥981⑦25]", 58_000_000)
    assert write_operation("×", 12_345, 3) == (" × 3% [·551·431⓪301①27②13]", 370)
    assert write_operation("-", 50_000_000, 50_000_000) == (" - 5,000만원", 0)


@pytest.mark.parametrize("call", [lambda: subtract(1, 2), lambda: multiply(100, 15), lambda: multiply(100, 0)])
def test_what_cannot_be_written_is_refused(call):
    with pytest.raises(ValueError):
        call()


@given(WON, WON, RATES, st.data())
def test_the_checker_finds_a_changed_digit_where_it_was_changed(a, b, rate, data):
    a, b = max(a, b), min(a, b)
    one, value = write_operation("-", a, b)
    two, value = write_operation("×", value, rate) if value else ("", value)
    text = f"증여재산가액: 1억원\n금액(차감): {format_won(a)}{one}{two} = {format_won(value)}\n납부할 세액: 0원"
    assert first_wrong_group(text) is None
    inside = [
        at
        for work in re.finditer(r"\[[^\]]*\]", text)
        for at in range(*work.span())
        if text[at].isascii() and text[at].isdigit()
    ]
    if not inside:
        return
    at = data.draw(st.sampled_from(inside))
    wrong = text[:at] + str((int(text[at]) + data.draw(st.integers(1, 9))) % 10) + text[at + 1 :]
    found = first_wrong_group(wrong)
    assert found is not None and found.start <= at < found.end
    assert text[found.start : found.start + len(found.expected)] == found.expected


@pytest.mark.parametrize(
    ("line", "told", "expected"),
    [
        ("과세표준: 2억원 - 5,000만원 [⑦055↓⑧201] = 1억 6,000만원", "1억 6,000만원", "1억 5,000만원"),
        ("과세표준: 2억원 - 5,000만원 [⑦055↓] = 1억 5,000만원", "", "⑧201"),
        ("과세표준: 2억원 - 5,000만원 = 1억 5,000만원", "", "⑦055↓"),
        ("과세표준: 2억원 - 5,000만원 [⑦055↓⑧201⑨000] = 1억 5,000만원", "⑨000", ""),
        ("과세표준: 5,000만원 - 2억원 [⑦502] = 1억 5,000만원", "2억원", ""),
    ],
)
def test_the_checker_tells_a_wrong_result_from_a_missing_and_a_surplus_group(line, told, expected):
    found = first_wrong_group(line)
    assert (found.text, found.expected) == (told, expected)


def test_every_generated_working_is_right_digit_by_digit_and_passes_the_gates(rows):
    gates = stateless_gates(GateSettings())
    for row in rows:
        assert first_wrong_group(row.answer) is None, row.answer
        assert answer_payable(row.answer, AS_OF) == row.payable
        assert verify(row.question, row.answer, AS_OF).ok
        assert isinstance(judge(Candidate(row), gates), Row)
        assert row.answer.split("\n")[-1] == render_working(run_call(parse_call(row.call), AS_OF)).split("\n")[-1]
    assert sum("[" in row.answer for row in rows) > 60


def test_without_the_digits_it_is_arithmetic_that_the_verifier_confirms(rows):
    for row in rows:
        plain = without_digits(row.answer)
        calculations = find_calculations(plain)
        assert len(calculations) == plain.count(" = ") and all(one.correct for one in calculations), plain
        for step in run_call(parse_call(row.call), AS_OF).steps:
            assert re.search(rf"^{re.escape(step.label)}: (?:.* = )?{format_won(step.amount)}$", plain, re.M), step


def test_every_kind_of_step_is_worked_out():
    facts = GiftFacts(
        1_234_567_891, "직계존속", 2026, debt=200_000_000, prior_gifts=300_000_000, marriage_birth=100_000_000
    )
    for case in (facts, replace(facts, filed=False), GiftFacts(3_000_000_000, "직계존속", 2025, True, True)):
        text, result = fine_working(gift_tax(case)), gift_tax(case)
        assert first_wrong_group(text) is None
        assert answer_payable(text, AS_OF) == result.payable
        assert "×" not in re.sub(r"× \d+% \[", "", text), text  # no rate is left without its digits
    last = fine_working(gift_tax(GiftFacts(3_000_000_000, "직계존속", 2025, True, True))).split("\n")
    assert sum("+" in line for line in last) == 1, last  # the tax and its surcharge are summed once


def test_a_line_that_would_not_give_its_step_is_an_error():
    result = gift_tax(GiftFacts(340_000_000, "직계존속", 2026))
    steps = tuple(replace(s, amount=s.amount + 1) if s.label == "과세표준" else s for s in result.steps)
    with pytest.raises(DataGenError, match="자릿수 풀이"):
        fine_working(replace(result, steps=steps))


def test_fine_steps_are_for_gift_tax_and_coarse_is_the_default():
    with pytest.raises(ConfigError, match="gift only"):
        validate({"count": 1, "steps": "fine"}, WorkedSettings, "worked")
    with pytest.raises(ConfigError):
        validate({"count": 1, "steps": "finest"}, WorkedSettings, "worked")
    coarse = WorkedSettings(count=4, shares={"gift": 1})
    for candidate in worked_candidates(coarse, AS_OF, seed=11):
        result = run_call(parse_call(candidate.row.call), AS_OF)
        assert candidate.row.answer == render_working(result, plain=candidate.row.id.endswith("plain"))


def test_no_amount_is_asked_about_more_often_than_the_limit():
    settings = WorkedSettings(count=300, shares={"gift": 1}, steps="fine", per_amount=2)
    families = Counter(candidate.row.family for candidate in worked_candidates(settings, AS_OF, seed=11))
    assert sum(families.values()) == 300 and max(families.values()) == 2
    free = worked_candidates(settings.model_copy(update={"per_amount": None}), AS_OF, seed=11)
    assert max(Counter(candidate.row.family for candidate in free).values()) > 4


def test_a_limit_that_leaves_no_amounts_is_an_error_that_names_it(monkeypatch):
    case = Case(
        "부모님께 1억원을 받았어요. 증여세는 얼마인가요?", {"amount": "1억원", "relation": "직계존속"}, 100_000_000
    )
    numbers = iter(range(10**6))
    monkeypatch.setitem(DRAW, "gift", lambda *_: replace(case, question=f"{case.question} {next(numbers)}"))
    with pytest.raises(DataGenError, match="per_amount"):
        list(worked_candidates(WorkedSettings(count=3, shares={"gift": 1}, per_amount=2), AS_OF, seed=1))


def test_the_shipped_config_asks_for_fine_steps_of_gift_tax():
    config = load_build_config(CONFIG)
    assert config.worked.steps == "fine" and config.worked.shares == {"gift": 1}
    assert config.worked.held_out.wordings and config.splits.test


def test_held_out_rows_are_worked_out_finely_too():
    settings = WorkedSettings(shares={"gift": 1}, steps="fine", held_out={"wordings": 3, "combinations": 3})
    made = [candidate.row for candidate in worked_candidates(settings, AS_OF, seed=11)]
    assert [row.held_out for row in made] == ["wordings"] * 3 + ["combinations"] * 3
    assert all(first_wrong_group(row.answer) is None and row.type == "teacher" for row in made)
    assert any("[" in row.answer for row in made)


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (
            GiftFacts(1_140_000_000, "직계비속", 2025, prior_gifts=500_000_000),
            "이전 증여의 과세표준: 5억원 - 5,000만원 [⑦055↓⑧504] = 4억 5,000만원\n이전 증여의 산출세액: 4억 5,000만원 × 20%",
        ),
        (GiftFacts(200_000_000, "직계존속", 2026, prior_gifts=20_000_000), "이전 증여의 과세표준: 0원\n신고세액공제"),
        (
            GiftFacts(21_200_000, "타인", 2026, prior_gifts=26_000_000),  # nothing is deducted
            "이전 증여의 과세표준: 2,600만원\n이전 증여의 산출세액: 2,600만원 × 10%",
        ),
        (
            GiftFacts(2_400_000_000, "직계비속", 2026, prior_gifts=600_000_000, prior_tax=105_000_000, debt=10_000_000),
            "이전 증여의 과세표준: 6억원 - 5,000만원 [⑦055↓⑧605] = 5억 5,000만원\n납부세액공제: 1억 500만원",
        ),
    ],
)
def test_what_earlier_gifts_leave_is_not_taken_away_in_the_head(facts, line):
    text = fine_working(gift_tax(facts))
    assert line in text and first_wrong_place(text) is None
    assert "이전 증여" not in fine_working(gift_tax(replace(facts, prior_gifts=0, prior_tax=0)))
