"""Ships a finished run: the little that is needed to have its student again, small enough for a repository.

The adapter's numbers are kept as float16, which is half of what training kept.  Everything else of a student is made anew
when it is opened (finetune/open_student.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import jinja2

from finetune.base import whole_or_nothing
from finetune.errors import GateError, InputError
from finetune.evaluation.run_folder import FinishedRun, read_run
from finetune.importance import IMPORTANCE
from finetune.settings import RunConfig, read_config
from finetune.ship_folder import (
    ADAPTER,
    ADAPTER_WEIGHTS,
    SUMS,
    VOCABULARY,
    WHERE_THERE_IS_ONE,
    measured_at,
    read_shipped,
    vocabulary_of,
    weights_of,
    write_sums,
)
from taxlaw.errors import ConfigError

LIMIT_BYTES = 25_000_000  # of the whole folder
CONFIGS = Path("configs/finetune")
# float16 rounds a number by at most 2**-11 of itself (4.9e-4) down to 6.1e-5; below, by up to 3e-8 whatever its size.
SMALLEST_NORMAL = 2.0**-14
MOST_TENSOR_ERROR = 1e-3  # of its norm: twice what rounding alone can do, so that more means numbers too small to keep


@dataclass(frozen=True)
class Rounding:
    """What float16 costs.  Errors are shares: of one number within float16's normal range, and of a tensor's norm."""

    numbers: int
    largest_error: float
    largest_tensor_error: float
    below_normal: int  # numbers smaller than 6.1e-5, kept less exactly
    to_zero: int  # of those, smaller than 3e-8 and lost


def ship(
    run_folder: Path,
    out: Path,
    quantisation: str | None = None,
    config_file: Path | None = None,
    force: bool = False,
    say=print,
) -> None:
    """Write the folder ``out``, whole or not at all.  ``quantisation``: that it is opened at; None: the run's own.

    ``config_file``: the YAML the run was made with; None: the one below configs/finetune with the same settings.
    Raises InputError for a run that cannot be shipped or a folder above the limit, GateError when float16 cannot hold the
    adapter or the folder read back is not the student.
    """
    run = read_run(run_folder)
    _require_possible(run, out, force)
    quantisation = quantisation or run.quantisation
    commands = _commands(run, out, quantisation, config_file)
    vocabulary = vocabulary_of(run, say)
    with whole_or_nothing(out) as partial:
        (partial / ADAPTER).mkdir()
        shutil.copy(run.folder / ADAPTER / "adapter_config.json", partial / ADAPTER)
        rounding = round_adapter(run.folder / ADAPTER_WEIGHTS, partial / ADAPTER_WEIGHTS)
        shipped = {"quantisation": quantisation, "rounding": asdict(rounding)}
        record = {**portable(run.record), "shipped": shipped}
        _write(partial / "run.json", json.dumps(record, ensure_ascii=False, indent=2))
        _write(partial / VOCABULARY, json.dumps(vocabulary.model_dump(), ensure_ascii=False, separators=(",", ":")))
        _write(partial / "README.md", _card(run, record, out.name, commands, rounding))
        if run.record["base"]["licence"] == "gemma":
            _write(partial / "NOTICE", _notice(record))
        for name in ("loss.png", *(name for name in WHERE_THERE_IS_ONE if (run.folder / name).is_file())):
            shutil.copy(run.folder / name, partial)
        write_sums(partial)
        weights_of(read_shipped(partial), say)  # what was written leads back to what was trained on
        size = require_small(partial, LIMIT_BYTES)
    say(
        f"담았습니다: {out} ({size / 1e6:.1f} MB; 여는 양자화 {quantisation})\n"
        f"  float16: 수 {rounding.numbers:,}개, 가장 큰 상대 오차 {rounding.largest_error:.4%}, 텐서로는 "
        f"{rounding.largest_tensor_error:.4%}; 0 이 된 수 {rounding.to_zero:,}개 (largest relative rounding error)\n"
        f"  열기: {commands[-1]}"
    )


def round_adapter(source: Path, target: Path) -> Rounding:
    """Write the adapter's tensors as float16.  Raises GateError for numbers that float16 cannot hold."""
    from safetensors.torch import load_file, save_file

    rounded, rounding = to_float16(load_file(source))
    save_file(rounded, target, metadata={"format": "pt"})
    return rounding


def to_float16(tensors: Mapping[str, object]) -> tuple[dict, Rounding]:
    """(the tensors as float16, what that costs).  Raises GateError: infinite, or too small as a whole."""
    import torch

    rounded, numbers, below, zero, largest, of_tensor = {}, 0, 0, 0, 0.0, 0.0
    for name, tensor in tensors.items():
        exact, half = tensor.double(), tensor.to(torch.float16)
        if not torch.isfinite(half).all():
            raise GateError(
                f"어댑터의 수가 float16 을 넘거나 NaN 입니다 (overflow): {name}, 가장 큰 값 {exact.abs().max().item():g}\n"
                "  learning_rate 를 낮추어 다시 학습하세요."
            )
        error, size = (half.double() - exact).abs(), exact.abs()
        normal = size >= SMALLEST_NORMAL
        numbers += exact.numel()
        below += int(((size > 0) & ~normal).sum())
        zero += int(((size > 0) & (half == 0)).sum())
        if normal.any():
            largest = max(largest, (error[normal] / size[normal]).max().item())
        if norm := size.norm().item():
            share = error.norm().item() / norm
            of_tensor = max(of_tensor, share)
            if share > MOST_TENSOR_ERROR:
                raise GateError(
                    f"어댑터의 수가 float16 에 담기에 너무 작습니다 (underflow): {name}, 오차 {share:.2%}\n"
                    "  alpha 를 낮추거나 더 오래 학습하면 수가 커집니다."
                )
        rounded[name] = half.contiguous()
    return rounded, Rounding(numbers, largest, of_tensor, below, zero)


def portable(record: dict) -> dict:
    """The record without paths of this machine: those below the working folder relative to it, others by their last part."""
    return {**record, "config": _portable(record["config"])}


def require_small(folder: Path, limit: int) -> int:
    """Bytes of all files in ``folder``; raises InputError when they are not under ``limit`` bytes."""
    sizes = {file.relative_to(folder).as_posix(): file.stat().st_size for file in folder.rglob("*") if file.is_file()}
    size = sum(sizes.values())
    if size >= limit:
        largest = max(sizes, key=sizes.get)
        raise InputError(
            f"저장소에 담기에는 큽니다: {size / 1e6:.1f} MB (한도 {limit / 1e6:.0f} MB; 가장 큰 파일 {largest} "
            f"{sizes[largest] / 1e6:.1f} MB)\n  lora.r 을 줄이거나 허브에 올리세요 (too large to ship)."
        )
    return size


def _portable(value):
    if isinstance(value, dict):
        return {key: _portable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_portable(one) for one in value]
    if isinstance(value, str) and Path(value).is_absolute():
        path, here = Path(value), Path.cwd()
        return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name
    return value


def _require_possible(run: FinishedRun, out: Path, force: bool) -> None:
    if "opened" in run.record:
        raise InputError(
            f"담아 둔 학생을 연 폴더입니다: {run.folder}\n  학습한 실행의 폴더를 주세요 (give the run itself)."
        )
    for name in (f"{ADAPTER}/adapter_config.json", ADAPTER_WEIGHTS, "loss.png"):
        if not (run.folder / name).is_file():
            raise InputError(f"실행 폴더에 파일이 없습니다 (missing): {run.folder / name}")
    if out.exists() and not force:
        raise InputError(f"이미 있습니다: {out}\n  다른 이름을 주거나 --force 로 덮어쓰세요 (exists already).")
    if out.exists() and not (out / SUMS).is_file() and any(out.iterdir()):
        raise InputError(f"담아 둔 학생의 폴더가 아니어서 덮어쓰지 않습니다 (not a shipped student): {out}")


def _commands(run: FinishedRun, out: Path, quantisation: str, config_file: Path | None) -> list[str]:
    """The commands from raw law to the opened student, in order."""
    config = _config_of(run, config_file)
    dataset, made, shipped = (_portable(str(path)) for path in (run.config.dataset, run.config.out, out))
    data = Path("configs/data_gen") / f"{Path(dataset).name}.yaml"
    return [
        *([f"python -m data_gen build --config {data.as_posix()}"] if data.is_file() else []),
        *(f"python -m finetune run --config {_portable(str(earlier))}" for earlier in _earlier(run.config)),
        f"python -m finetune run --config {_portable(str(config))}",
        f"python -m finetune ship --run {made} --out {shipped} --quantisation {quantisation}",
        f"python -m finetune open --student {shipped}",
    ]


def _earlier(config: RunConfig) -> list[Path]:
    """The configurations of the runs that this one goes on from (lora.start), the first one first; none where it goes on
    from a shipped student, which is at hand.

    Raises InputError where a leg has no configuration below configs/finetune: nobody could make the student again.
    """
    if config.lora.start is None:
        return []
    start = Path(_portable(str(config.lora.start)))
    if (start.parent / SUMS).is_file():
        return []
    for path in sorted(CONFIGS.glob("*.yaml")):
        try:
            known = read_config(path)
        except ConfigError:
            continue
        if known.out / ADAPTER == start and known.lora.start != config.lora.start:
            return [*_earlier(known), path]
    raise InputError(
        f"이 실행이 이어 간 어댑터를 만든 설정이 {CONFIGS} 에 없습니다 (no config makes this adapter): {start}\n"
        "  out 이 그 폴더인 YAML 을 그곳에 두세요."
    )


def _config_of(run: FinishedRun, given: Path | None) -> Path:
    def same(path: Path) -> bool:
        return _settings(read_config(path)) == _settings(run.config)

    if given is not None:
        if not same(given):
            raise InputError(f"이 실행의 설정이 아닙니다 (other settings than run.json): {given}")
        return given
    for path in sorted(CONFIGS.glob("*.yaml")):
        try:
            if same(path):
                return path
        except ConfigError:
            continue  # someone's half-written file; the run's own is another
    raise InputError(
        f"이 실행을 다시 만들 설정을 찾지 못했습니다: {CONFIGS} 에 run.json 의 config 와 같은 YAML 이 없습니다.\n"
        "  그 YAML 을 거기에 두거나 --config 로 주세요 (no config with the run's settings)."
    )


def _settings(config: RunConfig) -> dict:
    """What decides the adapter: neither where files lie, nor what is measured and exported afterwards."""
    aside = {"out": True, "dataset": True, "metrics": True, "evaluation": True, "export": True}
    found = config.model_dump(mode="json", exclude={**aside, "train": {"checkpoint_minutes": True}})
    return _portable(found)


def _card(run: FinishedRun, record: dict, name: str, commands: list[str], rounding: Rounding) -> str:
    from finetune.card import render_card
    from finetune.card_command import evaluation_of

    file = run.folder / "eval" / "eval.json"
    values = {"record": record, "name": name, "commands": commands, "rounding": rounding, "config": run.config}
    values["weighed"] = (run.folder / IMPORTANCE).is_file()
    values["measured"] = "student" in measured_at(record, record["shipped"]["quantisation"])
    section = _render("shipped.jinja", **values)
    evaluation = evaluation_of(run.record, file) if file.is_file() else None
    return render_card(record, evaluation, {"name": name, "section": section})


def _notice(record: dict) -> str:
    from finetune.card import GEMMA_NOTICE

    return GEMMA_NOTICE + _render("notice.jinja", record=record)


def _render(template: str, **values) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)
    text = (Path(__file__).parent / "templates" / template).read_text(encoding="utf-8")
    return environment.from_string(text).render(**values)


def _write(path: Path, text: str) -> None:
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
