"""runpod_train.sh against a fake pod: what the renter loses when it fails is money or a night's training."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]


@pytest.fixture
def pod(tmp_path):
    """A checkout whose `.venv/bin/python` and `runpodctl` are scripts that write down how they were called."""
    repo, tools, volume = tmp_path / "repo", tmp_path / "bin", tmp_path / "workspace"
    for folder in (repo / "scripts", repo / ".venv/bin", repo / "datasets/demo", tools, volume):
        folder.mkdir(parents=True)
    shutil.copy(REPO / "runpod_train.sh", repo)
    (repo / "datasets/demo/train.jsonl").write_text("{}\n")
    (repo / "student.yaml").write_text("base:\n  package: some-package\n")
    (repo / "gated.yaml").write_text("base:\n  hub: google/gemma-3-12b-it\n")
    _script(repo / "scripts/setup.sh", "exit 0")
    _script(repo / ".venv/bin/python", 'echo "ran $* HF_HOME=$HF_HOME"; exit ${TRAINING_EXIT:-0}')
    _script(tools / "runpodctl", 'echo "$*" >> "$CALLS"; exit ${RUNPODCTL_EXIT:-0}')

    def run(*arguments, **extra):
        environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "WORKSPACE": str(volume),
            "CALLS": str(tmp_path / "calls"),
            "RUNPOD_POD_ID": "pod123",
            "RUNPOD_API_KEY": "rp-secret",
            "HOME": str(tmp_path),
        } | extra
        done = subprocess.run(
            ["bash", str(repo / "runpod_train.sh"), *arguments],
            cwd=repo,
            env=environment,
            capture_output=True,
            text=True,
        )
        calls = (tmp_path / "calls").read_text() if (tmp_path / "calls").exists() else ""
        return done, calls, volume

    return run


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


def test_success_runs_finetune_with_results_and_caches_on_the_volume_and_stops_the_pod(pod):
    done, calls, volume = pod("--config", "student.yaml")
    assert done.returncode == 0, done.stderr
    assert f"-m finetune run --config student.yaml --out {volume}/runs/student" in done.stdout
    assert f"HF_HOME={volume}/cache/huggingface" in done.stdout
    assert calls == "pod stop pod123\n"
    (log,) = (volume / "logs").iterdir()
    assert "ran -m finetune run" in log.read_text()


def test_the_training_s_own_exit_code_survives_the_log_and_the_pod_is_stopped(pod):
    done, calls, _ = pod("--config", "student.yaml", TRAINING_EXIT="3")
    assert done.returncode == 3
    assert calls == "pod stop pod123\n"


def test_keep_leaves_the_pod_and_says_that_it_bills(pod):
    done, calls, _ = pod("--config", "student.yaml", "--keep")
    assert calls == "" and "요금이 계속" in done.stdout


def test_a_pod_that_will_not_stop_is_reported(pod):
    done, _, _ = pod("--config", "student.yaml", RUNPODCTL_EXIT="1")
    assert "직접 멈춰 주세요" in done.stderr


def test_plan_does_nothing_but_tell(pod):
    done, calls, volume = pod("--config", "student.yaml", "--plan")
    assert done.returncode == 0 and "python -m finetune run" in done.stdout
    assert calls == "" and not (volume / "runs").exists()


def test_a_gated_base_without_a_token_is_refused_before_anything_runs(pod):
    done, calls, _ = pod("--config", "gated.yaml", HF_TOKEN="")
    assert done.returncode == 2 and "HF_TOKEN" in done.stderr and calls == ""


@pytest.mark.parametrize("arguments", [(), ("--config", "no.yaml"), ("--config", "student.yaml", "--frob")])
def test_bad_arguments_end_with_a_sentence_and_code_two(pod, arguments):
    done, _, _ = pod(*arguments)
    assert done.returncode == 2 and done.stderr.startswith("✗")


def test_no_key_reaches_the_output_or_the_log(pod):
    done, _, volume = pod("--config", "student.yaml", HF_TOKEN="hf-secret")
    everything = done.stdout + done.stderr + "".join(p.read_text() for p in (volume / "logs").iterdir())
    assert "rp-secret" not in everything and "hf-secret" not in everything
