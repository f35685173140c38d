"""What a person sees in a terminal, screen by screen."""

from __future__ import annotations


def test_a_question_and_its_answer(terminal) -> None:
    screen = terminal("--interactive", answers=[["과세표준에 ", "따라 6퍼센트에서 ", "45퍼센트입니다."]])
    screen.prompt()
    screen.ask("세율은?")
    assert screen.prompt("틀림 없음") == ""
