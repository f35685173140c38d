"""Strict configuration files for the three stages: one YAML, one pydantic model, no key that does nothing.

Lives in the core only because data_gen, finetune and serve may not import one another.  Knows nothing of tax law.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from taxlaw.errors import ConfigError


class StrictModel(BaseModel):
    """A frozen pydantic model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=BaseModel)


def load_config(path: str | Path, model: type[M]) -> M:
    """Read one YAML file into ``model``.

    Raises ConfigError when the file is missing, is not YAML, or holds an unknown or wrong value; an unknown key is
    answered with the nearest right one.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(
            f"설정 파일이 없습니다: {path}\n  No such config file. 경로를 확인하거나 configs/ 아래의 예시를 쓰세요."
        )
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ConfigError(f"YAML 형식이 잘못되었습니다: {path}\n  {exc}") from exc
    if not isinstance(raw, dict):
        raise ConfigError(f"설정 파일의 최상위는 '키: 값' 목록이어야 합니다: {path}")
    return validate(raw, model, where=str(path))


def validate(raw: dict, model: type[M], where: str) -> M:
    """Check a mapping against ``model``; raises ConfigError naming ``where`` and every wrong key."""
    try:
        return model.model_validate(raw)
    except ValidationError as exc:
        lines = [_explain(error, model) for error in exc.errors()]
        raise ConfigError(f"설정 오류 {len(lines)}건: {where}\n  " + "\n  ".join(lines)) from exc


def _explain(error: dict, model: type[BaseModel]) -> str:
    location = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{location}: {error['msg']} (받은 값: {error.get('input')!r})"
    known = _fields_at(model, error["loc"][:-1])
    near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1, cutoff=0.5)
    hint = f" 혹시 '{near[0]}'?" if near else f" 쓸 수 있는 키: {', '.join(sorted(known))}"
    return f"{location}: 모르는 키입니다 (unknown key).{hint}"


def _fields_at(model: type[BaseModel], location: tuple) -> list[str]:
    """Names allowed at a nested location; integers (list positions) and union tags are stepped over."""
    models = [model]
    for part in location:
        deeper = []
        for candidate in models:
            field = candidate.model_fields.get(part) if isinstance(part, str) else None
            deeper += _models_in(field.annotation) if field else []
        models = deeper or models
    return [name for candidate in models for name in candidate.model_fields]


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _models_in(argument)]
