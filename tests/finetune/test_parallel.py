"""Two processes must take the step one would: else a student trained on two cards is another student."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from finetune import parallel
from finetune.errors import InputError
from finetune.train import answers

REPO = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("parallel_driver.py")


def launch(base_folder, result, config, *more):
    """What the first of two processes saw that `accelerate launch` started with one of our configurations."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file, environment = str(REPO / f"configs/accelerate/{config}.yaml"), dict(os.environ)
    if (
        config == "zero3"
    ):  # its launcher is DeepSpeed's, which is not installed: torch's, with the environment it would give
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", str(port)]
        environment = deepspeed_environment(file)
    else:
        command = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2"]
        command += ["--config_file", file, "--main_process_port", str(port)]
    done = subprocess.run(
        [*command, str(DRIVER), str(base_folder), str(result), *more],
        cwd=REPO,
        env={**environment, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return torch.load(result, weights_only=False)


def deepspeed_environment(file):
    """What `accelerate launch` makes of a DeepSpeed configuration, by its own parser."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_deepspeed_cmd_env

    arguments, defaults, _ = _validate_launch_command(
        launch_command_parser().parse_args(["--config_file", file, "--num_processes", "2", str(DRIVER)])
    )
    assert arguments.use_deepspeed and str(arguments.zero_stage) == "3"
    arguments.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
    return prepare_deepspeed_cmd_env(arguments)[1]


@pytest.mark.parametrize(("config", "more"), [("ddp", ()), ("fsdp", ("--packing",)), ("zero3", ())])
def test_two_processes_train_the_adapter_one_would(tiny_base, tmp_path, monkeypatch, config, more):
    monkeypatch.syspath_prepend(str(DRIVER.parent))
    from parallel_driver import run

    alone = run(tiny_base.folder, bool(more), None)
    both = launch(tiny_base.folder, tmp_path / "both.pt", config, *more)
    assert len(both["steps"]) == len(alone["steps"]) == 4
    for ours, theirs in zip(both["steps"], alone["steps"], strict=True):
        for field in ("loss", "gradient_norm", "learning_rate", "epoch"):
            assert ours[field] == pytest.approx(theirs[field], rel=1e-4), field
        assert (ours["tokens"], ours["target_tokens"]) == (theirs["tokens"], theirs["target_tokens"])
    assert alone["steps"][-1]["loss"] < 0.9 * alone["steps"][0]["loss"]  # it did learn
    for name, value in alone["adapter"].items():
        torch.testing.assert_close(both["adapter"][name], value, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(both["logits"], alone["logits"], rtol=1e-3, atol=1e-4)
    assert both["stopped"] and both["verdict"] == {"rank": 0}
    assert (both["held"] < both["parameters"]) == (config != "ddp")  # the frozen layers really are divided


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("lengths", [(8,), (5, 1, 3), (1,), (1, 1), (2, 2, 2), (7, 7)])
def test_shares_hold_every_item_once(size, lengths):
    items = iter(range(100))
    parts = [[next(items) for _ in range(length)] for length in lengths]
    shares = [parallel.World(rank, size, "cpu", False).share(parts) for rank in range(size)]
    assert sorted(item for share in shares for part in share for item in part) == list(range(sum(lengths)))
    if sum(lengths) >= size and max(lengths) > 1:
        assert all(shares)  # nobody stands idle while another has several items


def test_sharded_processes_do_equally_many_passes_and_fillers_count_for_nothing(tiny_base):
    worlds = [parallel.World(rank, 2, "cpu", True) for rank in range(2)]
    shares = [world.share([["a"]]) for world in worlds]
    assert [len(share) for share in shares] == [1, 1]
    assert isinstance(shares[1][0], parallel.Filler) and not isinstance(shares[0][0], parallel.Filler)

    from finetune.base import load_model
    from finetune.chat import Encoded

    objective = worlds[1].even(answers(0))
    tensors = objective.collate(parallel.Filler([Encoded((2, 300, 301, 302), 2)]), "cpu")
    assert objective.weight(tensors) == 0 and tensors.input_ids.numel() == 0
    assert objective.loss(load_model(tiny_base, "float32"), tensors).item() == 0


def test_a_launcher_setting_that_would_be_ignored_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    for stage, offload in (("2", "none"), ("3", "cpu")):
        monkeypatch.setenv("ACCELERATE_DEEPSPEED_ZERO_STAGE", stage)
        monkeypatch.setenv("ACCELERATE_DEEPSPEED_OFFLOAD_PARAM_DEVICE", offload)
        with pytest.raises(InputError, match=r"(?s)stage 3 without offload.*zero3\.yaml"):
            parallel.world()
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "false")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    with pytest.raises(InputError, match=r"train\.dtype"):
        parallel.world()


def test_one_process_is_no_world(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert parallel.world() is None
