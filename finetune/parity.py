"""Gates between merged weights and GGUF: same token ids, same template, same greedy tokens.  Knows nothing of training.

How much a quantisation changes is measured in finetune/quantisations.py.
"""

from __future__ import annotations

from pathlib import Path

from finetune.chat import parts_read, prompt_ids, stop_id, template_of
from finetune.errors import GateError
from finetune.fuzz import fuzz_texts
from finetune.llama import open_gguf, parts_of_gguf

# Written for this check: Hangul with particles, amounts, signs, runs of spaces, Latin, a character few pieces hold.
STRINGS = (
    "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?",
    "과세표준 19억 5,000만원 × 40% − 누진공제 1억 6,000만원 = 6억 2,000만원",
    "「상속세 및 증여세법」 제53조제1호, 제56조 및 제69조제2항",
    '{"tax":"gift","amount":"20억원","relation":"직계존속"}',
    "첫째 줄\n둘째 줄\n\n  들여쓴 줄    끝",
    "VAT 10%, 간이과세자의 납부세액(2025.1.1.~12.31.)",
    "뷁 쀍 ㄱㄴㄷ ㅏㅑ 한\t탭 🙂 貰",
)
QUESTIONS = (
    "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?",
    "연봉 5,000만원인 근로자의 소득세를 계산해 주세요.",
    "간이과세자의 부가가치세는 어떻게 계산하나요?",
    "법인세 과세표준이 3억원이면 산출세액은 얼마입니까?",
)


def check_tokens(gguf_file: Path, tokenizer, texts: tuple[str, ...], fuzz: int = 300, seed: int = 0) -> int:
    """Number of texts compared: ``texts`` and ``fuzz`` made-up ones (finetune/fuzz.py).

    Raises GateError for the first that llama.cpp segments differently, for a missing template or stop token, and when other
    pieces are read in parts.
    """
    control = tuple(token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    control = tuple(token for token in control if not token.startswith("<unused"))
    texts = (*texts, *fuzz_texts(seed, fuzz, control))
    model = open_gguf(gguf_file, context=64, vocabulary_only=True)
    try:
        if model.metadata.get("tokenizer.chat_template") != template_of(tokenizer).text:
            raise GateError(f"GGUF 에 우리 채팅 템플릿이 없습니다 (chat template missing): {gguf_file}")
        if model.metadata.get("tokenizer.ggml.eot_token_id") != str(stop_id(tokenizer)):
            raise GateError(f"GGUF 의 eot_token_id 가 답을 끝내는 토큰이 아닙니다 (wrong stop token): {gguf_file}")
        if parts_of_gguf(model) != parts_read(tokenizer):
            raise GateError(f"GGUF 가 다른 조각을 나누어 읽습니다 (other pieces are read in parts): {gguf_file}")
        for text in texts:
            ours = tokenizer(text, add_special_tokens=True)["input_ids"]
            theirs = model.tokenize(text.encode(), add_bos=True, special=True)
            if ours != theirs:
                raise GateError(
                    f"GGUF 의 토큰이 다릅니다 (token ids differ): {text[:80]!r}\n  HF   {ours}\n  GGUF {theirs}"
                )
    finally:
        model.close()
    return len(texts)


def greedy_agreement(
    gguf_file: Path, model, tokenizer, questions: list[str], tokens: int, adapter: Path | None = None
) -> dict:
    """Greedy tokens of merged weights and unquantised GGUF, compared up to the first difference.

    ``adapter``: a LoRA GGUF to switch on over ``gguf_file``.  Raises GateError when less than half of all tokens agree:
    the file is then a different model.  A single near-tie may differ by rounding, so full agreement is recorded rather
    than required.
    """
    stops = {stop_id(tokenizer), tokenizer.eos_token_id}
    prompts = [prompt_ids(question, tokenizer) for question in questions]
    llama = open_gguf(gguf_file, context=max(map(len, prompts)) + tokens + 8, adapter=adapter)
    same = total = identical = 0
    try:
        for prompt in prompts:
            ours = greedy_tokens(model, tokenizer, prompt, tokens)
            theirs = []
            for token in llama.generate(prompt, temp=0.0):
                theirs.append(token)
                if token in stops or len(theirs) == len(ours):
                    break
            agreed = next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), len(theirs))
            same += agreed
            total += len(ours)
            identical += ours == theirs
    finally:
        llama.close()
    if same < total / 2:
        raise GateError(
            f"GGUF 가 합친 모델과 다르게 답합니다: 토큰 {total}개 가운데 {same}개만 같습니다 (greedy tokens differ)."
        )
    return {"prompts": len(prompts), "identical": identical, "tokens_agreed": same, "tokens": total}


def greedy_tokens(model, tokenizer, prompt: list[int], tokens: int) -> list[int]:
    """Up to ``tokens`` greedy ids after ``prompt``, the stop token included."""
    import torch

    with torch.inference_mode():
        output = model.generate(
            input_ids=torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=tokens,
            do_sample=False,
            eos_token_id=[stop_id(tokenizer), tokenizer.eos_token_id],
            pad_token_id=tokenizer.pad_token_id,
        )
    return output[0, len(prompt) :].tolist()
