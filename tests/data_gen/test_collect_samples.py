"""If these fail, the samples that a newcomer tries first do not go through ``collect``."""

from collections import Counter
from datetime import date
from pathlib import Path

from data_gen.collect.questions import read_questions
from data_gen.collect.rulings import read_rulings
from data_gen.collect.settings import QuestionsSource, RulingsSource, WebSource
from data_gen.collect.web import read_web

SAMPLES = Path(__file__).parents[2] / "configs" / "data_gen" / "samples"
AS_OF = date(2026, 6, 1)


def test_the_samples_go_through_and_say_that_they_are_samples():
    tallies = [Counter(), Counter(), Counter()]
    rulings = list(
        read_rulings(RulingsSource(kind="rulings", path=SAMPLES / "data_main.json", as_of=AS_OF), tallies[0])
    )
    pages = list(read_web(WebSource(kind="web", path=SAMPLES / "web.json", as_of=AS_OF), tallies[1]))
    path = SAMPLES / "questions.csv"
    questions = list(read_questions(QuestionsSource(kind="questions", path=path, as_of=AS_OF), tallies[2]))
    assert [len(found) for found in (rulings, pages, questions)] == [2, 2, 3]
    assert [tally["read"] for tally in tallies] == [2, 3, 5]
    assert all("견본" in document.title for document in (*rulings, *pages))
    assert {part.name for part in rulings[0].parts} >= {"사실관계", "질의내용", "관련법령", "회신", "요지"}
    assert "<p>" not in pages[0].text and rulings[1].articles == ("부가가치세법 제10조",)
