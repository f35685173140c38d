"""An evaluation that is stopped goes on where it was, and never takes an answer for another one."""

import pytest

from finetune.data import Row
from finetune.errors import InputError
from finetune.evaluate import Generation
from finetune.evaluation.kept_answers import keeping
from finetune.evaluation.subjects import Caps, Subject

CAPS = Caps(worked=8, words=16)


class Model:
    """Answers with the row's question and counts what it was asked; ``most``: it is interrupted after so many rows."""

    def __init__(self, most=None):
        self.asked, self.most = [], most

    def answer(self, rows, caps):
        if self.most is not None and len(self.asked) + len(rows) > self.most:
            raise KeyboardInterrupt
        self.asked += [row.id for row in rows]
        return [Generation(f"답\u2028{row.question}", True, 3) for row in rows]

    def kept(self, file, sha256="a" * 64, say=lambda text: None):
        return keeping(Subject("student", "학생", self.answer), sha256, file, say, batch=4)


def rows_of(tiny, count=10, **changes):
    return [Row.model_validate(tiny.row(n, amount, **changes)) for n, amount in enumerate(tiny.AMOUNTS[:count])]


def test_what_was_answered_before_a_stop_is_not_asked_again(tiny, tmp_path):
    file, rows, said = tmp_path / "kept" / "answers.jsonl", rows_of(tiny), []
    with pytest.raises(KeyboardInterrupt):
        Model(most=8).kept(file).answer(rows, CAPS)
    second = Model()
    answers = second.kept(file, say=said.append).answer(rows, CAPS)
    assert second.asked == [row.id for row in rows[8:]]
    assert [one.text for one in answers] == [f"답\u2028{row.question}" for row in rows]
    assert said == ["학생: 10/10행, 남은 시간 약 0분"]
    third = Model()
    assert third.kept(file).answer(list(reversed(rows)), CAPS) == list(reversed(answers)) and not third.asked


def test_another_model_prompt_or_cap_is_another_answer(tiny, tmp_path):
    file, rows = tmp_path / "answers.jsonl", rows_of(tiny, 2, evidence="1. 가법 제1조\n글", family="grounded:가")
    Model().kept(file).answer(rows, CAPS)
    for changed, caps, sha256 in (
        ([row.showing_evidence() for row in rows], CAPS, "a" * 64),
        (rows, Caps(worked=9, words=16), "a" * 64),
        (rows, CAPS, "b" * 64),
        ([row.model_copy(update={"question": "다른 질문"}) for row in rows], CAPS, "a" * 64),
    ):
        model = Model()
        model.kept(file, sha256).answer(changed, caps)
        assert len(model.asked) == 2
    model = Model()
    model.kept(file).answer(rows, Caps(worked=8, words=99))  # worked rows never met that cap
    assert not model.asked


def test_a_line_cut_in_half_is_asked_again_and_a_foreign_file_is_refused(tiny, tmp_path):
    file, rows = tmp_path / "answers.jsonl", rows_of(tiny, 3)
    Model().kept(file).answer(rows, CAPS)
    file.write_bytes(file.read_bytes()[:-9])
    model = Model()
    model.kept(file).answer(rows, CAPS)
    assert model.asked == [rows[2].id]
    whole = Model()
    whole.kept(file).answer(rows, CAPS)  # and what was asked again is whole
    assert not whole.asked
    file.write_text('{"question": "가"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="jsonl:1"):
        Model().kept(file).answer(rows, CAPS)
