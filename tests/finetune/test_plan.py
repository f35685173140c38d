"""What a run is said to cost before it runs: a wrong figure is a rented GPU that runs out of memory after an hour."""

import argparse
import importlib.util
import io
import json
from pathlib import Path

import pytest
import torch

from finetune.base import load_model, load_tokenizer, resolve_base
from finetune.chat import END_OF_TURN
from finetune.data import encode_rows, read_rows, target_text
from finetune.device import Device
from finetune.errors import GateError, InputError
from finetune.lora import attach_lora
from finetune.plan import device_table, make_plan, refuse_what_cannot_fit
from finetune.plan_command import as_json, run, show
from finetune.plan_memory import LOGIT_BYTES, Pass, kept_activations, shape_of, weight_bytes
from finetune.plan_tokens import base_at_hand
from finetune.settings import PHI_TARGETS, Base, Lora, RunConfig, Train, read_config
from finetune.students import find_student, known_students
from finetune.train import adapter_autocast

_SPEC = importlib.util.spec_from_file_location("tiny_students", Path(__file__).with_name("tiny_students.py"))
tiny_students = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tiny_students)

REPO = Path(__file__).parents[2]
CPU = Device("cpu", "float32", "test", 1)


def config_for(base, dataset, **changes):
    settings = {
        "dataset": dataset,
        "out": Path("runs/x"),
        "base": base,
        "lora": Lora(r=4, alpha=8),
        "train": Train(learning_rate=1e-3, batch_size=4, epochs=2, pass_tokens=256),
    }
    return RunConfig(**{**settings, **changes})


@pytest.fixture
def config(tiny_base, dataset):
    return config_for(Base(folder=tiny_base.folder), dataset)


def hub_config(dataset, hub, targets=PHI_TARGETS, **changes):
    return config_for(Base(hub=hub), dataset, **{"lora": Lora(targets=targets), **changes})


@pytest.fixture(autouse=True)
def no_download(monkeypatch):
    """A plan never reaches for the network."""
    import socket

    def refuse(*arguments, **options):
        raise AssertionError("a plan must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


# --- tokens and steps ---------------------------------------------------------------------------------------------


def test_tokens_and_steps_are_those_of_the_training_loop(config, dataset, tiny_base):
    plan = make_plan(config)
    rows = read_rows(dataset / "train.jsonl")
    prepared = encode_rows(rows, load_tokenizer(tiny_base), "program", 512)
    lengths = sorted(example.length for example in prepared.examples)
    assert (plan.tokens.p50, plan.tokens.longest) == (lengths[16], lengths[-1]) and plan.tokens.exact
    stage = plan.stages[0]
    assert stage.epoch_tokens == sum(lengths) and stage.epoch_padded >= sum(lengths)
    assert (stage.epoch_steps, stage.epochs) == (8, 2)
    answers = sum(example.length - example.encoded.answer_start for example in prepared.examples)
    assert stage.epoch_scored == answers and plan.tokens.answer_share == pytest.approx(answers / sum(lengths))
    characters = sum(len(row.question) + len(target_text(row, "program")) for row in rows)
    assert plan.tokens.characters_per_token == pytest.approx(characters / (sum(lengths) - 10 * 32))


def test_the_fitted_vocabulary_is_counted_as_fitting_would_leave_it(config, tiny_base, dataset):
    from finetune.vocab import fit_vocabulary

    fitted = config.model_copy(update={"fit_vocab": True})
    plan = make_plan(fitted)
    rows = read_rows(dataset / "train.jsonl")
    texts = [text for row in rows for text in (row.question, target_text(row, "program"))]
    assert plan.tokens.vocabulary == fit_vocabulary(tiny_base, texts, say=lambda text: None).pieces
    whole = make_plan(config)
    assert plan.devices[0].memory.logits < whole.devices[0].memory.logits


def test_the_cap_and_the_context_are_warned_about(config, tiny, tmp_path):
    assert not make_plan(config).warnings
    rows = [tiny.row(number, amount) for number, amount in enumerate(tiny.AMOUNTS[:30])]
    rows.append(tiny.row(99, "7억원", question=tiny.question("7억원") * 80))
    long = config.model_copy(update={"dataset": tiny.write_dataset(tmp_path / "long", rows, rows[:1])})
    plan = make_plan(long.model_copy(update={"max_tokens": 64}))
    assert plan.tokens.over_cap == 1 and "max_tokens=64" in plan.warnings[0]
    evaluation = config.evaluation.model_copy(update={"max_new_tokens": 600})
    assert "문맥" in make_plan(config.model_copy(update={"evaluation": evaluation})).warnings[0]
    with pytest.raises(InputError, match="max_tokens=16"):
        make_plan(long.model_copy(update={"max_tokens": 16, "dataset": config.dataset}))


def test_estimated_tokens_are_near_the_real_ones(tiny_base, dataset):
    """Where a tokenizer cannot be had, three times too few tokens would be three times too cheap."""
    from finetune.plan_tokens import count_tokens, encoded_examples, find_base

    config = hub_config(dataset, "microsoft/phi-2")
    known = find_base(config.base)
    tokens = count_tokens(encoded_examples(read_rows(dataset / "train.jsonl"), known, config), known, config)
    # GPT-2's BPE, which is Phi-2's, gives 66 tokens for the question, 30 for the call and 15 for the template.
    assert tokens.p50 == pytest.approx(111, rel=0.1) and not tokens.exact
    assert tokens.characters_per_token < 1


# --- memory -------------------------------------------------------------------------------------------------------


def really_kept(model, lora, dtype, rows, longest):
    """Bytes autograd keeps in a real pass with data, without the parameters themselves."""
    adapted, _ = attach_lora(model, lora, seed=0)
    body = adapted.get_base_model().model.train()
    own = {value.untyped_storage().data_ptr() for value in (*body.parameters(), *body.buffers())}
    kept, alive = {}, []

    def keep(tensor):
        alive.append(tensor)
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.zeros(rows, longest, dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[-1, longest // 2 :] = 0  # nearly every batch is padded, and a mask is kept by every layer
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), adapter_autocast(adapted, "cpu"):
        body(input_ids=ids, attention_mask=mask, use_cache=False)
    return sum(size for pointer, size in kept.items() if pointer not in own)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", ["gemma", "phi"])
def test_activations_are_what_autograd_really_keeps(family, dtype, tiny_base, tiny, tmp_path):
    if family == "gemma":
        weights, lora = tiny_base, Lora(r=4)
    else:
        texts = [tiny.question(amount) for amount in tiny.AMOUNTS]
        weights = resolve_base(Base(folder=tiny_students.write_phi(tmp_path / "phi", texts)))
        lora = Lora(r=4, targets=PHI_TARGETS)
    model = load_model(weights, dtype)
    predicted = kept_activations(model.config, lora, Pass(3, 200, 200), dtype)
    assert predicted == pytest.approx(really_kept(model, lora, dtype, 3, 200), rel=0.02)


def test_counts_are_those_of_the_loaded_model(tiny_base):
    from finetune.lora import trainable_parameters

    model = load_model(tiny_base, "float32")
    shape = shape_of(model.config, Lora(r=4))
    assert shape.parameters == sum(value.numel() for value in model.parameters())
    adapted, _ = attach_lora(model, Lora(r=4), seed=0)
    assert shape.trainable == trainable_parameters(adapted)


@pytest.mark.parametrize(
    ("hub", "parameters", "trainable"),
    [  # as published, and as the predecessor's study counted them for r=16 on all linear layers
        ("google/gemma-3-270m", 268_098_176, 3_796_992),
        ("google/gemma-3-12b-pt", 11_766_034_176, 65_470_464),
        ("microsoft/phi-2", 2_779_683_840, 23_592_960),
    ],
)
def test_the_named_students_have_their_published_sizes(hub, parameters, trainable):
    from finetune.plan_tokens import _config_of

    targets = PHI_TARGETS if "phi" in hub else Lora().targets
    shape = shape_of(_config_of(find_student(hub)), Lora(targets=targets))
    assert (shape.parameters, shape.trainable) == (parameters, trainable)


def test_the_logits_of_the_whole_vocabulary_are_counted(config):
    """1 MiB of float32 for every position of Gemma, three times over; estimators without this term are wrong."""
    plan = make_plan(config)
    scored, memory = plan.stages[0].largest.scored, plan.devices[0].memory
    assert memory.logits == scored * plan.shape.vocabulary * LOGIT_BYTES > 0
    parts = memory.weights + memory.adapters + memory.activations + memory.logits
    assert memory.training > parts + memory.process


def test_four_bits_and_recomputing_take_less(dataset):
    def memory(**base):
        config = hub_config(dataset, "google/gemma-3-12b-pt", Lora().targets)
        base = config.base.model_copy(update=base)
        plan = make_plan(config.model_copy(update={"base": base}))
        return next(row.memory for row in plan.devices if row.device.name.startswith("A100"))

    plain, small, again = memory(), memory(load="nf4"), memory(recompute=True)
    assert plain.weights == 2 * 11_766_034_176 and small.weights == pytest.approx(7.57e9, rel=0.01)
    assert again.activations < plain.activations / 10 and again.weights == plain.weights
    assert plain.merging == small.merging > 4 * 11_766_034_176  # the full weights are merged, whatever was trained on


def test_four_bit_weights_take_what_bitsandbytes_takes(tiny_base):
    pytest.importorskip("bitsandbytes")
    from finetune.base import load_nf4

    model = load_nf4(tiny_base, "cpu")
    size = sum(value.untyped_storage().nbytes() for value in model.parameters())
    for module in model.modules():
        if state := getattr(getattr(module, "weight", None), "quant_state", None):
            size += state.absmax.nbytes + state.state2.absmax.nbytes
    shape = shape_of(load_model(tiny_base, "float32").config, Lora())
    assert weight_bytes(shape, "nf4", "bfloat16") == pytest.approx(size, rel=0.03)


# --- time, money and the gate -------------------------------------------------------------------------------------


def test_hours_and_money_follow_the_work(config):
    plan = make_plan(config)
    rented = [row for row in plan.devices if row.device.usd_per_hour]
    assert rented and all(
        row.usd == pytest.approx(row.device.usd_per_hour * (row.training_hours + row.evaluation_hours))
        for row in rented
    )
    longer = config.model_copy(update={"train": config.train.model_copy(update={"epochs": 6})})
    for before, after in zip(plan.devices, make_plan(longer).devices, strict=True):
        assert after.training_hours == pytest.approx(3 * before.training_hours)
    short = config.train.model_copy(update={"epochs": None, "max_minutes": 3})
    timed = make_plan(config.model_copy(update={"train": short}))
    assert all(row.training_hours == pytest.approx(0.05) for row in timed.devices)


def test_the_price_table_is_dated_and_sourced():
    table = device_table()
    names = " ".join(device.name for device in table.devices)
    for wanted in ("2코어", "8코어", "M-series", "4090", "L40S", "A100 80GB", "H100"):
        assert wanted in names
    for device in table.devices:
        priced = (device.usd_per_hour, device.price_date, device.price_source)
        assert all(priced) or not any(priced)
        assert all(priced) == (device.kind == "cuda")


def test_what_cannot_fit_is_refused_with_the_way_out(config):
    needed = refuse_what_cannot_fit(config, CPU, memory=64e9, main_memory=64e9)
    with pytest.raises(GateError, match=r"학습 .* > .* GB") as refused:
        refuse_what_cannot_fit(config, CPU, memory=needed.training - 1, main_memory=64e9)
    assert "pass_tokens" in str(refused.value) and "plan" in str(refused.value)
    with pytest.raises(GateError, match=r"병합"):
        refuse_what_cannot_fit(config, CPU, memory=64e9, main_memory=needed.merging - 1)
    with pytest.raises(GateError, match="nf4 는 CUDA 만"):
        four_bits = config.model_copy(update={"base": config.base.model_copy(update={"load": "nf4"})})
        refuse_what_cannot_fit(four_bits, CPU, memory=64e9, main_memory=64e9)


def test_a_tight_fit_is_said_and_a_comfortable_one_is_not(config):
    said = []
    needed = refuse_what_cannot_fit(config, CPU, memory=64e9, main_memory=64e9, say=said.append)
    assert not said
    refuse_what_cannot_fit(config, CPU, memory=needed.training * 1.1, main_memory=64e9, say=said.append)
    assert "a tight fit" in said[0] and "pass_tokens" in said[0]


def test_the_gate_uses_what_the_run_knows_already(config, dataset, tiny_base, monkeypatch):
    prepared = encode_rows(read_rows(dataset / "train.jsonl"), load_tokenizer(tiny_base), "program", 512)
    expected = refuse_what_cannot_fit(config, CPU, memory=64e9, main_memory=64e9)
    monkeypatch.setattr("finetune.plan.read_rows", lambda path: pytest.fail("read again"))
    monkeypatch.setattr("finetune.plan.find_base", lambda base: pytest.fail("five seconds for Gemma's tokenizer"))
    ready = base_at_hand(tiny_base, load_tokenizer(tiny_base))
    assert refuse_what_cannot_fit(config, CPU, prepared.examples, ready, memory=64e9, main_memory=64e9) == expected


def test_added_pieces_are_counted_in_parameters_and_memory(config):
    plain, extended = make_plan(config), make_plan(config.model_copy(update={"extend_vocab": 40}))
    assert extended.shape.trainable - plain.shape.trainable == 40 * plain.shape.hidden
    assert extended.shape.parameters - plain.shape.parameters == 40 * plain.shape.hidden
    assert extended.devices[0].memory.adapters > plain.devices[0].memory.adapters
    assert "extend_vocab=40" in "".join(extended.warnings) and not plain.warnings


def test_weights_rounded_to_8_bits_are_counted_beside_the_full_ones(config):
    trains = [config.train.model_copy(update={"products": one, "dtype": "float32"}) for one in ("float", "auto")]
    plain, rounded = (make_plan(config.model_copy(update={"train": train})) for train in trains)
    assert rounded.devices[0].memory.weights - plain.devices[0].memory.weights == 2 * plain.shape.linear > 0


# --- stages of other kinds ----------------------------------------------------------------------------------------


def test_domain_and_preference_stages_are_planned_too(config, dataset, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    pair = {"question": "증여세는?", "chosen": "6억원", "rejected": "7억원"}
    pairs.write_text(json.dumps(pair, ensure_ascii=False) + "\n" + json.dumps(pair, ensure_ascii=False) + "\n", "utf-8")
    corpus = tmp_path / "law.txt"
    corpus.write_text("부모님께 증여받았는데 증여세는 얼마인가요? " * 60, "utf-8")
    raw = config.model_dump() | {
        "stages": [
            {"name": "m1", "kind": "domain", "texts": str(corpus), "epochs": 1},
            {"name": "m2", "kind": "task"},
            {"name": "dpo", "kind": "preference", "pairs": str(pairs), "epochs": 1},
        ]
    }
    raw["base"] = {"folder": config.base.folder}
    plan = make_plan(RunConfig.model_validate(raw))
    domain, task, preference = plan.stages
    assert domain.epoch_scored == domain.epoch_tokens and domain.epochs == 1  # every token of law text is learned
    assert task.epoch_scored < task.epoch_tokens and task.epochs == 2
    assert preference.work == 1.5 and preference.epoch_tokens > 0
    assert make_plan(config).devices[0].training_hours < plan.devices[0].training_hours


# --- the command --------------------------------------------------------------------------------------------------


def test_an_unknown_base_that_is_not_here_names_the_known_ones(dataset):
    with pytest.raises(InputError, match=r"(?s)someone/some-model.*microsoft/phi-2"):
        make_plan(hub_config(dataset, "someone/some-model"))


def test_a_wrong_lora_target_is_found_before_anything_is_fetched(dataset):
    with pytest.raises(InputError, match="fc1"):
        make_plan(hub_config(dataset, "microsoft/phi-2", Lora().targets))


def test_people_and_programs_read_the_same_plan(config):
    from rich.console import Console

    plan = make_plan(config)
    console = Console(file=io.StringIO(), width=200)
    show(plan, "test.yaml", console)
    text = console.file.getvalue()
    for wanted in ("p95", "토큰당", "로짓", "들어감", "A100 80GB", "check before renting", "측정", "계산"):
        assert wanted in text
    record = json.loads(json.dumps(as_json(plan), ensure_ascii=False))
    assert record["tokens"]["p95"] == plan.tokens.p95 and len(record["devices"]) == len(plan.devices)
    assert record["prices"]["as_of"] and record["devices"][0]["fits"] is True


def test_the_command_prints_json_alone(config, dataset, tmp_path, capsys):
    path = tmp_path / "config.yaml"
    path.write_text(
        f"dataset: nowhere\nout: x\nbase: {{folder: {config.base.folder}}}\ntrain: {{learning_rate: 1, max_minutes: 1}}\n",
        encoding="utf-8",
    )
    assert run(argparse.Namespace(config=path, dataset=dataset, json=True)) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["stages"][0]["epochs"] is None  # only minutes were given


def test_asking_for_help_loads_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import argparse, sys\nfrom finetune import plan_command\n"
        "commands = argparse.ArgumentParser().add_subparsers()\nplan_command.add_parser(commands)\n"
        "assert not {'torch', 'transformers', 'rich', 'pydantic'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPO, check=True)


# --- what we ship -------------------------------------------------------------------------------------------------


def test_every_students_config_loads_and_its_header_says_what_was_measured():
    names = ("gemma3-270m", "phi2", "eeve-2.8b", "gemma3-12b", "gemma3-12b-qlora")
    for name in names:
        path = REPO / "configs" / "finetune" / f"{name}.yaml"
        config = read_config(path)
        assert config.out == Path("runs") / name
        header = "".join(line for line in path.read_text(encoding="utf-8").splitlines(True) if line.startswith("#"))
        assert f"--config configs/finetune/{name}.yaml" in header and "alculated" in header
        if config.base.hub:
            student = find_student(config.base.hub)
            wanted = PHI_TARGETS if student.model_type == "phi" else Lora().targets
            assert set(config.lora.targets) == set(wanted)
    assert read_config(REPO / "configs" / "finetune" / "gemma3-12b-qlora.yaml").base.load == "nf4"


@pytest.mark.parametrize(
    ("name", "fits"),
    [("gemma3-12b", "A100 80GB"), ("gemma3-12b-qlora", "RTX 4090 24GB"), ("phi2", "RTX 4090 24GB"),
     ("eeve-2.8b", "RTX 4090 24GB"), ("gemma3-270m", "노트북 CPU 2코어")],
)  # fmt: skip
def test_each_student_fits_the_device_its_config_names(name, fits, dataset):
    config = read_config(REPO / "configs" / "finetune" / f"{name}.yaml", dataset)
    plan = make_plan(config.model_copy(update={"mix": {"worked": 1.0}}))
    row = next(row for row in plan.devices if row.device.name == fits)
    assert row.why_not == ""


def test_every_known_student_is_of_a_family_we_can_train():
    from finetune.base import TEMPLATE_OF_TYPE

    assert {student.model_type for student in known_students()} <= set(TEMPLATE_OF_TYPE)
    assert END_OF_TURN not in "".join(student.hub for student in known_students())
