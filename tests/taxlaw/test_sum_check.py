"""A working that does not add up is found where it goes wrong, written again there, and shown only as far as it is right."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.digit_work import has_digits, without_digits
from taxlaw.rereading import Step, doubts, led_by, readings, reread, reread_from, worth_rereading
from taxlaw.sum_check import first_wrong_place, settled, writings

DAY = date(2026, 6, 1)
QUESTION = "최근 남편이 저에게 30억을 증여했습니다. 증여세가 얼마나 나오나요?"
WORKING = """증여재산가액: 30억원
증여재산공제(배우자): 6억원
과세표준: 30억원 - 6억원 [⑧064↓⑨302] = 24억원
산출세액: 24억원 × 40% [⑦461⑧29] - 1억 6,000만원 [⑦660⑧918] = 8억원
신고세액공제: 8억원 × 3% [⑥842⑦02] = 2,400만원
차감: 8억원 - 2,400만원 [⑥046↓⑦027↓⑧807] = 7억 7,600만원
근거: 「상속세 및 증여세법」 제53조, 제55조, 제56조, 제26조, 제69조
납부할 세액: 7억 7,600만원 (776,000,000원)"""
DIGITS = [
    at for work in re.finditer(r"\[[^\]]*\]", WORKING) for at in range(*work.span()) if WORKING[at] in "0123456789"
]


class Speller:
    """Writes WORKING a character at a time; at ``slips`` {place: character} it believes that more than what is right."""

    def __init__(self, slips, least=0.3):
        self.slips, self.least, self.reads = slips, least, 0

    def read(self, begun):
        self.reads += 1
        steps = []
        for place in range(len(begun), len(WORKING)):
            right = ord(WORKING[place])
            if place in self.slips:
                others = ((ord("x"), 0.31), (right, self.least)) if self.least else ()
                steps.append(Step(ord(self.slips[place]), 0.35, others))
            else:
                steps.append(Step(right, 0.9, ((ord("0"), 0.05),)))
        return [*steps, Step(0, 0.9, ())]

    def texts(self, **options):
        return ["".join(map(chr, tokens[:-1])) for tokens in writings(self.read, piece, **options)]


def piece(token):
    return chr(token).encode() if token else b""


def again(read, beginning="", **options):
    """The further readings as texts, of a model whose pieces are characters; it ends an answer with a zero."""
    spelt = readings(
        lambda some, first: read(some), piece, lambda text: [ord(char) for char in text], beginning, **options
    )
    return ["".join(map(chr, tokens)) for tokens in spelt]


def changed(at, by):
    return WORKING[:at] + str((int(WORKING[at]) + by) % 10) + WORKING[at + 1 :]


def test_a_right_working_has_no_wrong_place():
    assert first_wrong_place(WORKING) is None
    assert first_wrong_place("말로 쓴 답. 세액: 5억원") is None


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("과세표준: 30억원 -", "과세표준: 31억원 -", "31억원"),  # carried wrongly from a line before
        ("차감: 8억원 -", "차감: 9억원 -", "9억원"),
        ("= 24억원", "= 23억원", "23억원"),
        ("납부할 세액: 7억 7,600만원", "납부할 세액: 7억 6,600만원", "7억 6,600만원"),
        ("(776,000,000원)", "(766,000,000원)", "766,000,000원"),
        ("= 2,400만원", "= 2,400만만원", "2,400만만원"),
        ("(776,000,000원)", "(,원)", ",원"),
    ],
)
def test_amounts_that_do_not_follow_are_wrong_places(right, wrong, told):
    text = WORKING.replace(right, wrong)
    found = first_wrong_place(text)
    assert found is not None and found.text == told and text[found.start : found.end] == told


def test_what_one_amount_leaves_of_another_follows():
    """이전 증여의 산출세액 begins with the earlier gift less its deduction, a subtraction in the head."""
    text = (
        "증여세 과세가액: 1,010만원 + 6,000만원 [⑤101⑥000⑦167] = 7,010만원\n"
        "증여재산공제(기타친족): 1,000만원\n이전 증여의 산출세액: 5,000만원 × 10% [⑥55] = 500만원"
    )
    text = f"증여재산가액: 1,010만원\n{text}"
    assert first_wrong_place(text) is None
    assert first_wrong_place(text.replace("산출세액: 5,000만원", "산출세액: 5,001만원")).text == "5,001만원"


@given(st.sampled_from(DIGITS), st.integers(1, 9))
def test_a_slip_is_mended_by_the_models_next_thought(at, by):
    speller = Speller({at: changed(at, by)[at]})
    first, *others = speller.texts()
    assert first == changed(at, by) and others == [WORKING]
    assert speller.reads <= 12, "only the tokens of the wrong place are tried"


def test_several_slips_are_mended_one_after_the_other():
    speller = Speller({DIGITS[3]: "9", DIGITS[20]: "7", DIGITS[-1]: "1"})
    texts = speller.texts()
    assert len(texts) == 4 and texts[-1] == WORKING
    starts = [first_wrong_place(text).start for text in texts[:-1]]
    assert starts == sorted(set(starts))


def test_a_model_that_is_sure_of_its_slip_keeps_it_and_tries_are_bounded():
    assert Speller({DIGITS[5]: "9"}, least=0).texts() == [
        WORKING[: DIGITS[5]] + "9" + WORKING[DIGITS[5] + 1 :],
    ]
    speller = Speller({DIGITS[3]: "9", DIGITS[20]: "7"})
    assert len(speller.texts(most=3)) <= 3 and speller.reads <= 3


def test_readings_are_corrections_of_a_working_and_forks_of_all_else():
    speller = Speller({DIGITS[5]: "9"})
    assert again(speller.read) == [f"{WORKING}\0"]

    def say(begun):
        return [Step(ord(char), 0.6, ((ord("g"), 0.4),)) for char in '{"b'[len(begun) :]]

    assert again(say, most=3) == ['{"g'], "what is no call was read"


def test_a_working_is_doubted_by_its_sums_and_gone_by_when_they_come_out():
    wrong = changed(DIGITS[5], 1)
    assert doubts(QUESTION, WORKING, DAY) == () and len(doubts(QUESTION, wrong, DAY)) == 1
    assert worth_rereading(QUESTION, wrong, DAY) and not worth_rereading(QUESTION, WORKING, DAY)
    *meanwhile, last = reread(QUESTION, wrong, [changed(DIGITS[9], 1), WORKING, "nobody asks"], DAY)
    assert last == WORKING and set(meanwhile) == {wrong}


def test_digit_work_is_told_from_other_brackets():
    assert has_digits(WORKING) and not has_digits("근거 [1] 제53조 [주의]")
    assert without_digits("근거 [1] 제53조 [주의]") == "근거 [1] 제53조 [주의]"
    assert settled("근거 [1] 제53조 [주의]") == "근거 [1] 제53조 [주의]"


@given(st.one_of(st.none(), st.tuples(st.sampled_from(DIGITS), st.integers(1, 9))))
def test_what_is_shown_grows_has_no_digit_work_and_is_never_taken_back(slip):
    text = changed(*slip) if slip else WORKING
    shown = ""
    for end in range(len(text) + 1):
        now = settled(text[:end])
        assert now.startswith(shown) and "[" not in now
        shown = now
    assert without_digits(WORKING).startswith(shown.rstrip()), "a line that is wrong was shown"
    if slip is None:
        assert shown.count("\n") == 7, "all but the last line"


# --- a working under a call ---------------------------------------------------------------------------------------
CALL = '{"tax":"gift","amount":"30억","relation":"배우자"}'
LED = f"{CALL}\n{WORKING}"
EARLIER = """{"tax":"gift","amount":"1,010만원","relation":"기타친족","prior_gifts":"6,000만원"}
증여재산가액: 1,010만원
증여세 과세가액: 1,010만원 + 6,000만원 [⑤101⑥000⑦167] = 7,010만원
증여재산공제(기타친족): 1,000만원
과세표준: 7,010만원 - 1,000만원 [⑤101⑥000⑦716] = 6,010만원"""


def test_a_working_takes_its_amounts_from_the_call_it_stands_under():
    assert first_wrong_place(LED) is None
    misread = LED.replace("증여재산가액: 30억원", "증여재산가액: 31억원")
    assert first_wrong_place(misread).text == "31억원"
    assert first_wrong_place(misread.partition("\n")[2]).text == "30억원", "without the call only the next line tells"


def test_what_is_added_stands_in_the_call_and_what_is_taken_off_on_a_line_before():
    assert first_wrong_place(EARLIER) is None
    added = EARLIER.replace("+ 6,000만원 [⑤101⑥000⑦167] = 7,010만원", "+ 5,000만원 [⑤101⑥000⑦156] = 6,010만원")
    assert first_wrong_place(added).text == "5,000만원"
    off = EARLIER.replace("- 1,000만원 [⑤101⑥000⑦716] = 6,010만원", "- 2,000만원 [⑤101⑥000⑦725] = 5,010만원")
    assert first_wrong_place(off).text == "2,000만원"
    assert first_wrong_place(off.partition("\n")[2]) is None, "of a working alone the operands are not its business"


def test_a_led_working_is_doubted_for_its_call_and_for_its_sums():
    assert doubts(QUESTION, LED, DAY) == ()
    told = doubts(QUESTION, LED.replace('"30억"', '"31억"'), DAY)
    assert "31억" in told[0] and told[-1] == "맞지 않는 계산: '30억원'"
    assert len(doubts(QUESTION, LED.replace("[⑥842⑦02]", "[⑥843⑦02]"), DAY)) == 1
    assert doubts(QUESTION, LED.replace("배우자", "직계존속", 1), DAY)
    assert doubts(QUESTION, without_digits(LED), DAY) == (), "sums without their digits are the verifier's business"
    assert led_by(LED) == f"{CALL}\n" and led_by(CALL) == led_by(WORKING) == led_by(f"{CALL}\n증여재산가액: 3") == ""


def read_again(first, **others):
    """The last text of reread_from; ``others``: what the model writes after a beginning ("call" or "working")."""
    asked = []

    def readings(begun):
        asked.append(begun)
        yield from (None, *(others.get("working" if begun.endswith("\n") else "call", ())))

    *meanwhile, last = reread_from(QUESTION, first, readings, DAY)
    assert set(meanwhile) <= {first}
    return last, asked


def test_a_doubtful_call_is_read_again_before_what_stands_under_it():
    first = LED.replace('"30억"', '"31억"')
    wrong = LED.replace("[⑥842⑦02]", "[⑥843⑦02]")
    last, asked = read_again(first, call=('{"tax"', CALL, "nobody asks"), working=(wrong, LED, "nobody asks"))
    assert last == LED and asked == ["", f"{CALL}\n"]
    last, _ = read_again(first, call=(CALL,), working=(wrong, "말로 쓴 답"))
    assert last == wrong, "the call that fits, with the first working under it"
    last, asked = read_again(first, call=('{"tax"',))
    assert last == first and asked == [""], "no call is better: nothing is written under another"


def test_under_a_call_that_fits_only_the_working_is_written_again():
    first = LED.replace("[⑥842⑦02]", "[⑥843⑦02]")
    assert worth_rereading(QUESTION, first, DAY)
    assert read_again(first, working=(first, LED, "nobody asks")) == (LED, [f"{CALL}\n"])
    assert read_again(first, working=("말로 쓴 답",))[0] == first


class LedSpeller(Speller):
    """Writes a working under a call; at ``slips`` {place: character} it believes that more than what is right."""

    def read(self, begun):
        self.reads += 1
        for place in range(len(begun), len(LED)):
            right = ord(LED[place])
            slip = place in self.slips and place >= len(begun)
            yield Step(ord(self.slips[place]), 0.6, ((right, 0.4),)) if slip else Step(right, 0.99, ())
        yield Step(0, 0.99, ())


def test_other_calls_are_read_to_the_end_of_their_line_and_no_further():
    speller = LedSpeller({LED.index("30억"): "4"})
    assert again(speller.read) == [f"{CALL}\n"]


def test_under_a_whole_call_the_workings_are_read_and_the_call_stays():
    slip = LED.index("[⑥842") + 4
    speller = LedSpeller({slip: "3"})
    texts = again(speller.read, f"{CALL}\n")
    assert texts == [LED[:slip] + "3" + LED[slip + 1 :] + "\0", f"{LED}\0"]


@given(st.integers(0, len(LED)))
def test_of_a_led_working_only_the_working_is_shown(end):
    now = settled(LED[:end])
    assert without_digits(WORKING).startswith(now) or LED.startswith(now), "the call, until a line stands under it"
    if end > len(CALL) + 20:
        assert not now.startswith("{")
