"""From a question to the prompt the student was trained on: clean the text, render the model's own chat template, make tokens.

Nobody's text becomes a control token: a question must not be able to close its turn and write the model's answer itself.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from typing import Protocol

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from serve.backends.protocol import Message
from serve.errors import Code, ServeError
from taxlaw.read_in_parts import Parts, as_read, parts_from

# Turn markers of the common model families, for servers whose tokeniser is out of reach.
_MARKERS = re.compile(
    r"<\|[^|<>]{1,40}\|>|</?(?:bos|eos|pad|unk|mask|s)>|</?(?:start|end)_of_turn>|<unused\d{1,4}>|\[/?INST\]|<</?SYS>>",
    re.IGNORECASE,
)


def clean_question(text: str) -> str:
    """NFC text without surrounding space; macOS hands over decomposed Hangul, which the student would read as jamo."""
    return unicodedata.normalize("NFC", text).replace("\x00", "").strip()


def strip_markers(text: str) -> str:
    """``text`` without turn markers; repeated until nothing changes, so that none can be assembled from the pieces.

    Only for far-away servers, which may read markers in a message as control tokens; ``prompt_tokens`` needs no stripping.
    """
    while (cleaned := _MARKERS.sub("", text)) != text:
        text = cleaned
    return text


# The turns of our question-and-answer template (Phi-2) are plain words, which tokens cannot protect; training strips them.
_PLAIN_TURNS = re.compile(r"#{2,}[ \t]*(?:질문|답변)[ \t]*[:：]")


class Tokeniser(Protocol):
    """What ``prompt_tokens`` needs of a model's tokeniser."""

    def tokenise(self, text: str, special: bool) -> list[int]:
        """Ids of ``text`` and nothing before it; ``special`` False reads control tokens as the letters they are."""
        ...

    def is_control(self, token: int) -> bool: ...

    def text_of(self, token: int) -> str: ...


def prompt_tokens(
    messages: Sequence[Message],
    render: Callable[[Sequence[Message]], str],
    tokeniser: Tokeniser,
    parts: Parts | None = None,
) -> list[int]:
    """The ids of ``messages`` in their template, in which only the template writes control tokens.

    ``parts``: of the pieces that the model writes and was not taught to read.

    The prompt is tokenised in one go, as training did, and its control tokens are compared with those of the same
    messages with random words for text.  When they agree, the text wrote none and the ids are exactly those of training.
    When they differ, the text is tokenised apart, as the letters it is.
    """
    marked = _Marked(messages, render)
    if _PLAIN_TURNS.search(marked.text):
        messages = [Message(m.role, _without_plain_turns(m.content)) for m in messages]
        marked = _Marked(messages, render)
    ordinary = tokeniser.tokenise(render(messages), True)
    skeleton = tokeniser.tokenise(marked.text, True)
    if _controls(ordinary, tokeniser) == _controls(skeleton, tokeniser):
        return as_read(ordinary, parts or {})
    return as_read(marked.tokens(tokeniser), parts or {})


def parts_of_model(said: str | None, source: object) -> Parts:
    """What a model says of its pieces under ``KEY``, its tokenizer's or its GGUF's.  Raises ServeError BAD_MODEL."""
    try:
        return parts_from(said)
    except ValueError as exc:
        raise ServeError(
            Code.BAD_MODEL,
            f"모델이 어떤 조각을 나누어 읽는지 알 수 없습니다: {source} ({exc})",
            "'python -m finetune run'이나 'python -m finetune open'으로 파일을 다시 만드세요.",
        ) from exc


def _without_plain_turns(text: str) -> str:
    while (cleaned := _PLAIN_TURNS.sub("", text)) != text:
        text = cleaned
    return text


def _controls(ids: Sequence[int], tokeniser: Tokeniser) -> list[int]:
    return [token for token in ids if tokeniser.is_control(token)]


class _Marked:
    """A rendered prompt in which each text is a random word that no text can know, so that it can be told apart."""

    def __init__(self, messages: Sequence[Message], render: Callable[[Sequence[Message]], str]) -> None:
        self._contents = [message.content for message in messages]
        nonce = secrets.token_hex(16)
        # The spaces show whether the template trims what it is given.
        words = [f" {nonce}n{index}n " if message.content else "" for index, message in enumerate(messages)]
        self.text = render([Message(m.role, word) for m, word in zip(messages, words, strict=True)])
        self._word = re.compile(rf"( ?){nonce}n(\d+)n( ?)")

    def tokens(self, tokeniser: Tokeniser) -> list[int]:
        """Ids with only the template's control tokens.  Plain text of the template is tokenised together with the text
        beside it, because a tokeniser merges across that seam and training let it."""
        ids: list[int] = []
        plain = ""
        for piece, is_control in self._pieces(tokeniser):
            if not is_control:
                plain += piece
                continue
            ids += tokeniser.tokenise(plain, False) if plain else []
            ids += tokeniser.tokenise(piece, True)
            plain = ""
        return ids + (tokeniser.tokenise(plain, False) if plain else [])

    def _pieces(self, tokeniser: Tokeniser) -> list[tuple[str, bool]]:
        pieces: list[tuple[str, bool]] = []
        done = 0
        for found in self._word.finditer(self.text):
            pieces += _split_controls(self.text[done : found.start()], tokeniser)
            content = self._contents[int(found[2])]
            content = content if found[1] else content.lstrip()
            pieces.append((content if found[3] else content.rstrip(), False))
            done = found.end()
        return pieces + _split_controls(self.text[done:], tokeniser)


def _split_controls(text: str, tokeniser: Tokeniser) -> list[tuple[str, bool]]:
    """A stretch of the template as (piece, whether it is a control token)."""
    words = {tokeniser.text_of(token) for token in tokeniser.tokenise(text, True) if tokeniser.is_control(token)}
    if not words - {""}:
        return [(text, False)]
    longest_first = sorted(words - {""}, key=len, reverse=True)
    pieces = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)
    return [(piece, piece in words) for piece in pieces if piece]


class _Missing(StrictUndefined):
    """A name the template asks for and nobody gave: false in an ``if``, an error wherever it would be written."""

    def __bool__(self) -> bool:
        return False


def render_prompt(template: str, messages: Sequence[Message], *, bos_token: str, eos_token: str) -> str:
    """The prompt string of ``messages`` with the turn of the model opened.

    The template comes from a file that may be anyone's, hence the sandbox.  Raises ServeError(BAD_MODEL) when the
    template cannot be rendered.
    """
    environment = ImmutableSandboxedEnvironment(
        undefined=_Missing, trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _refuse
    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return environment.from_string(template).render(
            messages=turns,
            bos_token=bos_token,
            eos_token=eos_token,
            add_generation_prompt=True,
            tools=None,
            documents=None,
        )
    except TemplateError as exc:
        raise ServeError(
            Code.BAD_MODEL,
            f"모델의 대화 틀(chat template)을 쓸 수 없습니다: {exc}",
            "이 저장소의 'python -m finetune run'이 만든 GGUF를 쓰거나, 설정의 prompt_template에 틀을 적으세요.",
        ) from exc


def _refuse(message: str) -> None:
    raise TemplateError(message)
