"""If these fail, broken answers are served as finished ones, or finished ones are refused."""

import pytest

from taxlaw.answer_form import form_faults


@pytest.mark.parametrize(
    "text",
    [
        "납부할 세액은 6억 140만원입니다.",
        "공제대상에 해당함",
        "국세 납부일의 다음 날임",
        "세액 공제의 효과",
        "납부할 세액: 6억 140만원 (601,400,000원)",
        "공제 대상은 다음과 같습니다.\n- 배우자: 6억원\n- 직계존속: 5,000만원\n- 직계비속: 5,000만원",
        "0원",
        "─" * 60 + "\n과세표준은 1억원입니다.",
    ],
)
def test_finished_answers(text):
    assert form_faults(text) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "비어"),
        (" \n", "비어"),
        ("세액은 1억원입니다.<end_of_turn>", "제어 토큰"),
        ("<|im_start|>세액은 1억원입니다.", "제어 토큰"),
        ("The tax payable is 600 million won.", "한국어"),
        ("税額は六億ウォンです。", "한국어"),
        ("증여세는 과세표준에 세율을", "끊겼습니다"),
        ("상속세 및 증여세법 제53조에 따라", "끊겼습니다"),
        ("세액은 1억원이며(기한 안에 신고", "끊겼습니다"),
        ("근거는 상속세 및 증여세법 제5", "끊겼습니다"),
        ("공제를 적용합니다.\n" * 3, "되풀이"),
        ("공제를 적용합니다. 공제를 적용합니다. 공제를 적용합니다.", "되풀이"),
        ("세액은 " + "증여세 " * 8 + "입니다.", "되풀이"),
    ],
)
def test_broken_answers(text, word):
    assert any(word in message for message, _ in form_faults(text))


def test_a_call_is_not_prose():
    call = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
    assert form_faults(call, is_call=True) == []
    assert form_faults(call + "<eos>", is_call=True)


def test_a_heading_that_recurs_in_a_long_document_is_no_loop():
    part = "나. 구체적 판단\n" + "이 부분은 서로 다른 내용 {}번을 길게 설명하여 읽는 사람이 알 수 있게 합니다.\n" * 4
    text = "".join(part.format(*(f"{n}-{m}" for m in range(4))) for n in range(4))
    assert form_faults(text) == []


def test_endless_output_is_judged_quickly_and_without_an_error():
    from datetime import date

    from taxlaw.verify import verify

    for text in ("1" * 20_000, "천백십" * 5_000, "1,234," * 4_000, "1 + " * 2_000 + "1 = 2", "제1조의" + "1" * 5_000):
        assert verify("세금은 얼마인가요?", text, date(2025, 7, 1)).findings is not None
