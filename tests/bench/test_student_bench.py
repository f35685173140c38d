"""The README's table of the shipped student says what the answers were: on answers whose worth is known, without a model."""

import json
from datetime import date

import pytest
from student_cases import BENCH, Student, figures_of, row

from finetune.evaluate import Generation
from finetune.evaluation.subjects import Caps, Subject
from taxlaw.calls import run_call
from taxlaw.cases import read_case
from taxlaw.errors import UnsupportedCase
from taxlaw.rereading import doubts


def test_every_row_is_asked_in_the_way_that_its_measure_needs(bench, rows):
    boards = bench["measure"].sort_rows(rows).boards()
    assert {name: len(board) for name, board in boards.items()} == {
        **{"calculations": 17, "ask_back": 3, "refusal": 2},
        **{"quoting": 4, "documents": 1, "look_up": 5},
    }
    assert all(one.shows_evidence for one in (*boards["quoting"], *boards["documents"]))
    assert all(one.asks_evidence and not one.shows_evidence for one in boards["look_up"])
    few = bench["measure"].sort_rows(rows, 6).calculations
    assert len(few) == 5 and {one.held_out for one in few} == {"", "wordings", "combinations"}
    assert {one.tax for one in few} == {"gift", "corporate"}


def test_each_figure_is_over_its_own_rows(figures):
    ours = figures["student"]
    calculations = ours["calculations"]
    assert [calculations[kind]["exact"]["value"] for kind in ("amounts", "wordings", "combinations")] == [1, 0.875, 1]
    assert calculations["amounts and wordings"]["exact"] | {"low": 0, "high": 0} == {
        **{"value": 0.9375, "rows": 16, "low": 0, "high": 0}
    }
    assert calculations["wordings"]["per_tax"]["corporate"]["call_read"]["value"] == 0.75
    assert ours["quoting"]["documents"]["right_article"]["value"] == 0.75
    assert ours["ask_back"]["all"]["asked_fact"]["value"] == ours["refusal"]["all"]["refused"]["value"] == 1
    assert ours["look_up"]["all"]["asked_evidence"]["value"] == 0.8
    assert ours["declined"]["value"] == ours["look_up_wrongly"]["value"] == 0
    assert ours["ended_by_stop"]["value"] == 1 and figures["base"]["ended_by_stop"]["value"] == 0
    assert figures["base"]["calculations"]["amounts and wordings"]["exact"]["value"] == 0


def test_what_a_search_finds_bounds_what_a_reader_can_cite(figures):
    found = figures["student"]["found"]
    assert found["found_3"]["present"]["value"] == 0 and found["found_5"]["present"]["value"] == 1
    assert found["found_5"]["right_article"]["value"] == 0.75
    assert found["found_5"]["served"]["value"] == 0.5  # of one it never asked, and one it answers wrongly


def test_an_article_with_the_same_heading_is_counted_apart(bench):
    """Two laws have an article headed 서류의 송달, and the question does not say which; 국세기본법 제10조 is another matter."""
    ask = bench["measure"]
    known = {"question": "서류의 송달은?", "articles": ["지방세기본법 제28조"], "family": "grounded:가"}
    asked = [row(str(n), **known, evidence="1. 국세기본법 제8조(서류의 송달)").showing_evidence() for n in range(3)]
    texts = ("지방세기본법 제28조입니다.", "국세기본법 제8조입니다.", "국세기본법 제10조입니다.")
    subject = Subject("s", "s", lambda some, caps: [Generation(text, True, 9) for text in texts])
    found = ask.figures_of({"quoting": ask.answer(subject, asked, ask.CAPS, "program")})["quoting"]["all"]
    assert [found[key]["value"] for key in ("right_article", "same_heading", "present")] == [0.3333, 0.6667, 0]


def test_goals_are_marked_as_they_are_met(bench, figures):
    met = {line.korean: line.met for line in bench["bar"].lines(figures)}
    assert met["최종 세액이 1원까지 정확: 처음 보는 금액·표현"] is False  # 93.75 %
    assert met["그 가운데 가장 낮은 세목"] is False
    lowest = next(line for line in bench["bar"].lines(figures) if line.korean == "그 가운데 가장 낮은 세목")
    assert lowest.student.endswith("(법인세)")
    assert met["맞는 조문을 인용: 처음 보는 문서, 검색 켬"] is False
    assert met["사실이 모자랄 때 바로 그 사실을 되물음"] is True and met["스스로 끝냄"] is True
    assert met["처음 보는 조합"] is None and met["파일 크기"] is True
    ratio = {"student_tokens_per_second": [90.0], "base_tokens_per_second": [60.0], "tokens": 8, "repeats": 1}
    slow = {**figures, "speed": {**ratio, "ratio": 1.5, "load": [0.1]}}
    assert {line.korean: line.met for line in bench["bar"].lines(slow)}["쓰는 속도 (같은 실행에서)"] is False


def test_what_the_student_reaches_alone_stands_beside_what_a_person_is_served(bench, rows, figures):
    """A call that code turns into a question asks for nothing by itself; a call that is read again is wrong at first."""
    ask = bench["measure"]
    gift = row(
        "gift",
        style="ask_back",
        question="6억 증여, 증여세?",
        answer="계산하려면 준 사람과의 관계를 알아야 합니다. 알려 주세요.",
    )
    made_up = Subject(
        "s", "s", lambda some, caps: [Generation('{"tax":"gift","amount":"6억","relation":"타인"}', True, 9)]
    )
    asked = {
        alone: ask.figures_of({"ask_back": ask.answer(made_up, [gift], ask.CAPS, "program", alone=alone)})
        for alone in (True, False)
    }
    assert [one["ask_back"]["all"]["asked_fact"]["value"] for one in asked.values()] == [0, 1]
    calculations = ask.sort_rows(rows).calculations
    right = ask.answer(Student().subject(), calculations, ask.CAPS, "program")
    wrong = Subject(
        "w", "w", lambda some, caps: [Generation(one.call.replace("억원", "천원"), True, 9) for one in some]
    )
    first = [*ask.answer(wrong, calculations[:2], ask.CAPS, "program", alone=True), *right[2:]]
    alone = {"calculations": first}
    assert ask.reread_of(alone, {"calculations": right}) == {
        "rows": 17,
        "changed": 2,
        "right_before": 0,
        "right_after": 2,
    }
    assert ask.reread_of(alone, alone) == {"rows": 17, "changed": 0, "right_before": 0, "right_after": 0}
    both = {**figures, "alone": {**figures["student"], "calculations": ask.figures_of(alone)["calculations"]}}
    table = bench["page"].page(both)
    assert "| 학생 혼자 | 서비스에서 |" in table and "**93.8%" in table and "| 81.2% (" in table
    assert set(bench["bar"].alone(figures)) == {""}, "figures of before there was such a column"


@pytest.mark.parametrize("name", ["everyday_questions", "everyday_more", "everyday_fresh"])
def test_the_everyday_questions_have_the_facts_that_the_rule_reader_finds(bench, name):
    """Their calls were written by hand; where code can read a question by itself, it reads the same case."""
    rows = bench["measure"].everyday(BENCH / f"{name}.jsonl")
    assert len({one.question for one in rows}) == len(rows) > 40 and len({one.tax for one in rows}) == 13
    assert all(doubts(one.question, one.call, date.fromisoformat(one.as_of)) == () for one in rows)
    read = 0
    for one in rows:
        try:
            found = run_call(read_case(one.question), date.fromisoformat(one.as_of)).payable
        except UnsupportedCase:
            continue
        read += 1
        assert found == one.payable, one.question
    assert read > 15
    (board,) = (board for board, file in bench["measure"].EVERYDAY.items() if file == f"{name}.jsonl")
    answers = {board: bench["measure"].answer(Student().subject(), rows, Caps(), "program")}
    assert bench["measure"].figures_of(answers)[board]["exact"]["value"] == 1


def test_another_file_is_compared_on_the_same_rows_in_pairs(bench, rows):
    ask = bench["measure"]
    calculations = ask.sort_rows(rows).calculations
    own = ask.answer(Student().subject(), calculations, ask.CAPS, "program")
    whole = Subject(
        "merged-F32", "합친 모델", lambda asked, caps: [Generation(one.call, True, 9) for one in asked], size=1
    )
    (line,) = ask.compared([whole], calculations[:], "program", own)
    assert line["exact"]["value"] == 1 and line["changed"] == 1
    assert line["difference"]["value"] == pytest.approx(1 / 17, abs=1e-4)
    lost = {one.korean: one for one in bench["bar"].lines(figures_of(bench, rows, compare=[line]))}
    assert lost["합친 모델에서 Q8_0 로 오며 잃은 정답률"].met is False


def test_the_page_and_the_readme_hold_the_figures_and_nothing_else_changes(bench, figures, tmp_path):
    page = bench["page"].page(figures)
    assert "| 법인세 | 100.0%" in page and "93.8%" in page and "601,400,000원" in page
    assert "찾은 근거 5개, 처음 보는 문서 | 100.0%" in page
    readme = tmp_path / "README.md"
    marks = (bench["page"].BEGIN, bench["page"].END)
    readme.write_text(f"앞\n{marks[0]}\n옛 표\n{marks[1]}\n뒤\n", encoding="utf-8")
    assert bench["page"].write_readme(figures, readme) and bench["page"].write_readme(figures, readme)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"앞\n{marks[0]}\n| 잰 것 (2026-01-02") and text.endswith(f"{marks[1]}\n뒤\n")
    assert "옛 표" not in text and text.count("docs/student.png") == 1 and "✘" in text
    readme.write_text("표시 없음\n", encoding="utf-8")
    assert not bench["page"].write_readme(figures, readme)
    assert readme.read_text(encoding="utf-8") == "표시 없음\n"


def test_the_record_is_json_and_the_picture_is_drawn(bench, figures, tmp_path):
    assert json.loads(json.dumps(figures)) == figures
    bench["picture"].draw(figures, tmp_path / "student.png")
    assert (tmp_path / "student.png").stat().st_size > 10_000


def test_a_models_text_never_becomes_markup(bench, figures):
    answers = figures["example"]["answers"]
    wild = {
        **figures,
        "example": {
            **figures["example"],
            "answers": {**answers, "base": {**answers["base"], "text": "```\n# 표\n````"}},
        },
    }
    assert "`````text\n```\n# 표\n````\n`````" in bench["page"].page(wild)


def test_the_caps_leave_room_for_every_trained_answer(bench):
    assert bench["measure"].CAPS.worked >= Caps().worked and bench["measure"].CAPS.words >= 256


def test_of_another_build_only_what_was_not_learned_is_asked(bench):
    learned = [row("a", family="law:가", question="하나"), row("b", family="law:나", question="둘")]
    asked = [
        row("c", family="law:가", question="셋"),
        row("d", family="law:다", question="둘"),
        row("e", family="law:다", question="넷"),
    ]
    assert [one.id for one in bench["measure"].unlearned(asked, learned)] == ["e"]
    assert bench["measure"].unlearned(asked, []) == asked
