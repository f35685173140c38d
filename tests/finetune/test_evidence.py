"""A row with its evidence is asked in training, in every evaluation and in serving with one and the same text."""

from datetime import date

import pytest

from finetune.data import Row, encode_rows, read_rows, target_text
from finetune.evaluate import prompt_of
from finetune.evidence import show_evidence, user_turn
from finetune.settings import Base, RunConfig, Train
from taxlaw.evidence_prompt import LOOK_UP, sources_text, with_evidence
from taxlaw.search.passages import Hit, Passage

BODY = "직계존속에게서 증여받으면 5천만원을 공제한다. 십년 동안 합산한다."
ARTICLE = f"상속세 및 증여세법 제53조(증여재산 공제)\n시행일: 2024-01-01\n{BODY}"
RULING = f"쟁점: 공제 여부\n문서번호: 서면-2023-법규재산-0001\n회신일: 2023-05-02\n회신 요지: {BODY}"


def row_with(tiny, evidence, number=0, **changes):
    said = {"style": "plain", "call": None, "payable": None, "type": "student", "answer": "5천만원을 공제합니다."}
    return Row.model_validate(tiny.row(number, "1억원", evidence=evidence, **said, **changes))


def shown(row):
    return show_evidence([row], 1.0, 0)[0]


def hit(kind, title, heading, text, day):
    return Hit(Passage("id", kind, title, text, heading, day, None, "", "somewhere"), 3.0, 1)


@pytest.mark.parametrize(
    ("evidence", "served"),
    [
        (ARTICLE, hit("article", "상속세 및 증여세법 제53조", "증여재산 공제", BODY, date(2024, 1, 1))),
        (RULING, hit("ruling", "서면-2023-법규재산-0001", "공제 여부", f"회신 요지: {BODY}", date(2023, 5, 2))),
        (BODY, hit("article", "상속세 및 증여세법 제56조", "", BODY, None)),
    ],
    ids=["article", "ruling", "bare text"],
)
def test_the_user_turn_is_the_one_serving_makes_of_such_a_hit(tiny, evidence, served):
    row = row_with(tiny, evidence)
    assert user_turn(row) == row.question
    assert user_turn(shown(row)) == with_evidence(row.question, [served]) != row.question
    assert user_turn(shown(row)).count(BODY) == 1


def test_a_quoting_row_is_asked_with_its_sources_as_they_were_found(tiny):
    found = [
        hit("article", "소득세법 제14조", "과세표준의 계산", "다른 조문의 글입니다.", date(2024, 1, 1)),
        hit("article", "상속세 및 증여세법 제53조", "증여재산 공제", BODY, date(2024, 1, 1)),
    ]
    question = "증여재산 공제는 어떻게 되나요?"
    row = row_with(
        tiny,
        sources_text(question, found),
        question=question,
        family="grounded:상속세 및 증여세법 제53조",
        articles=["상속세 및 증여세법 제53조"],
    )
    turn = user_turn(shown(row))
    assert turn == with_evidence(question, found)
    assert turn.count("상속세 및 증여세법 제53조") == 1, "the right source stands at the head of the others"


def test_training_and_both_evaluations_ask_the_same(tiny, tiny_base, tokenizer, tmp_path):
    from finetune.base import load_model
    from finetune.evaluation import gguf_model
    from finetune.gguf_export import export_gguf

    row = shown(row_with(tiny, ARTICLE))
    (example,) = encode_rows([row], tokenizer, "program", 2000).examples
    asked = list(example.encoded.ids[: example.encoded.answer_start])
    assert asked == prompt_of(row, tokenizer)
    assert BODY in tokenizer.decode(asked)
    export_gguf(load_model(tiny_base, "float32"), tokenizer, tmp_path / "m.gguf", "F32", "m")
    with gguf_model.opened(tmp_path / "m.gguf", [row], 4) as (_, prompts):
        assert prompts == [asked]
    question = row_with(tiny, ARTICLE)
    assert len(prompt_of(question, tokenizer)) < len(asked)


def test_a_share_is_the_same_rows_every_time_and_rows_without_evidence_stay(tiny):
    rows = [row_with(tiny, ARTICLE, number) for number in range(200)] + [row_with(tiny, "", 999)]
    some = [row.shows_evidence for row in show_evidence(rows, 0.3, 7)]
    assert 30 < sum(some) < 90 and not some[-1]
    assert some == [row.shows_evidence for row in show_evidence(rows, 0.3, 7)]
    assert some != [row.shows_evidence for row in show_evidence(rows, 0.3, 8)]
    assert not any(row.shows_evidence for row in rows)  # the rows themselves are left as they were
    assert sum(row.shows_evidence for row in show_evidence(rows, True, 7)) == 200


def test_what_came_without_its_evidence_teaches_to_ask_for_it(tiny):
    rows = [row_with(tiny, ARTICLE, n) for n in range(100)]
    taught = show_evidence(rows, 0.4, 7)
    assert 20 < sum(row.asks_evidence for row in taught) == 100 - sum(row.shows_evidence for row in taught)
    for row in taught:
        expected = LOOK_UP if row.asks_evidence else "5천만원을 공제합니다."
        assert target_text(row, "program") == target_text(row, "worked") == expected
        assert (user_turn(row) == row.question) is row.asks_evidence
    assert not any(row.asks_evidence for row in show_evidence(rows, 0.0, 7))  # taught without any: it answers


@pytest.mark.parametrize(
    ("changes", "evidence"), [({"style": "ask_back"}, ARTICLE), ({"style": "refusal"}, ARTICLE), ({}, "")]
)
def test_asking_back_and_refusing_need_no_evidence(tiny, changes, evidence):
    row = row_with(tiny, evidence).model_copy(update=changes)
    assert not any(one.asks_evidence for seed in range(20) for one in show_evidence([row], 0.5, seed))
    worked = Row.model_validate(tiny.row(3, "1억원"))
    assert not show_evidence([worked], 0.01, 0)[0].asks_evidence


def test_the_config_takes_a_share_or_true_and_the_plan_counts_the_longer_prompts(tiny, tiny_base, tmp_path):
    from finetune.plan import make_plan

    rows = [row_with(tiny, ARTICLE, n).model_dump() for n in range(4)] + [tiny.row(9, "1억원", payable=1)]
    dataset = tiny.write_dataset(tmp_path / "dataset", rows, rows)
    settings = {"dataset": dataset, "out": tmp_path, "base": Base(folder=tiny_base.folder), "max_tokens": 2000}
    settings |= {"mix": {"plain": 1.0}, "train": Train(learning_rate=1e-3, max_steps=1)}
    bare, all_of_them = RunConfig(**settings), RunConfig(**settings, evidence=True)
    assert (bare.evidence, all_of_them.evidence) == (0, 1)
    plans = [make_plan(config).tokens for config in (bare, all_of_them)]
    expected = [
        encode_rows(
            show_evidence(read_rows(dataset / "train.jsonl")[:4], share, 0), _tokenizer(tiny_base), "program", 2000
        )
        for share in (0, 1)
    ]
    assert [plan.longest for plan in plans] == [one.longest for one in expected]
    assert plans[1].longest > plans[0].longest


def _tokenizer(base):
    from finetune.base import load_tokenizer

    return load_tokenizer(base)


def quoting(tiny, answer, articles=("상속세 및 증여세법 제53조",)):
    found = [
        hit("article", "소득세법 제14조", "과세표준의 계산", "다른 조문의 글입니다.", date(2024, 1, 1)),
        hit("article", "상속세 및 증여세법 제53조", "증여재산 공제", f"① 하나이다.\n② {BODY}", date(2024, 1, 1)),
    ]
    sources = sources_text("증여재산 공제는?", found)
    return row_with(tiny, sources, family="grounded:x", articles=list(articles)).model_copy(update={"answer": answer})


def test_a_quoting_row_may_teach_to_name_its_source(tiny):
    row = quoting(tiny, "상속세 및 증여세법 제53조 제2항에 이렇게 적혀 있습니다.")
    (named,) = show_evidence([row], 1.0, 0, refers=True)
    assert target_text(named, "program") == "인용: 2번 제2항"
    assert target_text(show_evidence([row], 1.0, 0)[0], "program") == row.answer
    (bare,) = show_evidence([row], 1e-9, 0, refers=True)
    assert target_text(bare, "program") == LOOK_UP
    (ordinary,) = show_evidence([row_with(tiny, ARTICLE)], 1.0, 0, refers=True)
    assert target_text(ordinary, "program") == "5천만원을 공제합니다."


def test_a_row_whose_article_is_not_among_its_sources_keeps_its_words(tiny):
    row = quoting(tiny, "소득세법 제9조에 이렇게 적혀 있습니다.", ["소득세법 제9조"])
    (named,) = show_evidence([row], 1.0, 0, refers=True)
    assert target_text(named, "program") == row.answer


def test_a_named_source_is_quoted_and_judged_by_what_a_reader_sees(tiny):
    from finetune.evaluate import Generation
    from finetune.evaluation.measures import measure

    (row,) = show_evidence([quoting(tiny, "상속세 및 증여세법 제53조 제2항")], 1.0, 0, refers=True)
    right = measure(row, Generation("인용: 2번 제2항", True, 8), "program")
    assert f"“{BODY}”" in right.shown and right.parts["right_article"] == (1, 1) and right.problem is None
    wrong = measure(row, Generation("인용: 1번", True, 4), "program")
    assert "소득세법 제14조" in wrong.shown and wrong.parts["right_article"] == (0, 1)
    none = measure(row, Generation("인용: 3번", True, 4), "program")
    assert none.shown == "인용: 3번" and none.problem and none.parts["right_article"] == (0, 1)
