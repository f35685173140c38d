"""Rows made by quoting: the answer's words stand in the evidence, the source is named, and held-out articles stay out."""

import datetime
import random
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from data_gen.gates import judge, stateless_gates
from data_gen.grounded import candidates as grounded
from data_gen.grounded.questions import BY_SUBJECT, Quotable, ask, quotables
from data_gen.rows import Row
from data_gen.settings import GateSettings, GroundedSettings, SplitSettings
from data_gen.splits import assign, split_keys
from data_gen.worked.words import EVERY_WORDING
from taxlaw.law_names import compact
from taxlaw.search.passages import Hit, Passage

AS_OF = datetime.date(2026, 6, 1)
DAY = datetime.date(2025, 1, 1)
SYLLABLES = "가나다라마바사아자차"


def passage(number: int, text: str | None = None, **changes) -> Passage:
    subject = f"시험 {SYLLABLES[number // 10]}{SYLLABLES[number % 10]}의 무게"
    text = text or f"① {subject}는 세무서장이 정하는 바에 따라 {number}번의 방법으로 정한다.\n② 제1항은 따로 정한다."
    values = {
        "id": f"law:소득세법:제{number}조",
        "kind": "article",
        "title": f"소득세법 제{number}조",
        "text": text,
        "heading": f"{subject} 결정",
        "effective_from": DAY,
        "effective_to": None,
        "url": "",
        "source": "test",
    }
    return Passage(**(values | changes))


@dataclass
class SmallSearch:
    """Finds the passages whose subject stands in the question, then others in order."""

    passages: list[Passage]
    blind: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def index(self):
        return SimpleNamespace(
            articles={one.title: [row] for row, one in enumerate(self.passages)},
            passage=lambda row: self.passages[row],
        )

    def find(self, question, as_of, limit):
        self.asked.append(question)
        ranked = sorted(self.passages, key=lambda one: one.heading[:5] not in question)
        ranked = [one for one in ranked if one.heading[:5] not in question] if self.blind else ranked
        return tuple(Hit(one, 1.0, rank) for rank, one in enumerate(ranked[:limit], start=1))


@pytest.fixture
def made(monkeypatch):
    def run(search=None, **settings):
        search = search or SmallSearch([passage(number) for number in range(1, 60)])
        monkeypatch.setattr(grounded, "open_search", lambda folders: search)
        wanted = GroundedSettings(**{"count": 40, "held_out": 10, "share_apart": 0.2} | settings)
        return [one.row for one in grounded.grounded_candidates(wanted, (), AS_OF, 3)]

    return run


def test_the_answer_quotes_the_evidence_and_names_article_and_day(made):
    rows = made()
    assert len(rows) == 50
    for row in rows:
        quote = next(line for line in row.evidence.splitlines() if row.tax and row.articles[0] in line)
        assert quote and "2025년 1월 1일" in row.answer and row.articles[0] in row.answer
    train = [row for row in rows if not row.held_out]
    assert all(row.answer.partition("“")[2].partition("”")[0] in row.evidence for row in train if row.style == "expert")


def test_articles_held_out_are_in_no_training_row(made):
    rows = made()
    apart = {row.articles[0] for row in rows if row.held_out}
    assert apart
    for row in rows:
        if not row.held_out:
            assert not [title for title in apart if f"{title}(" in row.evidence]


def test_a_source_the_search_missed_is_shown_in_training_and_not_in_the_test(made):
    rows = made(SmallSearch([passage(number) for number in range(1, 60)], blind=True))
    for row in rows:
        shown = f"{row.articles[0]}(" in row.evidence
        assert shown != bool(row.held_out)


def test_held_out_rows_go_to_test_and_one_article_to_one_split(made):
    rows = made(count=60)
    split_of = assign(((row.id, split_keys(row)) for row in rows), SplitSettings(validation=0.2), 1)
    assert {split_of[row.id] for row in rows if row.held_out} == {"test"}
    by_article = {}
    for row in rows:
        by_article.setdefault(row.articles[0], set()).add(split_of[row.id])
    assert all(len(splits) == 1 for splits in by_article.values())


def test_the_rows_pass_the_gates(made):
    gates = stateless_gates(GateSettings())
    standing = SmallSearch(
        [passage(number) for number in (2, 4, 5, 12, 14, 16, 17, 19, 20, 21, 24, 25, 27, 33, 39, 47, 55)]
    )
    for row in made(standing, count=12, held_out=0):
        judged = judge(grounded.Candidate(row), gates)
        assert isinstance(judged, Row), (row.answer, judged.gate, judged.reason)


def test_the_same_seed_gives_the_same_rows_and_nothing_is_asked_for_without_a_count(made):
    assert made() == made()
    assert made(count=0, held_out=0) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("① 시험 나무의 가지는 법이 정한 바에 따라 해마다 세어 신고한다. <개정 2024.1.1>", [(1, "시험 나무의 가지")]),
        ("시험 나무의 가지는 법이 정한 바에 따라 해마다 세어 신고하여야 한다.", [(0, "시험 나무의 가지")]),
        ("① 시험 나무의 가지는 다음 각 호에 따라 해마다 세어 신고하여야 한다.\n1. 하나", []),
        ("① 짧다.", []),
        ("① 시험 나무의 가지는 제3조에 따라 해마다 세어 세무서장에게 신고하여야 한다.", []),
        ("① 시험 나무의 가지는 「소득세법」 제3조에 따라 해마다 세어 신고하여야 한다.", [(1, "시험 나무의 가지")]),
        ("① 제2항에 따른 가지는 법이 정한 바에 따라 해마다 세어 신고하여야 한다.", [(1, "")]),
    ],
)
def test_only_a_sentence_that_stands_by_itself_is_quoted(text, found):
    assert [(one.number, one.what) for one in quotables(passage(1, text))] == found


def test_a_question_by_subject_keeps_its_particles():
    one = Quotable(passage(1), 1, "…", "시험 물고기의 비늘")
    questions = {ask(one, random.Random(seed), EVERY_WORDING, {}) for seed in range(80)}
    assert "시험 물고기의 비늘은 어떻게 되나요?" in questions
    assert not [text for text in questions if "비늘는" in text or "비늘가" in text or "{" in text]
    assert len(BY_SUBJECT) >= 8


@pytest.mark.parametrize(
    ("sentence", "about"),
    [
        ("세금을 낼 의무가 있는 사람은 장부를 갖추어 두어야 한다.", "세금을 낼 의무가 있는 사람"),  # not "…의무가 있"
        ("비늘을 옮기기 어려운 경우에는 주인에게 맡기게 할 수 있다.", "비늘을 옮기기 어려운 경우"),  # not "…경우에"
        ("비늘 또는 가지를 없앤 자는 벌금에 처한다.", "비늘 또는 가지를 없앤 자"),  # 또는 is no topic
        ("시험청장은 비늘의 무게를 해마다 관보에 실어야 한다.", ""),  # who does it, not what it is about
        ("비늘의 이자는 해마다 세무서장이 정하여 알린다.", "비늘의 이자"),  # no person, though it ends like one
        ("이 법에서 쓰는 말은 비늘에 관한 법에서 쓰는 바에 따른다.", ""),
        ("무게는 해마다 세무서장이 정하여 알린다.", ""),
    ],
)
def test_a_subject_is_a_whole_noun_phrase_that_says_what_it_is_about(sentence, about):
    assert [one.what for one in quotables(passage(1, f"① {sentence} 그리고 더 적는다."), least=10)] == [about]


def test_a_heading_that_others_bear_is_asked_about_with_its_law_or_by_number():
    one, key = Quotable(passage(1), 1, "…", ""), compact(passage(1).heading)

    def asked(*titles):
        bearers = {key: {one.passage.title, *titles}}
        return {ask(one, random.Random(seed), EVERY_WORDING, bearers) for seed in range(60)}

    heading = one.passage.heading
    assert any(text.startswith(f"{heading}에 대해") for text in asked())
    of_two_laws = [text for text in asked("지방세법 제9조") if heading in text]
    assert of_two_laws and all(f"소득세법 {heading}" in text for text in of_two_laws)
    assert all("소득세법 제1조" in text for text in asked("소득세법 제9조"))
