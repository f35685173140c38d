"""Fixtures: the tiny model and dataset, made once per test session."""

import atexit
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

# Read when trackio is imported, so it has to be set before; children of the tests inherit it.
os.environ["TRACKIO_DIR"] = tempfile.mkdtemp(prefix="trackio-")
atexit.register(shutil.rmtree, os.environ["TRACKIO_DIR"], ignore_errors=True)

_SPEC = importlib.util.spec_from_file_location("tiny_gemma", Path(__file__).with_name("tiny_gemma.py"))
tiny_gemma = importlib.util.module_from_spec(_SPEC)
sys.modules["tiny_gemma"] = tiny_gemma
_SPEC.loader.exec_module(tiny_gemma)


@pytest.fixture(scope="session")
def tiny():
    """The module of helpers."""
    return tiny_gemma


@pytest.fixture(scope="session")
def students():
    """The module of helpers for the larger students' relatives: Phi, multimodal Gemma 3."""
    spec = importlib.util.spec_from_file_location("tiny_students", Path(__file__).with_name("tiny_students.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory):
    """A BaseWeights of the two-layer random model."""
    from finetune.base import resolve_base
    from finetune.settings import Base

    return resolve_base(Base(folder=tiny_gemma.write_base(tmp_path_factory.mktemp("base") / "tiny")))


@pytest.fixture(scope="session")
def tokenizer(tiny_base):
    from finetune.base import load_tokenizer

    return load_tokenizer(tiny_base)


@pytest.fixture
def dataset(tmp_path):
    """40 gift-tax rows: 32 to train on, 8 held out, with the payable tax the calculator gives."""
    from datetime import date

    from taxlaw.calls import parse_call, run_call

    rows = []
    for number, amount in enumerate(tiny_gemma.AMOUNTS):
        payable = run_call(parse_call(tiny_gemma.call(amount)), date(2025, 7, 1)).payable
        rows.append(tiny_gemma.row(number, amount, payable=payable))
    return tiny_gemma.write_dataset(tmp_path / "dataset", rows[:32], rows[32:])


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("SLM_FOREST_CACHE", str(tmp_path / "cache"))
