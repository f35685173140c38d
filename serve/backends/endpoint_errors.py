"""What went wrong at an endpoint, in Korean and with what to do: one state for each thing a person can do about it.

Nothing the endpoint says is shown with a key in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serve.errors import Code, ServeError

if TYPE_CHECKING:
    from serve.backends.openai_endpoint import OpenAIOptions

_KEY_LIKE = re.compile(r"(?:sk|up|pk|key)[-_][A-Za-z0-9_\-*]{6,}")
_WHO = {"teacher": "교사", "student": "학생 서버", "base": "바탕 모델 서버"}


@dataclass(frozen=True)
class Asked:
    """Whom a request went to; ``key`` is here only to be taken out of what is shown."""

    side: str
    host: str
    model: str
    timeout_seconds: float = 60.0
    key: str | None = None

    @property
    def who(self) -> str:
        return f"{_WHO.get(self.side, self.side)}({self.host})"

    def setting(self, name: str) -> str:
        """Where the settings name it: the teacher has keys of its own, the others one address."""
        if self.side == "teacher":
            return f"teacher.{name}"
        return "student.model_path" if self.side == "student" else "base.model"

    def redacted(self, text: str) -> str:
        return _KEY_LIKE.sub("[키 가림]", text.replace(self.key, "[키 가림]") if self.key else text)


def no_key(asked: Asked, options: OpenAIOptions) -> ServeError:
    return ServeError(
        Code.NO_KEY,
        f"{asked.who}의 API 키가 없습니다.",
        f".env 파일이나 환경변수에 {options.key_name}=… 를 적고 다시 시작하세요.",
        side=asked.side,
    )


def no_model_chosen(asked: Asked, names: Sequence[str]) -> ServeError:
    """The server has no model or more than one, and none was named."""
    return ServeError(
        Code.NO_MODEL,
        f"{asked.who}에 모델이 {len(names)}개라 고를 수 없습니다: {', '.join(names[:8]) or '없음'}",
        f"주소 뒤에 #모델이름을 붙이세요. 예: http://{asked.host}/v1#{names[0] if names else '이름'}",
        side=asked.side,
    )


def explain(exc: Exception, asked: Asked) -> ServeError:
    """Any failure of the client or of the endpoint as one of our states."""
    code, message, hint = _state(exc, asked, asked.redacted(str(getattr(exc, "message", "") or exc))[:300])
    return ServeError(code, message, hint, side=asked.side)


def _state(exc: Exception, asked: Asked, text: str) -> tuple[Code, str, str]:
    import openai

    who = asked.who
    if isinstance(exc, openai.AuthenticationError | openai.PermissionDeniedError):
        return (
            Code.AUTH,
            f"{who}가 API 키를 받아들이지 않았습니다.",
            "키가 맞는지, 이 모델을 쓸 권한이 있는지 확인하세요.",
        )
    if isinstance(exc, openai.RateLimitError):
        return _limited(exc, asked, text)
    if isinstance(exc, openai.APITimeoutError) or "Timeout" in type(exc).__name__:
        longer = "teacher.timeout_seconds를 늘리세요" if asked.side == "teacher" else "서버가 바쁜지 확인하세요"
        return Code.TIMEOUT, f"{who}가 {asked.timeout_seconds:g}초 안에 답하지 않았습니다.", f"다시 묻거나 {longer}."
    if _is_context_overflow(exc, text):
        least = "teacher.max_new_tokens를 낮추세요" if asked.side == "teacher" else "서버를 더 긴 문맥으로 켜세요"
        sizes = _sizes(exc)
        return (
            Code.CONTEXT,
            f"질문이 모델({asked.model})의 문맥 길이를 넘습니다{sizes}: {text}",
            f"질문을 줄이거나 {least}.",
        )
    if isinstance(exc, openai.NotFoundError) or getattr(exc, "code", None) == "model_not_found":
        return (
            Code.NO_MODEL,
            f"{who}에 모델 '{asked.model}'이(가) 없습니다: {text}",
            f"{asked.setting('model')}의 이름과 주소를 확인하세요. Ollama라면 'ollama pull {asked.model}'을 먼저 하세요.",
        )
    if isinstance(exc, openai.InternalServerError):
        return Code.UNREACHABLE, f"{who} 서버에 문제가 있습니다: {text}", "잠시 뒤 다시 물어보세요."
    if isinstance(exc, openai.BadRequestError):
        return _refused(exc, asked, text)
    if not isinstance(exc, openai.APIStatusError | openai.APIResponseValidationError | ValueError):
        return (
            Code.UNREACHABLE,
            f"{who}에 연결할 수 없습니다.",
            f"서버가 켜져 있는지, 인터넷 연결과 {asked.setting('base_url')} 설정을 확인하세요.",
        )
    return Code.BAD_REPLY, f"{who}가 알 수 없는 답을 보냈습니다: {text}", "다시 물어보세요."


def _limited(exc: Exception, asked: Asked, text: str) -> tuple[Code, str, str]:
    if getattr(exc, "code", None) == "insufficient_quota":
        return (
            Code.RATE_LIMIT,
            f"{asked.who}의 남은 요금(크레딧)이 없습니다: {text}",
            "제공자의 결제 화면에서 한도를 확인하세요. 기다려도 풀리지 않습니다.",
        )
    wait = _retry_after(exc)
    return (
        Code.RATE_LIMIT,
        f"{asked.who}의 사용 한도를 넘었습니다: {text}",
        f"{wait}초 뒤에 다시 물어보세요." if wait else "잠시 뒤 다시 묻거나 요금제의 한도를 확인하세요.",
    )


def _retry_after(exc: Exception) -> int | None:
    """Seconds the endpoint asks to wait, when it says so as a number."""
    said = getattr(getattr(exc, "response", None), "headers", {}).get("retry-after", "")
    try:
        return max(1, round(float(said)))
    except ValueError:
        return None


def _refused(exc: Exception, asked: Asked, text: str) -> tuple[Code, str, str]:
    parameter = getattr(exc, "param", None)
    if parameter in ("temperature", "top_p") and asked.side == "teacher":
        hint = f"이 모델은 {parameter}를 바꿀 수 없습니다. teacher.{parameter}를 null로 두세요."
    else:
        hint = f"{asked.setting('model')} 설정을 확인하세요."
    return Code.BAD_REPLY, f"{asked.who}가 요청을 거절했습니다: {text}", hint


def _is_context_overflow(exc: Exception, text: str) -> bool:
    named = {getattr(exc, "code", None), getattr(exc, "type", None)}
    return bool(named & {"context_length_exceeded", "exceed_context_size_error"}) or (
        getattr(exc, "status_code", None) == 400 and "context" in text.lower() and "length" in text.lower()
    )


def _sizes(exc: Exception) -> str:
    """llama-server tells both figures."""
    body = getattr(exc, "body", None)
    told = body if isinstance(body, dict) else {}
    if isinstance(told.get("n_prompt_tokens"), int) and isinstance(told.get("n_ctx"), int):
        return f" ({told['n_prompt_tokens']:,}토큰, 한도 {told['n_ctx']:,}토큰)"
    return ""
