"""A two-layer random Gemma 3 with a tokenizer trained on the spot, and a dataset folder of small gift-tax cases."""

import json

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

CONTROL = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
AMOUNTS = [f"{number}억원" for number in range(1, 41)]


def question(amount):
    return f"부모님께 {amount}을 증여받았는데 증여세는 얼마인가요?"


def call(amount):
    return json.dumps(
        {"tax": "gift", "amount": amount, "relation": "직계존속"}, ensure_ascii=False, separators=(",", ":")
    )


def train_tokenizer():
    """A byte-fallback BPE like Gemma's, with every way a piece can be split listed as a merge."""
    texts = [text for amount in AMOUNTS for text in (question(amount), call(amount), "풀이: 과세표준은 얼마입니다.")]
    texts += ["whatever shipment wandered northwards forever", "northern shipments were whatever they were"] * 40
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.train_from_iterator(
        [text.replace(" ", "▁") for text in texts],
        trainers.BpeTrainer(
            vocab_size=600, special_tokens=[*CONTROL, "\n", *BYTES], initial_alphabet=["▁"], show_progress=False
        ),
    )
    definition = json.loads(tokenizer.to_str())
    vocab = definition["model"]["vocab"]
    # The trainer lists one split per piece; llama.cpp allows any two neighbours whose join is a piece.
    merges = []
    for piece in sorted({left + right for left, right in definition["model"]["merges"]}, key=vocab.get):
        merges += [[piece[:i], piece[i:]] for i in range(1, len(piece)) if piece[:i] in vocab and piece[i:] in vocab]
    definition["model"]["merges"] = merges
    keep = [*CONTROL, "\n"]  # byte pieces are ordinary vocabulary, not added tokens
    definition["added_tokens"] = [
        {**token, "special": token["content"] != "\n", "normalized": False}
        for token in definition["added_tokens"]
        if token["content"] in keep
    ]
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    bos = vocab["<bos>"]
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", bos)])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )


def write_base(folder, seed=0, layer_weight=0.0):
    """A Hugging Face model folder of about 100,000 parameters.

    With tied random embeddings a model mostly repeats its last token; a large ``layer_weight`` makes it wander.
    """
    torch.manual_seed(seed)
    tokenizer = train_tokenizer()
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        query_pre_attn_scalar=32,
        sliding_window=512,
        max_position_embeddings=512,
        initializer_range=0.2,
        bos_token_id=2,
        eos_token_id=1,
        pad_token_id=0,
    )
    model = Gemma3ForCausalLM(config)
    with torch.no_grad():  # norms away from their neutral value, so that a wrong "+1" in the GGUF would show
        for name, value in model.named_parameters():
            if name.endswith("norm.weight"):
                value.normal_(layer_weight if "post_" in name else 0, 0.2)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def row(number, amount, **changes):
    """A dataset row with every key of the contract."""
    return {
        "id": f"practical:worked:{number}",
        "question": question(amount),
        "answer": f"납부할 세액은 {amount}입니다.",
        "type": "teacher",
        "style": "worked",
        "source": "practical",
        "tax": "gift",
        "as_of": "2025-07-01",
        "articles": ["상속세 및 증여세법 제56조"],
        "call": call(amount),
        "payable": 1,
        "family": f"gift:{amount}",
        "evidence": "",
        "provenance": {"teacher": "calculator", "document_id": f"worked-{number}"},
        "gates": ["schema"],
        **changes,
    }


def write_dataset(folder, train, validation):
    folder.mkdir(parents=True)
    for name, rows in (("train", train), ("validation", validation)):
        text = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder
