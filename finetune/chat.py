"""How a question and its answer become token ids: one chat template, the same text at training and at serving.

The templates are ours (templates/*.jinja), set on the tokenizer and written into the GGUF: Gemma's turn format, and
question and answer for Phi-2, whose tokenizer has no turn tokens.  Knows nothing of datasets.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from finetune.errors import GateError, InputError
from taxlaw.read_in_parts import KEY, Parts, as_read, parts_from

TemplateName = Literal["gemma", "question_answer"]
END_OF_TURN = "<end_of_turn>"
PAD = "<|pad|>"


def _text(name: str) -> str:
    return (Path(__file__).parent / "templates" / f"{name}.jinja").read_text(encoding="utf-8").rstrip("\n")


@dataclass(frozen=True)
class Template:
    """A chat template with what has to be known of it."""

    name: TemplateName
    text: str
    tokens: tuple[str, ...]  # that the tokenizer must have as single tokens
    stop: str | None  # ends an answer; None: the tokenizer's end-of-text token
    bos: bool  # the template begins with <bos>
    marks: str  # regular expression of plain text that would look like a turn; "" when turns are control tokens


GEMMA = Template("gemma", _text("gemma"), ("<bos>", "<start_of_turn>", END_OF_TURN), END_OF_TURN, True, "")
# Phi-2's <bos> is its end-of-text token, so a template that began with it would begin with the end of an answer.
QUESTION_ANSWER = Template(
    "question_answer", _text("question_answer"), (), None, False, r"#{2,}[ \t]*(?:질문|답변)[ \t]*[:：]"
)
TEMPLATES = (GEMMA, QUESTION_ANSWER)
TEMPLATE = GEMMA.text


@dataclass(frozen=True)
class Encoded:
    """Token ids of one example; ``ids[answer_start:]`` is the trained span, the stop token included."""

    ids: tuple[int, ...]
    answer_start: int


def prepare_tokenizer(tokenizer, name: TemplateName = "gemma", rows: int | None = None) -> None:
    """Set our chat template; give a tokenizer without a pad token one of its own.

    ``rows``: rows of the embedding, if known; a pad token is added only where a row is free.  Raises InputError when
    the tokenizer lacks a token the template needs, or has no room.
    """
    template = next(one for one in TEMPLATES if one.name == name)
    for token in template.tokens:
        if tokenizer.convert_tokens_to_ids(token) in (None, tokenizer.unk_token_id):
            raise InputError(
                f"토크나이저에 {token} 토큰이 없습니다. Gemma 3 계열의 base 를 쓰거나 base.template: question_answer 로 하세요.\n"
                f"  The tokenizer has no {token}; use a Gemma 3 base or the other template."
            )
    if template.stop is None and tokenizer.eos_token_id is None:
        raise InputError("토크나이저에 eos 토큰이 없어 답의 끝을 가르칠 수 없습니다 (no end-of-text token).")
    tokenizer.chat_template = template.text
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == stop_id(tokenizer):
        _add_pad_token(tokenizer, rows)


def _add_pad_token(tokenizer, rows: int | None) -> None:
    # Phi-2: 50,295 tokens in 51,200 rows, so a new token needs no new row.
    if (
        rows is not None
        and len(tokenizer) >= rows
        and tokenizer.convert_tokens_to_ids(PAD)
        in (
            None,
            tokenizer.unk_token_id,
        )
    ):
        raise InputError(
            f"토크나이저에 끝 토큰과 다른 pad 토큰이 없고 임베딩 {rows:,}행이 다 찼습니다.\n"
            "  base 의 tokenizer_config.json 에 pad_token 을 적으세요 (no pad token and no free row)."
        )
    tokenizer.add_special_tokens({"pad_token": PAD})


def template_of(tokenizer) -> Template:
    """The template set on ``tokenizer``; raises GateError when it is not one of ours."""
    for template in TEMPLATES:
        if tokenizer.chat_template == template.text:
            return template
    raise GateError("토크나이저에 우리 채팅 템플릿이 없습니다 (not our chat template): load_tokenizer 로 여세요.")


def stop_id(tokenizer) -> int:
    """Id of the token that ends an answer: ``<end_of_turn>`` (106 in Gemma 3), or the end-of-text token."""
    stop = template_of(tokenizer).stop
    return tokenizer.eos_token_id if stop is None else tokenizer.convert_tokens_to_ids(stop)


def stop_token(tokenizer) -> str:
    """Text of that token."""
    return template_of(tokenizer).stop or tokenizer.eos_token


@functools.lru_cache(maxsize=4)
def _control_pattern(tokenizer, marks: str) -> re.Pattern[str]:
    control = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    named = sorted(token for token in control if not token.startswith("<unused"))  # thousands of those in Gemma
    return re.compile("|".join([*map(re.escape, named), r"<unused\d+>", *([marks] if marks else [])]))


def strip_control_tokens(text: str, tokenizer) -> str:
    """Remove every control token and turn mark spelt out in ``text``, so that no text can forge a turn.

    Repeats until nothing is left: removing one may join the halves of another.
    """
    pattern = _control_pattern(tokenizer, template_of(tokenizer).marks)
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


def prompt_ids(question: str, tokenizer, history: Sequence[tuple[str, str]] = ()) -> list[int]:
    """Token ids of the prompt as it is read (a template that wants ``<bos>`` brings its own, so none is added)."""
    ids = tokenizer(render_prompt(question, tokenizer, history), add_special_tokens=False)["input_ids"]
    return as_read(ids, parts_read(tokenizer))


def parts_read(tokenizer) -> Parts:
    """The pieces that are written and never read (finetune/extend_vocab.py), with their parts; most tokenizers have none.

    Raises InputError when its tokenizer_config.json says them badly.
    """
    try:
        return parts_from(tokenizer.init_kwargs.get(KEY))
    except ValueError as exc:
        raise InputError(
            f"tokenizer_config.json 의 {KEY} 를 읽을 수 없습니다 (damaged): {tokenizer.name_or_path}\n  {exc}\n"
            "  `python -m finetune merge` 로 폴더를 다시 만드세요."
        ) from exc


def encode(question: str, answer: str, tokenizer, history: Sequence[tuple[str, str]] = ()) -> Encoded:
    """Token ids of one example; only its last answer is trained, ``history`` is context and read as the question is.

    Raises GateError when the prompt's ids are not a prefix of the whole example's ids: training would then see other
    tokens than serving does.
    """
    prompt = render_prompt(question, tokenizer, history)
    whole = prompt + strip_control_tokens(answer, tokenizer) + stop_token(tokenizer)
    head = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    ids = tokenizer(whole, add_special_tokens=False)["input_ids"]
    if ids[: len(head)] != head:
        raise GateError(
            f"질문의 토큰이 전체 예제 토큰의 앞부분과 다릅니다 (prompt is not a prefix): {question[:60]!r}\n"
            "  답이 줄바꿈이나 공백으로 시작하는지 확인하세요."
        )
    read = as_read(head, parts_read(tokenizer))
    return Encoded((*read, *ids[len(head) :]), len(read))


def preflight(examples: list[Encoded], tokenizer) -> str:
    """Check every example and return one decoded example with its trained span between 【 and 】.

    Raises GateError when ``<bos>`` is not there exactly once, at the start (templates that have one), when the trained
    span is empty or does not end with the one stop token it has, or when ``<unk>`` occurs.
    """
    template, stop = template_of(tokenizer), stop_id(tokenizer)
    bos = tokenizer.bos_token_id if template.bos else None
    unknown = tokenizer.unk_token_id if tokenizer.unk_token_id != stop else None  # Phi-2 names one token for both
    for number, example in enumerate(examples):
        trained = example.ids[example.answer_start :]
        problem = None
        if bos is not None and (example.ids[0] != bos or example.ids.count(bos) != 1):
            problem = "<bos> must occur once, at the start"
        elif len(trained) < 2 or trained[-1] != stop or trained.count(stop) != 1:
            problem = f"the trained span must end with its only {stop_token(tokenizer)}"
        elif unknown is not None and unknown in example.ids:
            problem = "<unk> occurs: a piece the text needs is missing from the vocabulary"
        elif tokenizer.pad_token_id in example.ids:
            problem = "the pad token occurs inside an example"
        if problem:
            text = tokenizer.decode(list(example.ids))
            raise GateError(f"학습 예제 {number}번의 토큰이 잘못되었습니다: {problem}\n  {text[:300]!r}")
    first = examples[0]
    ids = list(first.ids)
    return f"{tokenizer.decode(ids[: first.answer_start])}【{tokenizer.decode(ids[first.answer_start :])}】"
