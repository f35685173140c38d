"""Asking one question after another: a line is a question, a line that begins with / is a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from serve.errors import EXIT_OK, ServeError
from serve.prompt import clean_question
from serve.terminal.reader import Reader
from serve.terminal.saving import save
from serve.terminal.screen import is_terminal, one_line
from serve.terminal.session import NOTICE, Reply, Session, Stopped, ask

HELP = """질문을 적고 Enter를 누르세요. 여러 줄을 붙여 넣으면 질문 하나가 되고, Alt-Enter는 줄을 바꿉니다.
질문마다 따로 답합니다. 앞의 대화에 이어서 묻고 싶으면 /context를 켜세요.
  /context    앞의 질문과 답을 함께 보내기 켬/끔 (마지막 네 번까지)
  /retry      마지막 질문을 다시 묻기 (켜고 끈 설정대로)
  /undo       마지막 질문과 답을 대화에서 지우기 (보내는 앞의 대화에서도)
  /clear      대화와 화면을 모두 지우기
  /save FILE  대화를 파일로 (.md, .json, .jsonl)
  /teacher    교사의 답도 보기 켬/끔
  /sources    근거를 찾아 함께 보내기 켬/끔
  /stats      속도 보기 켬/끔
  /help       이 도움말
  /quit       끝내기 (종료, Ctrl-D도 됩니다)
  Ctrl-C      쓰고 있는 답만 멈추기"""
_LEAVE = ("/quit", "/exit", "종료", "/종료")
_HINT = "(끝내려면 /quit 또는 Ctrl-D)"


def interact(session: Session, reader: Reader) -> int:
    """Read and answer until the person leaves; returns the exit code."""
    session.consent = _consent(session, reader)
    session.note(NOTICE)
    session.note(f"학생 {session.engine.student.name} · 기준일 {session.engine.as_of} · /help 도움말")
    conversation: list[Reply] = []
    while True:
        try:
            line = clean_question(reader.read())
        except EOFError:
            session.note("")
            return EXIT_OK
        except KeyboardInterrupt:
            session.note(_HINT)
            continue
        if line in _LEAVE:
            return EXIT_OK
        if line.startswith("/"):
            _command(line, session, conversation, reader)
        elif line:
            conversation.append(_answered(session, line, conversation))


def _answered(session: Session, question: str, conversation: list[Reply], fresh: bool = False) -> Reply:
    try:
        return ask(session, question, conversation if session.context else (), fresh)
    except Stopped as stop:
        session.note("(중단됨. /retry로 다시 묻습니다. 끝내려면 /quit)")
        return stop.reply


def _command(line: str, session: Session, conversation: list[Reply], reader: Reader) -> None:
    name, _, rest = line.partition(" ")
    match name:
        case "/help":
            session.note(HELP)
        case "/teacher":
            session.teacher = not session.teacher
            session.note(f"교사 {_on(session.teacher)}{_who_teaches(session) if session.teacher else ''}")
        case "/context":
            session.context = not session.context
            session.note(f"앞의 대화를 함께 보내기 {_on(session.context)}")
        case "/sources":
            session.sources = not session.sources
            session.note(f"근거 {_on(session.sources)}")
        case "/stats":
            session.stats = not session.stats
            session.note(f"속도 보기 {_on(session.stats)}")
        case "/clear":
            conversation.clear()
            if is_terminal(session.out):
                print("\x1b[2J\x1b[H", end="", file=session.out, flush=True)
            session.note("대화를 지웠습니다.")
        case "/undo" if conversation:
            session.note(f"지웠습니다: {one_line(conversation.pop().question)}")
        case "/retry" if conversation:
            _retry(session, conversation)
        case "/save" if conversation:
            _save(rest.strip(), session, conversation, reader)
        case "/undo" | "/retry" | "/save":
            session.note("아직 질문이 없습니다.")
        case _:
            session.note(f"모르는 명령입니다: {name}\n{HELP}")


def _retry(session: Session, conversation: list[Reply]) -> None:
    """Ask the last question again; its new answer takes the place of the old one."""
    question = conversation[-1].question
    session.note(f"다시 묻습니다: {one_line(question)}")
    if session.engine.student.params.temperature == 0 and not conversation[-1].stopped:
        session.note("(온도 0에서는 학생이 같은 질문에 같은 답을 씁니다. 바꾸려면 --temperature 0.7로 시작하세요)")
    conversation[-1] = _answered(session, question, conversation[:-1], fresh=True)


def _save(name: str, session: Session, conversation: list[Reply], reader: Reader) -> None:
    if not name:
        session.note("파일 이름을 적어 주세요: /save 상담.md")
        return
    path = Path(name).expanduser()
    if path.exists() and not reader.agrees(f"{path} 파일이 이미 있습니다. 덮어쓸까요?"):
        session.note("저장하지 않았습니다.")
        return
    try:
        save(path, conversation, session.engine.as_of)
    except ServeError as exc:
        session.note(f"오류: {exc}", "bad")
    else:
        session.note(f"질문 {len(conversation)}개를 저장했습니다: {path}")


def _consent(session: Session, reader: Reader) -> Callable[[str], bool]:
    def agrees(host: str) -> bool:
        session.note(f"교사에게 물으면 질문이 이 컴퓨터 밖으로 나갑니다: {host}")
        return reader.agrees("보낼까요?")

    return agrees


def _who_teaches(session: Session) -> str:
    live = session.engine.teacher.live
    return f": {live.info().name}" if live else ": 키가 없어 녹음된 답변만 보입니다"


def _on(value: bool) -> str:
    return "켬" if value else "끔"
