"""Rents a pod, trains on it, brings the results home and deletes it; reads top to bottom.

What costs money is written down first: the pod's id is in ``runs/.runpod/<config>.json`` from the moment it is known, so
the same command, run again, goes on watching the same pod.  The pod deletes itself at its deadline in any case.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.runpod import api as runpod
from scripts.runpod.api import Api, Pod, RunpodError
from scripts.runpod.remote import (
    FetchError,
    Remote,
    ask_to_stop,
    fetch,
    look,
    make_identity,
    start_training,
    upload,
)
from scripts.runpod.settings import ARMED, Budget, Rent, create_body

INTERRUPTIONS = 5  # of one training; more is a broken host
UNREADABLE = 6  # polls in a row without an answer before the pod itself is asked about


class Stop(Exception):
    """The command ends here with ``code``; the message says what is left to do."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Rented:
    """What has to be remembered of a pod; ``deadline`` in seconds since 1970, ``usd_hour`` with storage."""

    pod: str
    name: str
    gpu: str
    usd_hour: float
    created: float
    deadline: int

    def cost(self, now: float) -> float:
        return (min(now, self.deadline) - self.created) / 3600 * self.usd_hour


@dataclass(frozen=True)
class Desk:
    """What the steps share.  Clock and pauses are passed, so that tests need not wait."""

    api: Api
    repo: Path
    config: Path
    dataset: Path | None
    rent: Rent
    budget: Budget
    needed_gb: float = 0.0  # of GPU memory, by the plan
    remote: Callable[[str, int, Path], Remote] = Remote
    say: Callable[[str], None] = print
    now: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep
    poll_seconds: float = 20.0
    boot_seconds: float = 900.0

    @property
    def name(self) -> str:
        return self.config.stem

    @property
    def folder(self) -> Path:
        return self.repo / "runs" / ".runpod"

    @property
    def note(self) -> Path:
        return self.folder / f"{self.name}.json"


def check_licence(hub: str | None, revision: str | None, token: str) -> None:
    """Ask the hub for one file of the base before any money is spent.  Raises Stop (code 2)."""
    if not hub:
        return
    if not token:
        raise Stop(
            f"{hub} 를 받으려면 HF_TOKEN 이 필요합니다. https://huggingface.co/settings/tokens 에서 읽기용 토큰을 만들어 "
            "환경변수로 주세요. (HF_TOKEN is not set)",
            2,
        )
    base = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    url = f"{base}/{hub}/resolve/{revision or 'main'}/config.json"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"}, method="HEAD")
    try:
        urllib.request.build_opener(_NoRedirect).open(request, timeout=30).close()
    except urllib.error.HTTPError as exc:
        if 300 <= exc.code < 400:
            return  # a redirect to the file: allowed
        why = {
            401: "HF_TOKEN 이 틀렸거나 만료되었습니다",
            403: f"이용 조건에 아직 동의하지 않았습니다. https://huggingface.co/{hub} 에서 동의한 뒤 다시 하세요",
            404: "그런 모델이나 판(revision)이 없습니다",
        }.get(exc.code, "허브가 거절했습니다")
        raise Stop(f"{hub}: {why} ({exc.code}).", 2) from None
    except OSError as exc:
        raise Stop(f"{hub}: 허브에 닿지 못했습니다 (no answer): {exc}", 2) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another host."""

    def redirect_request(self, *arguments):
        return None


def run(desk: Desk, token: str) -> None:
    """The whole errand.  Raises Stop or RunpodError; whatever happens, the pod's deadline stands."""
    identity = make_identity(desk.folder)
    known = _remembered(desk)
    rented = known or _rent(desk, identity)
    _say_terms(desk, rented)
    try:
        remote = _connect(desk, rented, identity, first=known is None)
        code, remote = _train(desk, rented, identity, remote, token)
        _bring_home(desk, rented, remote)
    except RunpodError as exc:
        raise Stop(
            f"{exc}\n  pod {rented.pod} 은 그대로입니다. 같은 명령을 다시 하면 이어서 봅니다 (pod kept)."
        ) from exc
    spent = rented.cost(desk.now())
    desk.say(f"pod을 지웠습니다: {rented.pod}, 약 ${spent:.2f} (deleted)")
    if code:
        raise Stop(
            f"학습이 종료 코드 {code} 로 끝났습니다. 기록: runs/{desk.name}.partial/runpod.log (training failed)", code
        )


def choose(desk: Desk) -> list[tuple[runpod.Gpu, float]]:
    """GPU types in stock, in order of preference, with USD per hour including storage; says the whole list."""
    offered = runpod.catalogue(desk.api, desk.rent.cloud, desk.rent.min_cuda)
    found = []
    for gpu_id in desk.rent.wanted(desk.config):
        gpu = offered.get(gpu_id)
        if gpu is None or gpu.price is None or gpu.stock == "NONE":
            desk.say(f"  {gpu_id}: 지금 없음 (out of stock)")
            continue
        if gpu.memory_gb < desk.needed_gb:
            desk.say(f"  {gpu_id}: {gpu.memory_gb} GB, 계획은 {desk.needed_gb:.1f} GB (too small by the plan)")
            continue
        usd = gpu.price + desk.rent.storage_usd_hour
        hours = desk.budget.hours_at(usd)
        desk.say(
            f"  {gpu_id}: {gpu.memory_gb} GB, ${usd:.3f}/시간 (저장소 포함), 재고 {gpu.stock}, 최대 {hours:.2f}시간"
        )
        found.append((gpu, usd))
    if not found:
        raise Stop(
            f"빌릴 수 있는 GPU가 없습니다. configs/runpod.yaml의 gpus.{desk.name} 에 다른 종류를 더하세요 (none in stock)."
        )
    return found


def pod_body(desk: Desk, gpu_id: str, usd_hour: float, public_key: str, now: float) -> tuple[dict, int]:
    """Body of the create request, and the pod's deadline."""
    deadline = int(now + desk.budget.hours_at(usd_hour) * 3600)
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(now))
    return create_body(desk.rent, f"slm-forest-{desk.name}-{stamp}", gpu_id, deadline, public_key), deadline


def _remembered(desk: Desk) -> Rented | None:
    if not desk.note.is_file():
        return None
    rented = Rented(**json.loads(desk.note.read_text(encoding="utf-8")))
    if runpod.pod(desk.api, rented.pod) is None:
        desk.say(f"전에 빌린 pod은 이제 없습니다: {rented.pod} (gone)")
        desk.note.unlink()
        return None
    desk.say(f"전에 빌린 pod을 이어서 씁니다: {rented.pod} (same pod again)")
    return rented


def _rent(desk: Desk, identity: Path) -> Rented:
    public_key = identity.with_suffix(".pub").read_text(encoding="utf-8").strip()
    for gpu, usd in choose(desk):
        now = desk.now()
        body, deadline = pod_body(desk, gpu.id, usd, public_key, now)
        try:
            pod = runpod.create(desk.api, body)
        except RunpodError as exc:
            if exc.status == 400 and runpod.OUT_OF_STOCK in exc.detail.lower():
                desk.say(f"  {gpu.id}: 방금 다 나갔습니다. 다음 종류로 갑니다 (sold out)")
                continue
            raise
        rented = Rented(pod.id, pod.name, gpu.id, usd, now, deadline)
        desk.folder.mkdir(parents=True, exist_ok=True)
        desk.note.write_text(json.dumps(asdict(rented)), encoding="utf-8")
        if pod.cost > gpu.price * 1.02:
            _delete(desk, rented)
            raise Stop(
                f"값이 표와 다릅니다: ${pod.cost}/시간, 표는 ${gpu.price}. pod을 지웠습니다 (dearer than listed)."
            )
        return rented
    raise Stop("원하는 GPU가 모두 나갔습니다. 나중에 다시 하거나 configs/runpod.yaml에 종류를 더하세요 (all sold out).")


def _say_terms(desk: Desk, rented: Rented) -> None:
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(rented.deadline))
    most = (rented.deadline - rented.created) / 3600 * rented.usd_hour
    desk.say(
        f"pod {rented.pod}: {rented.gpu}, ${rented.usd_hour:.3f}/시간, 기한 {until} (많아야 ${most:.2f}).\n"
        "  기한이 되면 pod이 스스로 지워지고 가져오지 않은 결과도 사라집니다. 이 창을 닫았으면 기한 전에 같은 명령을 다시 하세요."
    )


def _train(desk: Desk, rented: Rented, identity: Path, remote: Remote, token: str) -> tuple[int, Remote]:
    """Start or go on watching; the training's exit code, and the pod's address (it changes with every restart)."""
    seen = look(remote, desk.name, 0)
    if seen is None or (seen.code is None and not seen.alive):
        _start(desk, rented, remote, token)
    offset, silent, interruptions = 0, 0, 0
    margin = min(900.0, 0.15 * (rented.deadline - rented.created))  # to stop, checkpoint and fetch
    while True:
        if desk.now() >= rented.deadline - margin:
            return _out_of_budget(desk, rented, remote), remote
        seen = look(remote, desk.name, offset)
        if seen is not None:
            silent = 0
            offset += len(seen.log)
            if seen.log:
                desk.say(seen.log.decode("utf-8", errors="replace").rstrip("\n"))
            if seen.code is not None:
                return seen.code, remote
        else:
            silent += 1
        if (seen is not None and not seen.alive) or silent >= UNREADABLE or (silent and _stopped(_pod(desk, rented))):
            interruptions += 1
            if interruptions > INTERRUPTIONS:
                raise Stop(
                    f"{INTERRUPTIONS}번 넘게 끊겼습니다. pod {rented.pod} 은 기한까지 남습니다 (too many interruptions)."
                )
            desk.say(f"학습이 끊겼습니다 ({interruptions}번째). 체크포인트에서 이어 갑니다 (interrupted; resuming)")
            remote = _connect(desk, rented, identity)
            again = look(remote, desk.name, offset)
            if again is None or (again.code is None and not again.alive):
                _start(desk, rented, remote, token)
            silent = 0
        desk.pause(desk.poll_seconds)


def _pod(desk: Desk, rented: Rented) -> Pod:
    pod = runpod.pod(desk.api, rented.pod)
    if pod is None:
        desk.note.unlink(missing_ok=True)
        raise Stop(f"pod이 없어졌습니다: {rented.pod}. 가져오지 못한 결과는 잃었습니다 (the pod is gone).")
    return pod


def _stopped(pod: Pod) -> bool:
    return pod.status not in ("RUNNING", "STARTING", "PROVISIONING")


def _connect(desk: Desk, rented: Rented, identity: Path, first: bool = False) -> Remote:
    """A pod whose sshd answers and whose dead-man's switch is armed; a stopped one is started."""
    patience = desk.now() + desk.boot_seconds
    restarted = False
    while desk.now() < patience:
        pod = _pod(desk, rented)
        if pod.status == "ERROR":
            break
        if _stopped(pod) and not restarted:
            desk.say("pod이 멈춰 있어 다시 켭니다 (starting the stopped pod)")
            runpod.start(desk.api, rented.pod)
            restarted = True
        elif pod.ssh:
            remote = desk.remote(*pod.ssh, identity)
            if remote.run(f"test -s {ARMED}").returncode == 0:
                return remote
        desk.pause(desk.poll_seconds / 2)
    if first:  # nothing has been trained on it
        _delete(desk, rented)
        raise Stop(
            "pod이 켜지지 않았거나 스스로 꺼지는 장치가 서지 않았습니다. pod을 지웠습니다 (did not come up; deleted)."
        )
    raise Stop(
        f"pod에 다시 닿지 못했습니다: {rented.pod}. 켜져 있으면 기한에 스스로 지워지지만, 멈춘 pod은 그러지 못해 저장소 "
        "요금이 계속 나갑니다. 같은 명령을 다시 하거나 --orphans 와 --delete 로 지우세요 (unreachable)."
    )


def _start(desk: Desk, rented: Rented, remote: Remote, token: str) -> None:
    desk.say("코드와 데이터를 올립니다 (uploading)")
    sent = upload(remote, desk.repo, desk.dataset)
    if sent.returncode:
        raise Stop(f"올리지 못했습니다 (upload failed): {sent.stderr.decode(errors='replace')[-300:]}")
    arguments = ["--config", desk.config.as_posix(), "--managed"]
    arguments += ["--dataset", desk.dataset.as_posix()] if desk.dataset else []
    secrets = {"RUNPOD_POD_ID": rented.pod, "WORKSPACE": remote.workspace} | ({"HF_TOKEN": token} if token else {})
    begun = start_training(remote, desk.name, arguments, secrets)
    if begun.returncode:
        raise Stop(f"학습을 시작하지 못했습니다 (could not start): {begun.stderr.decode(errors='replace')[-300:]}")


def _out_of_budget(desk: Desk, rented: Rented, remote: Remote) -> int:
    spent = rented.cost(desk.now())
    desk.say(f"상한에 가까워져 학습을 멈추고 결과를 가져옵니다: 지금까지 약 ${spent:.2f} (cap reached)")
    ask_to_stop(remote, desk.name)
    while desk.now() < rented.deadline:
        seen = look(remote, desk.name, 0)
        if seen is not None and seen.code is not None:
            return seen.code or 1
        desk.pause(desk.poll_seconds / 2)
    raise Stop("기한 안에 학습이 멈추지 않았습니다. pod은 스스로 지워집니다 (did not stop in time).")


def _bring_home(desk: Desk, rented: Rented, remote: Remote) -> None:
    """Fetch, compare every hash, and only then delete.  Raises Stop with the pod left as it is."""
    target = desk.repo / "runs" / desk.name
    for attempt in range(1, 4):
        try:
            files = fetch(remote, desk.name, target)
            break
        except FetchError as exc:
            desk.say(f"가져오기 {attempt}번째 실패 (fetch failed): {exc}")
            desk.pause(desk.poll_seconds)
    else:
        raise Stop(
            f"결과를 온전히 가져오지 못해 pod을 지우지 않았습니다: {rented.pod}. 기한까지 요금이 나갑니다; 같은 명령을 다시 하면 "
            "이어서 가져옵니다 (fetch failed; pod kept until its deadline)."
        )
    desk.say(f"결과 {len(files)}개 파일, SHA-256 이 모두 같습니다: {target} (verified)")
    _delete(desk, rented)


def _delete(desk: Desk, rented: Rented) -> None:
    runpod.delete(desk.api, rented.pod)
    desk.note.unlink(missing_ok=True)
