"""configs/runpod.yaml, and the body of the request that rents a pod."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from taxlaw.strict_config import StrictModel, load_config

HOURS_PER_MONTH = 730

# RunPod takes `terminateAfter` and then does nothing (runpodctl removed the flag in August 2026, pull request 330, after
# pods had gone on billing), and REST v2 has no such field.  So the pod ends itself: this runs from the container's start
# command, before anything else and again after every restart, with the key RunPod gives each pod.  The key reaches curl
# through a pipe, never its command line.  `armed` is written only once the key was seen to work.
DEADMAN = """\
auth() { printf 'header = "Authorization: Bearer %s"\\n' "$RUNPOD_API_KEY"; }
api="https://api.runpod.io/v2/pods/$RUNPOD_POD_ID"
until curl -fsS -m 30 -o /dev/null -K <(auth) "$api"; do sleep 10; done
echo "$SLM_FOREST_DEADLINE" > /tmp/slm-forest-armed
while [ "$(date +%s)" -lt "$SLM_FOREST_DEADLINE" ]; do sleep 10; done
while true; do
    curl -fsS -m 30 -X DELETE -K <(auth) "$api" || runpodctl pod delete "$RUNPOD_POD_ID" || runpodctl pod stop "$RUNPOD_POD_ID"
    sleep 30
done"""
ARMED = "/tmp/slm-forest-armed"


class Rent(StrictModel):
    """What is rented."""

    image: str
    cloud: Literal["SECURE", "COMMUNITY"] = "SECURE"
    min_cuda: str = Field(pattern=r"^\d+\.\d+$")
    disk_gb: int = Field(ge=20)
    volume_gb: int = Field(ge=10)
    storage_usd_gb_month: float = Field(ge=0)
    gpus: dict[str, tuple[str, ...]]

    @property
    def storage_usd_hour(self) -> float:
        return (self.disk_gb + self.volume_gb) * self.storage_usd_gb_month / HOURS_PER_MONTH

    def wanted(self, config: Path) -> tuple[str, ...]:
        """GPU types for this student, in order of preference."""
        return self.gpus.get(config.stem) or self.gpus["default"]


@dataclass(frozen=True)
class Budget:
    """The caps; the sooner one ends the pod."""

    usd: float
    hours: float

    def hours_at(self, usd_per_hour: float) -> float:
        """How long a pod of that price may live."""
        return min(self.hours, self.usd / usd_per_hour)


def read_rent(path: Path) -> Rent:
    """Raises ConfigError."""
    return load_config(path, Rent)


def create_body(rent: Rent, name: str, gpu: str, deadline: int, public_key: str) -> dict:
    """Body of POST /v2/pods; ``deadline`` in seconds since 1970.  No secret is in it."""
    return {
        "name": name,
        "image": rent.image,
        "cloud": rent.cloud,
        "gpu": {"id": gpu, "count": 1, "minCudaVersion": rent.min_cuda},
        "disk": rent.disk_gb,
        "mounts": {"persistent": {"size": rent.volume_gb, "path": "/workspace"}},
        "ports": ["22/tcp"],
        "startSsh": True,
        "env": {"PUBLIC_KEY": public_key, "SLM_FOREST_DEADLINE": str(deadline)},
        "cmd": ["bash", "-c", f"({DEADMAN}) & exec /start.sh"],
    }
