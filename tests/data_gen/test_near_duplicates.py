"""Near-duplicates: the same question reworded is one question; another number, person, article or "not" is another."""

import random

import pytest

from data_gen.gates.near_duplicates import DuplicateGate
from data_gen.rows import Candidate, Provenance, Row
from data_gen.tasks import Turn

ARTICLE = ("상속세 및 증여세법 제53조",)


def asked(question, number=1, articles=ARTICLE, call=None, history=()):
    return Candidate(
        Row(
            f"row-{number}", question, "답변입니다.", "teacher", "expert", "openapi", "상속증여세", "2026-06-01",
            articles, call, None, "family", "", Provenance("d", "v", "recorded", "m"), history=history,
        )
    )  # fmt: skip


def kept(*candidates, similarity=0.85) -> list[bool]:
    gate = DuplicateGate(similarity)
    return [gate(candidate) is True for candidate in candidates]


def test_three_questions_that_differ_only_in_amounts_are_three_questions():
    questions = [
        f"아버지에게서 {amount}을 증여받고 기한 안에 신고했습니다. 증여세는 얼마인가요?"
        for amount in ("1억원", "2억원", "3억원")
    ]
    assert kept(*map(asked, questions)) == [True, True, True]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "부모에게서 5,000만원을 증여받으면 세금은 얼마인가요?",
            "부모님에게서 5000만원을 증여받은 경우 세금은 얼마입니까?",
        ),
        (
            "증여재산공제 한도를 알려 주세요. 배우자에게서 받았습니다.",
            "증여재산 공제 한도를 설명해 주세요, 배우자에게서 받았습니다",
        ),
        (
            "거주자가 받은 이자소득은 언제 종합소득에 합산하나요?",
            "혹시 거주자가 받은 이자소득은 언제 종합소득에 합산합니까?",
        ),
    ],
)
def test_one_question_in_other_words_is_refused_and_its_twin_named(first, second):
    gate = DuplicateGate(0.85)
    assert gate(asked(first, 1)) is True
    passed, reason = gate(asked(second, 2))
    assert not passed and "row-1" in reason


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("배우자에게서 증여받으면 공제는 얼마까지 되나요?", "직계존속에게서 증여받으면 공제는 얼마까지 되나요?"),
        ("공제를 받을 수 있는 사람은 누구인가요?", "공제를 받을 수 없는 사람은 누구인가요?"),
        ("시가가 2억원 이하이면 공제가 되나요?", "시가가 2억원 초과이면 공제가 되나요?"),
        ("시가가 2억원 이하이면 공제가 되나요?", "시가가 2억원이면 공제가 되나요?"),
        ("아버지가 아들에게 증여하면 공제는 얼마인가요?", "아들이 아버지에게 증여하면 공제는 얼마인가요?"),
        ("갑이 을에게 증여하면 누가 신고하나요?", "갑에게 을이 증여하면 누가 신고하나요?"),
        ("아버지가 아들에게 증여하면 공제는 얼마인가요?", "아버지에게 아들이 증여하면 공제는 얼마인가요?"),
        ("법인이 개인에게 자산을 넘기면 누가 신고하나요?", "법인에게 개인이 자산을 넘기면 누가 신고하나요?"),
        ("무신고이면 가산세는 몇 퍼센트인가요?", "과소신고이면 가산세는 몇 퍼센트인가요?"),
        ("소득세법 제12조에 따른 비과세는 무엇인가요?", "소득세법 제13조에 따른 비과세는 무엇인가요?"),
        ("소득세법 제12조제1항의 비과세는 무엇인가요?", "소득세법 제12조제2항의 비과세는 무엇인가요?"),
        ("2024년에 증여받으면 세율이 어떻게 되나요?", "2025년에 증여받으면 세율이 어떻게 되나요?"),
        ("세율이 10%이면 세금은 얼마인가요?", "세율이 20%이면 세금은 얼마인가요?"),
        ("세율이 10%를 넘으면 과세되나요?", "세율이 10을 넘으면 과세되나요?"),
        (
            "거주자인 아버지가 국내에 있는 상가와 토지를 아들에게 함께 증여하면 증여재산공제는 한 번만 되나요?",
            "거주자인 아버지에게 국내에 있는 상가와 토지를 아들이 함께 증여하면 증여재산공제는 한 번만 되나요?",
        ),
        ("집이 2채이면 중과되나요, 양도하려고 합니다.", "집이 3채이면 중과되나요, 양도하려고 합니다."),
    ],
)
def test_what_turns_a_question_round_makes_another(first, second):
    assert kept(asked(first, 1), asked(second, 2)) == [True, True]


def test_the_same_words_about_other_articles_are_two_questions_unless_they_are_the_same_to_the_letter():
    first, second = "이 소득은 언제 신고하나요, 알려 주세요?", "이 소득은 언제 신고합니까, 알려 주세요?"
    assert kept(asked(first), asked(second, 2, ("소득세법 제70조",))) == [True, True]
    assert kept(asked(first), asked(second, 2, (*ARTICLE, "소득세법 제70조"))) == [True, False]
    assert kept(asked(first), asked(first, 2, ("소득세법 제70조",))) == [True, False]


def test_a_call_in_other_words_is_another_lesson():
    first, second = "과세표준이 20억원인데 법인세는 얼마인가요?", "과세표준이 20억인데 법인세는 얼마인가요?"
    calls = '{"tax":"corporate","base":"20억원"}', '{"tax":"corporate","base":"20억"}'
    assert kept(asked(first, 1, call=calls[0]), asked(second, 2, call=calls[1])) == [True, True]
    assert kept(asked(first, 1), asked(second, 2)) == [True, False]


def test_a_question_in_a_talk_is_told_apart_by_what_was_said_before():
    talk = (Turn("아들에게 증여하면 공제는 얼마인가요?", "5,000만원입니다."),)
    other = (Turn("배우자에게 증여하면 공제는 얼마인가요?", "6억원입니다."),)
    last = "그럼 딸은요?"
    assert kept(asked(last, 1, history=talk), asked(last, 2, history=other), asked(last, 3, history=talk)) == [
        True,
        True,
        False,
    ]


def test_without_a_similarity_only_the_same_letters_count():
    pair = asked("거주자가 받은 이자는 언제 합산하나요?"), asked("거주자가 받은 이자는 언제  합산하나요?", 2)
    reworded = asked("거주자가 받은 이자는 언제 합산합니까?", 3)
    assert kept(*pair, reworded, similarity=None) == [True, False, True]


def test_a_refused_question_leaves_nothing_behind():
    gate = DuplicateGate(0.85)
    gate(asked("거주자가 받은 이자는 언제 합산하나요?", 1))
    gate(asked("거주자가 받은 이자는 언제 합산합니까?", 2))
    _, reason = gate(asked("거주자가 받은 이자는 언제 합산합니까?", 3))
    assert "row-1" in reason  # not row-2, which is not in the dataset


def test_questions_alike_but_for_a_noun_are_kept_and_never_meet():
    """However many of them there are: each is looked up, not compared with the rest."""
    rng = random.Random(1)
    gate = DuplicateGate(0.85)
    syllables = [chr(code) for code in range(ord("가"), ord("힣"), 37)]
    for number in range(400):
        noun = "".join(rng.choices(syllables, k=3))
        assert (
            gate(asked(f"법인이 지출한 {noun} 비용을 손금에 산입하려면 어떤 요건을 갖추어야 하나요?", number)) is True
        )
    assert max(map(len, gate._kept.values())) == 1


def test_twins_are_found_however_many_questions_lie_between():
    gate = DuplicateGate(0.85)
    questions = [f"제{number}차 연도에 받은 이자는 언제 합산하나요?" for number in range(1000)]
    assert all(gate(asked(question, number)) is True for number, question in enumerate(questions))
    for number, question in enumerate(questions):
        passed, reason = gate(asked(question.replace("합산하나요", "합산합니까"), 2000 + number))
        assert not passed and reason.endswith(f"row-{number}")
