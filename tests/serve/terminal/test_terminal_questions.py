"""Files of questions as they come from Korean offices: which ones are read, and what is said about the others."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from serve.errors import Code, ServeError
from serve.terminal.questions import Asked, read_questions

TWO = (Asked("세율은?"), Asked("공제는, 얼마?"))


def read(name: str, content: str | bytes) -> tuple[Asked, ...]:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_questions(Path(name)).asked


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.txt", "세율은?\r\n\r\n  공제는, 얼마?  \r\n"),
        ("q.jsonl", '{"question": "세율은?"}\n\n{"질문": "공제는, 얼마?", "note": 1}\n'),
        ("q.csv", '번호,질문\n1,세율은?\n2,"공제는, 얼마?"\n'),
        ("q.csv", "번호;Question;비고\n1;세율은?;\n2;공제는, 얼마?;x\n"),
        ("q.txt", "번호\t질문\n1\t세율은?\n2\t공제는, 얼마?\n"),
    ],
)
def test_each_form_in_each_encoding(name: str, text: str, encoding: str) -> None:
    assert read(name, text.encode(encoding)) == TWO


def test_the_encoding_is_told() -> None:
    Path("q.txt").write_bytes("세율은?".encode("cp949"))
    assert read_questions(Path("q.txt")).encoding == "cp949"


def test_decomposed_hangul_is_composed() -> None:
    assert read("q.txt", "\u1109\u1166\u110b\u1172\u11af\u110b\u1173\u11ab?") == (Asked("세율은?"),)


def test_ids_come_along() -> None:
    assert read("q.jsonl", '{"id": 7, "question": "a"}\n{"id": [1], "question": "b"}\n') == (Asked("a", 7), Asked("b"))
    assert read("q.csv", "id,question\nx1,a\n,b\n") == (Asked("a", "x1"), Asked("b"))


def test_a_cell_of_several_lines_is_one_question() -> None:
    assert read("q.csv", '질문\n"첫 줄\n둘째 줄"\n') == (Asked("첫 줄\n둘째 줄"),)


def test_a_line_separator_inside_json_does_not_cut_it() -> None:
    assert read("q.jsonl", '{"question": "가\u2028나"}\n') == (Asked("가\u2028나"),)


def test_text_that_mentions_the_word_is_no_table() -> None:
    assert read("q.txt", "이 질문, 답이 뭔가요?\n세율은?\n")[0] == Asked("이 질문, 답이 뭔가요?")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO("질문\n세율은?\n".encode())))
    assert read_questions(Path("-")).asked == (Asked("질문"), Asked("세율은?"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.txt", None, "none.txt"),
        ("empty.txt", b"\n\n", "질문이 없습니다"),
        ("head.csv", "번호,질문\n".encode(), "질문이 없습니다"),
        ("binary.txt", b"\xff\xff\x80\x00", "UTF-8도 CP949도"),
        ("bad.jsonl", b'{"question": "a"}\n{"q": "b"}\n', "2번째 줄"),
        ("bad2.jsonl", b"{\n", "1번째 줄"),
        ("column.csv", "번호,물음\n1,a\n".encode(), "번호, 물음"),
        ("hole.csv", "번호,질문\n1,a\n2,\n".encode(), "3번째 줄"),
        ("list.json", b'["a"]', ".jsonl"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(ServeError) as caught:
        read_questions(Path(name))
    assert caught.value.code is Code.USAGE and said in str(caught.value) and caught.value.hint
