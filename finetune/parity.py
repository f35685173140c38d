"""Gates between merged weights and GGUF: same token ids, same template, same greedy tokens.  Knows nothing of training."""

from __future__ import annotations

from pathlib import Path

from finetune.chat import TEMPLATE, prompt_ids, stop_id
from finetune.errors import GateError
from finetune.llama import open_gguf

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


def check_tokens(gguf_file: Path, tokenizer, texts: tuple[str, ...]) -> int:
    """Number of texts compared.  Raises GateError for the first that llama.cpp segments differently."""
    model = open_gguf(gguf_file, context=64)
    try:
        if model.metadata.get("tokenizer.chat_template") != TEMPLATE:
            raise GateError(f"GGUF 에 우리 채팅 템플릿이 없습니다 (chat template missing): {gguf_file}")
        if model.metadata.get("tokenizer.ggml.eot_token_id") != str(stop_id(tokenizer)):
            raise GateError(f"GGUF 의 eot_token_id 가 <end_of_turn> 이 아닙니다: {gguf_file}")
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


def greedy_agreement(gguf_file: Path, model, tokenizer, questions: list[str], tokens: int) -> dict:
    """Greedy tokens of merged weights and unquantised GGUF, compared up to the first difference.

    Raises GateError when less than half of all tokens agree: the file is then a different model.  A single near-tie may
    differ by rounding, so full agreement is recorded rather than required.
    """
    import torch

    stops = {stop_id(tokenizer), tokenizer.eos_token_id}
    prompts = [prompt_ids(question, tokenizer) for question in questions]
    llama = open_gguf(gguf_file, context=max(map(len, prompts)) + tokens + 8)
    same = total = identical = 0
    try:
        for prompt in prompts:
            with torch.inference_mode():
                output = model.generate(
                    input_ids=torch.tensor([prompt]),
                    attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                    max_new_tokens=tokens,
                    do_sample=False,
                    eos_token_id=list(stops),
                    pad_token_id=tokenizer.pad_token_id,
                )
            ours = output[0, len(prompt) :].tolist()
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
