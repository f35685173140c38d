"""A run with an extended vocabulary, whole: pieces learned, their embeddings trained, saved, merged, exported, measured."""

import argparse
import json
import shutil

import pytest
import torch

from finetune import eval_command, export_command, int8_products
from finetune.base import load_model, load_tokenizer, resolve_base
from finetune.chat import parts_read, prompt_ids
from finetune.errors import GateError, InputError
from finetune.int8_products import PLAIN
from finetune.llama import open_gguf, parts_of_gguf
from finetune.run import run as run_training
from finetune.run_weights import run_weights_of, weights_for, weights_of_run
from finetune.settings import Base, Evaluation, Export, Gate, Gates, Lora, RunConfig, TaskStage, Train

LAW = [
    "직계 부모는 증여받은 원의 과세를 표준은 풀이로 받았는데 존속은 마는 증여인.",
    "증여받은 부모는 과세를 받았는데 표준은 얼마는 원인 직계 존속은 님은 가요.",
    "존속은 증여받은 과세를 표준은 직계 부모는 풀이로 2025 받았는데 제53 원의.",
]
ADDED = 24
TASK = TaskStage(name="m2", kind="task")


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """(config, record, what was said) of a run: m1 on law text, then m2, vocabulary fitted and extended."""
    from datetime import date

    from taxlaw.calls import parse_call, run_call

    folder = tmp_path_factory.mktemp("extended")
    base = tiny.write_base(folder / "base", layer_weight=0.5)
    payable = {a: run_call(parse_call(tiny.call(a)), date(2025, 7, 1)).payable for a in tiny.AMOUNTS}
    rows = [tiny.row(number, amount, payable=payable[amount]) for number, amount in enumerate(tiny.AMOUNTS)]
    law = folder / "law.jsonl"
    law.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in LAW * 12), "utf-8")
    config = RunConfig(
        dataset=tiny.write_dataset(folder / "dataset", rows[:32], rows[32:]),
        out=folder / "run",
        base=Base(folder=base),
        fit_vocab=True,
        extend_vocab=ADDED,
        pieces_in="answers",
        lora=Lora(r=4, alpha=8),
        train=Train(
            **{"learning_rate": 1e-2, "batch_size": 4, "max_steps": 12, "dtype": "float32"},
            **{"piece_rate": 0.5, "products": "int8"},
        ),
        stages=[{"name": "m1", "kind": "domain", "texts": str(law)}, {"name": "m2", "kind": "task"}],
        evaluation=Evaluation(rows=2, base_rows=2, max_new_tokens=8, nll_rows=2),
        export=Export(
            quantisation="Q8_0", parity_prompts=1, parity_tokens=8, gates=Gates(Q8_0=Gate(argmax=0, mean_kl=100))
        ),
    )
    said = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLM_FOREST_CACHE", str(folder / "cache"))
        patch.setattr(int8_products, "compiled_kernels", lambda say: PLAIN)  # nothing here runs long enough to repay it
        record = run_training(config, say=said.append)
    return config, record, "\n".join(said)


def delta_of(config):
    from safetensors.torch import load_file

    adapter = load_file(config.out / "adapter" / "adapter_model.safetensors")
    (delta,) = [value for name, value in adapter.items() if "trainable_tokens" in name]
    return delta


def test_the_record_says_what_was_added_and_what_it_gained(finished):
    config, record, _ = finished
    vocabulary = record["base"]["vocabulary"]
    assert vocabulary["added"] == ADDED and vocabulary["pieces"] - ADDED < vocabulary["before"]
    name = "m1 의 글 (조각을 배운 것)"
    before, after = vocabulary["characters_per_token"][name]
    assert after > 1.5 * before
    card = (config.out / "model_card.md").read_text(encoding="utf-8")
    assert "slm_forest.read_in_parts" in card
    assert f"세법 조각 {ADDED}개" in card and f"{name} {before:.2f} → {after:.2f}" in card


def test_the_record_says_how_frozen_weights_were_multiplied(finished):
    _, record, said = finished
    assert record["machine"]["products"] == "int8 eager"
    assert "int8 products: set in the config" in said


def test_the_new_embeddings_were_trained_and_saved(finished):
    config, record, _ = finished
    found = run_weights_of(config.out, say=lambda text: None)
    start = load_model(found.weights, "float32").model.embed_tokens.weight[list(found.new_rows)]
    trained = delta_of(config)
    assert trained.shape == start.shape == (ADDED, 64) and trained.dtype == torch.float32
    moved = (trained - start).abs().amax(dim=1)
    assert (moved > 1e-3).sum() > ADDED / 2  # those that the texts hold
    assert record["train"]["trainable"] >= trained.numel()


def test_the_file_holds_the_trained_rows_and_answers_as_the_adapter(finished):
    import gguf

    config, record, _ = finished
    assert record["parity"]["identical"] == 1
    lines = {line["name"]: line for line in record["survival"]["lines"]}
    assert lines["merged"]["nll_token"]["value"] == pytest.approx(lines["adapter"]["nll_token"]["value"], rel=1e-3)
    assert lines["student"]["nll_token"]["value"] == pytest.approx(lines["adapter"]["nll_token"]["value"], rel=5e-2)
    pieces = gguf.GGUFReader(config.out / record["student"]["gguf"]).fields["tokenizer.ggml.tokens"].contents()
    tokenizer = load_tokenizer(weights_of_run(config.out, say=lambda text: None))
    assert len(pieces) == len(tokenizer) == record["base"]["vocabulary"]["pieces"]


def test_the_pieces_stand_in_answers_only_and_every_file_says_so(finished, tmp_path):
    config, record, _ = finished
    found = run_weights_of(config.out, say=lambda text: None)
    tokenizer, first = load_tokenizer(found.weights), found.new_rows[0]
    assert [*parts_read(tokenizer)] == [*found.new_rows]
    assert max(prompt_ids(LAW[0], tokenizer)) < first <= max(tokenizer(LAW[0])["input_ids"])
    model = open_gguf(config.out / record["student"]["gguf"], context=64, vocabulary_only=True)
    assert parts_of_gguf(model) == parts_read(tokenizer)
    model.close()
    assert command(export_command, "merge", "--run", config.out, "--out", tmp_path / "merged") == 0
    again = load_tokenizer(resolve_base(Base(folder=tmp_path / "merged")))
    assert parts_read(again) == parts_read(tokenizer)


def command(module, *words):
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers(required=True))
    arguments = parser.parse_args([str(word) for word in words])
    return (getattr(arguments, "run", None) if module is export_command else module.run)(arguments)


def test_merge_export_and_quantize_work_without_cache_or_dataset(finished, tmp_path, monkeypatch):
    config, _, _ = finished
    assert command(export_command, "merge", "--run", config.out, "--out", tmp_path / "merged") == 0
    again = resolve_base(Base(folder=tmp_path / "merged"))
    rows = load_model(again, "float32").model.embed_tokens.weight[-ADDED:]
    torch.testing.assert_close(rows, delta_of(config))
    assert command(export_command, "export", config.out, "--out", tmp_path / "s-F32.gguf", "--type", "F32") == 0
    loose = Gates(Q8_0=Gate(argmax=0, mean_kl=100))
    monkeypatch.setattr("finetune.export_steps.Gates", lambda: loose)
    assert command(export_command, "quantize", tmp_path / "s-F32.gguf", "--out", tmp_path / "q") == 0
    with pytest.raises(GateError, match="merge it instead"):  # llama.cpp's adapters hold no embeddings
        command(export_command, "export", config.out, "--adapter", "--out", tmp_path / "adapter.gguf")


def test_eval_measures_every_step_and_the_base_without_untrained_pieces(finished, tmp_path):
    config, record, _ = finished
    limits = ("--rows", 2, "--base-rows", 2, "--max-new-tokens", 8, "--out", tmp_path / "eval")
    assert command(eval_command, "eval", "--run", config.out, *limits) == 0
    found = json.loads((tmp_path / "eval" / "eval.json").read_text(encoding="utf-8"))
    ours = {line["name"]: line["nll_token"]["value"] for line in record["survival"]["lines"]}
    theirs = {line["name"]: line["nll_token"]["value"] for line in found["survival"]["lines"]}
    assert list(theirs) == ["base", "adapter", "merged", "student"]
    for name, value in theirs.items():
        assert value == pytest.approx(ours[name], rel=2e-2), name


def gone_on(config, **changes):
    lora = Lora(r=4, alpha=8, start=config.out / "adapter")
    return config.model_copy(update={"out": config.out.with_name("more"), "lora": lora, "stages": (TASK,)} | changes)


def test_a_second_leg_goes_on_with_the_pieces_of_the_first(finished, monkeypatch):
    config, record, _ = finished
    monkeypatch.setattr(int8_products, "compiled_kernels", lambda say: PLAIN)
    few = config.train.model_copy(update={"max_steps": 1, "learning_rate": 1e-5})
    other_texts = gone_on(config, train=few, mix={"worked": 1.0})
    said = []
    more = run_training(other_texts, say=said.append)
    assert more["base"] == record["base"]
    assert any("vocabulary of the run" in line for line in said)
    torch.testing.assert_close(delta_of(other_texts), delta_of(config), atol=1e-3, rtol=0)  # a step this small


@pytest.mark.parametrize(
    ("changes", "named"), [({"extend_vocab": 8}, "extend_vocab"), ({"pieces_in": "everything"}, "pieces_in")]
)
def test_a_second_leg_with_another_vocabulary_is_refused(finished, changes, named):
    with pytest.raises(InputError, match=f"어휘가 다릅니다: {named} "):
        weights_for(gone_on(finished[0], **changes), [], [], say=lambda text: None)


def test_pieces_without_their_run_are_refused_by_name(finished, tmp_path):
    alone = tmp_path / "moved" / "adapter"
    shutil.copytree(finished[0].out / "adapter", alone)
    config = gone_on(finished[0], lora=Lora(r=4, alpha=8, start=alone))
    with pytest.raises(InputError, match="name the adapter in its run folder"):
        weights_for(config, [], [], say=lambda text: None)
