"""A smaller run of bench/verifier.py: faults must be seen, right answers must pass.  When this fails, bad pairs get through."""

import importlib.util
import sys
from pathlib import Path

import pytest

from taxlaw.errors import SourceError
from taxlaw.verify import verify

BENCH = Path(__file__).parents[2] / "bench"


def _load(name: str):
    """A module of bench/, which is no package, under its own name: the two import each other by it."""
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


answers = _load("verifier_answers")
_load("verifier_words")
mutations = _load("verifier_mutations")


def passes(sample) -> bool:
    return verify(sample.question, sample.answer, sample.as_of, sample.evidence).ok


@pytest.fixture(scope="module")
def right():
    samples = answers.correct_answers(worked=60, facts=50, seed=7)
    # Every third recorded answer: the bench runs them all.
    return [sample for number, sample in enumerate(samples) if sample.source in ("worked", "fact") or number % 3 == 0]


def test_right_answers_pass(right):
    wrong = [sample.answer for sample in right if not passes(sample)]
    assert len(right) >= 250
    assert len(wrong) <= 0.01 * len(right), wrong


@pytest.mark.parametrize(
    ("family", "floor"), [(mutations.CITATION, 0.98), (mutations.AMOUNT, 0.98), (mutations.OTHER, 0.90)]
)
def test_single_faults_are_seen(right, family, floor):
    made, missed = 0, {}
    for kind, samples in mutations.mutated(family, right, seed=7).items():
        assert samples, f"no answer for {kind}: the suite has lost a kind"
        made += len(samples)
        missed[kind] = [sample.answer[:200] for sample in samples if passes(sample)]
    assert sum(map(len, missed.values())) <= (1 - floor) * made, {kind: len(texts) for kind, texts in missed.items()}


def test_official_texts_pass():
    try:
        samples = [s for s in answers.official_documents() if s.source != "whole document"]
    except SourceError:
        samples = []
    if not samples:
        pytest.skip("neither the casebook nor the shared data is here")
    wrong = [sample.answer[:200] for sample in samples if not passes(sample)]
    assert len(wrong) <= 0.03 * len(samples), wrong
