"""What runpod_train.sh does on a laptop; on a pod it trains instead."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from scripts.runpod import api as runpod
from scripts.runpod import interrupt
from scripts.runpod.api import Request, RunpodError
from scripts.runpod.launch import Desk, Stop, check_licence, choose, pod_body, run
from scripts.runpod.settings import Budget, read_rent
from taxlaw.errors import TaxLawError


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./runpod_train.sh",
        description="GPU를 빌려 학습하고, 결과를 확인해 가져온 뒤 지웁니다. (Rent, train, fetch, verify, delete.)",
    )
    parser.add_argument("--config", type=Path, help="학생 설정, 예: configs/finetune/gemma3-12b.yaml")
    parser.add_argument("--dataset", type=Path, help="데이터셋 폴더; 없으면 설정에 적힌 것")
    parser.add_argument("--max-usd", type=float, help="쓸 돈의 상한 (달러)")
    parser.add_argument("--max-hours", type=float, help="pod이 살아 있을 시간의 상한")
    parser.add_argument("--rent", type=Path, default=Path("configs/runpod.yaml"), help="무엇을 빌릴지")
    parser.add_argument("--plan", action="store_true", help="빌리지 않고, 보낼 요청을 그대로 보여 준다")
    parser.add_argument("--orphans", action="store_true", help="아직 요금이 나가는 pod을 모두 보여 준다")
    parser.add_argument("--delete", metavar="POD", help="pod 하나를 지운다")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done; 1 not done, the pod's state is said; 2 wrong input, nothing rented; else the training's own."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        if options.orphans:
            return orphans()
        if options.delete:
            runpod.delete(runpod.from_environment(), options.delete)
            print(f"지웠습니다 (deleted): {options.delete}")
            return 0
        return _errand(options)
    except Stop as exc:
        print(f"✗ {exc}", file=sys.stderr)
        return exc.code
    except TaxLawError as exc:
        print(f"✗ {exc}", file=sys.stderr)
        return 2
    except RunpodError as exc:
        print(f"✗ {exc}", file=sys.stderr)
        return 2 if exc.status in (0, 401, 402, 403, 422) else 1
    except KeyboardInterrupt:
        print(
            "\n보기를 그만둡니다. 빌린 pod이 있으면 계속 돌고 요금이 나갑니다: 같은 명령을 다시 하면 이어서 보고, "
            "--orphans 로 확인할 수 있습니다. (the pod goes on)",
            file=sys.stderr,
        )
        return 130


def orphans() -> int:
    """Every pod that bills, running or stopped."""
    pods = runpod.pods(runpod.from_environment())
    if not pods:
        print("요금이 나가는 pod이 없습니다 (nothing bills).")
        return 0
    for pod in pods:
        rate = f"${pod.cost:.3f}/시간" if pod.status not in ("EXITED", "TERMINATED") else "저장소만 (storage only)"
        print(f"{pod.id}  {pod.status:<12} {rate:<22} 볼륨 {pod.volume_gb} GB  {pod.gpu}  {pod.name}")
    print("지우려면 (to delete): ./runpod_train.sh --delete POD")
    return 0


def _errand(options: argparse.Namespace) -> int:
    config: Path | None = options.config
    if config is None or options.max_usd is None or options.max_hours is None:
        raise Stop(
            "--config, --max-usd, --max-hours 가 모두 필요합니다. 예: ./runpod_train.sh --config "
            "configs/finetune/gemma3-12b.yaml --max-usd 5 --max-hours 2",
            2,
        )
    if not config.is_file():
        raise Stop(f"설정 파일이 없습니다: {config}", 2)
    if options.max_usd <= 0 or options.max_hours <= 0:
        raise Stop("--max-usd 와 --max-hours 는 0보다 커야 합니다.", 2)
    raw = yaml.safe_load(config.read_text(encoding="utf-8"))
    dataset = options.dataset or Path(raw["dataset"])
    for path in (config, dataset):
        if path.is_absolute() or ".." in path.parts:
            raise Stop(f"이 폴더 아래의 상대 경로로 적으세요 (must lie below this folder): {path}", 2)
    if not options.plan and not (dataset / "train.jsonl").is_file():
        raise Stop(f"데이터셋이 없습니다: {dataset}. 먼저 `python -m data_gen build` 로 만드세요 (no dataset).", 2)
    rent, budget = read_rent(options.rent), Budget(options.max_usd, options.max_hours)
    base = raw.get("base") or {}
    token = os.environ.get("HF_TOKEN", "").strip()
    plan = [sys.executable, "-m", "finetune", "plan", "--config", str(config), "--dataset", str(dataset)]
    if subprocess.run(plan).returncode:
        raise Stop("계획을 세우지 못해 빌리지 않았습니다 (the plan failed; nothing was rented).", 2)
    needed = gpu_gigabytes(subprocess.run([*plan, "--json"], stdout=subprocess.PIPE, check=True).stdout)
    if options.plan:
        return _show(options, rent, budget, config, needed)
    for tool in ("ssh", "ssh-keygen", "git"):
        if shutil.which(tool) is None:
            raise Stop(f"{tool} 이 필요합니다. 설치한 뒤 다시 하세요 (not found on PATH).", 2)
    check_licence(base.get("hub"), base.get("revision"), token)
    pace = float(os.environ.get("RUNPOD_POLL_SECONDS", "20"))
    api = runpod.from_environment()
    run(Desk(api, Path.cwd(), config, dataset, rent, budget, needed, poll_seconds=pace, pause=interrupt.pause), token)
    return 0


def gpu_gigabytes(plan: bytes) -> float:
    """GB of GPU memory the run needs by its plan (`finetune plan --json`), training or generating."""
    rows = [row for row in json.loads(plan)["devices"] if row["device"]["kind"] == "cuda"]
    return min(max(row["memory"]["training"], row["memory"]["generating"]) for row in rows) / 1e9


def _show(options: argparse.Namespace, rent, budget: Budget, config: Path, needed: float) -> int:
    """The requests as they would be sent; only prices are asked for, and only when there is a key."""
    base = os.environ.get("RUNPOD_API_URL", runpod.URL)
    key = os.environ.get("RUNPOD_API_KEY", "").strip()
    desk = Desk(runpod.Api(key, base), Path.cwd(), config, options.dataset, rent, budget, needed)
    if key:
        gpu, usd = choose(desk)[0]
        gpu_id = gpu.id
    else:
        gpu_id, usd = rent.wanted(config)[0], budget.usd / budget.hours
        print(
            "RUNPOD_API_KEY가 없어 값을 묻지 않았습니다: 첫 번째 GPU와 상한 시간으로 보여 줍니다 (no key, prices not asked)."
        )
    body, deadline = pod_body(desk, gpu_id, usd, "ssh-ed25519 … (runs/.runpod/id_ed25519.pub)", time.time())
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(deadline))
    print(f"\n기한 {until}: pod이 스스로 지워지는 때 (the pod deletes itself)\n")
    for request in (
        runpod.catalogue_request(rent.cloud, rent.min_cuda),
        Request("POST", "/pods", body),
        Request("GET", "/pods/{id}"),
        Request("DELETE", "/pods/{id}"),
    ):
        print(request.text(base), end="\n\n")
    return 0


if __name__ == "__main__":
    interrupt.listen()
    sys.exit(main())
