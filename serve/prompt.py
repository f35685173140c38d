"""From a question to the prompt the student was trained on: clean the text, then render the GGUF's own chat template."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from serve.backends.protocol import Message
from serve.errors import Code, ServeError

# Turn markers of the common model families.  A GGUF's own control tokens are added by the caller: a question must not be
# able to close its turn and write the model's answer itself.
_MARKERS = re.compile(
    r"<\|[^|<>]{1,40}\|>|</?(?:bos|eos|pad|unk|mask|s)>|</?(?:start|end)_of_turn>|<unused\d{1,4}>|\[/?INST\]|<</?SYS>>",
    re.IGNORECASE,
)


def clean_question(text: str) -> str:
    """NFC text without surrounding space; macOS hands over decomposed Hangul, which the student would read as jamo."""
    return unicodedata.normalize("NFC", text).replace("\x00", "").strip()


def strip_control_tokens(text: str, control_tokens: Iterable[str] = ()) -> str:
    """``text`` without control tokens; repeated until nothing changes, so that none can be assembled from the pieces."""
    literal = [token for token in control_tokens if len(token) > 2]
    while True:
        cleaned = _MARKERS.sub("", text)
        for token in literal:
            cleaned = cleaned.replace(token, "")
        if cleaned == text:
            return text
        text = cleaned


def render_prompt(
    template: str,
    messages: Sequence[Message],
    *,
    bos_token: str,
    eos_token: str,
    control_tokens: Iterable[str] = (),
) -> str:
    """The prompt string of ``messages`` with the turn of the model opened.

    The template comes from a file that may be anyone's, hence the sandbox.  Raises ServeError(BAD_MODEL) when the
    template cannot be rendered.
    """
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = _refuse
    control_tokens = tuple(control_tokens)
    turns = [
        {"role": message.role, "content": strip_control_tokens(message.content, control_tokens)} for message in messages
    ]
    try:
        return environment.from_string(template).render(
            messages=turns, bos_token=bos_token, eos_token=eos_token, add_generation_prompt=True
        )
    except TemplateError as exc:
        raise ServeError(
            Code.BAD_MODEL,
            f"GGUF의 대화 틀(chat template)을 쓸 수 없습니다: {exc}",
            "이 저장소의 'python -m finetune run'이 만든 GGUF를 쓰세요.",
        ) from exc


def _refuse(message: str) -> None:
    raise TemplateError(message)
