"""The model card says what was measured, what the base's licence asks for, and nothing else."""

import argparse
import json

import pytest
from jinja2 import UndefinedError

from finetune import card_command
from finetune.card import GEMMA_NOTICE, licence_of, render_card
from finetune.errors import InputError

SCORED = {
    "rows": 24,
    "right": 18,
    "exact": 0.75,
    "ended_by_stop": 1.0,
    "per_tax": {"gift": {"rows": 24, "exact": 0.75}},
}
ESTIMATE = {"value": 0.75, "low": 0.5, "high": 0.9, "rows": 24}
LINE = {
    "name": "student",
    "title": "GGUF Q8_0",
    "right": [],
    "wrong": [],
    "exact": ESTIMATE,
    "kept": ESTIMATE,
    "nll_token": ESTIMATE,
    "nll_character": None,
    "bytes": 82_000_000,
    "tokens_per_second": 147.2,
    "characters_per_second": 301.4,
}


def record(**changes):
    """A run.json with what the card needs."""
    stage = {"name": "m2", "kind": "task", "steps": 3, "epochs": 0.5, "first_loss": 3.1, "last_loss": 0.3}
    stage |= {"tokens_per_second": 200, "ended": "budget"}
    return {
        "fingerprint": "f" * 64,
        "student": {
            "gguf": "student-Q8_0.gguf",
            "sha256": "ab",
            "bytes": 82_000_000,
            "quantisation": "Q8_0",
            "style": "program",
        },
        "eval": {"base": SCORED, "student": SCORED},
        "base": {"source": "a package", "key": "k", "licence": "gemma", "from_quantised": None, "vocabulary": None},
        "config": {
            "base": {"hub": None},
            "lora": {"r": 16, "alpha": 32, "targets": ["q_proj"]},
            "train": {"learning_rate": 1e-3, "schedule": "cosine", "batch_size": 4, "accumulate": 1},
            "seed": 7,
        },
        "data": {
            "dataset": "demo",
            "train_sha256": "a" * 64,
            "validation_sha256": "b" * 64,
            "train_rows": {"worked": 5},
            "validation_rows": {"worked": 3},
            "trained_on": 5,
            "teachers": ["calculator"],
        },
        "stages": [stage],
        "train": {**stage, "tokens": 600, "target_tokens": 200, "seconds": 60, "trainable": 10, "parameters": 1000},
        "machine": {"platform": "Linux", "why": "CPU", "dtype": "bfloat16", "versions": {"torch": "2"}},
        "parity": {"token_texts": 9, "tokens": 20, "tokens_agreed": 20},
        **changes,
    }


def test_the_card_of_a_bare_run_says_what_was_not_measured():
    card = render_card(record())
    assert "75% | 18/24" in card and "세무 자문이 아닙니다" in card
    assert "그 밖의 세법 지식은 재지 않았습니다" in card
    assert "survival table" not in card and "평균 KL" not in card and "끝난 까닭" not in card


@pytest.mark.parametrize(
    ("style", "said", "calls"),
    [
        ("program", "계산 문제에는 계산기 호출(한 줄 JSON)로 답하고", True),
        ("worked", "계산 문제에 풀이를 직접 씁니다", False),
        ("facts_first", "호출(한 줄 JSON)로 먼저 적고, 그 아래에 풀이를 직접 씁니다", True),
        ("mixed", "계산 문제에 계산기 호출(한 줄 JSON)이나 풀이로 답합니다", True),
    ],
)
def test_the_card_says_how_calculations_are_answered(style, said, calls):
    card = render_card(record(student=record()["student"] | {"style": style}))
    assert said in card
    assert ("말로 답해야 할 질문에 계산 호출을 쓸 수 있습니다" in card) is calls


def test_every_tax_with_a_calculator_has_its_korean_name():
    from finetune.card import TAXES
    from taxlaw.call_models import FURTHER

    assert set(TAXES) == {"gift", "income", "vat_simplified", "corporate", *FURTHER}
    scored = SCORED | {"per_tax": dict.fromkeys(TAXES, SCORED["per_tax"]["gift"])}
    card = render_card(record(eval={"base": scored, "student": scored}))
    heading = next(line for line in card.splitlines() if line.startswith("| 모델 | 정답률"))
    assert heading.count("|") == 5 + len(TAXES) and all(f"| {name} |" in heading for name in TAXES.values())


def test_tables_that_are_in_the_record_are_in_the_card():
    quantisation = {
        "argmax_agreement": 0.975,
        "mean_kl": 0.0123,
        "p99_kl": 0.2,
        "bytes": 82e6,
        "tokens_per_second": 147,
    }
    stages = [{**record()["stages"][0], "name": name} for name in ("m1", "m2")]
    card = render_card(record(survival={"lines": [LINE]}, quantisations={"Q4_K_M": quantisation}, stages=stages))
    assert "| GGUF Q8_0 | 75% (50–90) | 24 | 75% | 0.750 | – | 82 MB | 147.2 | 301 |" in card
    assert "| Q4_K_M | 97.5% | 0.0123 | 0.2000 | 82 MB | 147 |" in card
    assert "| m1 | task | 3 | 0.5 | 3.1 → 0.3 | 200 | budget |" in card


def test_an_evaluation_brings_its_tables_and_its_rows():
    evaluation = {
        "dataset": "demo",
        "split": "test",
        "rows": 30,
        "sha256": "c" * 64,
        "styles": {"worked": 24, "refusal": 6},
        "models": {"student": {"title": "GGUF Q8_0", "rows": 30, "measures": {"exact": ESTIMATE, "refused": ESTIMATE}}},
        "survival": {"lines": [LINE]},
    }
    card = render_card(record(), evaluation)
    assert "test 30행" in card and "worked 24, refusal 6" in card
    assert "| 거절할 질문을 거절 | 75% (50–90) n=24 |" in card
    assert "되묻기 행 없음 (no rows)" in card
    assert "그 밖의 세법 지식은 재지 않았습니다" not in card


def test_a_missing_figure_is_an_error_and_not_a_blank():
    broken = record()
    del broken["parity"]["tokens_agreed"]
    with pytest.raises(UndefinedError):
        render_card(broken)


@pytest.mark.parametrize(
    ("licence", "front", "words"),
    [
        ("gemma", "license: gemma", "Gemma is provided under and subject to the Gemma Terms of Use"),
        ("mit", "license: mit", "저작권 표시"),
        ("see the model's page", "license: other", "see the model's page"),
    ],
)
def test_the_bases_licence_is_passed_on(licence, front, words):
    run = record()
    run["base"]["licence"] = licence
    card = render_card(run)
    assert front in card and words in card
    assert ("Gemma" in card.split("## Base")[1]) is (licence == "gemma")
    assert licence_of(licence).front == front.split()[-1]


def test_card_command_writes_card_and_notice_and_refuses_a_foreign_evaluation(tiny, tmp_path, capsys):
    from finetune.settings import Base, RunConfig, Train

    config = RunConfig(dataset="d", out="o", base=Base(hub="a/b"), train=Train(learning_rate=1e-3, max_steps=1))
    run = record(config=json.loads(config.model_dump_json()))
    (tmp_path / "run.json").write_text(json.dumps(run), encoding="utf-8")
    parser = argparse.ArgumentParser()
    card_command.add_parser(parser.add_subparsers())
    assert card_command.run(parser.parse_args(["card", str(tmp_path)])) == 0
    card = (tmp_path / "model_card.md").read_text(encoding="utf-8")
    assert "base_model: a/b" in card and "평가 표 없음" in capsys.readouterr().out
    assert (tmp_path / "NOTICE").read_text(encoding="utf-8") == GEMMA_NOTICE

    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "eval.json").write_text('{"run": "another"}', encoding="utf-8")
    with pytest.raises(InputError, match="of another run"):
        card_command.run(parser.parse_args(["card", str(tmp_path)]))
    with pytest.raises(InputError, match="no such file"):
        card_command.run(parser.parse_args(["card", str(tmp_path), "--eval", str(tmp_path / "none.json")]))
