"""RunPod's REST API v2 (v1 is retired on 2026-12-01): catalogue, pods, lifecycle.  Standard library only.

The key goes into one header of each request and nowhere else.  Field names: the v2 OpenAPI schema and runpodctl's client.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

URL = "https://api.runpod.io/v2"
OUT_OF_STOCK = "no longer any instances"  # in the detail of a 400 when a GPU type has just been sold out


class RunpodError(Exception):
    """A refused or failed request, as a sentence that says what to do; ``status`` 0 when there was no answer."""

    def __init__(self, message: str, status: int = 0, detail: str = "") -> None:
        super().__init__(message)
        self.status, self.detail = status, detail


@dataclass(frozen=True)
class Request:
    """One request as --plan prints it; the key is no part of it."""

    method: str
    path: str
    body: dict | None = None

    def text(self, base: str) -> str:
        lines = [f"{self.method} {base}{self.path}", "Authorization: Bearer $RUNPOD_API_KEY"]
        if self.body is not None:
            lines.append(json.dumps(self.body, ensure_ascii=False, indent=2))
        return "\n".join(lines)


@dataclass(frozen=True)
class Gpu:
    """One row of the catalogue; ``price`` in USD per hour, None when not offered on that cloud."""

    id: str
    memory_gb: int
    price: float | None
    stock: str


@dataclass(frozen=True)
class Pod:
    """``status``: PROVISIONING, STARTING, RUNNING, EXITED, TERMINATED or ERROR; ``ssh`` once port 22 is mapped."""

    id: str
    name: str
    status: str
    cost: float
    gpu: str
    volume_gb: int
    ssh: tuple[str, int] | None


@dataclass(frozen=True)
class Api:
    """Where requests go; another address (RUNPOD_API_URL) is for tests."""

    key: str = field(repr=False)
    base: str = URL
    sleep: Callable[[float], None] = time.sleep

    def send(self, request: Request) -> dict:
        """The decoded answer.  Reads are tried four times; a POST once, since a lost answer may have bought a pod."""
        for wait in (1.0, 4.0, 10.0, None):
            try:
                return self._once(request)
            except RunpodError as exc:
                passing = exc.status in (0, 429, 500, 502, 503, 504)
                if request.method not in ("GET", "DELETE") or not passing or wait is None:
                    raise
                self.sleep(wait)
        raise AssertionError("unreachable")

    def _once(self, request: Request) -> dict:
        data = None if request.body is None else json.dumps(request.body).encode()
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "User-Agent": "slm-forest",
        }
        wire = urllib.request.Request(self.base + request.path, data, headers, method=request.method)
        try:
            with urllib.request.urlopen(wire, timeout=60) as answer:
                text = answer.read().decode("utf-8")
        except urllib.error.HTTPError as exc:
            raise _refusal(request, exc.code, _detail(exc.read())) from None
        except (urllib.error.URLError, OSError) as exc:
            raise RunpodError(f"RunPod에 닿지 못했습니다 (no answer): {request.method} {request.path}: {exc}") from None
        try:
            return json.loads(text) if text.strip() else {}
        except json.JSONDecodeError:
            raise RunpodError(f"RunPod의 답을 읽지 못했습니다 (not JSON): {request.method} {request.path}") from None


def from_environment() -> Api:
    """Raises RunpodError when RUNPOD_API_KEY is not set."""
    key = os.environ.get("RUNPOD_API_KEY", "").strip()
    if not key:
        raise RunpodError("RUNPOD_API_KEY가 없습니다. RunPod 콘솔 → Settings → API Keys에서 만들어 환경변수로 주세요.")
    return Api(key, os.environ.get("RUNPOD_API_URL", URL).rstrip("/"))


def catalogue_request(cloud: str, min_cuda: str) -> Request:
    """Prices and stock for a pod on that cloud."""
    return Request("GET", f"/catalog/gpus?include=AVAILABILITY&product=POD&cloud={cloud}&minCudaVersion={min_cuda}")


def catalogue(api: Api, cloud: str, min_cuda: str) -> dict[str, Gpu]:
    """GPU types by id."""
    rows = api.send(catalogue_request(cloud, min_cuda)).get("gpus", [])
    return {
        row["id"]: Gpu(
            row["id"],
            int(row.get("memory") or 0),
            (row.get("price") or {}).get(cloud.lower()),
            str(row.get("availability") or "NONE").upper(),
        )
        for row in rows
    }


def pods(api: Api) -> list[Pod]:
    """Every pod of the account, whoever made it."""
    return [_pod(row) for row in api.send(Request("GET", "/pods")).get("pods", [])]


def pod(api: Api, pod_id: str) -> Pod | None:
    """One pod, None when it does not exist (any more)."""
    try:
        return _pod(api.send(Request("GET", f"/pods/{pod_id}")))
    except RunpodError as exc:
        if exc.status == 404:
            return None
        raise


def create(api: Api, body: dict) -> Pod:
    """Rent a pod; when the answer is lost, the pod of that (unique) name if there is one."""
    try:
        return _pod(api.send(Request("POST", "/pods", body)))
    except RunpodError as exc:
        if 400 <= exc.status < 500:
            raise
        for one in pods(api):
            if one.name == body["name"]:
                return one
        raise


def start(api: Api, pod_id: str) -> None:
    """Start a stopped pod again."""
    api.send(Request("POST", f"/pods/{pod_id}/action", {"action": "start"}))


def delete(api: Api, pod_id: str) -> None:
    """Delete a pod and its volume; one that is gone already is fine."""
    try:
        api.send(Request("DELETE", f"/pods/{pod_id}"))
    except RunpodError as exc:
        if exc.status != 404:
            raise


def _pod(row: dict) -> Pod:
    mapped = (row.get("runtime") or {}).get("ports") or []
    ssh = next(
        ((one["ip"], int(one["public"])) for one in mapped if one.get("private") == 22 and one.get("public")), None
    )
    volume = ((row.get("mounts") or {}).get("persistent") or {}).get("size") or 0
    gpu = (row.get("gpu") or {}).get("id") or "?"
    return Pod(
        row["id"], row.get("name", ""), row.get("status", "?"), float(row.get("cost") or 0), gpu, int(volume), ssh
    )


def _detail(body: bytes) -> str:
    text = body.decode("utf-8", errors="replace")
    try:
        problem = json.loads(text)
    except json.JSONDecodeError:
        return text[:300]
    if not isinstance(problem, dict):
        return text[:300]
    more = "; ".join(str(one) for one in problem.get("errors") or [])
    return " ".join(str(part) for part in (problem.get("detail") or problem.get("title"), more) if part)


def _refusal(request: Request, status: int, detail: str) -> RunpodError:
    what = {
        401: "RunPod API 키가 틀렸거나 만료되었습니다",
        402: "RunPod 잔액이 모자랍니다. 콘솔에서 충전한 뒤 다시 하세요",
        403: "이 API 키로는 할 수 없는 일입니다. 키의 권한을 보세요",
        422: "RunPod이 요청을 받아들이지 않았습니다. configs/runpod.yaml의 값을 보세요",
    }.get(status, "RunPod이 요청을 거절했습니다")
    return RunpodError(f"{what} ({status} {request.method} {request.path}): {detail}", status, detail)
