"""The index is opened once, by whoever needs it first; what is not open holds nobody up, and a failure is told."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from serve.errors import Code, ServeError
from serve.evidence import Evidence
from taxlaw.errors import SourceError

DAY = date(2025, 12, 1)


class Opened:
    def find(self, question: str, as_of: date, limit: int) -> tuple[str, ...]:
        return (f"{question} {as_of}",) * limit


def test_it_is_opened_by_the_first_question_and_only_once() -> None:
    opened: list[Opened] = []
    evidence = Evidence(lambda: opened.append(Opened()) or opened[-1])
    assert evidence.texts is None
    threads = [threading.Thread(target=evidence.find, args=("질문", DAY)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(opened) == 1 and evidence.texts is opened[0]
    assert evidence.find("질문", DAY, 2) == ("질문 2025-12-01",) * 2


@pytest.mark.parametrize(("built", "build", "opens"), [(True, False, True), (False, False, False), (False, True, True)])
def test_it_is_opened_early_only_where_that_is_quick_or_wanted(built: bool, build: bool, opens: bool) -> None:
    evidence = Evidence(Opened, lambda: built)
    evidence.prepare(build)
    for thread in threading.enumerate():
        if thread.name == "evidence":
            thread.join(10)
    assert (evidence.texts is not None) is opens


def test_a_program_that_stays_loads_what_the_first_question_would_wait_for() -> None:
    asked: list[str] = []

    class Counted(Opened):
        def find(self, question: str, as_of: date, limit: int) -> tuple[str, ...]:
            asked.append(question)
            return super().find(question, as_of, limit)

    for build, questions in ((False, 0), (True, 1)):
        Evidence(Counted).prepare(build)
        for thread in threading.enumerate():
            if thread.name == "evidence":
                thread.join(10)
        assert len(asked) == questions, "one question at a time is not worth two seconds of a core"


def test_who_asks_while_it_opens_waits_and_the_drawer_does_not() -> None:
    began, may_end = threading.Event(), threading.Event()

    def slow() -> Opened:
        began.set()
        assert may_end.wait(10)
        return Opened()

    evidence = Evidence(slow)
    evidence.prepare()
    assert began.wait(10) and evidence.texts is None
    may_end.set()
    assert evidence.find("질문", DAY, 1) == ("질문 2025-12-01",)


def test_texts_are_looked_up_by_words_alone() -> None:
    class WithModels(Opened):
        search = Opened()

    evidence = Evidence(WithModels)
    evidence.find("질문", DAY)
    assert evidence.texts is WithModels.search


def test_a_failure_is_told_to_the_one_who_asks_and_tried_again() -> None:
    tries: list[int] = []

    def failing() -> Opened:
        tries.append(1)
        if len(tries) < 3:
            raise SourceError("폴더가 없습니다: 어디")
        return Opened()

    evidence = Evidence(failing)
    evidence.prepare()
    for thread in threading.enumerate():
        if thread.name == "evidence":
            thread.join(10)
    with pytest.raises(ServeError, match="폴더가 없습니다: 어디") as caught:
        evidence.find("질문", DAY)
    assert caught.value.code is Code.USAGE and "근거 찾기를 끄면" in caught.value.hint
    assert evidence.find("질문", DAY, 1)
