import json
import unicodedata

import pytest

from data_gen.replies import STYLES, Pair, parse_pairs


def test_a_good_reply_gives_both_pairs(reply):
    pairs = parse_pairs(json.dumps(reply(), ensure_ascii=False))
    assert all(isinstance(pairs[style], Pair) for style in STYLES)
    assert pairs["plain"].question.startswith("초보자")


@pytest.mark.parametrize("wrap", ["```json\n{}\n```", "<think>생각 {{중}} …</think>\n{}", "  {}\n"])
def test_known_wrappers_are_taken_off(reply, wrap):
    text = wrap.replace("{{중}}", "중").replace("{}", json.dumps(reply(), ensure_ascii=False))
    assert isinstance(parse_pairs(text)["expert"], Pair)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"expert": {"question": "질문', "JSON이 아닙니다"),
        ("[]", "객체가 아닙니다"),
        ("죄송하지만 도와드릴 수 없습니다.", "JSON이 아닙니다"),
        ('{"expert": {}, "plain": {}, "note": 1}', "모르는 키: note"),
    ],
)
def test_a_reply_that_is_not_the_object_asked_for_rejects_both(text, reason):
    pairs = parse_pairs(text)
    assert [reason in pairs[style] for style in STYLES] == [True, True]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda pair: pair.pop("answer"), "plain.answer"),
        (lambda pair: pair.update(question="   "), "plain.question"),
        (lambda pair: pair.update(articles=[]), "plain.articles"),
        (lambda pair: pair.update(articles="상속세 및 증여세법 제53조"), "plain.articles"),
        (lambda pair: pair.update(score=5), "plain.score"),
        (lambda pair: pair.update(answer=5), "plain.answer"),
    ],
)
def test_one_bad_pair_does_not_take_the_good_one_with_it(reply, change, reason):
    raw = reply()
    change(raw["plain"])
    pairs = parse_pairs(json.dumps(raw, ensure_ascii=False))
    assert isinstance(pairs["expert"], Pair)
    assert reason in pairs["plain"]


def test_a_missing_style_is_named(reply):
    raw = reply()
    del raw["expert"]
    assert "'expert' 쌍이 없습니다" in parse_pairs(json.dumps(raw))["expert"]


def test_decomposed_hangul_is_composed(reply):
    text = unicodedata.normalize("NFD", json.dumps(reply(), ensure_ascii=False))
    assert parse_pairs(text)["expert"].articles == ["상속세 및 증여세법 제53조"]
