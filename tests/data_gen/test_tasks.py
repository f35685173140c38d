"""Tasks: the form each answer must have, what strict endpoints accept of it, and the drafts it becomes."""

import json

import pytest

from data_gen.asking.requests import strict_schema
from data_gen.replies import MalformedReply, parse_answer
from data_gen.rows import TYPE_OF_STYLE
from data_gen.tasks.all_tasks import TASKS, applies
from data_gen.tasks.probe import PROBE
from taxlaw.calls import parse_call

PAIR = {"question": "물음입니다?", "answer": "답입니다.", "articles": ["소득세법 제12조"]}
GOOD = {
    "pairs": {"expert": PAIR, "plain": PAIR},
    "scenario": PAIR,
    "calculation": PAIR | {"call": None},
    "followup": {
        "turns": [{"question": "첫 물음?", "answer": "첫 답."}, {"question": "둘째 물음?", "answer": "둘째 답."}],
        "articles": ["소득세법 제12조"],
    },
    "law_change": PAIR | {"answer": "2026년 7월 1일부터 바뀝니다."},
    "ask_back": PAIR | {"missing": ["준 사람과의 관계"], "answer": "준 사람과의 관계를 알려 주세요."},
    "refusal": {"question": "날씨는요?", "answer": "도와드릴 수 없습니다."},
    "labelled": {"answerable": True, "missing": [], "answer": "답입니다.", "articles": ["소득세법 제12조"]},
    "analysis": {
        "summary": "요약",
        "keywords": ["낱말"],
        "difficulty_level": {"score": 3, "label": "보통"},
        "prerequisites": [],
        "technical_terms": [{"term": "용어", "explanation": "풀이"}],
    },
    "judge": {"reason": "까닭", "verdict": "supported"},
    "probe": {"stance": "answer", "answer": "답", "articles": []},
}
ALL = TASKS | {"probe": PROBE}


def read(name, value):
    return parse_answer(json.dumps(value, ensure_ascii=False), ALL[name].answer)


@pytest.mark.parametrize("name", ALL)
def test_a_good_answer_is_read_and_gives_one_draft_for_each_style(name):
    drafts = ALL[name].drafts(read(name, GOOD[name]))
    assert tuple(draft.style for draft in drafts) == ALL[name].styles
    assert all(draft.style in TYPE_OF_STYLE for draft in drafts)


@pytest.mark.parametrize("name", ALL)
def test_the_schema_is_one_that_strict_endpoints_take(name):
    schema = strict_schema(ALL[name].answer)
    text = json.dumps(ALL[name].answer.model_json_schema())
    for keyword in ("default", "minLength", "maxLength", "minItems", "maxItems", "pattern", "oneOf", "allOf"):
        assert f'"{keyword}":' not in text, keyword

    def check(node):
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        for value in [*node.get("properties", {}).values(), *node.get("$defs", {}).values()]:
            check(value)

    check(schema)
    assert set(schema["properties"]) == set(GOOD[name])


@pytest.mark.parametrize("name", ALL)
def test_a_missing_or_an_extra_key_and_an_empty_text_are_refused(name):
    for key in GOOD[name]:
        with pytest.raises(MalformedReply):
            read(name, {other: value for other, value in GOOD[name].items() if other != key})
    with pytest.raises(MalformedReply):
        read(name, GOOD[name] | {"extra": 1})
    for key, value in GOOD[name].items():
        if isinstance(value, str):
            with pytest.raises(MalformedReply):
                read(name, GOOD[name] | {key: "  "})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("scenario", {"articles": []}),
        ("followup", {"turns": GOOD["followup"]["turns"][:1]}),
        ("followup", {"turns": GOOD["followup"]["turns"] * 2}),
        ("followup", {"turns": [{"question": f"물음 {n}", "answer": "답"} for n in range(5)]}),
        ("law_change", {"answer": "작년에 바뀌었습니다."}),
        ("ask_back", {"missing": []}),
        ("ask_back", {"answer": "10년 동안 받은 증여를 알려 주세요."}),
        ("labelled", {"articles": []}),
        ("labelled", {"missing": ["나이"]}),
        ("labelled", {"answerable": False}),
        ("labelled", {"answerable": False, "missing": ["나이"], "answer": "답은 10만원입니다."}),
        ("labelled", {"answerable": "true"}),
        ("analysis", {"difficulty_level": {"score": 6, "label": "보통"}}),
        ("analysis", {"difficulty_level": {"score": 3, "label": "그저 그럼"}}),
        ("analysis", {"keywords": []}),
        ("judge", {"verdict": "maybe"}),
    ],
)
def test_an_answer_that_breaks_its_own_rule_is_refused(name, changes):
    with pytest.raises(MalformedReply):
        read(name, GOOD[name] | changes)


def test_what_is_asked_back_counts_as_named_when_its_words_are_there():
    for missing in ("판 값", "6세 이하 자녀의 수", "원천징수되었는지"):
        value = GOOD["ask_back"] | {"missing": [missing], "answer": f"{missing}에 따라 다르니 알려 주세요."}
        assert read("ask_back", value).missing == [missing]


def test_the_last_turn_is_the_row_and_the_others_its_history():
    (draft,) = TASKS["followup"].drafts(read("followup", GOOD["followup"]))
    assert (draft.question, draft.answer) == ("둘째 물음?", "둘째 답.")
    assert [(turn.question, turn.answer) for turn in draft.history] == [("첫 물음?", "첫 답.")]


def test_a_call_is_put_in_its_one_spelling_and_one_that_does_not_parse_is_left_out():
    spoken = '{"year": 2026, "relation": "직계존속", "debt": 0, "amount": "2억원", "tax": "gift"}'
    (draft,) = TASKS["calculation"].drafts(read("calculation", GOOD["calculation"] | {"call": spoken}))
    assert draft.call == '{"tax":"gift","amount":"2억원","relation":"직계존속","year":2026}'
    assert parse_call(draft.call)
    for wrong in ('{"tax":"gift"}', '{"tax":"없는세금"}', "계산 안 함"):
        (draft,) = TASKS["calculation"].drafts(read("calculation", GOOD["calculation"] | {"call": wrong}))
        assert draft.call is None


def test_each_form_of_call_that_the_prompt_shows_can_be_worked_out():
    """The prompt's own keys, with a value in the place of each word."""
    import datetime
    import re

    from data_gen.prompting import PROMPTS
    from taxlaw.calls import run_call

    values = {
        "…": "2억원", "공제": "0원", "과세표준": "5억원", "종합소득금액": "5,000만원", "소득공제": "500만원", "총급여": "5,000만원", "공급대가": "7,000만원",
        "업종": "음식점업", "취득당시가액": "5억원", "퇴직급여": "1억원", "세액": "1,000만원", "신고·납부기한": "2026-04-27", "신고한 날": "2026-05-20",
        "낸 날": "2026-05-27", "양도가액": "6억원", "취득가액": "4억원", "필요경비": "1,000만원",
    }  # fmt: skip
    shown = re.findall(r'\{"tax":"[a-z_]+"[^}]*\}', (PROMPTS / "calculation.j2").read_text(encoding="utf-8"))
    assert len(shown) >= 9
    taxes = set()
    for text in shown:
        text = re.sub(r":(조정대상지역인지)", ":false", text)
        text = re.sub(r":(근속연수|보유연수|거주연수)", ":5", text)
        text = re.sub(r'"([^"|]+)\|[^"]*"', r'"\1"', text)  # the first of several words
        text = re.sub(r':"([^"]+)"', lambda match: f':"{values.get(match[1], match[1])}"', text)
        call = parse_call(text)
        run_call(call, datetime.date(2026, 6, 1))
        taxes.add(call.tax)
    assert taxes >= {"gift", "income", "vat_simplified", "corporate", "acquisition", "penalty", "capital_gains"}


def test_decomposed_hangul_is_composed():
    import unicodedata

    value = PAIR | {"question": unicodedata.normalize("NFD", "증여세는 얼마인가요?")}
    assert ALL["scenario"].answer.model_validate(value).question == "증여세는 얼마인가요?"


def test_tasks_are_asked_only_where_they_make_sense(document):
    def names(**changes):
        return {name for name, task in TASKS.items() if applies(task, document(**changes))}

    statute = {"pairs", "scenario", "calculation", "followup", "ask_back", "analysis"}
    assert names() == statute
    assert names(notes=("2027-01-01부터 바뀝니다.",)) == statute | {"law_change"}
    assert names(text="납세의무자는 다음과 같다.") == statute - {"calculation"}
    assert names(kind="judgment") == {"pairs", "scenario", "followup", "ask_back", "analysis"}
    assert names(kind="web") == {"pairs", "followup", "analysis"}
    assert names(kind="question") == {"labelled"}
    assert names(kind="topic") == {"refusal"}
    assert names(kind="topic", meta=(("question", "물음"), ("answer", "답"))) == {"refusal", "judge"}


def test_the_build_may_ask_for_every_task_that_gives_rows_and_for_the_analysis():
    from typing import get_args

    from data_gen.settings import TaskName

    assert set(get_args(TaskName)) == set(TASKS) - {"judge"}
