"""The two ways to answer side by side, and the worked one measured by itself: on answers whose worth is known."""

import hashlib
import json
from types import SimpleNamespace

import pytest
from student_cases import calculation

from finetune.evaluate import Generation
from finetune.evaluation.subjects import Subject


def test_both_ways_to_answer_are_asked_what_neither_has_learned(bench, figures):
    """Three gifts: an amount that one of them learned, a round one, and one of six digits that the worked student gets wrong."""
    ask, worked = bench["measure"], bench["worked"]
    known, plain, odd = (calculation(number) for number in (1, 2, "3.14159"))
    odd = odd.model_copy(update={"held_out": "wordings"})
    rows = [one.model_copy(update={"family": f"worked:gift:{n}"}) for n, one in enumerate((known, plain, odd))]

    def wrongly(some, caps):
        return [Generation(one.answer.replace("4,154만 6,846원", "4,154만 6,847원"), True, 90) for one in some]

    def rightly(some, caps):
        return [Generation(one.answer, True, 90) for one in some]

    def by_call(some, caps):
        return [Generation(one.call, True, 20) for one in some]

    sides = {
        "worked_alone": worked.Side(Subject("w", "w", wrongly), worked.CAPS, "worked", alone=True),
        "worked": worked.Side(Subject("w", "w", rightly), worked.CAPS, "worked"),
        "alone": worked.Side(Subject("a", "a", by_call), ask.CAPS, "program", alone=True),
        "served": worked.Side(Subject("s", "s", by_call), ask.CAPS, "program"),
    }
    found = worked.side_by_side([*rows, calculation(4, "corporate")], rows[:1], sides)
    assert (found["rows"], found["left_out"], found["unlearned"]) == (2, 1, 2)
    fewer = worked.side_by_side([*rows, calculation(4, "corporate")], rows[:1], sides, 1)
    assert (fewer["rows"], fewer["left_out"], fewer["unlearned"]) == (1, 1, 2)
    assert {kind: of["rows"] for kind, of in found["of"].items()} == {
        **{"all": 2, "known wordings": 1, "wordings": 1, "few digits": 1, "many digits": 1},
        **{"plain gift": 2, "earlier gifts": 0},
    }
    exact = {side: [of[side]["exact"]["value"] for of in found["of"].values() if of["rows"]] for side in sides}
    assert exact["worked_alone"] == [0.5, 1, 0, 1, 0, 0.5]
    assert exact["worked"] == exact["alone"] == exact["served"] == [1] * 6
    assert found["again"] == {"rows": 2, "changed": 1, "right_before": 0, "right_after": 1}
    about = {
        "run": "w",
        "name": "w.gguf",
        "bytes": 1,
        "sha256": "a" * 64,
        "quantisation": "Q8_0",
        "dataset": {"name": "d"},
    }
    shown = bench["page"].page({**figures, "worked": {**found, **about}})
    assert "| 5자리부터 | 0.0% (" in shown and "배운 금액이나 질문 1행을" in shown
    assert "1문항에서 다시 썼고, 그 가운데 맞은 것이 0문항에서 1문항" in shown
    assert "| 10년 안의 이전 증여를 합침" not in shown, "a kind without rows is left out"
    assert "(`--worked RUN`)" in bench["page"].page(figures)
    line = {line.korean: line.met for line in bench["bar"].lines({**figures, "worked": found})}
    assert line["풀이형(별도 학생): 증여세, 처음 보는 금액"] is True
    served = {**figures, "worked": found, "alone": figures["student"]}
    assert any(text.startswith("50.0% (") for text in bench["bar"].alone(served))


@pytest.fixture
def only_worked(bench, figures, rows, tmp_path, monkeypatch):
    """bench/student.py --only-worked over a run of three gifts whose student writes its working under its call."""
    import student

    calls = [one for one in rows if one.tax == "gift" and one.call and not one.held_out][:3]
    calls = [one.model_copy(update={"family": one.id}) for one in calls]
    for name, some in (("learned", []), ("own", calls[:1]), ("shipped", [])):
        (tmp_path / name).mkdir()
        for split, of in (("train", some or rows[-1:]), ("test", calls)):
            lines = "\n".join(one.model_dump_json() for one in of)
            (tmp_path / name / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    file = tmp_path / "student.gguf"
    file.write_bytes(b"weights")

    def read_run(folder):
        style, data = ("facts_first", "own") if folder.name == "w" else ("program", "shipped")
        config = SimpleNamespace(dataset=tmp_path / data)
        return SimpleNamespace(student=file, quantisation="Q8_0", target=style, config=config)

    def gguf_subject(name, title, of, template=None):
        def answer(some, caps):
            under = "\n" if name == "worked" else None
            return [Generation(one.call + (under + one.answer if under else ""), True, 20) for one in some]

        return Subject(name, title, answer)

    monkeypatch.setattr("finetune.evaluation.run_folder.read_run", read_run)
    monkeypatch.setattr("finetune.evaluation.subjects.gguf_subject", gguf_subject)
    monkeypatch.setattr("serve_measure.machine", lambda _: figures["machine"])
    monkeypatch.setattr(student, "RESULTS", tmp_path / "student.json")
    args = SimpleNamespace(run=tmp_path / "s", worked=tmp_path / "w", worked_rows=None)
    args.learned, args.worked_learned = [tmp_path / "learned"], []

    def measured(sha256):
        whole = {**figures, "file": {**figures["file"], "sha256": sha256}}
        (tmp_path / "student.json").write_text(json.dumps(whole), encoding="utf-8")
        return student.measure_worked(args, lambda text: None)

    return measured


def test_the_worked_style_alone_is_measured_beside_the_figures_of_the_last_run(bench, figures, only_worked):
    found = only_worked(hashlib.sha256(b"weights").hexdigest())
    assert found["student"] == json.loads(json.dumps(figures["student"]))
    assert (found["worked"]["rows"], found["worked"]["left_out"], found["worked"]["run"]) == (2, 1, "w")
    assert found["worked"]["of"]["all"]["worked_alone"]["exact"]["value"] == 1
    text = bench["page"].page(found)
    assert text.count("로 따로 쟀습니다") == 1 and "로 따로 쟀습니다" in bench["page"].readme_block(found)
    assert "로 따로 쟀습니다" not in bench["page"].page(figures)


def test_figures_of_another_student_are_not_kept(only_worked):
    with pytest.raises(SystemExit, match="다른 파일"):
        only_worked("f" * 64)
