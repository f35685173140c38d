"""A reply read strictly: half an answer, a guess at what was meant or decomposed Hangul would end up in the training data."""

import datetime
import json
import unicodedata
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, StringConstraints

from data_gen.replies import MalformedReply, parse_answer, split_reasoning
from taxlaw.strict_config import StrictModel

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Pair(StrictModel):
    question: Text
    articles: Annotated[list[Text], Field(min_length=1)]


class Answer(StrictModel):
    expert: Pair
    score: int = 0
    dates: tuple[datetime.date, ...] = ()


def good() -> dict:
    return {"expert": {"question": "공제는 얼마까지 되나요?", "articles": ["상속세 및 증여세법 제53조"]}}


@pytest.mark.parametrize("wrap", ["{}", "  {}\n", "```json\n{}\n```", "```\n{}\n```", "```JSON  \n{}\n  ```"])
def test_known_wrappers_are_taken_off(wrap):
    text = wrap.replace("{}", json.dumps(good(), ensure_ascii=False))
    assert parse_answer(text, Answer).expert.question == "공제는 얼마까지 되나요?"


def test_lists_and_dates_of_json_fill_tuples_and_dates():
    answer = parse_answer(json.dumps(good() | {"dates": ["2026-06-01"]}), Answer)
    assert answer.dates == (datetime.date(2026, 6, 1),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"expert": {"question": "질문', "JSON이 아닙니다"),
        ("[]", "객체가 아닙니다"),
        ("null", "객체가 아닙니다"),
        ("", "JSON이 아닙니다"),
        ("죄송하지만 도와드릴 수 없습니다.", "JSON이 아닙니다"),
        (json.dumps(good()) + " 도움이 되셨기를!", "JSON이 아닙니다"),
        (json.dumps(good()) * 2, "JSON이 아닙니다"),
        ("{'expert': 1}", "JSON이 아닙니다"),
        ('{"score": 1, "score": 2}', "같은 키가 둘 있습니다: score"),
        ('{"score": NaN}', "JSON에 없는 값: NaN"),
        ("[" * 5000 + "]" * 5000, "깊습니다"),
        (json.dumps(good() | {"note": 1}), "모르는 키: note"),
        ('{"expert": {"question": "\\ud800", "articles": ["가"]}}', "lone surrogate"),
    ],
)
def test_what_is_not_the_object_asked_for_is_refused(text, reason):
    with pytest.raises(MalformedReply, match=reason):
        parse_answer(text, Answer)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda pair: pair.pop("question"), "키가 없습니다: expert.question"),
        (lambda pair: pair.update(question="   "), "expert.question"),
        (lambda pair: pair.update(articles=[]), "expert.articles"),
        (lambda pair: pair.update(articles="상속세 및 증여세법 제53조"), "expert.articles"),
        (lambda pair: pair.update(score=5), "모르는 키: expert.score"),
        (lambda pair: pair.update(question=5), "expert.question"),
    ],
)
def test_nothing_is_repaired(change, reason):
    raw = good()
    change(raw["expert"])
    with pytest.raises(MalformedReply, match=reason):
        parse_answer(json.dumps(raw), Answer)


def test_a_number_in_quotes_is_no_number():
    with pytest.raises(MalformedReply, match="score"):
        parse_answer(json.dumps(good() | {"score": "3"}), Answer)


@pytest.mark.parametrize("ascii_only", [True, False])
def test_decomposed_hangul_is_composed_written_out_or_escaped(ascii_only):
    raw = good()
    raw["expert"]["articles"] = [unicodedata.normalize("NFD", "상속세 및 증여세법 제53조")]
    text = json.dumps(raw, ensure_ascii=ascii_only)
    assert parse_answer(text, Answer).expert.articles == ["상속세 및 증여세법 제53조"]


class Free(StrictModel):
    text: str


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_the_round_trip_in_its_composed_form(text):
    reply = json.dumps({"text": text}, ensure_ascii=False)
    assert parse_answer(reply, Free).text == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "thought", "rest"),
    [
        ('{"a": 1}', "", '{"a": 1}'),
        ('<think>조문을 {본다}</think>\n{"a": 1}', "조문을 {본다}", '{"a": 1}'),
        ("\n<think>\n</think>\n\n답", "", "답"),
        ("<think>끝나지 않는 생각", "끝나지 않는 생각", ""),
        ('열린 꼬리표 없이 생각하고</think>{"a": 1}', "열린 꼬리표 없이 생각하고", '{"a": 1}'),
        ('{"a": "<think>는 꼬리표</think>"}', "", '{"a": "<think>는 꼬리표</think>"}'),
        ('```json\n{"a": "</think>"}\n```', "", '```json\n{"a": "</think>"}\n```'),
        ("", "", ""),
    ],
)
def test_reasoning_is_taken_apart(text, thought, rest):
    assert split_reasoning(text) == (thought, rest)
