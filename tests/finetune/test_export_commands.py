"""merge, export, quantize and fit-vocab as commands on a small finished run: files that hold what they should, or a reason."""

import argparse
import json
import shutil

import pytest
import torch

from finetune import export_command, fit_vocab_command
from finetune.errors import GateError, InputError
from finetune.run import run as run_training
from finetune.settings import Base, Evaluation, Export, Lora, RunConfig, Train


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """(folder, dataset, base folder) of a run with a fitted vocabulary; its cache is gone afterwards."""
    from datetime import date

    from taxlaw.calls import parse_call, run_call

    folder = tmp_path_factory.mktemp("exports")
    base = tiny.write_base(folder / "base", seed=5, layer_weight=12.0)
    rows = [
        tiny.row(number, amount, payable=run_call(parse_call(tiny.call(amount)), date(2025, 7, 1)).payable)
        for number, amount in enumerate(tiny.AMOUNTS)
    ]
    config = RunConfig(
        dataset=tiny.write_dataset(folder / "dataset", rows[:32], rows[32:]),
        out=folder / "run",
        base=Base(folder=base),
        fit_vocab=True,
        lora=Lora(r=4, alpha=8),
        train=Train(learning_rate=3e-2, batch_size=4, max_steps=6, dtype="float32"),
        evaluation=Evaluation(rows=2, base_rows=0, max_new_tokens=8),
        export=Export(quantisation="Q8_0", parity_prompts=1, parity_tokens=8),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLM_FOREST_CACHE", str(folder / "cache"))
        run_training(config, say=lambda text: None)
    return config.out, config.dataset, base


def command(*words):
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    export_command.add_parser(commands)
    fit_vocab_command.add_parser(commands)
    arguments = parser.parse_args([str(word) for word in words])
    return arguments.run(arguments)


@pytest.fixture(scope="module")
def whole(finished, tmp_path_factory):
    """The run exported as F32."""
    target = tmp_path_factory.mktemp("whole") / "student-F32.gguf"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLM_FOREST_CACHE", str(tmp_path_factory.mktemp("cache")))
        assert command("export", finished[0], "--out", target, "--type", "F32") == 0
    return target


def test_merge_finds_the_fitted_base_again_without_cache_or_dataset(finished, tmp_path, capsys):
    from finetune.base import load_model, load_tokenizer, resolve_base
    from finetune.merge import merge_adapter
    from finetune.run_weights import weights_of_run

    assert command("merge", "--run", finished[0], "--out", tmp_path / "merged") == 0
    assert "합쳤습니다" in capsys.readouterr().out
    again = resolve_base(Base(folder=tmp_path / "merged"))
    merged, tokenizer = load_model(again, "float32"), load_tokenizer(again)
    expected = merge_adapter(weights_of_run(finished[0]), finished[0] / "adapter")
    for (name, value), (_, wanted) in zip(merged.named_parameters(), expected.named_parameters(), strict=True):
        torch.testing.assert_close(value, wanted, msg=name)
    pieces = json.loads((finished[0] / "run.json").read_text(encoding="utf-8"))["base"]["vocabulary"]["pieces"]
    assert len(tokenizer) == pieces == merged.config.vocab_size


def test_a_merged_folder_and_its_run_give_the_same_file(finished, whole, tmp_path):
    import gguf

    command("merge", "--run", finished[0], "--out", tmp_path / "merged")
    assert command("export", tmp_path / "merged", "--out", tmp_path / "student-F32.gguf", "--type", "F32") == 0
    ours, theirs = gguf.GGUFReader(whole), gguf.GGUFReader(tmp_path / "student-F32.gguf")
    for mine, other in zip(ours.tensors, theirs.tensors, strict=True):
        assert mine.name == other.name and (mine.data == other.data).all()


def test_an_adapter_is_checked_over_the_base_it_belongs_to(finished, whole, tmp_path, capsys):
    from finetune.base import load_model, load_tokenizer
    from finetune.gguf_export import export_gguf
    from finetune.run_weights import weights_of_run

    weights = weights_of_run(finished[0])
    export_gguf(load_model(weights, "float32"), load_tokenizer(weights), tmp_path / "base.gguf", "F32", "base")
    words = ("export", finished[0], "--adapter", "--out", tmp_path / "a.gguf", "--base-gguf", tmp_path / "base.gguf")
    assert command(*words) == 0
    assert "100.0%" in capsys.readouterr().out
    with pytest.raises(GateError, match="F32"):  # over the student, the adapter is applied twice
        command("export", finished[0], "--adapter", "--out", tmp_path / "b.gguf", "--base-gguf", whole)
    assert not (tmp_path / "b.gguf").exists() and not list(tmp_path.glob("*partial*"))


def test_several_quantisations_at_once_with_their_table(whole, tmp_path, capsys, monkeypatch):
    from finetune.settings import Gate, Gates

    loose = Gates(**{name: Gate(argmax=0, mean_kl=100) for name in Gates.model_fields})
    monkeypatch.setattr("finetune.export_steps.Gates", lambda: loose)  # a random model loses much at 64 columns
    assert command("quantize", whole, "--to", "Q8_0", "Q4_K_M", "--out", tmp_path) == 0
    assert {file.name for file in tmp_path.iterdir()} == {"student-Q8_0.gguf", "student-Q4_K_M.gguf"}
    said = capsys.readouterr().out
    assert said.index("| F32 | 100.0% | 0.0000") < said.index("| Q8_0 |") < said.index("| Q4_K_M |")
    with pytest.raises(InputError, match="이미 있습니다"):
        command("quantize", whole, "--to", "Q8_0", "--out", tmp_path)


@pytest.mark.parametrize(
    ("words", "error", "named"),
    [
        (("merge", "--run", "{tmp}", "--out", "{tmp}/new"), InputError, "run.json"),
        (("merge", "--run", "{run}", "--out", "{tmp}"), InputError, "이미 있습니다"),
        (("export", "{run}", "--out", "{tmp}/x.bin"), InputError, ".gguf"),
        (("export", "{tmp}", "--out", "{tmp}/x.gguf"), InputError, "config.json"),
        (("quantize", "{tmp}/none.gguf", "--out", "{tmp}"), InputError, "no such file"),
        (("quantize", "{run}/student-Q8_0.gguf", "--to", "Q6_K", "--out", "{tmp}"), InputError, "이미 양자화"),
    ],
)
def test_wrong_input_says_what_to_do(finished, tmp_path, words, error, named):
    with pytest.raises(error, match=named):
        command(*(word.format(tmp=tmp_path, run=finished[0]) for word in words))


def test_a_run_over_another_base_is_refused(finished, tmp_path):
    copy = shutil.copytree(finished[0], tmp_path / "run")
    record = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    record["base"]["key"] = "0" * 64
    (copy / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(GateError, match="another base"):
        command("merge", "--run", copy, "--out", tmp_path / "merged")


def config_file(finished, folder):
    text = f"dataset: {finished[1]}\nout: {folder / 'unused'}\nbase: {{folder: {finished[2]}}}\n"
    path = folder / "config.yaml"
    path.write_text(text + "train: {learning_rate: 0.001, max_steps: 1}\n", encoding="utf-8")
    return path


@pytest.fixture
def base_file(finished, tmp_path):
    """The unfitted base as a Q8_0 GGUF."""
    from finetune.base import load_model, load_tokenizer, resolve_base
    from finetune.gguf_export import export_gguf
    from finetune.llama import quantise

    weights = resolve_base(Base(folder=finished[2]))
    export_gguf(load_model(weights, "float32"), load_tokenizer(weights), tmp_path / "base.gguf", "F32", "base")
    quantise(tmp_path / "base.gguf", tmp_path / "base-Q8_0.gguf", "Q8_0")
    return tmp_path / "base-Q8_0.gguf"


def test_fit_vocab_slices_a_quantised_file_without_loss(finished, base_file, tmp_path, capsys):
    import gguf

    words = ("--config", config_file(finished, tmp_path), "--out", tmp_path / "fitted")
    assert command("fit-vocab", *words, "--gguf", base_file, "--gguf-out", tmp_path / "fitted.gguf") == 0
    assert "문장 일치" in capsys.readouterr().out
    before, after = gguf.GGUFReader(base_file), gguf.GGUFReader(tmp_path / "fitted.gguf")
    pieces, kept = (reader.fields["tokenizer.ggml.tokens"].contents() for reader in (before, after))
    assert 256 < len(kept) < len(pieces)
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert (old.name, old.tensor_type) == (new.name, new.tensor_type)
        rows = [pieces.index(piece) for piece in kept] if old.name == "token_embd.weight" else slice(None)
        assert (old.data[rows] == new.data).all()
    assert after.fields["gemma3.block_count"].contents() == 2
    assert json.loads((tmp_path / "fitted" / "config.json").read_text(encoding="utf-8"))["vocab_size"] == len(kept)


def test_fit_vocab_refuses_a_file_of_another_vocabulary(finished, base_file, whole, tmp_path):
    words = ("--config", config_file(finished, tmp_path), "--out", tmp_path / "fitted")
    with pytest.raises(GateError, match="another vocabulary"):
        command("fit-vocab", *words, "--gguf", whole, "--gguf-out", tmp_path / "fitted.gguf")
    assert not list(tmp_path.glob("fitted*.gguf"))


def test_fit_vocab_extends_and_reports_what_it_gains(finished, tmp_path, capsys):
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in ["증여받은 직계 부모는 과세를 받았는데"] * 20]
    (tmp_path / "law.jsonl").write_text("\n".join(lines), encoding="utf-8")
    words = ("--config", config_file(finished, tmp_path), "--out", tmp_path / "longer", "--extend", "5")
    assert command("fit-vocab", *words, "--texts", tmp_path / "law.jsonl") == 0
    assert "토큰당" in capsys.readouterr().out
    assert command("export", tmp_path / "longer", "--out", tmp_path / "longer.gguf") == 0
    with pytest.raises(InputError, match="no such law"):
        command("fit-vocab", *words, "--texts", tmp_path / "law.jsonl", "--held-out", "소득세법", "--force")
    with pytest.raises(InputError, match="export"):
        command("fit-vocab", *words, "--gguf", tmp_path / "longer.gguf", "--gguf-out", tmp_path / "y.gguf", "--force")


def test_output_that_differs_before_a_dropped_piece_fails(finished, base_file, whole, tmp_path):
    from finetune.base import load_model, load_tokenizer, resolve_base
    from finetune.fit_vocab import prove_same_output
    from finetune.gguf_export import export_gguf
    from finetune.parity import QUESTIONS

    tokenizer = load_tokenizer(resolve_base(Base(folder=finished[2])))
    everything = range(len(tokenizer))
    assert prove_same_output(base_file, base_file, tokenizer, tokenizer, everything, QUESTIONS) == (4, 0)
    other = load_model(resolve_base(Base(folder=finished[2])), "float32")
    with torch.no_grad():
        other.model.layers[0].mlp.up_proj.weight.mul_(-1)
    export_gguf(other, tokenizer, tmp_path / "other.gguf", "F32", "other")
    with pytest.raises(GateError, match="greedy output differs"):
        prove_same_output(base_file, tmp_path / "other.gguf", tokenizer, tokenizer, everything, QUESTIONS)
