"""Renting from a laptop, against a fake RunPod: what can go wrong here costs the renter money or the night's results."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_runpod import A100, H100, FakeRunpod, write_ssh

REPO = Path(__file__).parents[2]
PLAN = """
import json, os, sys
if "--json" in sys.argv:
    rows = {"cpu": 1e12, "cuda": float(os.environ.get("PLAN_BYTES", 3e10))}
    print(json.dumps({"devices": [
        {"device": {"kind": kind}, "memory": {"training": size, "generating": 1.0}} for kind, size in rows.items()
    ]}))
else:
    print("plan", *sys.argv[1:], flush=True)
sys.exit(int(os.environ.get("PLAN_EXIT", 0)))
"""
TRAIN = """#!/usr/bin/env bash
# The pod's .venv/bin/python: trains (or does not), with a checkpoint it goes on from.
[[ "$*" == *"-m finetune run"* ]] || exit 0
out="$(sed 's/.*--out \\([^ ]*\\).*/\\1/' <<< "$*")"
[ -n "$HF_TOKEN" ] && echo "token seen"
mkdir -p "$out.partial"
trap 'echo checkpoint > "$out.partial/checkpoint"; exit 143' TERM
if [ -e "$out.partial/checkpoint" ]; then echo "resumed"; else echo "fresh"; fi
case "$(cat "@POD@/mode")" in
    hang) echo checkpoint > "$out.partial/checkpoint"; for i in $(seq 6000); do sleep 0.1; done ;;
    die) echo checkpoint > "$out.partial/checkpoint"; echo fine > "@POD@/mode"; touch "@POD@/interrupted"; kill -9 -- -$(ps -o pgid= $$ | tr -d ' ') ;;
    fail) echo "no good"; exit 3 ;;
    *) mv "$out.partial" "$out"; echo weights > "$out/student.gguf"; echo '{}' > "$out/run.json" ;;
esac
"""


@pytest.fixture
def account():
    fake = FakeRunpod()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


@pytest.fixture
def laptop(tmp_path, account):
    """A checkout with a fake training inside, a fake pod and a fake ssh; call it with the script's arguments."""
    repo, tools, pod = tmp_path / "repo", tmp_path / "bin", tmp_path / "pod"
    for folder in (repo / "configs", repo / "datasets/demo", repo / ".venv/bin", repo / "scripts", tools):
        folder.mkdir(parents=True)
    write_ssh(tools, pod)
    (pod / "mode").write_text("fine")
    shutil.copy(REPO / "runpod_train.sh", repo)
    shutil.copy(REPO / "configs/runpod.yaml", repo / "configs")
    text = (repo / "configs/runpod.yaml").read_text().replace("gpus:\n", f"gpus:\n  student: [{A100}, {H100}]\n")
    (repo / "configs/runpod.yaml").write_text(text)
    (repo / "student.yaml").write_text("dataset: datasets/demo\nbase:\n  hub: google/gemma-3-12b-pt\n")
    (repo / "datasets/demo/train.jsonl").write_text("{}\n")
    (repo / ".gitignore").write_text("/datasets/\n/runs/\n.venv/\n")
    _script(repo / "fake_training", TRAIN.replace("@POD@", str(pod)))
    _script(repo / "scripts/setup.sh", "#!/usr/bin/env bash\nmkdir -p .venv/bin && cp fake_training .venv/bin/python\n")
    # The laptop's own python: the real one for the renting, a fake `finetune plan`.
    (repo / "finetune").mkdir()
    (repo / "finetune/__init__.py").write_text("")
    (repo / "finetune/__main__.py").write_text(PLAN)
    (repo / ".venv/bin/python").symlink_to(sys.executable)
    subprocess.run(["git", "init", "-q"], cwd=repo, check=True)

    def start(*arguments, **extra):
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("RUNPOD", "HF_"))},
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(REPO), *(path for path in sys.path if path.endswith("site-packages"))]),
            "RUNPOD_API_KEY": "rp-secret",
            "RUNPOD_API_URL": account.url,
            "RUNPOD_POLL_SECONDS": "0.2",
            "HF_ENDPOINT": account.url,
            "HF_TOKEN": "hf-secret",
            "HOME": str(tmp_path),
        } | extra
        return subprocess.Popen(
            ["bash", str(repo / "runpod_train.sh"), *arguments],
            cwd=repo,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(*arguments, **extra):
        process = start(*arguments, **extra)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    run.repo, run.pod, run.start = repo, pod, start
    run.whole = ("--config", "student.yaml", "--max-usd", "5", "--max-hours", "2")
    yield run
    _end_training(run)


def _script(path, text):
    path.write_text(text)
    path.chmod(0o755)


def test_a_whole_errand_plans_rents_trains_verifies_and_deletes(laptop, account):
    code, output = laptop(*laptop.whole)
    assert code == 0, output
    assert output.index("plan plan --config student.yaml") < output.index(A100)  # planned before anything is asked
    assert "$1.6" in output and "fresh" in output and "SHA-256" in output
    assert (laptop.repo / "runs/student/student.gguf").read_text() == "weights\n"
    assert "fresh" in (laptop.repo / "runs/student/runpod.log").read_text()
    assert account.pods == {}
    methods = [method for method, path, _, _ in account.requests if path.startswith("/pods")]
    assert methods[0] == "POST" and methods[-1] == "DELETE" and methods.count("DELETE") == 1
    assert not (laptop.repo / "runs/.runpod/student.json").exists()


def test_the_pod_carries_its_own_end_within_both_caps(laptop, account):
    before = time.time()
    laptop("--config", "student.yaml", "--max-usd", "1", "--max-hours", "9")
    (body,) = account.asked("POST", "/pods")
    hours = (int(body["env"]["SLM_FOREST_DEADLINE"]) - before) / 3600
    assert 0.9 / 1.7 < hours < 1 / 1.6  # money, with storage, ends it before the nine hours do
    assert body["gpu"]["id"] == A100 and body["mounts"]["persistent"]["path"] == "/workspace"
    (shell, flag, script) = body["cmd"]
    assert (shell, flag) == ("bash", "-c") and "-X DELETE" in script and script.endswith("exec /start.sh")
    assert subprocess.run(["bash", "-n", "-c", script]).returncode == 0
    assert "terminateAfter" not in json.dumps(body)  # v2 refuses it, and the old API took it and did nothing


def test_no_key_is_in_a_command_line_a_request_body_or_the_log(laptop, account):
    code, output = laptop(*laptop.whole)
    assert code == 0 and "token seen" in output  # it did arrive
    arguments = (laptop.pod / "ssh-arguments").read_text()
    kept = "".join(path.read_text(errors="replace") for path in laptop.pod.rglob("*") if path.is_file())
    kept += "".join(path.read_text() for path in (laptop.repo / "runs").rglob("*") if path.is_file())
    bodies = json.dumps([body for _, _, body, _ in account.requests])
    for secret in ("rp-secret", "hf-secret"):
        assert secret not in output + arguments + bodies + kept
    assert {key for _, path, _, key in account.requests if path.startswith("/pods")} == {"Bearer rp-secret"}


def test_an_interrupted_training_is_resumed_on_the_restarted_pod(laptop, account):
    (laptop.pod / "mode").write_text("die")
    real = account.respond

    def respond(method, path, body):  # the host goes down with the training; `start` brings it back
        if (laptop.pod / "interrupted").exists() and account.pods.get("pod1", {}).get("status") == "RUNNING":
            (laptop.pod / "interrupted").unlink()
            (laptop.pod / "unreachable").touch()
            account.pods["pod1"]["status"] = "EXITED"
        return real(method, path, body)

    def started(pod_id):
        (laptop.pod / "unreachable").unlink()
        account.pods[pod_id]["status"] = "RUNNING"

    account.respond, account.started = respond, started
    code, output = laptop(*laptop.whole)
    assert code == 0, output
    assert "interrupted; resuming" in output and "resumed" in output
    assert {"action": "start"} in account.asked("POST")
    assert (laptop.repo / "runs/student/student.gguf").exists() and account.pods == {}


def test_the_same_command_goes_on_with_the_same_pod(laptop, account):
    (laptop.pod / "mode").write_text("hang")
    first = laptop.start(*laptop.whole)
    for line in first.stdout:
        if "fresh" in line:
            break
    first.send_signal(signal.SIGINT)
    rest, _ = first.communicate(timeout=180)
    assert first.returncode == 130 and "--orphans" in rest and len(account.pods) == 1
    _end_training(laptop)
    code, output = laptop(*laptop.whole)
    assert code == 0, output
    assert len(account.asked("POST", "/pods")) == 1 and "same pod again" in output and account.pods == {}


def _end_training(laptop):
    """End a hanging training, if it is still this test's; the next one finishes."""
    (laptop.pod / "mode").write_text("fine")
    pid_file = laptop.pod / "memory/student.pid"
    if not pid_file.exists():
        return
    command = Path("/proc", pid_file.read_text().strip(), "cmdline")
    if command.exists() and str(laptop.pod) in command.read_text():
        os.killpg(int(pid_file.read_text()), signal.SIGKILL)


def test_results_that_differ_are_fetched_again_and_the_pod_lives_until_they_agree(laptop, account):
    (laptop.pod / "damage").touch()
    code, output = laptop(*laptop.whole)
    assert code == 0 and "missing or different" in output
    assert (laptop.repo / "runs/student/student.gguf").read_text() == "weights\n"


def test_a_pod_whose_results_never_arrive_whole_is_not_deleted(laptop, account):
    (laptop.pod / "damage").mkdir()  # cannot be removed by the fake: every transfer is damaged
    code, output = laptop(*laptop.whole)
    assert code == 1 and "fetch failed; pod kept" in output
    assert list(account.pods) == ["pod1"] and not account.asked("DELETE")
    assert not (laptop.repo / "runs/student").exists()


def test_the_cap_stops_the_training_with_a_checkpoint_that_is_brought_home(laptop, account, monkeypatch):
    """By a clock of its own: two hours pass once the training has begun."""
    from scripts.runpod.api import Api
    from scripts.runpod.launch import Desk, Stop, run
    from scripts.runpod.settings import Budget, read_rent

    class Clock:
        seconds = 1_000_000.0

        def now(self):
            return self.seconds

        def pause(self, seconds):
            time.sleep(0.05)
            log = laptop.pod / "workspace/state/student.log"
            if log.exists() and "fresh" in log.read_text():
                self.seconds += 1000 if self.seconds < 1_000_000 + 6000 else 1

    (laptop.pod / "mode").write_text("hang")
    monkeypatch.setenv("PATH", f"{laptop.repo.parent / 'bin'}:{os.environ['PATH']}")
    clock, said = Clock(), []
    rent, config, dataset = read_rent(laptop.repo / "configs/runpod.yaml"), Path("student.yaml"), Path("datasets/demo")
    api = Api("rp-secret", account.url)
    desk = Desk(
        api, laptop.repo, config, dataset, rent, Budget(5, 2), 30.0, say=said.append, now=clock.now, pause=clock.pause
    )
    with pytest.raises(Stop) as ended:
        run(desk, "hf-secret")
    assert ended.value.code == 143 and any("cap reached" in line for line in said)
    assert clock.seconds < 1_000_000 + 7200  # before the pod would have deleted itself
    assert (laptop.repo / "runs/student.partial/checkpoint").exists() and account.pods == {}


def test_a_pod_that_never_arms_its_own_end_is_given_back_untrained(laptop, account):
    (laptop.pod / "armed").unlink()
    from scripts.runpod.api import Api
    from scripts.runpod.launch import Desk, Stop, run
    from scripts.runpod.settings import Budget, read_rent

    seconds = iter(range(0, 10**6, 30))
    rent = read_rent(laptop.repo / "configs/runpod.yaml")
    desk = Desk(
        Api("rp-secret", account.url),
        laptop.repo,
        Path("student.yaml"),
        None,
        rent,
        Budget(5, 2),
        say=lambda line: None,
        now=lambda: next(seconds),
        pause=lambda _: None,
    )
    with pytest.raises(Stop, match="did not come up; deleted"):
        run(desk, "")
    assert account.pods == {} and not (laptop.pod / "code/runpod_train.sh").exists()


def test_a_failed_training_gives_its_code_and_its_log_and_the_pod_is_deleted(laptop, account):
    (laptop.pod / "mode").write_text("fail")
    code, _ = laptop(*laptop.whole)
    assert code == 3 and account.pods == {}
    assert "no good" in (laptop.repo / "runs/student.partial/runpod.log").read_text()


def test_a_sold_out_gpu_gives_way_to_the_next(laptop, account):
    account.answers = [(400, "There are no longer any instances available with the requested specifications.")]
    code, output = laptop(*laptop.whole)
    assert code == 0 and "sold out" in output
    assert [body["gpu"]["id"] for body in account.asked("POST", "/pods")] == [A100, H100]


def test_a_gpu_too_small_by_the_plan_is_not_rented(laptop, account):
    account.gpus[0]["memory"] = 24
    code, output = laptop(*laptop.whole)
    assert code == 0 and "too small by the plan" in output
    assert [body["gpu"]["id"] for body in account.asked("POST", "/pods")] == [H100]
    code, output = laptop(*laptop.whole, PLAN_BYTES="9e10")
    assert code == 1 and len(account.asked("POST", "/pods")) == 1


@pytest.mark.parametrize(("status", "word"), [(402, "잔액"), (422, "configs/runpod.yaml"), (401, "API 키")])
def test_a_refusal_that_no_other_gpu_would_cure_ends_at_once(laptop, account, status, word):
    account.answers = [(status, "says the server")]
    code, output = laptop(*laptop.whole)
    assert code == 2 and word in output and "says the server" in output
    assert len(account.asked("POST", "/pods")) == 1 and account.pods == {}


def test_a_lost_answer_to_the_purchase_does_not_buy_twice(laptop, account):
    real = account.respond

    def respond(method, path, body):
        answer = real(method, path, body)
        return (502, {"title": "Bad Gateway"}) if (method, path) == ("POST", "/pods") else answer

    account.respond = respond
    code, output = laptop(*laptop.whole)
    assert code == 0, output
    assert len(account.asked("POST", "/pods")) == 1 and account.pods == {}


def test_a_silent_runpod_ends_the_watching_not_the_pod(laptop, account):
    real = account.respond

    def respond(method, path, body):
        return (403, {"detail": "key revoked"}) if path == "/pods/pod1" else real(method, path, body)

    account.respond = respond
    code, output = laptop(*laptop.whole)
    assert code == 1 and "key revoked" in output and "pod1" in output and list(account.pods) == ["pod1"]
    assert (laptop.repo / "runs/.runpod/student.json").exists()


def test_a_pod_dearer_than_listed_is_given_back(laptop, account):
    account.cost = 2.5
    code, output = laptop(*laptop.whole)
    assert code == 1 and "dearer than listed" in output and account.pods == {}


@pytest.mark.parametrize(("licence", "word"), [(401, "HF_TOKEN"), (403, "동의"), (404, "revision")])
def test_token_and_licence_are_checked_before_anything_is_rented(laptop, account, licence, word):
    account.licence = licence
    code, output = laptop(*laptop.whole)
    assert code == 2 and word in output and not account.asked("POST", "/pods")


def test_a_missing_token_or_a_failed_plan_rents_nothing(laptop, account):
    code, output = laptop(*laptop.whole, HF_TOKEN="")
    assert code == 2 and "HF_TOKEN" in output
    code, output = laptop(*laptop.whole, PLAN_EXIT="1")
    assert code == 2 and "the plan failed" in output
    assert account.requests == []


def test_plan_prints_the_requests_and_sends_none_that_buys(laptop, account):
    code, output = laptop(*laptop.whole, "--plan")
    assert code == 0, output
    assert f"POST {account.url}/pods" in output and "$RUNPOD_API_KEY" in output and "rp-secret" not in output
    shown = json.loads(output[output.index("{\n") : output.index("\n}\n") + 2])
    assert shown["gpu"]["id"] == A100 and shown["mounts"]["persistent"]["size"] >= 10
    assert {method for method, _, _, _ in account.requests} == {"GET"}
    code, output = laptop(*laptop.whole, "--plan", RUNPOD_API_KEY="")
    assert code == 0 and "prices not asked" in output


def test_orphans_lists_what_bills_and_delete_ends_it(laptop, account):
    code, output = laptop("--orphans")
    assert code == 0 and "nothing bills" in output
    account.pods["old1"] = {
        "id": "old1",
        "name": "forgotten",
        "status": "EXITED",
        "cost": 0,
        "mounts": {"persistent": {"size": 50}},
    }
    code, output = laptop("--orphans")
    assert "old1" in output and "50 GB" in output and "storage only" in output
    code, _ = laptop("--delete", "old1")
    assert code == 0 and account.pods == {}


@pytest.mark.parametrize(
    "arguments", [(), ("--config", "student.yaml"), ("--config", "no.yaml", "--max-usd", "1", "--max-hours", "1")]
)
def test_wrong_arguments_end_with_a_sentence_and_code_two(laptop, account, arguments):
    code, output = laptop(*arguments)
    assert code == 2 and "✗" in output and account.requests == []
