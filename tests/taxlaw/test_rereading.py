"""A call that does not fit its question gives way to the likeliest one that does, and to nothing else."""

from datetime import date

import numpy as np
import pytest

from taxlaw.pieces import Pieces, rest_of
from taxlaw.rereading import LEAST_CHANCE, Step, beginning, doubts, forks, readings, reread, step_of, worth_rereading

DAY = date(2026, 6, 1)
QUESTION = "조정대상지역 아파트를 5억원에 사서 2주택이 됩니다. 취득세는 얼마인가요?"
RIGHT = '{"tax":"acquisition","value":"5억원","homes":2,"adjusted":true}'
WRONG = '{"tax":"acquisition","value":"5억원","homes":2,"adjusted":false}'
BROKEN = '{"tax":"acquisition","value":"5억원","homes":2'


def test_doubts_are_about_calls_only():
    assert doubts(QUESTION, RIGHT, DAY) == ()
    assert doubts(QUESTION, WRONG, DAY) == ("조정대상지역의 주택",)
    assert doubts(QUESTION, BROKEN, DAY)
    cannot_be_run = '{"tax":"acquisition","value":"5억원","homes":2,"adjusted":true,"cause":"교환"}'
    assert doubts(QUESTION, cannot_be_run, DAY)
    assert doubts(QUESTION, "취득세는 얼마입니다.", DAY) is None


@pytest.mark.parametrize("first", [WRONG, BROKEN, '{"tax":"acquisition","value":"7억원","homes":2,"adjusted":true}'])
def test_the_first_other_reading_without_a_doubt_is_gone_by(first):
    others = iter(["취득세는 모르겠습니다.", None, BROKEN, RIGHT, "nobody asks for this one"])
    assert worth_rereading(QUESTION, first, DAY)
    *meanwhile, last = reread(QUESTION, first, others, DAY)
    assert last == RIGHT and set(meanwhile) == {first}
    assert next(others) == "nobody asks for this one"


def test_without_a_better_one_the_first_stands():
    *_, last = reread(QUESTION, WRONG, [BROKEN, "말로 쓴 답"], DAY)
    assert last == WRONG


@pytest.mark.parametrize(
    ("question", "text", "worth"),
    [
        (QUESTION, RIGHT, False),
        (QUESTION, "취득세는 취득가액에 세율을 곱합니다.", False),
        # Only the person can tell who gave it: nothing another reading says would be known.
        ("6억 증여, 증여세?", '{"tax":"gift","amount":"6억","relation":"직계존속"}', False),
        ("6억 증여, 증여세?", '{"tax":"gift","amount":"6억","relation":"직계', False),
        # A flag that nobody raised may be missing from the next likely reading.
        ("어머니께 1억원을 증여받았어요. 증여세는?", '{"tax":"gift","amount":"1억원","relation":"직계존속","generation_skip":true}', True),
        ("공시가격 3억원인 집, 1세대 1주택입니다. 재산세는?", "계산하려면 공시가격을 알아야 합니다. 알려 주세요.", True),
        ("집 한 채의 재산세는? 1세대 1주택입니다.", "계산하려면 공시가격을 알아야 합니다. 알려 주세요.", False),
    ],
)  # fmt: skip
def test_when_it_is_worth_reading_again(question, text, worth):
    assert worth_rereading(question, text, DAY) is worth


class Tree:
    """A model of a few tokens: at each prefix the chances of what comes next; 0 ends an answer."""

    def __init__(self, **chances):
        self.chances = {
            tuple(map(int, key.strip("_").split("_"))) if key != "_" else (): one for key, one in chances.items()
        }
        self.reads = 0

    def read(self, begun):
        self.reads += 1
        tokens, steps = list(begun), []
        while not tokens or tokens[-1] != 0:
            ranked = sorted(self.chances[tuple(tokens)].items(), key=lambda item: -item[1])
            steps.append(Step(*ranked[0], tuple(ranked[1:])))
            tokens.append(ranked[0][0])
        return steps


def test_forks_come_by_their_chance_and_a_fork_may_be_forked():
    tree = Tree(_={1: 0.6, 2: 0.4}, _1={0: 0.9, 3: 0.1}, _1_3={0: 1.0}, _2={3: 0.7, 0: 0.3}, _2_3={0: 1.0})
    assert list(forks(tree.read)) == [[1, 0], [2, 3, 0], [2, 0], [1, 3, 0]]
    assert list(forks(tree.read, most=2)) == [[1, 0], [2, 3, 0]]


def test_no_fork_that_the_model_itself_hardly_believes():
    tree = Tree(_={1: 1 - LEAST_CHANCE / 2, 2: LEAST_CHANCE / 2}, _1={0: 1.0})
    assert list(forks(tree.read)) == [[1, 0]]


PIECES = [b"", b'{"tax":"', "말".encode(), b"income", b"gift", b'income","base":"', b'","base":"', b'"', b"9"]


def _readings(tree, beginning=""):
    """The readings as texts.  A tree's chances may hold any tokens: of a beginning only those that fit are the model's."""

    def read(begun, first):
        return _held(tree, begun, first) if first else iter(tree.read(begun))

    return [
        b"".join(PIECES[token] for token in tokens).decode()
        for tokens in readings(read, PIECES.__getitem__, list, beginning)
    ]


def _held(tree, begun, first):
    tokens, fitting = list(begun), Pieces(PIECES)
    while not tokens or tokens[-1] != 0:
        among = fitting.fitting(first) if first else range(len(PIECES))
        chances = tree.chances[tuple(tokens)]
        ranked = sorted(((token, chances.get(token, 0)) for token in among), key=lambda one: -one[1])
        yield Step(*ranked[0], tuple(one for one in ranked[1:] if one[1]))
        tokens.append(ranked[0][0])
        first = rest_of(first, PIECES[ranked[0][0]])


def test_only_what_may_become_a_call_is_looked_for_and_the_rest_costs_no_reading():
    tree = Tree(
        _={1: 0.5, 2: 0.4}, _1={3: 0.6, 4: 0.2, 8: 0.1}, _1_3={0: 1.0}, _1_4={0: 1.0}, _1_8={7: 1.0}, _1_8_7={0: 1.0}
    )
    assert _readings(tree) == ['{"tax":"gift', '{"tax":"9"'], "9 may still become a tax, 말 no call"
    assert tree.reads == 3


def test_what_has_ceased_to_be_a_call_is_not_read_to_its_end():
    tree = Tree(_={1: 1.0}, _1={4: 0.9, 3: 0.1}, _1_4={0: 1.0}, _1_3={6: 1.0}, _1_3_6={2: 1.0}, _1_3_6_2={7: 1.0})
    tree.chances |= {(1, 3, 6, 2, 7): {2: 1.0}, (1, 3, 6, 2, 7, 2): {2: 1.0}, (1, 3, 6, 2, 7, 2, 2): {0: 1.0}}
    assert _readings(tree) == ['{"tax":"income","base":"말"말'], (
        "no word may follow a value: the next one is not asked for"
    )


def test_where_a_model_asks_for_what_is_stated_its_next_words_are_the_call_of_that_tax():
    question = "조합원입주권을 5억에 사서 2년 보유하고 7억에 양도했습니다. 양도소득세는?"
    asks = "계산하려면 취득가액을 알아야 합니다. 알려 주시면 계산해 드리겠습니다."
    assert beginning(question, asks) == '{"tax":"capital_gains"'
    assert beginning("입주권을 양도했습니다. 양도소득세는?", asks) == "", "that is missing: its question stands"
    assert beginning(QUESTION, WRONG) == "", "a call is read again from its own beginning"


def test_a_model_cuts_a_given_beginning_as_it_has_learnt_to():
    """It writes 'income","base":"' as one piece; after 'income' alone it has never seen anything."""
    tree = Tree(_={2: 0.9, 1: 0.1}, _1={5: 0.6, 4: 0.3, 3: 0.001}, _1_5={8: 0.9, 2: 0.1}, _1_5_8={7: 1.0})
    tree.chances |= {(1, 5, 8, 7): {0: 1.0}, (1, 5, 2): {7: 1.0}, (1, 5, 2, 7): {0: 1.0}}
    tree.chances |= {(1, 3): {2: 1.0, 7: 0.0}, (1, 3, 7): {0: 1.0}, (1, 3, 6): {8: 1.0}, (1, 3, 6, 8): {0: 1.0}}
    texts = _readings(tree, '{"tax":"income"')
    assert texts[0] == '{"tax":"income","base":"9"'
    assert '{"tax":"gift' not in texts and not any(text.startswith("말") for text in texts)


def test_a_reading_is_asked_for_only_when_it_is_needed():
    tree = Tree(_={1: 0.6, 2: 0.4}, _1={0: 1.0}, _2={0: 1.0})
    readings = forks(tree.read)
    next(readings)
    assert tree.reads == 1


def test_a_step_holds_the_likeliest_token_and_its_rivals():
    logits = np.log(np.array([0.05, 0.6, 0.000003, 0.2, 0.149997], dtype=np.float32))
    step = step_of(logits)
    assert step.token == 1 and step.chance == pytest.approx(0.6, abs=1e-4)
    assert [token for token, _ in step.others] == [3, 4, 0]


def test_a_step_among_some_tokens_takes_the_likeliest_of_them():
    logits = np.log(np.array([0.05, 0.6, 0.000003, 0.2, 0.149997], dtype=np.float32))
    step = step_of(logits, [4, 0, 2])
    assert step.token == 4 and step.chance == pytest.approx(0.15 / 0.2, abs=1e-3)
    assert [token for token, _ in step.others] == [0, 2], "chances are those among them"
    assert step_of(logits, [2]) == Step(2, 1.0, ())
