"""Any OpenAI-compatible endpoint: a teacher (OpenAI, Solar, Claude) or a student that many use (vLLM, llama-server, Ollama).

Every failure becomes one of our own states with a Korean sentence (endpoint_errors.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from serve.backends.endpoint_errors import Asked, explain, no_key, no_model_chosen
from serve.backends.protocol import BackendInfo, Delta, GenParams, Message
from serve.backends.providers import Provider, needs_key, provider_of, request_body
from serve.backends.thinking import Thinking
from serve.errors import Code, ServeError
from serve.private_data import is_here

_FINISH = {"stop": "stop", "length": "length", "content_filter": "filtered"}


@dataclass(frozen=True)
class OpenAIOptions:
    """``base_url`` None is the client's default (OpenAI, or OPENAI_BASE_URL); ``timeout_seconds`` bounds each read.

    ``model`` "" is the only one the server has.  ``limit_key`` and ``system_role`` None: by the host;
    ``reasoning_effort`` None: the server's own.  ``key_name`` is the environment variable that errors name, ``side`` whose pane they are shown in (teacher, student, base).
    """

    model: str
    base_url: str | None = None
    timeout_seconds: float = 60.0
    limit_key: str | None = None
    system_role: bool | None = None
    reasoning_effort: str | None = None
    key_name: str = "OPENAI_API_KEY"
    side: str = "teacher"


def find_key(variable: str, folder: Path) -> str | None:
    """The key from the environment, else from ``folder``/.env; None when neither holds one."""
    from dotenv import dotenv_values

    return os.environ.get(variable) or dotenv_values(folder / ".env").get(variable) or None


class OpenAIBackend:
    def __init__(self, options: OpenAIOptions, key: str | None) -> None:
        """Opens no connection, unless the server has to be asked for its only model.  Raises ServeError."""
        from openai import OpenAI

        url = options.base_url or os.environ.get("OPENAI_BASE_URL")
        if not key and needs_key(url):
            raise no_key(Asked(options.side, urlsplit(url).netloc if url else "api.openai.com", options.model), options)
        self._client = OpenAI(
            api_key=key or "none", base_url=options.base_url, timeout=options.timeout_seconds, max_retries=0
        )
        self._host = urlsplit(str(self._client.base_url)).netloc
        self._key = key
        self._options = options
        if not options.model:
            self._options = replace(options, model=self._only_model())
        self._provider = self._known_of_host()

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        """Yield text as it arrives; closing the iterator closes the HTTP stream, which stops the billing."""
        body = request_body(self._provider, self._options.model, messages, params)
        if self._options.reasoning_effort is not None:
            body["reasoning_effort"] = self._options.reasoning_effort
        finish, usage, made = None, None, 0
        thinking = Thinking()
        try:
            with self._client.chat.completions.create(
                **body, stream=True, stream_options={"include_usage": True}
            ) as events:
                for event in events:
                    usage = event.usage or usage
                    for choice in event.choices[:1]:
                        finish = choice.finish_reason or finish
                        if choice.delta.content:
                            made += 1
                            text = thinking.feed(choice.delta.content)
                            yield Delta(text, tokens=1 if text else 0)
        except ServeError:
            raise
        except Exception as exc:
            raise self._explained(exc) from exc
        if finish is None:
            raise self._cut_short(made)
        yield Delta(
            thinking.rest(),
            finish=_FINISH.get(finish, "stop"),
            prompt_tokens=usage.prompt_tokens if usage else None,
            new_tokens=usage.completion_tokens if usage else None,
        )

    def count_tokens(self, messages: Sequence[Message]) -> None:
        return None

    def info(self) -> BackendInfo:
        return BackendInfo(self._options.model, self._host, device="local" if is_here(self._host) else "remote")

    def close(self) -> None:
        self._client.close()

    def _known_of_host(self) -> Provider:
        options = self._options
        known = provider_of(str(self._client.base_url), options.model)
        if options.limit_key is not None:
            known = replace(known, limit_key=options.limit_key)
        return known if options.system_role is None else replace(known, system_role=options.system_role)

    def _only_model(self) -> str:
        try:
            names = [model.id for model in self._client.models.list()]
        except Exception as exc:
            raise self._explained(exc) from exc
        if len(names) != 1:
            raise no_model_chosen(self._asked(), names)
        return names[0]

    def _asked(self) -> Asked:
        return Asked(self._options.side, self._host, self._options.model, self._options.timeout_seconds, self._key)

    def _explained(self, exc: Exception) -> Exception:
        """The error as a state of ours; one that has nothing to do with the endpoint as it is."""
        import openai

        # The client lets errors of its HTTP library through once the body is being read.
        library = type(exc).__module__.split(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2")
        return (
            explain(exc, self._asked())
            if library or isinstance(exc, openai.OpenAIError | OSError | ValueError)
            else exc
        )

    def _cut_short(self, made: int) -> ServeError:
        asked = self._asked()
        return ServeError(
            Code.BAD_REPLY,
            f"{asked.who}의 답이 중간에 끊겼습니다." if made else f"{asked.who}가 빈 답을 보냈습니다.",
            f"다시 물어보거나 {asked.setting('model')} 설정을 확인하세요.",
            side=self._options.side,
        )
