"""A live teacher behind any OpenAI-compatible endpoint.  The key comes from the environment or .env, never from YAML."""

from __future__ import annotations

import json
import os

from data_gen.documents import Document
from data_gen.errors import DataGenError, TeacherFailure
from data_gen.prompting import render_prompt
from data_gen.rows import short_hash
from data_gen.settings import OpenAISettings
from data_gen.teachers import Reply


def read_key(name: str) -> str:
    """The key named ``name`` from the environment, else from the nearest .env.  Raises DataGenError when there is none."""
    from dotenv import dotenv_values, find_dotenv

    key = os.environ.get(name) or dotenv_values(find_dotenv(usecwd=True)).get(name)
    if not key or not key.strip():
        raise DataGenError(
            f"API 키가 없습니다: 환경 변수 {name} (missing API key)\n"
            f"  export {name}=… 로 넣거나 .env 파일에 {name}=… 한 줄을 적으세요. 키 없이 해 보려면 teacher.kind: recorded를 쓰세요."
        )
    return key.strip()


class OpenAITeacher:
    """One client for the whole run (kept connections); the client itself retries 408/409/429/5xx and lost connections."""

    name = "openai"

    def __init__(self, settings: OpenAISettings) -> None:
        import openai

        self._openai = openai
        self._settings = settings
        self.concurrency = settings.concurrency
        self._client = openai.OpenAI(
            api_key=read_key(settings.key_env),
            base_url=settings.base_url,
            max_retries=settings.retries,
            timeout=settings.timeout_s,
        )

    def ask(self, document: Document, prompt_name: str) -> Reply:
        prompt = render_prompt(prompt_name, document)
        options: dict = {self._settings.token_limit_key: self._settings.max_output_tokens}
        if self._settings.json_mode:
            options["response_format"] = {"type": "json_object"}
        if self._settings.temperature is not None:
            options["temperature"] = self._settings.temperature
        try:
            completion = self._client.chat.completions.create(
                model=self._settings.model, messages=[{"role": "user", "content": prompt}], **options
            )
        except (self._openai.AuthenticationError, self._openai.PermissionDeniedError) as exc:
            raise DataGenError(
                f"교사 서버가 키를 거부했습니다 (HTTP {exc.status_code}). {self._settings.key_env}의 값과 권한을 확인하세요."
            ) from exc
        except self._openai.NotFoundError as exc:
            raise DataGenError(
                f"교사 서버에 그런 모델이나 주소가 없습니다 (HTTP 404): model={self._settings.model!r}, "
                f"base_url={self._settings.base_url!r}\n  teacher.model과 teacher.base_url을 확인하세요."
            ) from exc
        except self._openai.APIStatusError as exc:
            raise TeacherFailure(f"HTTP {exc.status_code} ({self._settings.retries}번 다시 시도한 뒤)") from exc
        except self._openai.APIConnectionError as exc:  # includes timeouts
            raise TeacherFailure(f"연결 실패: {exc} ({self._settings.retries}번 다시 시도한 뒤)") from exc
        except (self._openai.APIError, json.JSONDecodeError) as exc:  # a proxy's page instead of a completion
            raise TeacherFailure(f"응답을 읽을 수 없음: {exc}") from exc
        return self._reply(completion, short_hash(prompt))

    def _reply(self, completion, prompt_hash: str) -> Reply:
        # The client hands over a body of another content type as plain text.
        if isinstance(completion, str):
            raise TeacherFailure(f"응답을 읽을 수 없음: {completion[:80]!r}")
        if not completion.choices:
            raise TeacherFailure("빈 응답 (no choices)")
        choice = completion.choices[0]
        if getattr(choice.message, "refusal", None):
            raise TeacherFailure(f"모델이 거절함: {choice.message.refusal}")
        # A cut-off answer may still parse; it is never taken for a whole one.
        if choice.finish_reason not in ("stop", None):
            raise TeacherFailure(f"끝맺지 못한 응답 (finish_reason={choice.finish_reason})")
        if not (choice.message.content or "").strip():
            raise TeacherFailure("빈 응답 (empty content)")
        usage = completion.usage
        return Reply(
            text=choice.message.content,
            model=completion.model or self._settings.model,
            prompt_hash=prompt_hash,
            input_tokens=usage.prompt_tokens if usage else 0,
            output_tokens=usage.completion_tokens if usage else 0,
        )
