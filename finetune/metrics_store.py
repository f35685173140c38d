"""Where a run's numbers go: always metrics.jsonl in the run folder, and one more local store.

The default is trackio where it is installed: one SQLite file per project, no server, no socket, 0.7 s of processor time to
import (measured with 0.43).  Nothing is sent anywhere by default: TensorBoard writes local files as well, W&B runs offline
unless WANDB_MODE says otherwise, trackio sends only when TRACKIO_SPACE_ID or TRACKIO_SERVER_URL is set.  Knows nothing of
training.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

from finetune.errors import InputError

FILE = "metrics.jsonl"
PACKAGES = {"trackio": "trackio", "tensorboard": "tensorboard", "wandb": "wandb"}
Sink = tuple[Callable[[str, dict], None], Callable[[], None]]  # (write one record of a kind, close)


class Metrics:
    """Records in order, each ``{"kind": "step" | "accuracy" | "usage", ...}``; every line is on disk once written."""

    def __init__(self, file: Path, records: list[dict], sink: Sink | None) -> None:
        self.records = list(records)
        self._sink = sink
        self._handle = file.open("w", encoding="utf-8")  # what came after the checkpoint is trained, and written, again
        for record in self.records:
            self._handle.write(_line(record))
        self._handle.flush()

    def write(self, kind: str, values: dict) -> None:
        """Add one record; values that are None are left out."""
        record = {"kind": kind, **{key: value for key, value in values.items() if value is not None}}
        self.records.append(record)
        self._handle.write(_line(record))
        self._handle.flush()
        if self._sink:
            self._sink[0](kind, record)

    def close(self) -> None:
        self._handle.close()
        if self._sink:
            self._sink[1]()


def require_store(store: str) -> None:
    """Raises InputError before anything is loaded when the library of ``store`` is not installed."""
    package = PACKAGES.get(store)
    if package and find_spec(package) is None:
        raise InputError(
            f"metrics: {store} 에 필요한 패키지가 없습니다: {package}\n"
            f"  설치: pip install {package}, 또는 metrics: jsonl 로 두세요. (not installed)"
        )


def chosen_store(store: str) -> str:
    """``store``, with "auto" made definite: trackio where it is installed, otherwise metrics.jsonl alone.

    Raises InputError for a named store whose library is not installed.
    """
    require_store(store)
    if store != "auto":
        return store
    return "trackio" if find_spec("trackio") else "jsonl"


def store_line(store: str) -> str:
    """Where the numbers of a run can be looked at, in words."""
    shown = {
        "trackio": "metrics.jsonl 과 trackio (이 컴퓨터에만; 보기: trackio show --project slm-forest)",
        "tensorboard": "metrics.jsonl 과 TensorBoard (보기: tensorboard --logdir <out>/tensorboard)",
        "wandb": f"metrics.jsonl 과 W&B ({os.environ.get('WANDB_MODE', 'offline')})",
        "jsonl": "metrics.jsonl",
    }
    return f"지표: {shown[store]}"


@contextmanager
def open_metrics(
    folder: Path | None, store: str, project: str, name: str, records: Sequence[dict] = ()
) -> Iterator[Metrics]:
    """The run's Metrics, starting with ``records`` (those of the checkpoint a run goes on from).

    Without a ``folder`` nothing is written: one of several processes writes for all.  A store other than jsonl may show
    the steps after the last checkpoint twice when a run was killed.
    """
    if folder is None:
        metrics = Metrics(Path(os.devnull), list(records), None)
        try:
            yield metrics
        finally:
            metrics.close()
        return
    store = chosen_store(store)
    sinks = {"trackio": _trackio, "tensorboard": _tensorboard, "wandb": _wandb}
    metrics = Metrics(folder / FILE, list(records), sinks[store](folder, project, name) if store in sinks else None)
    try:
        yield metrics
    finally:
        metrics.close()


def read_steps(file: Path) -> list[dict]:
    """The step records of a metrics.jsonl."""
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [record for record in records if record["kind"] == "step"]


def _line(record: dict) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _numbers(kind: str, record: dict) -> dict[str, float]:
    """``{"train/loss": ...}``: what the dashboards draw."""
    group = {"step": f"train{'/' + record['stage'] if record.get('stage') else ''}"}.get(kind, kind)
    return {f"{group}/{key}": value for key, value in record.items() if isinstance(value, (int, float))}


def _trackio(folder: Path, project: str, name: str) -> Sink:
    """A local SQLite file (TRACKIO_DIR); `trackio show` draws it."""
    import trackio

    def quietly(do: Callable, **options) -> None:
        with redirect_stdout(StringIO()):  # it greets in several lines; store_line says the one that matters
            do(**options)

    options = {"resume": "allow", "embed": False, "auto_log_gpu": False, "auto_log_cpu": False}
    quietly(trackio.init, project=project, name=name, **options)
    return lambda kind, record: trackio.log(_numbers(kind, record)), lambda: quietly(trackio.finish)


def _tensorboard(folder: Path, project: str, name: str) -> Sink:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(log_dir=str(folder / "tensorboard"))

    def write(kind: str, record: dict) -> None:
        for key, value in _numbers(kind, record).items():
            writer.add_scalar(key, value, global_step=record.get("step"))

    return write, writer.close


def _wandb(folder: Path, project: str, name: str) -> Sink:
    import wandb

    mode = os.environ.get("WANDB_MODE", "offline")
    run = wandb.init(project=project, name=name, id=name, dir=str(folder), mode=mode, resume="allow")
    return lambda kind, record: run.log(_numbers(kind, record)), run.finish
