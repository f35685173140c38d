"""What a person sees in a terminal, screen by screen: a real process, a real pseudo-terminal, a scripted student."""

from __future__ import annotations

import stat

LONG = [
    "소득세법 제55조제1항은 종합소득 ",
    "과세표준에 ",
    "세율을 적용하여 ",
    "계산한 금액을 산출세액으로 정합니다. ",
    "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호. 끝",
]


def test_the_whole_screen_after_a_question(terminal) -> None:
    screen = terminal("--interactive", answers=[LONG])
    screen.prompt()
    screen.ask("세율은?")
    assert screen.prompt("틀림 없음") == (
        "모델을 엽니다…\n"
        "AI가 생성한 답변입니다 (AI 기본법 제31조). 세무 자문이 아닙니다 (세무사법\n"
        "제2조·제20조).\n"
        "학생 시험-학생 · 기준일 2025-07-01 · /help 도움말\n"
        "\n"
        "질문> 세율은?\n"
        "소득세법 제55조제1항은 종합소득 과세표준에 세율을 적용하여 계산한 금액을\n"
        "산출세액으로 정합니다.\n"
        "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코\n"
        "토포호. 끝\n"
        "검증: 틀림 없음\n"
        "\n"
        "질문>"
    )


def test_a_working_is_shown_line_by_line_once_it_is_right_and_written_again_where_it_is_not(terminal, working) -> None:
    slip, right, plain = working
    pieces = [slip[at : at + 3] for at in range(0, len(slip), 3)]
    screen = terminal("--interactive", columns=120, answers=[pieces], others=[right])
    screen.prompt()
    screen.ask("외삼촌께 8억 1천만원을 증여받으면?")
    shown = screen.prompt("틀림 없음")
    assert f"증여받으면?\n{plain}\n검증: 틀림 없음\n" in shown
    again = shown.partition("계산이 맞지 않아 다시 썼습니다. 처음에 틀린 줄: ")[2]
    assert again.startswith("산출세액: 8억원 × 30% [⑦842⑧02] - 6,000만원 [⑦467↓")


def test_a_working_under_a_call_is_shown_like_one_alone(terminal, working) -> None:
    slip, right, plain = working
    call = '{"tax":"gift","amount":"8억 1천만원","relation":"기타친족"}\n'
    pieces = [call, *(slip[at : at + 3] for at in range(0, len(slip), 3))]
    screen = terminal("--interactive", columns=120, answers=[pieces], others=[call + right])
    screen.prompt()
    screen.ask("외삼촌께 8억 1천만원을 증여받으면 증여세는?")
    shown = screen.prompt("틀림 없음")
    assert f"증여세는?\n(질문에서 사실을 읽고 있습니다…)\n{plain}\n검증: 틀림 없음\n" in shown
    assert "계산이 맞지 않아 다시 썼습니다. 처음에 틀린 줄: 산출세액" in shown


def test_the_same_on_a_narrow_screen(terminal) -> None:
    screen = terminal("--interactive", columns=40, answers=[LONG])
    screen.prompt()
    screen.ask("세율은?")
    assert screen.prompt("틀림 없음") == (
        "모델을 엽니다…\n"
        "AI가 생성한 답변입니다 (AI 기본법\n"
        "제31조). 세무 자문이 아닙니다 (세무사법\n"
        "제2조·제20조).\n"
        "학생 시험-학생 · 기준일 2025-07-01 ·\n"
        "/help 도움말\n"
        "\n"
        "질문> 세율은?\n"
        "소득세법 제55조제1항은 종합소득\n"
        "과세표준에 세율을 적용하여 계산한\n"
        "금액을 산출세액으로 정합니다.\n"
        "가나다라마바사아자차카타파하거너더러머\n"
        "버서어저처커터퍼허고노도로모보소오조초\n"
        "코토포호. 끝\n"
        "검증: 틀림 없음\n"
        "\n"
        "질문>"
    )


def test_backspace_takes_a_whole_syllable_and_its_two_cells(terminal) -> None:
    screen = terminal("--interactive", answers=[["제55조에 있습니다."]])
    screen.prompt()
    screen.type("세율은요가나\x7f\x7f\x7f")
    screen.until(lambda text: text.endswith("질문> 세율은"))
    assert screen.screen.cursor.x == len("> ") + 2 * len("질문세율은")
    screen.type("\r")
    screen.prompt("질문> 세율은\n제55조에 있습니다.")


def test_the_left_arrow_walks_over_whole_syllables(terminal, tmp_path) -> None:
    screen = terminal("--interactive", answers=[["제55조에 있습니다."]])
    screen.prompt()
    screen.type("세은?\x1b[D\x1b[D율")
    screen.until(lambda text: text.endswith("질문> 세율은?"))
    screen.type("\r")
    screen.prompt("틀림 없음")
    assert (tmp_path / "asked").read_text(encoding="utf-8") == '["세율은?"]\n'


def test_pasted_lines_are_one_question(terminal, tmp_path) -> None:
    screen = terminal("--interactive", answers=[["제55조에 있습니다."]])
    screen.prompt()
    screen.type("\x1b[200~첫 줄\n둘째 줄\r\n셋째 줄\x1b[201~")
    screen.until(lambda text: text.endswith("질문> 첫 줄\n      둘째 줄\n      셋째 줄"))
    screen.type("\r")
    screen.prompt("틀림 없음")
    assert (tmp_path / "asked").read_text(encoding="utf-8") == '["첫 줄\\n둘째 줄\\n셋째 줄"]\n'


def test_alt_enter_begins_a_line(terminal, tmp_path) -> None:
    screen = terminal("--interactive", answers=[["제55조에 있습니다."]])
    screen.prompt()
    screen.type("하나\x1b\r둘")
    screen.until(lambda text: text.endswith("질문> 하나\n      둘"))
    screen.type("\r")
    screen.prompt("틀림 없음")
    assert (tmp_path / "asked").read_text(encoding="utf-8") == '["하나\\n둘"]\n'


def test_tab_completes_commands(terminal) -> None:
    screen = terminal("--interactive", answers=[])
    screen.prompt()
    screen.type("/sta\t")
    screen.until(lambda text: text.endswith("질문> /stats"))
    screen.type("\r")
    screen.prompt("속도 보기 켬")


def test_ctrl_c_stops_only_the_answer_and_retry_and_undo_follow(terminal) -> None:
    screen = terminal("--interactive", answers=[["반만 쓴 ", "<hang>"], ["제55조의 새 답"]])
    screen.prompt()
    screen.ask("세율은?")
    screen.until(lambda text: text.endswith("반만 쓴"))
    screen.type("\x03")
    screen.prompt("중단됨")
    screen.ask("/retry")
    screen.prompt("새 답")
    screen.ask("/undo")
    shown = screen.prompt("지웠습니다")
    assert shown[shown.index("질문> 세율은?") :] == (
        "질문> 세율은?\n"
        "반만 쓴^C\n"
        "(중단됨. /retry로 다시 묻습니다. 끝내려면 /quit)\n"
        "\n"
        "질문> /retry\n"
        "다시 묻습니다: 세율은?\n"
        "제55조의 새 답\n"
        "검증: 틀림 없음\n"
        "\n"
        "질문> /undo\n"
        "지웠습니다: 세율은?\n"
        "\n"
        "질문>"
    )


def test_a_silent_wait_is_said_and_leaves_no_trace(terminal) -> None:
    screen = terminal("--interactive", answers=[["<hang>"]])
    screen.prompt()
    screen.ask("세율은?")
    screen.until(lambda text: text.endswith("질문> 세율은?\n답을 기다립니다…"))
    screen.type("\x03")
    assert "기다립니다" not in screen.prompt("질문> 세율은?\n(중단됨")


def test_clear_empties_the_screen_and_the_conversation(terminal) -> None:
    screen = terminal("--interactive", answers=[["제55조"]])
    screen.prompt()
    screen.ask("세율은?")
    screen.prompt("제55조")
    screen.ask("/clear")
    assert screen.prompt("지웠습니다") == "대화를 지웠습니다.\n\n질문>"
    screen.ask("/undo")
    screen.prompt("아직 질문이 없습니다.")


def test_ctrl_c_at_the_prompt_gives_the_line_up_and_ctrl_d_leaves(terminal, tmp_path) -> None:
    screen = terminal("--interactive", answers=[])
    screen.prompt()
    screen.type("잘못 쓴 것")
    screen.until(lambda text: text.endswith("잘못 쓴 것"))
    screen.type("\x03")
    screen.prompt("질문> 잘못 쓴 것\n(끝내려면 /quit 또는 Ctrl-D)")
    screen.type("\x04")
    assert screen.end() == 0 and not (tmp_path / "asked").exists()


def test_ctrl_c_ends_a_single_question_with_130(terminal) -> None:
    screen = terminal("--question", "세율은?", answers=[["반만 쓴 ", "<hang>"]])
    screen.until(lambda text: text.endswith("반만 쓴"))
    screen.type("\x03")
    assert screen.end() == 130
    assert screen.text.endswith("반만 쓴^C\n\n멈췄습니다 (interrupted).")


def test_the_teacher_is_asked_about_once(terminal) -> None:
    screen = terminal(
        "--interactive",
        "--teacher",
        answers=[["제55조의 답"], ["제56조의 답"]],
        teacher=[["교사 하나"], ["교사 둘"]],
        host="api.example.com",
    )
    screen.prompt()
    screen.ask("하나")
    screen.until(lambda text: text.endswith("보낼까요? [y/N]"))
    assert "교사에게 물으면 질문이 이 컴퓨터 밖으로 나갑니다: api.example.com\n보낼까요?" in screen.text
    screen.type("ㅛ\r")  # y on a keyboard left in Korean
    screen.prompt("교사 하나")
    screen.ask("둘")
    assert screen.prompt("교사 둘").count("보낼까요?") == 1


def test_history_is_kept_privately_and_without_personal_data(terminal, tmp_path) -> None:
    screen = terminal("--interactive", answers=[["제55조"], ["제56조"]])
    screen.prompt()
    screen.ask("세율은?")
    screen.prompt("제55조")
    screen.ask("900101-1234567의 세율은?")
    screen.prompt("제56조")
    screen.ask("/quit")
    assert screen.end() == 0
    file = tmp_path / "home/.local/state/slm-forest/history"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    kept = file.read_text(encoding="utf-8")
    assert "세율은?" in kept and "900101" not in kept
    again = terminal("--interactive", answers=[])
    again.prompt()
    again.type("\x1b[A\x1b[A")
    again.until(lambda text: text.endswith("질문> 세율은?"))


def test_no_history_keeps_none(terminal, tmp_path) -> None:
    screen = terminal("--interactive", "--no_history", answers=[["제55조"]])
    screen.prompt()
    screen.ask("세율은?")
    screen.prompt("제55조")
    screen.type("\x04")
    assert screen.end() == 0 and not (tmp_path / "home/.local").exists()


def test_a_model_cannot_move_the_cursor_or_retitle_the_window(terminal) -> None:
    screen = terminal("--question", "세율은?", answers=[["제55조\x1b[2J\x1b]0;속임\x07\u202e의 답"]])
    assert screen.end() == 0
    assert "제55조[2J]0;속임의 답" in screen.text and screen.screen.title == ""


def test_colours_only_where_they_are_wanted(terminal) -> None:
    coloured = terminal("--interactive", answers=[["제55조"]])
    plain = terminal("--interactive", answers=[["제55조"]], environment={"NO_COLOR": "1"})
    for screen in (coloured, plain):
        screen.prompt()
        screen.ask("세율은?")
        screen.prompt("틀림 없음")
    assert coloured.text == plain.text
    assert b"\x1b[32m" in coloured.raw and _colours(coloured) == {"default", "green", "cyan"}
    assert _colours(plain) == {"default"}


def _colours(screen) -> set[str]:
    return {cell.fg for row in screen.screen.buffer.values() for cell in row.values()}
