"""A live teacher: any OpenAI-compatible endpoint (OpenAI, Upstage, Anthropic's compatible one, vLLM, llama-server).

Every failure becomes one of our own states with a Korean sentence; nothing the endpoint says is shown with a key in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from serve.backends.protocol import BackendInfo, Delta, GenParams, Message
from serve.errors import Code, ServeError

_KEY_LIKE = re.compile(r"(?:sk|up|pk|key)[-_][A-Za-z0-9_\-*]{6,}")
_OPENAI_HOST = "api.openai.com"
_FINISH = {"stop": "stop", "length": "length", "content_filter": "filtered"}


@dataclass(frozen=True)
class OpenAIOptions:
    """``base_url`` None is the client's default (OpenAI, or OPENAI_BASE_URL); ``timeout_seconds`` bounds each read."""

    model: str
    base_url: str | None = None
    timeout_seconds: float = 60.0


def find_key(variable: str, folder: Path) -> str | None:
    """The key from the environment, else from ``folder``/.env; None when neither holds one."""
    from dotenv import dotenv_values

    return os.environ.get(variable) or dotenv_values(folder / ".env").get(variable) or None


class OpenAIBackend:
    def __init__(self, options: OpenAIOptions, key: str) -> None:
        from openai import OpenAI

        self._options = options
        self._key = key
        self._client = OpenAI(api_key=key, base_url=options.base_url, timeout=options.timeout_seconds, max_retries=0)
        self._host = urlsplit(str(self._client.base_url)).netloc

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        """Yield text as it arrives; closing the iterator closes the HTTP stream, which stops the billing."""
        import openai

        # OpenAI's newer models refuse max_tokens; most compatible servers know nothing else.
        limit = "max_completion_tokens" if self._host == _OPENAI_HOST else "max_tokens"
        request = {
            "model": self._options.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            limit: params.max_new_tokens,
        }
        if params.temperature is not None:
            request["temperature"] = params.temperature
        finish, usage, made = None, None, 0
        try:
            with self._client.chat.completions.create(
                **request, stream=True, stream_options={"include_usage": True}
            ) as events:
                for event in events:
                    usage = event.usage or usage
                    for choice in event.choices[:1]:
                        finish = choice.finish_reason or finish
                        if choice.delta.content:
                            made += 1
                            yield Delta(choice.delta.content, tokens=1)
        except (openai.OpenAIError, OSError, ValueError) as exc:
            raise self._explain(exc) from exc
        except Exception as exc:
            # The client lets errors of its HTTP library through once the body is being read.
            if type(exc).__module__.split(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2"):
                raise self._explain(exc) from exc
            raise
        if finish is None:
            raise ServeError(
                Code.BAD_REPLY,
                f"교사({self._host})의 답이 중간에 끊겼습니다."
                if made
                else f"교사({self._host})가 빈 답을 보냈습니다.",
                "다시 물어보거나 teacher.model 설정을 확인하세요.",
                side="teacher",
            )
        yield Delta(
            finish=_FINISH.get(finish, "stop"),
            prompt_tokens=usage.prompt_tokens if usage else None,
            new_tokens=usage.completion_tokens if usage else None,
        )

    def count_tokens(self, messages: Sequence[Message]) -> None:
        return None

    def info(self) -> BackendInfo:
        return BackendInfo(self._options.model, self._host)

    def close(self) -> None:
        self._client.close()

    def _explain(self, exc: Exception) -> ServeError:
        import openai

        text = self._redact(str(getattr(exc, "message", "") or exc))[:300]
        code, message, hint = Code.BAD_REPLY, f"교사({self._host})가 알 수 없는 답을 보냈습니다: {text}", ""
        if isinstance(exc, openai.AuthenticationError | openai.PermissionDeniedError):
            code, message = Code.AUTH, f"교사({self._host})가 API 키를 받아들이지 않았습니다."
            hint = "키가 맞는지, 이 모델을 쓸 권한이 있는지 확인하세요."
        elif isinstance(exc, openai.RateLimitError):
            code, message = Code.RATE_LIMIT, f"교사({self._host})의 사용 한도를 넘었습니다: {text}"
            hint = "잠시 뒤 다시 묻거나 요금제의 한도를 확인하세요."
        elif isinstance(exc, openai.APITimeoutError) or "Timeout" in type(exc).__name__:
            code, message = (
                Code.TIMEOUT,
                f"교사({self._host})가 {self._options.timeout_seconds:.0f}초 안에 답하지 않았습니다.",
            )
            hint = "다시 묻거나 teacher.timeout_seconds를 늘리세요."
        elif _is_context_overflow(exc, text):
            code, message = Code.CONTEXT, f"질문이 교사({self._options.model})의 문맥 길이를 넘습니다: {text}"
            hint = "질문을 줄이거나 teacher.max_new_tokens를 낮추세요."
        elif isinstance(exc, openai.NotFoundError):
            message = f"교사({self._host})에 모델 '{self._options.model}'이(가) 없습니다: {text}"
            hint = "teacher.model과 teacher.base_url 설정을 확인하세요."
        elif isinstance(exc, openai.InternalServerError):
            code, message = Code.UNREACHABLE, f"교사({self._host}) 서버에 문제가 있습니다: {text}"
            hint = "잠시 뒤 다시 물어보세요."
        elif not isinstance(exc, openai.APIStatusError | openai.APIResponseValidationError | ValueError):
            code, message = Code.UNREACHABLE, f"교사({self._host})에 연결할 수 없습니다."
            hint = "인터넷 연결과 teacher.base_url 설정을 확인하세요."
        elif isinstance(exc, openai.BadRequestError):
            message, hint = f"교사({self._host})가 요청을 거절했습니다: {text}", "teacher 설정을 확인하세요."
        return ServeError(code, message, hint, side="teacher")

    def _redact(self, text: str) -> str:
        return _KEY_LIKE.sub("[키 가림]", text.replace(self._key, "[키 가림]"))


def _is_context_overflow(exc: Exception, text: str) -> bool:
    code = getattr(exc, "code", None)
    kind = getattr(exc, "type", None)
    return bool({code, kind} & {"context_length_exceeded", "exceed_context_size_error"}) or (
        getattr(exc, "status_code", None) == 400 and "context" in text.lower() and "length" in text.lower()
    )
