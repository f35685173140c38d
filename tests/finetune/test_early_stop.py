"""Early stopping: it ends when accuracy no longer grows, keeps the best adapter, and looks at rows of its own."""

from types import SimpleNamespace

import pytest
import torch

from finetune import evaluate
from finetune.data import Row, read_rows
from finetune.early_stop import Accuracy, Watch, document_right, watched_rows
from finetune.evaluate import Generation
from finetune.settings import Base, EarlyStop, Evaluation, RunConfig, Train
from finetune.train import Position
from taxlaw.evidence_prompt import LOOK_UP


def watch_over(shares, **settings):
    found = iter(shares)
    return Watch(EarlyStop(**{"every_steps": 2, **settings}), lambda: Accuracy(next(found), 10))


def position(steps, seconds=0.0):
    return Position([SimpleNamespace(tokens=10)] * steps, 0.0, seconds, steps, None)


@pytest.fixture
def model():
    return torch.nn.Linear(2, 2)


def follow(watch, model, evaluations):
    """Judge after every second step, each time with other weights; returns the records."""
    records = []
    for number in range(1, evaluations + 1):
        with torch.no_grad():
            model.weight.fill_(float(number))
        assert watch.due(position(2 * number)) and not watch.due(position(2 * number - 1))
        records.append(watch.judge(model, position(2 * number)))
        assert watch.judged(position(2 * number)) and not watch.judged(position(2 * number + 1))
        if watch.finished:
            break
    return records


def test_three_evaluations_without_improvement_end_it_and_the_best_weights_come_back(model):
    watch = watch_over([3, 6, 5, 4, 5, 9])
    records = follow(watch, model, 6)
    assert len(records) == 5 and watch.finished and watch.best_step == 4
    assert [record["waited"] for record in records] == [0, 0, 1, 2, 3]
    assert records[-1]["accuracy"] == 0.5 and records[-1]["best"] == 0.6 and records[-1]["tokens"] == 100
    watch.restore_best(model)
    assert model.weight.unique().tolist() == [2.0]


def test_an_improvement_starts_the_count_anew(model):
    watch = watch_over([3, 2, 2, 4, 3, 3, 5])
    follow(watch, model, 7)
    assert not watch.finished and watch.best == 0.5


def test_of_equally_good_weights_the_later_are_kept_but_count_as_no_improvement(model):
    watch = watch_over([0, 5, 5, 5, 5])
    assert len(follow(watch, model, 5)) == 5 and watch.finished
    watch.restore_best(model)
    assert model.weight.unique().tolist() == [5.0]


def test_it_goes_on_from_a_checkpoint(model):
    first = watch_over([5, 4])
    follow(first, model, 2)
    second = watch_over([3, 2])
    second.load(first.state())
    assert second.best == 0.5 and second.judged(position(4)) and not second.due(position(5))
    second.judge(model, position(6))
    second.judge(model, position(8))
    assert second.finished
    second.restore_best(model)
    assert model.weight.unique().tolist() == [1.0]


def test_minutes_are_those_of_training():
    watch = watch_over([], every_steps=None, every_minutes=2)
    assert not watch.due(position(50, 119)) and watch.due(position(50, 120))


def test_exactly_one_interval_is_given():
    for given in ({}, {"every_steps": 1, "every_minutes": 1}):
        with pytest.raises(ValueError, match="exactly one"):
            EarlyStop(**given)


def config_with(dataset, evaluation_rows, **early):
    return RunConfig(
        dataset=dataset,
        out=dataset / "out",
        base=Base(folder=dataset),
        train=Train(learning_rate=1e-3, max_steps=1, early_stop=EarlyStop(every_steps=1, **early)),
        evaluation=Evaluation(rows=evaluation_rows),
    )


def test_the_watched_rows_are_none_of_the_final_evaluation(dataset):
    validation = read_rows(dataset / "validation.jsonl")
    config = config_with(dataset, 5, rows=3)
    watched, documents = watched_rows(validation, config)
    final = {row.id for row in evaluate.held_out(validation, 5)}
    assert len(watched) == 3 and not final & {row.id for row in watched} and documents == []


@pytest.mark.parametrize("early", [{"rows": 4}, {"rows": 1, "document_rows": 1}])
def test_too_few_rows_to_watch_are_an_error_not_a_smaller_sample(dataset, early):
    from finetune.errors import InputError

    with pytest.raises(InputError, match="Too few validation rows"):
        watched_rows(read_rows(dataset / "validation.jsonl"), config_with(dataset, 5, **early))


@pytest.mark.parametrize(
    ("text", "stopped", "right"),
    [
        ("상속세 및 증여세법 제53조에 따라 성년 자녀는 10년간 5천만원을 공제합니다.", True, True),
        ("상속세 및 증여세법 제53조에 따라 성년 자녀는 10년간 9천만원을 공제합니다.", True, False),
        ("상속세 및 증여세법 제953조에 따라 성년 자녀는 10년간 5천만원을 공제합니다.", True, False),
        ("상속세 및 증여세법 제53조에 따라 성년 자녀는", False, False),
        ("  ", True, False),
        ("성년 자녀의 증여재산 공제는 얼마인가요?", True, False),  # repeats the question: no fault, nothing confirmed
        ("공제가 있습니다. 자세한 것은 세무서에 물어보세요.", True, False),
    ],
)
def test_a_documents_answer_is_judged_by_the_verifier(tiny, text, stopped, right):
    evidence = "상속세 및 증여세법 제53조: 직계존속에게서 증여받으면 5천만원을 공제한다. 10년 합산."
    row = Row.model_validate(
        tiny.row(0, "1억원", style="plain", type="student", call=None, payable=None, evidence=evidence)
    )
    row = row.model_copy(update={"question": "성년 자녀의 증여재산 공제는 얼마인가요?"})
    assert document_right(row, Generation(text, stopped, 10)) is right


@pytest.mark.parametrize(
    ("text", "stopped", "right"), [(LOOK_UP, True, True), (LOOK_UP, False, False), ("네.", True, False)]
)
def test_a_row_that_came_without_its_evidence_is_right_when_it_is_asked_for(tiny, text, stopped, right):
    row = Row.model_validate(
        tiny.row(0, "1억원", style="plain", type="student", call=None, payable=None, evidence="글")
    )
    assert document_right(row.asking_evidence(), Generation(text, stopped, 10)) is right
