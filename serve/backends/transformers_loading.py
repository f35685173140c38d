"""Loads Hugging Face weights for one device, and says what is missing where they cannot be.

Weights as they are (bfloat16), quantised while loading (bitsandbytes), or quantised in the checkpoint (GPTQ, AWQ and what
else transformers reads).  Code that comes with a model is never run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serve.backends.llama import performance_cores
from serve.errors import Code, ServeError

if TYPE_CHECKING:
    from serve.backends.transformers_local import TransformersOptions

# What transformers wants installed for a checkpoint quantised by each method.
_PACKAGES = {
    "gptq": "gptqmodel optimum",
    "awq": "gptqmodel",
    "bitsandbytes": "bitsandbytes accelerate",
    "compressed-tensors": "compressed-tensors",
    "hqq": "hqq",
    "quanto": "optimum-quanto",
    "torchao": "torchao",
    "aqlm": "aqlm[gpu]",
    "auto-round": "auto-round",
}


@dataclass(frozen=True)
class Loaded:
    """A model on its device.  ``ends``: tokens that end an answer.  ``quantisation``: None for weights as they are."""

    name: str
    model: Any
    tokenizer: Any
    device: str
    dtype: str
    attention: str
    quantisation: str | None
    ends: frozenset[int]


class HfTokeniser:
    """A fast Hugging Face tokenizer as serve.prompt.Tokeniser."""

    def __init__(self, tokenizer) -> None:
        self._tokenizer = tokenizer
        self._control = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        if tokenizer.unk_token_id not in (
            tokenizer.bos_token_id,
            tokenizer.eos_token_id,
        ):  # Phi-2 has one token for all
            self._control.discard(tokenizer.unk_token_id)

    def tokenise(self, text: str, special: bool) -> list[int]:
        return self._tokenizer(text, add_special_tokens=False, split_special_tokens=not special)["input_ids"]

    def is_control(self, token: int) -> bool:
        return token in self._control

    def text_of(self, token: int) -> str:
        return self._tokenizer.convert_ids_to_tokens(token)


def load(source: str | Path, options: TransformersOptions) -> Loaded:
    """Raises ServeError NO_MODEL, BAD_MODEL or NO_TEMPLATE; nothing is loaded before the cheap checks have passed."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()  # standard error belongs to the answers' notes
    device = choose_device(options.device)
    adapter = _adapter_base(source)
    weights = adapter or source
    method = _checkpoint_method(weights, options.quantisation)
    tokenizer = _tokenizer(source, weights, options)
    if device == "cpu":
        torch.set_num_threads(options.threads or performance_cores())
    model = _model(weights, options, device, method)
    if adapter:
        model = _with_adapter(model, source, merge=not (method or options.quantisation))
    model.eval()
    return Loaded(
        name=str(source).rstrip("/").rpartition("/")[2],
        model=model,
        tokenizer=tokenizer,
        device=device,
        dtype=str(model.dtype).removeprefix("torch."),
        attention=str(getattr(model.config, "_attn_implementation", "")),
        quantisation=options.quantisation or method,
        ends=_end_tokens(model, tokenizer),
    )


def choose_device(wanted: str) -> str:
    """``auto``: CUDA, else Apple's GPU, else the processor.  Raises ServeError for a GPU that is not there."""
    import torch

    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available, "cpu": lambda: True}
    if wanted == "auto":
        return next(name for name, available in there.items() if available())
    if not there[wanted]():
        raise ServeError(
            Code.BAD_MODEL,
            f"이 컴퓨터의 torch {torch.__version__}은(는) {wanted}를 쓸 수 없습니다.",
            "드라이버와 그에 맞는 torch를 설치하거나 --device cpu로 하세요.",
        )
    return wanted


def _adapter_base(source: str | Path) -> str | None:
    """The base a peft adapter folder names; None when ``source`` is no such folder."""
    file = Path(source) / "adapter_config.json"
    if not file.is_file():
        return None
    base = json.loads(file.read_text(encoding="utf-8")).get("base_model_name_or_path")
    if not base or not (Path(base).is_dir() or re.fullmatch(r"[\w.-]+/[\w.-]+", base)):
        raise ServeError(
            Code.NO_MODEL,
            f"어댑터가 얹힐 바탕 모델을 열 수 없습니다: '{base}' ({file})",
            "그 실행의 student-*.gguf를 쓰거나, 바탕 모델의 폴더를 adapter_config.json의 base_model_name_or_path에 적으세요.",
        )
    return base


def _checkpoint_method(weights: str | Path, quantisation: str | None) -> str | None:
    """How the checkpoint itself is quantised.  transformers would skip a method it does not know with a warning only."""
    from transformers import AutoConfig
    from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING

    config = _guarded(weights, lambda: AutoConfig.from_pretrained(weights))
    stated = getattr(config, "quantization_config", None)
    if stated is None:
        return None
    stated = stated if isinstance(stated, dict) else stated.to_dict()
    method = str(getattr(stated.get("quant_method"), "value", stated.get("quant_method")))
    known = {name.partition("_")[0] if name.startswith("bitsandbytes") else name for name in AUTO_QUANTIZER_MAPPING}
    if method not in known:
        raise ServeError(
            Code.BAD_MODEL,
            f"모르는 양자화 방식입니다: '{method}' ({weights})",
            f"설치된 transformers가 아는 방식: {', '.join(sorted(known))}. 새 transformers가 필요할 수 있습니다.",
        )
    if quantisation is not None:
        raise ServeError(
            Code.USAGE,
            f"이미 {method}로 양자화된 모델이라 quantisation: {quantisation}을(를) 더할 수 없습니다: {weights}",
            "quantisation을 null로 두세요.",
        )
    return method


def _tokenizer(source: str | Path, weights: str | Path, options: TransformersOptions):
    from transformers import AutoTokenizer

    own = Path(source).is_dir() and (Path(source) / "tokenizer_config.json").is_file()
    tokenizer = _guarded(weights, lambda: AutoTokenizer.from_pretrained(source if own else weights))
    if options.prompt_template:
        tokenizer.chat_template = options.prompt_template
    if not tokenizer.chat_template:
        raise ServeError(
            Code.NO_TEMPLATE,
            f"모델에 대화 틀(chat template)이 없습니다: {source}",
            "대화를 배우지 않은 바탕 모델입니다. 설정의 prompt_template에 질문하는 형식을 적으세요. "
            '예: "Instruct: {{ messages[-1].content }}\\nOutput:"',
        )
    if not tokenizer.is_fast:
        raise ServeError(
            Code.BAD_MODEL,
            f"빠른(fast) 토크나이저가 없는 모델입니다: {source}",
            "tokenizer.json이 있는 판을 쓰세요.",
        )
    return tokenizer


def _model(weights: str | Path, options: TransformersOptions, device: str, method: str | None):
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    # AWQ's kernels know float16 only; the checkpoint says what it wants.
    settings: dict[str, Any] = {"dtype": "auto" if method else torch.bfloat16}
    if options.quantisation == "8bit":
        settings["quantization_config"] = BitsAndBytesConfig(load_in_8bit=True)
    elif options.quantisation == "nf4":
        settings["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
        )
    if options.flash_attention is not None:
        settings["attn_implementation"] = "flash_attention_2" if options.flash_attention else "eager"
    return _guarded(
        weights,
        lambda: AutoModelForCausalLM.from_pretrained(weights, device_map={"": device}, **settings),
        method or ("bitsandbytes" if options.quantisation else None),
    )


def _with_adapter(model, folder: str | Path, merge: bool):
    from peft import PeftModel

    adapted = _guarded(folder, lambda: PeftModel.from_pretrained(model, str(folder)))
    # Merged weights decode as fast as the base; quantised ones would be rounded once more.
    return adapted.merge_and_unload() if merge else adapted


def _end_tokens(model, tokenizer) -> frozenset[int]:
    stated = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    ends = set(stated if isinstance(stated, list) else [stated]) | {tokenizer.eos_token_id}
    turn_end = tokenizer("<end_of_turn>", add_special_tokens=False)["input_ids"]
    if len(turn_end) == 1:
        ends |= set(turn_end) - {tokenizer.unk_token_id}
    return frozenset(ends - {None})


def _guarded(what: str | Path, work: Callable[[], Any], method: str | None = None) -> Any:
    """The result of ``work``; what transformers can raise while loading becomes a state of ours."""
    try:
        return work()
    except ImportError as exc:
        packages = _PACKAGES.get(method or "")
        hint = f"'pip install {packages}'를 하고 다시 시작하세요." if packages else "위에 적힌 패키지를 설치하세요."
        raise ServeError(Code.BAD_MODEL, f"이 모델을 열 패키지가 없습니다: {what} ({_brief(exc)})", hint) from exc
    except OSError as exc:
        gated = "gated" in str(exc).lower() or "401" in str(exc)
        raise ServeError(
            Code.NO_MODEL,
            f"모델을 열 수 없습니다: {what} ({_brief(exc)})",
            "모델 페이지에서 이용 조건에 동의하고 'hf auth login'을 하세요."
            if gated
            else "폴더나 이름을 확인하세요. Hugging Face에서 받으려면 인터넷이 있어야 합니다.",
        ) from exc
    except (ValueError, RuntimeError, KeyError) as exc:
        raise ServeError(
            Code.BAD_MODEL,
            f"모델을 읽을 수 없습니다: {what} ({_brief(exc)})",
            "save_pretrained로 저장한 온전한 폴더인지, 메모리가 충분한지 확인하세요.",
        ) from exc


def _brief(exc: Exception) -> str:
    lines = [line for line in str(exc).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(exc).__name__
