"""How a question and its answer become token ids: Gemma's turn format, the same text at training and at serving.

The template is ours (templates/gemma.jinja), set on the tokenizer and written into the GGUF.  Knows nothing of datasets.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.errors import GateError, InputError

TEMPLATE = (Path(__file__).parent / "templates" / "gemma.jinja").read_text(encoding="utf-8").rstrip("\n")
END_OF_TURN = "<end_of_turn>"


@dataclass(frozen=True)
class Encoded:
    """Token ids of one example; ``ids[answer_start:]`` is the trained span, ``<end_of_turn>`` included."""

    ids: tuple[int, ...]
    answer_start: int


def prepare_tokenizer(tokenizer) -> None:
    """Set our chat template.  Raises InputError when the tokenizer lacks Gemma's turn tokens as single tokens."""
    for token in ("<bos>", "<start_of_turn>", END_OF_TURN):
        if tokenizer.convert_tokens_to_ids(token) in (None, tokenizer.unk_token_id):
            raise InputError(
                f"토크나이저에 {token} 토큰이 없습니다. Gemma 3 계열의 base 를 쓰세요.\n"
                f"  The tokenizer has no {token}; use a Gemma 3 base."
            )
    tokenizer.chat_template = TEMPLATE


def stop_id(tokenizer) -> int:
    """Id of ``<end_of_turn>`` (106 in Gemma 3)."""
    return tokenizer.convert_tokens_to_ids(END_OF_TURN)


@functools.lru_cache(maxsize=4)
def _control_pattern(tokenizer) -> re.Pattern[str]:
    control = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    named = sorted(token for token in control if not token.startswith("<unused"))  # thousands of those in Gemma
    return re.compile("|".join([*map(re.escape, named), r"<unused\d+>"]))


def strip_control_tokens(text: str, tokenizer) -> str:
    """Remove every control token spelt out in ``text``, so that no text can forge a turn.

    Repeats until nothing is left: removing one may join the halves of another.
    """
    pattern = _control_pattern(tokenizer)
    while (stripped := pattern.sub("", text)) != text:
        text = stripped
    return text.strip()


def render_prompt(question: str, tokenizer, history: Sequence[tuple[str, str]] = ()) -> str:
    """The text up to where the model starts to answer; control tokens in it are removed.

    ``history``: (question, answer) turns before this one, oldest first.
    """
    said = [text for turn in history for text in turn] + [question]
    messages = [
        {"role": "model" if place % 2 else "user", "content": strip_control_tokens(text, tokenizer)}
        for place, text in enumerate(said)
    ]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def prompt_ids(question: str, tokenizer) -> list[int]:
    """Token ids of the prompt (the template brings its own ``<bos>``, so none is added)."""
    return tokenizer(render_prompt(question, tokenizer), add_special_tokens=False)["input_ids"]


def encode(question: str, answer: str, tokenizer, history: Sequence[tuple[str, str]] = ()) -> Encoded:
    """Token ids of one example; only its last answer is trained, ``history`` is context.

    Raises GateError when the prompt's ids are not a prefix of the whole example's ids: training would then see other
    tokens than serving does.
    """
    prompt = render_prompt(question, tokenizer, history)
    whole = prompt + strip_control_tokens(answer, tokenizer) + END_OF_TURN
    head = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    ids = tokenizer(whole, add_special_tokens=False)["input_ids"]
    if ids[: len(head)] != head:
        raise GateError(
            f"질문의 토큰이 전체 예제 토큰의 앞부분과 다릅니다 (prompt is not a prefix): {question[:60]!r}\n"
            "  답이 줄바꿈이나 공백으로 시작하는지 확인하세요."
        )
    return Encoded(tuple(ids), len(head))


def preflight(examples: list[Encoded], tokenizer) -> str:
    """Check every example and return one decoded example with its trained span between 【 and 】.

    Raises GateError when ``<bos>`` is not there exactly once, at the start, when the trained span is empty or does not
    end with the one ``<end_of_turn>`` it has, or when ``<unk>`` occurs.
    """
    bos, stop, unknown = tokenizer.bos_token_id, stop_id(tokenizer), tokenizer.unk_token_id
    for number, example in enumerate(examples):
        trained = example.ids[example.answer_start :]
        problem = None
        if example.ids[0] != bos or example.ids.count(bos) != 1:
            problem = "<bos> must occur once, at the start"
        elif len(trained) < 2 or trained[-1] != stop or trained.count(stop) != 1:
            problem = f"the trained span must end with its only {END_OF_TURN}"
        elif unknown in example.ids:
            problem = "<unk> occurs: a piece the text needs is missing from the vocabulary"
        if problem:
            text = tokenizer.decode(list(example.ids))
            raise GateError(f"학습 예제 {number}번의 토큰이 잘못되었습니다: {problem}\n  {text[:300]!r}")
    first = examples[0]
    ids = list(first.ids)
    return f"{tokenizer.decode(ids[: first.answer_start])}【{tokenizer.decode(ids[first.answer_start :])}】"
