"""The judge model is itself judged: a perfect one measures 1.0, one that says yes to all is exposed, and it never rewrites."""

import asyncio
import json
from collections import Counter
from dataclasses import replace

import pytest

from data_gen.__main__ import main
from data_gen.errors import TeacherFailure
from data_gen.gates import judge, stateless_gates
from data_gen.judge import judge_row, judged_document
from data_gen.judge.measure import (
    GOLDEN,
    Measured,
    describe,
    golden_cases,
    load_measured,
    measure,
    save_measured,
)
from data_gen.judge.mutations import KINDS, mutations
from data_gen.prompting import render_prompt
from data_gen.replies import MalformedReply, parse_answer
from data_gen.rows import Candidate, Rejection
from data_gen.settings import GateSettings
from data_gen.tasks import Turn
from data_gen.teachers import Reply


class Double:
    """A judge that answers from a function of (question, answer); the text is read as a live reply's is."""

    name = "double"
    places = 4

    def __init__(self, says):
        self.says, self.asked = says, []

    async def ask(self, document, task):
        assert task.name == "judge" and document.kind in task.kinds
        self.asked.append(document)
        meta = dict(document.meta)
        text = self.says(meta["question"], meta["answer"])
        try:
            return Reply(parse_answer(text, task.answer), text, "double-1")
        except MalformedReply as exc:
            raise TeacherFailure(str(exc)) from exc

    async def close(self):
        pass


def word(verdict) -> str:
    return json.dumps({"reason": "근거를 보았습니다.", "verdict": verdict}, ensure_ascii=False)


@pytest.fixture(scope="module")
def cases():
    return golden_cases()


@pytest.fixture(scope="module")
def right(cases):
    return {case.row.answer for case in cases if case.kind == "supported"}


def measured(says) -> Measured:
    return asyncio.run(measure(Double(says)))


def test_the_golden_set_is_large_enough_and_every_pair_of_it_passes_our_own_gates(cases):
    counts = Counter(case.kind for case in cases)
    assert counts["supported"] >= 40 and all(counts[kind] >= 15 for kind in KINDS)
    assert len({case.row.id for case in cases}) == len(cases)
    gates = stateless_gates(GateSettings())
    refused = [judge(Candidate(case.row), gates) for case in cases if case.kind == "supported"]
    assert [(one.row.id, one.reason) for one in refused if isinstance(one, Rejection)] == []


def test_every_mutation_changes_the_answer_and_only_it(cases, right):
    for case in cases:
        if case.kind != "supported":
            assert case.row.answer not in right
    by_id = {case.row.id: case.row for case in cases}
    for case in cases:
        original = by_id["-".join(case.row.id.split("-")[:2])]
        assert replace(case.row, id=original.id, answer=original.answer) == original


def test_each_kind_of_mutation_is_what_it_says():
    answer = "배우자는 소득세법 제12조에 따라 2026년 1월 1일부터 20만원까지 뺍니다."
    evidence = "소득세법 제12조, 제14조: 2026년 1월 1일부터 20만원. 30만원. 2026년 2월 1일."
    found = {one.kind: one.answer for one in mutations(answer, evidence, ("배우자는", "직계존속은"))}
    assert found == {
        "number": answer.replace("20만원", "26만원"),  # 30만원 stands in the evidence
        "article": answer.replace("제12조", "제15조"),  # and so does 제14조
        "date": answer.replace("2026년 1월 1일", "2026년 3월 1일"),
        "negation": answer.replace("뺍니다", "빼지 않습니다"),
        "subject": answer.replace("배우자는", "직계존속은"),
    }


def test_a_perfect_judge_measures_one(right):
    found = measured(lambda question, answer: word("supported" if answer in right else "contradicted"))
    assert (found.precision, found.recall) == (1.0, 1.0)
    assert found.confusion["supported"]["supported"] == found.supported == len(right)
    assert (found.judge, found.model) == ("double", "double-1")


@pytest.mark.parametrize("verdict", ["supported", "unclear"])
def test_a_judge_that_never_says_no_is_exposed(verdict):
    found = measured(lambda question, answer: word(verdict))
    assert (found.precision, found.recall) == (0.0, 0.0)


def test_a_judge_that_always_says_no_is_exposed_by_its_precision():
    found = measured(lambda question, answer: word("unsupported"))
    assert found.recall == 1.0
    assert found.precision == pytest.approx(found.mutated / (found.mutated + found.supported))


def test_a_judge_blind_to_numbers_is_seen_in_the_confusion(right, cases):
    kind = {case.row.answer: case.kind for case in cases}
    found = measured(
        lambda question, answer: word("supported" if kind[answer] in ("supported", "number") else "contradicted")
    )
    assert found.precision == 1.0 and found.recall < 1.0
    numbers = found.confusion["number"]
    assert numbers["supported"] == sum(numbers.values()) and found.confusion["date"]["supported"] == 0


@pytest.mark.parametrize(
    "reply",
    [
        word("supported") + "\n고친 답변: 6억원입니다.",
        json.dumps({"reason": "맞습니다.", "verdict": "supported", "answer": "더 좋은 답"}, ensure_ascii=False),
        json.dumps({"reason": "맞습니다.", "verdict": "yes"}, ensure_ascii=False),
        json.dumps({"verdict": "supported"}),
        "supported",
    ],
)
def test_a_verdict_with_extra_text_or_none_in_the_asked_form_is_refused_and_counts_for_nothing(reply, cases):
    with pytest.raises(TeacherFailure):
        asyncio.run(judge_row(Double(lambda *_: reply), cases[0].row))
    found = measured(lambda *_: reply)
    assert (found.precision, found.recall) == (0.0, 0.0)
    assert found.confusion["supported"]["failed"] == found.supported


def test_the_judge_is_shown_the_source_and_every_turn(cases):
    row = replace(cases[0].row, history=(Turn("앞에서 물은 것입니다?", "앞에서 답한 것입니다."),))
    double = Double(lambda *_: word("supported"))
    opinion = asyncio.run(judge_row(double, row))
    assert (opinion.verdict, opinion.model) == ("supported", "double-1")
    prompt = render_prompt("judge", double.asked[0])
    for shown in (row.evidence, row.question, row.answer, "앞에서 물은 것입니다?", "앞에서 답한 것입니다.", row.as_of):
        assert shown in prompt


def test_a_row_without_evidence_is_not_for_the_judge(cases):
    with pytest.raises(ValueError, match="golden-1"):
        judged_document(replace(cases[0].row, evidence=""))


def test_a_measurement_is_kept_for_the_card_until_the_prompt_changes(tmp_path, right):
    found = measured(lambda question, answer: word("supported" if answer in right else "unsupported"))
    store = tmp_path / "responses.sqlite"
    assert load_measured(store, "double") is None
    save_measured(found, store)
    assert load_measured(store, "double") == found
    assert "정밀도 1.000, 재현율 1.000" in describe(found)
    save_measured(replace(found, prompt_hash="old"), store)
    assert load_measured(store, "double") is None


@pytest.fixture
def live(monkeypatch, tmp_path):
    """judge-check with a double where the live desk would be."""

    def run(says, *more) -> int:
        (tmp_path / "teachers.yaml").write_text("teachers:\n  j: {kind: openai, model: m}\n  r: {kind: recorded}\n")
        monkeypatch.setattr("data_gen.teachers.opening.open_desk", lambda settings, name, keeper: Double(says))
        words = ["judge-check", "--teachers", str(tmp_path / "teachers.yaml"), "--store", str(tmp_path / "s.sqlite")]
        return main([*words, *more])

    return run


def test_the_command_prints_the_confusion_and_stores_it(live, capsys, right, tmp_path):
    assert live(lambda q, a: word("supported" if a in right else "contradicted"), "--teacher", "j") == 0
    said = capsys.readouterr().out
    assert "정밀도 1.000, 재현율 1.000" in said and "숫자를 바꿈" in said
    assert load_measured(tmp_path / "s.sqlite", "double") is not None


def test_the_command_fails_below_what_is_asked_of_the_judge(live):
    assert live(lambda *_: word("supported"), "--teacher", "j", "--min-recall", "0.8") == 1


def test_a_recorded_teacher_cannot_judge(live, capsys):
    assert live(lambda *_: "", "--teacher", "r") == 2
    assert "판정할 수 없습니다" in capsys.readouterr().err


def test_a_golden_file_with_an_unknown_document_is_refused(tmp_path, live, capsys):
    path = tmp_path / "golden.yaml"
    path.write_text("pairs:\n- {document: 'law:없는법:제1조', question: 무엇인가요, answer: 이것입니다}\n")
    assert live(lambda *_: word("supported"), "--teacher", "j", "--golden", str(path)) == 2
    assert "law:없는법:제1조" in capsys.readouterr().err
    assert GOLDEN.is_file()


def test_a_live_judge_is_asked_once_and_a_rerun_sends_nothing(fake, right, tmp_path, monkeypatch, capsys):
    """Through the real desk, store and ledger."""
    monkeypatch.setenv("JUDGE_KEY", "not-a-key")

    def answer(body):
        prompt = body["messages"][-1]["content"]
        said = prompt.split("--- 답변 ---\n")[1].split("\n--- 답변 끝 ---")[0]
        return word("supported" if said in right else "contradicted")

    def run() -> int:
        paths = {name: str(tmp_path / f"{name}.yaml") for name in ("teachers", "prices")}
        store = str(tmp_path / "store.sqlite")
        return main(
            ["judge-check", "--teacher", "j", "--store", store, *(w for n, p in paths.items() for w in (f"--{n}", p))]
        )

    (tmp_path / "prices.yaml").write_text((GOLDEN.parents[2] / "configs" / "prices.yaml").read_text(encoding="utf-8"))
    with fake.serving(fake.Script(), answer) as endpoint:
        (tmp_path / "teachers.yaml").write_text(
            f"teachers:\n  j: {{kind: openai, model: m, base_url: '{endpoint.url}', key_env: JUDGE_KEY, concurrency: 32}}\n"
        )
        assert run() == 0
        sent = len(endpoint.log)
        assert run() == 0
        assert len(endpoint.log) == sent == len(golden_cases())
    assert "정밀도 1.000, 재현율 1.000" in capsys.readouterr().out
