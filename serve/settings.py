"""The serving configuration and the run folder it points at (docs/contracts.md, sections 2 and 3)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from serve.errors import Code, ServeError
from taxlaw.strict_config import StrictModel, load_config

DEFAULT_CONFIG = Path("configs/serve/demo.yaml")


class ModelConfig(StrictModel):
    """A model in one of the panes.  null: this machine or the model's own file decides (serve/opening.py)."""

    context_tokens: int = Field(ge=128)
    max_new_tokens: int = Field(ge=1)
    temperature: float = Field(ge=0, le=2)
    top_p: float | None = Field(gt=0, le=1)
    seed: int | None = Field(ge=0)
    device: Literal["auto", "cpu", "cuda", "mps"]
    threads: int | None = Field(ge=1)  # null: physical cores of this machine
    threads_batch: int | None = Field(ge=1)  # while the question is read; null: as many
    gpu_layers: int | None  # GGUF; null: all on a GPU, none without
    flash_attention: bool | None  # null: llama.cpp or torch decides
    quantisation: Literal["8bit", "nf4"] | None  # Hugging Face weights; null: as they are in the checkpoint
    queue_seconds: float = Field(gt=0)  # how long a second question waits for the first answer
    check_sha256: bool  # count the weights' SHA-256 before loading, and compare it where a run.json states it
    prompt_template: str | None  # jinja2; for a model without a chat template of its own
    stops: tuple[str, ...]  # texts that end an answer, for a model without a token that does


class StudentConfig(ModelConfig):
    runs_folder: Path  # searched for the newest finished run when model_path is null
    model_path: str | None  # what opening.open_backend takes, or null


class BaseConfig(ModelConfig):
    model: str  # what opening.open_backend takes
    when_asked: bool = False  # a model of this machine: opened by the first question to its pane, not before


class TeacherConfig(StrictModel):
    model: str
    base_url: str | None
    api_key_env: str  # name of the environment variable; the key itself never stands in YAML
    timeout_seconds: float = Field(gt=0)
    max_new_tokens: int = Field(ge=1)
    temperature: float | None
    system_prompt: str  # jinja2; knows {{ as_of }}
    personal_data: Literal["mask", "block"]  # what happens to personal numbers in a question that would go outside
    recorded_folder: Path | None  # dataset folder with recorded_answers.jsonl


class PageConfig(StrictModel):
    host: str
    port: int = Field(ge=0, le=65535)
    updates_per_second: float = Field(gt=0, le=60)
    max_waiting: int = Field(ge=1)
    student_at_once: int = Field(ge=1)  # answers of one local model at the same time
    teacher_at_once: int = Field(ge=1)
    examples: tuple[str, ...]


class HttpConfig(StrictModel):
    at_once: int = Field(ge=1)  # questions of /v1 in the model at the same time
    max_waiting: int = Field(ge=1)  # questions of /v1 in line behind them
    requests_per_minute: float = Field(gt=0)  # of one client to /v1, ``burst`` of them at once
    burst: int = Field(ge=1)
    page_events_per_minute: float = Field(gt=0)  # of one address on the page; one question is about ten
    max_body_bytes: int = Field(ge=1024)
    allowed_hosts: tuple[str, ...]  # further names by which the server is reached
    trusted_proxies: tuple[str, ...]  # addresses whose X-Forwarded-For is believed


class RecordsConfig(StrictModel):
    path: Path | None  # SQLite file; null: nothing is kept
    keep_days: int | None = Field(ge=1)  # questions and answers older than this are emptied; null: never
    cache_entries: int = Field(ge=0)  # answers kept in memory to be given again; 0: none


class DenseConfig(StrictModel):
    model: str = Field(min_length=1)  # id or folder of an embedding model
    query_prefix: str  # what the model wants before a question ("query: " for E5), else ""
    passage_prefix: str


class RetrievalConfig(StrictModel):
    folders: tuple[Path, ...] | None  # statutes, rulings, corpora; null: corpora/* and ../shared/data, where they are
    limit: int = Field(ge=1, le=20)  # passages that one question gets
    dense: DenseConfig | None  # also rank by an embedding model
    rerank: str | None  # id or folder of a cross-encoder that orders what was found


class ServeConfig(StrictModel):
    as_of: date | None  # law as it stood on this day; null: today in Korea
    student: StudentConfig
    base: BaseConfig | None  # a model without fine-tuning in the third pane
    teacher: TeacherConfig
    page: PageConfig
    records: RecordsConfig
    http: HttpConfig
    retrieval: RetrievalConfig


def read_config(path: Path | None) -> ServeConfig:
    """The configuration at ``path``, else the default one.  Raises taxlaw.errors.ConfigError."""
    if path is None:
        beside_package = Path(__file__).resolve().parent.parent / DEFAULT_CONFIG
        path = DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else beside_package
    return load_config(path, ServeConfig)


def today_in_korea() -> date:
    try:
        return datetime.now(ZoneInfo("Asia/Seoul")).date()
    except ZoneInfoNotFoundError as exc:
        raise ServeError(
            Code.USAGE,
            "이 컴퓨터에 시간대 자료(Asia/Seoul)가 없어 오늘 날짜를 정할 수 없습니다.",
            "--as-of 2026-01-01처럼 기준일을 주거나 'pip install tzdata'를 하세요.",
        ) from exc


def parse_as_of(text: str) -> date:
    """``2025-07-01`` as a date.  Raises ServeError(USAGE)."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError as exc:
        raise ServeError(
            Code.USAGE, f"기준일을 읽을 수 없습니다: '{text}'", "2025-12-31처럼 연-월-일로 쓰세요."
        ) from exc


@dataclass(frozen=True)
class Student:
    """A model to serve and what its run measured; accuracies are shares of held-out worked examples (0 to 1).

    ``path``: a GGUF, or whatever else opening.open_backend takes.  ``sha256``: of the GGUF, None when it was not counted.
    ``reads_evidence``: False for a run of ours that was trained on bare questions only: evidence in front leads it astray.
    ``asks_evidence``: it was taught to ask for evidence where a question needs it (taxlaw.evidence_prompt.LOOK_UP).
    """

    path: Path | str
    name: str
    exact_before: float | None = None
    exact_after: float | None = None
    sha256: str | None = None
    reads_evidence: bool = True
    asks_evidence: bool = False


def find_student(config: StudentConfig, model_path: Path | str | None = None) -> Student:
    """The student to serve: ``model_path``, else the configured one, else the newest finished run.

    Raises ServeError(NO_MODEL) when there is none and ServeError(BAD_MODEL) when its run.json does not match it.
    """
    chosen = model_path or config.model_path
    if chosen is not None and Path(chosen).suffix != ".gguf" and not (Path(chosen) / "run.json").is_file():
        return Student(chosen, str(chosen).rstrip("/").rpartition("/")[2])  # opening.py says so when it is no model
    if chosen is not None:
        path = Path(chosen)
        record = (path if path.is_dir() else path.parent) / "run.json"
        run = _read_run(record) if record.is_file() else {}
        name = _student_file(run, record)
        path = path / (name or "student.gguf") if path.is_dir() else path
        if not path.is_file():
            raise _no_model(f"학생 모델 파일이 없습니다: {path}")
        if name == path.name:
            return _student(run, record, path, config.check_sha256)
        return Student(path, path.stem, sha256=sha256_of(path) if config.check_sha256 else None)
    finished = []
    for record in config.runs_folder.glob("*/run.json"):
        run = _read_run(record)
        name = _student_file(run, record)
        if name is not None and (record.parent / name).is_file():
            finished.append((record.stat().st_mtime, record, run, record.parent / name))
    if not finished:
        raise _no_model(f"학습이 끝난 학생 모델이 '{config.runs_folder}/' 아래에 없습니다.")
    _, record, run, path = max(finished, key=lambda found: found[0])
    return _student(run, record, path, config.check_sha256)


def _no_model(message: str) -> ServeError:
    return ServeError(
        Code.NO_MODEL,
        message,
        "'make demo'로 학생을 만들거나 --model_path에 GGUF 파일을 주세요 (run `make demo` first).",
    )


def _read_run(path: Path) -> dict:
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise _broken(path, str(exc)) from exc
    if not isinstance(run, dict):
        raise _broken(path, "최상위가 객체가 아닙니다")
    return run


def _broken(path: Path, why: str) -> ServeError:
    return ServeError(
        Code.BAD_MODEL,
        f"실행 기록을 읽을 수 없습니다: {path} ({why})",
        "'python -m finetune run'을 다시 하거나 --model_path로 다른 모델을 고르세요.",
    )


def _student_file(run: dict, record: Path) -> str | None:
    """File name of the student in a run record; None while the run is not finished."""
    student = run.get("student")
    if student is None:
        return None
    name = student.get("gguf") if isinstance(student, dict) else None
    if not isinstance(name, str) or Path(name).name != name:
        raise _broken(record, "student.gguf는 같은 폴더의 파일 이름이어야 합니다")
    return name


def _student(run: dict, record: Path, path: Path, check: bool) -> Student:
    expected, found = run["student"].get("sha256"), sha256_of(path) if check else None
    if found and expected and found != expected:
        raise ServeError(
            Code.BAD_MODEL,
            f"모델 파일이 실행 기록과 다릅니다(SHA-256): {path}",
            "파일이 바뀌었거나 덜 복사되었습니다. 다시 복사하거나 'python -m finetune run'을 다시 하세요.",
        )
    name, config = f"{record.parent.name}/{path.stem}", run.get("config")
    share = config.get("evidence") if isinstance(config, dict) else True  # of the rows, finetune.settings.RunConfig
    asks = share is not True and bool(share) and share < 1
    return Student(path, name, _exact(run, "base"), _exact(run, "student"), found, bool(share), asks)


def _exact(run: dict, who: str) -> float | None:
    measured = run.get("eval")
    side = measured.get(who) if isinstance(measured, dict) else None
    value = side.get("exact") if isinstance(side, dict) else None
    return float(value) if isinstance(value, int | float) else None


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
