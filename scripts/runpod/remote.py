"""What is done on the pod over ssh: code up, training started and watched, results back with their hashes.

Commands hold no secret; those go through standard input into memory (/dev/shm).
"""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

UNREACHABLE = 255  # ssh's own exit code


class FetchError(Exception):
    """Results that did not arrive as they are on the pod."""


@dataclass(frozen=True)
class Remote:
    """A pod's sshd.  ``code`` is on the container disk (small files are slow on the volume), ``workspace`` the volume."""

    host: str
    port: int
    identity: Path
    code: str = "/opt/slm-forest"
    workspace: str = "/workspace"
    memory: str = "/dev/shm"  # gone after a restart, and never on a disk

    def run(self, command: str, stdin: bytes = b"") -> subprocess.CompletedProcess:
        """Run a shell command there; returncode 255 when the pod could not be reached."""
        return subprocess.run([*self._ssh(), command], input=stdin, capture_output=True)

    def _ssh(self) -> list[str]:
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": str(self.identity.parent / f"known_hosts-{self.host}-{self.port}"),
            "ConnectTimeout": "15",
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "4",
            "LogLevel": "ERROR",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        return ["ssh", *flags, "-i", str(self.identity), "-p", str(self.port), f"root@{self.host}"]


@dataclass(frozen=True)
class Seen:
    """One look at a running training; ``code`` its exit code once it has ended."""

    log: bytes
    code: int | None
    alive: bool


def make_identity(folder: Path) -> Path:
    """A key pair of this checkout's own, made once with ssh-keygen; the user's keys are not touched."""
    identity = folder / "id_ed25519"
    if not identity.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "slm-forest", "-f", str(identity)], check=True
        )
    return identity


def upload(remote: Remote, repo: Path, dataset: Path | None) -> subprocess.CompletedProcess:
    """Send the files git knows or would add, and the dataset folder (which git ignores)."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repo,
        capture_output=True,
        check=True,
    )
    names = [name for name in listed.stdout.decode("utf-8").split("\0") if name and (repo / name).is_file()]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in names:
            tar.add(repo / name, arcname=name)
        if dataset:
            tar.add(repo / dataset, arcname=dataset.as_posix())
    place = shlex.quote(remote.code)
    return remote.run(f"mkdir -p {place} && tar -xzf - -C {place}", packed.getvalue())


def start_training(
    remote: Remote, name: str, arguments: list[str], secrets: dict[str, str]
) -> subprocess.CompletedProcess:
    """Start runpod_train.sh there, detached from ssh; it goes on from its checkpoints when there are any."""
    state = f"{remote.workspace}/state"
    kept = f"{remote.memory}/{name}"
    inner = (
        f"trap : TERM; . {kept}.env; rm -f {kept}.env; ./runpod_train.sh {shlex.join(arguments)}; "
        f"echo $? > {state}/{name}.code"
    )
    command = (
        f"cd {shlex.quote(remote.code)} && mkdir -p {state} && rm -f {state}/{name}.code && umask 077 && "
        f"cat > {kept}.env && (setsid nohup bash -c {shlex.quote(inner)} >> {state}/{name}.log 2>&1 "
        f"< /dev/null & echo $! > {kept}.pid)"
    )
    lines = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in secrets.items())
    return remote.run(command, lines.encode())


def look(remote: Remote, name: str, offset: int) -> Seen | None:
    """What the training wrote after ``offset`` bytes and whether it has ended; None when the pod does not answer."""
    state = f"{remote.workspace}/state"
    done = remote.run(
        f"cat {state}/{name}.code 2>/dev/null || echo -; "
        f"kill -0 $(cat {remote.memory}/{name}.pid 2>/dev/null) 2>/dev/null && echo alive || echo gone; "
        f"tail -c +{offset + 1} {state}/{name}.log 2>/dev/null"
    )
    if done.returncode == UNREACHABLE:
        return None
    code, alive, log = done.stdout.split(b"\n", 2)
    return Seen(log, None if code == b"-" else int(code), alive == b"alive")


def ask_to_stop(remote: Remote, name: str) -> None:
    """SIGTERM to the training and its children: a checkpoint is written and the process ends."""
    remote.run(f"kill -TERM -- -$(cat {remote.memory}/{name}.pid)")


def fetch(remote: Remote, name: str, target: Path) -> list[str]:
    """Bring the run folder (or its .partial) and the log to ``target``; returns the files, each with the pod's SHA-256.

    Raises FetchError when anything is missing or differs; ``target`` is then not written.
    """
    here = f"cd {remote.workspace} && find runs/{name} runs/{name}.partial state/{name}.log -type f"
    listed = remote.run(f"{here} -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum --zero")
    if listed.returncode:
        raise FetchError("결과의 SHA-256 을 pod에서 재지 못했습니다 (no manifest)")
    wanted = {}
    for line in listed.stdout.decode("utf-8").split("\0"):
        if line:
            digest, path = line.split("  ", 1)
            wanted[path] = digest
    if not wanted:
        raise FetchError("pod에 결과가 없습니다 (nothing to fetch)")
    aside = target.with_name(target.name + ".fetching")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    with subprocess.Popen(
        [*remote._ssh(), f"{here} -print0 2>/dev/null | tar -cf - --null -T -"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    ) as sending:
        try:
            with tarfile.open(fileobj=sending.stdout, mode="r|") as tar:
                tar.extractall(aside, filter="data")
        except tarfile.TarError as exc:
            raise FetchError(f"전송이 끊겼습니다 (transfer broke off): {exc}") from exc
    wrong = [path for path, digest in wanted.items() if not _same(aside / path, digest)]
    if wrong:
        raise FetchError(f"SHA-256 이 다르거나 오지 않은 파일 {len(wrong)}개 (missing or different): {wrong[0]}")
    _settle(aside, name, target)
    return sorted(wanted)


def _same(path: Path, digest: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest


def _settle(aside: Path, name: str, target: Path) -> None:
    """runs/<name> (or .partial) becomes ``target``, the log lies inside; what was there before is kept beside it."""
    finished = aside / "runs" / name
    found = finished if finished.is_dir() else aside / "runs" / f"{name}.partial"
    if not found.is_dir():
        found.mkdir(parents=True)
    log = aside / "state" / f"{name}.log"
    if log.is_file():
        os.replace(log, found / "runpod.log")
    place = target if found == finished else target.with_name(target.name + ".partial")
    if place.exists():
        number = 1
        while (older := place.with_name(f"{place.name}.before-{number}")).exists():
            number += 1
        os.replace(place, older)
    os.replace(found, place)
    shutil.rmtree(aside)
