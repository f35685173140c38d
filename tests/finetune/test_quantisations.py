"""What a quantisation changes is measured against the merged model, and the gate stops at the first that changes too much."""

import pytest
import torch

from finetune.base import load_model, load_tokenizer, resolve_base
from finetune.errors import GateError, InputError
from finetune.gguf_export import export_gguf
from finetune.quantisations import (
    Measured,
    check_gate,
    measure,
    measure_quantisations,
    probes,
    quantised_file,
    reference_of_gguf,
    reference_of_model,
    table_lines,
)
from finetune.settings import Base, Gate, Gates


@pytest.fixture(scope="module")
def wild(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("quant")
    weights = resolve_base(Base(folder=tiny.write_base(folder / "base", seed=5, layer_weight=12.0)))
    model, tokenizer = load_model(weights, "float32").eval(), load_tokenizer(weights)
    export_gguf(model, tokenizer, folder / "whole.gguf", "F32", "whole")
    return model, tokenizer, folder / "whole.gguf"


@pytest.fixture(scope="module")
def examples(wild, tiny):
    answer = "과세표준 19억 5,000만원의 산출세액"  # not learned by the tokenizer, so many tokens
    return probes([(tiny.question(amount), answer + amount) for amount in tiny.AMOUNTS[:6]], wild[1], 60)


def test_probes_share_the_answer_tokens_evenly(examples, wild):
    assert all(len(one.ids) - one.answer_start == 10 for one in examples)
    with pytest.raises(InputError, match="no pairs"):
        probes([], wild[1], 60)


def test_an_unquantised_file_is_no_different_from_its_model(wild, examples):
    found = measure(wild[2], examples, reference_of_model(wild[0], examples))
    assert found.positions == 60 and found.argmax_agreement == 1
    assert found.mean_kl < 1e-4 and found.p99_kl < 1e-3
    assert found.bytes == wild[2].stat().st_size and found.tokens_per_second > 0


def test_model_and_file_give_the_same_reference(wild, examples):
    ours, theirs = reference_of_model(wild[0], examples), reference_of_gguf(wild[2], examples)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(torch.tensor(mine), torch.tensor(other), rtol=2e-2, atol=3e-2)


def test_divergence_is_that_of_the_file_from_the_reference(wild, examples, tiny_base, tmp_path):
    """A file of other weights: compared with the formula computed by torch."""
    other = load_model(tiny_base, "float32").eval()
    export_gguf(other, wild[1], tmp_path / "other.gguf", "F32", "other")
    reference = reference_of_model(wild[0], examples)
    found = measure(tmp_path / "other.gguf", examples, reference)
    p = torch.cat([torch.tensor(one) for one in reference]).double()
    q = torch.cat([torch.tensor(one) for one in reference_of_model(other, examples)]).double()
    expected = torch.nn.functional.kl_div(q, p, log_target=True, reduction="batchmean")
    assert found.mean_kl == pytest.approx(expected.item(), rel=0.05)
    assert found.argmax_agreement == pytest.approx((p.argmax(1) == q.argmax(1)).double().mean().item(), abs=0.02)


def test_coarser_files_are_smaller_and_differ_more(wild, examples, tmp_path):
    reference = reference_of_model(wild[0], examples)
    loose = Gates(**{name: Gate(argmax=0, mean_kl=100) for name in Gates.model_fields})
    table = measure_quantisations(wild[2], "F32", examples, reference, ["Q8_0", "Q4_K_M"], tmp_path, loose)
    assert list(table) == ["F32", "Q8_0", "Q4_K_M"]
    assert table["F32"].mean_kl < table["Q8_0"].mean_kl < table["Q4_K_M"].mean_kl
    assert table["F32"].bytes > table["Q8_0"].bytes > table["Q4_K_M"].bytes
    assert (tmp_path / "whole-Q4_K_M.gguf").is_file()
    assert len(table_lines(table)) == 5


def test_the_first_failed_gate_is_named_and_nothing_is_quantised_after_it(wild, examples, tmp_path):
    reference = reference_of_model(wild[0], examples)
    strict = Gates(Q8_0=Gate(argmax=0.5, mean_kl=1e-9))
    with pytest.raises(GateError, match=r"Q8_0.*KL"):
        measure_quantisations(wild[2], "F32", examples, reference, ["Q8_0", "Q4_K_M"], tmp_path, strict)
    assert not (tmp_path / "whole-Q4_K_M.gguf").exists()


def test_an_unquantised_file_of_other_weights_fails_before_anything_is_quantised(wild, examples, tiny_base, tmp_path):
    export_gguf(load_model(tiny_base, "float32"), wild[1], tmp_path / "other.gguf", "F32", "other")
    reference = reference_of_model(wild[0], examples)
    with pytest.raises(GateError, match="F32"):
        measure_quantisations(tmp_path / "other.gguf", "F32", examples, reference, ["Q8_0"], tmp_path / "out", Gates())
    assert not list((tmp_path / "out").iterdir())


def test_a_gate_holds_on_both_figures():
    fine = Measured(100, 0.99, 0.001, 0.01, 1, 1.0)
    check_gate("Q8_0", fine, Gates())
    with pytest.raises(GateError, match="argmax"):
        check_gate("Q8_0", Measured(100, 0.5, 0.001, 0.01, 1, 1.0), Gates())
    with pytest.raises(GateError, match=r"unquantised|F16"):
        check_gate("F16", Measured(100, 1.0, 0.01, 0.01, 1, 1.0), Gates())


def test_names_say_what_a_file_is_now(tmp_path):
    from pathlib import Path

    assert quantised_file(Path("a/student-F16.gguf"), tmp_path, "Q6_K") == tmp_path / "student-Q6_K.gguf"
    assert quantised_file(Path("a/student.gguf"), tmp_path, "Q8_0") == tmp_path / "student-Q8_0.gguf"
