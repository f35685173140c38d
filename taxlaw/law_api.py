"""Asks the OpenAPI of law.go.kr: one polite request at a time, failures told apart from answers.

Failures come with HTTP 200, as {"Law": "일치하는 …"}, <result>실패</result> or a page of HTML.  The key (OC) comes from the
environment or .env, travels in the request only, and stands in no file and no message.  Knows nothing of tables.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from taxlaw.errors import ConfigError, DownloadError, RefusedError

KEY_VARIABLE, ADDRESS_VARIABLE = "LAW_GO_KR_OC", "LAW_GO_KR_URL"
ADDRESS = "https://www.law.go.kr/DRF"
SHORTEST_PAUSE = 0.5  # seconds between two requests
_RETRIED = {429, 500, 502, 503, 504}
_TAG = re.compile(r"<[^>]*>")
_FAILED = re.compile(r"<result>\s*(?!success|성공|00)([^<]*)</result>", re.IGNORECASE)
_MESSAGE = re.compile(r"<msg>([^<]*)</msg>", re.IGNORECASE)


def find_key(folder: Path) -> str:
    """The OC from the environment, else from ``folder``/.env.  Raises ConfigError when neither holds one."""
    from dotenv import dotenv_values

    key = (os.environ.get(KEY_VARIABLE) or dotenv_values(folder / ".env").get(KEY_VARIABLE) or "").strip()
    if not key:
        raise ConfigError(
            f"법령 OpenAPI의 인증값(OC)이 없습니다. 환경 변수 {KEY_VARIABLE} 또는 .env 에 {KEY_VARIABLE}=… 를 적어 주세요.\n"
            "  open.law.go.kr 에서 신청한 이메일의 아이디입니다 (the id you registered; never given on the command line)."
        )
    return key


@dataclass(frozen=True)
class Pace:
    """Seconds between requests and before giving up on one; ``attempts`` counts the first try."""

    pause: float = 1.0
    timeout: float = 30.0
    attempts: int = 4

    def __post_init__(self) -> None:
        if self.pause < SHORTEST_PAUSE:
            raise ConfigError(f"요청 간격은 {SHORTEST_PAUSE}초 이상이어야 합니다 (받은 값: {self.pause}).")


class LawApi:
    """A connection that remembers when it last asked.  ``clock`` and ``sleep`` are given by tests."""

    def __init__(
        self,
        key: str,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key, self._pace = key, pace or Pace()
        self._address = (os.environ.get(ADDRESS_VARIABLE) or ADDRESS).rstrip("/")
        self._clock, self._sleep = clock, sleep
        self._last: float | None = None
        self.requests = 0

    def get(self, service: str, parameters: Mapping[str, str]) -> str:
        """The text of one JSON answer of ``lawSearch.do`` or ``lawService.do``.

        Raises RefusedError when the service says no, DownloadError when it does not answer after the attempts of the pace.
        """
        where = f"{service} {' '.join(f'{name}={value}' for name, value in parameters.items())}"
        for attempt in range(1, self._pace.attempts + 1):
            self._wait(attempt)
            try:
                text = self._ask(service, parameters)
            except HTTPError as exc:
                reason, again = f"HTTP {exc.code}", exc.code in _RETRIED
            except (URLError, HTTPException, OSError) as exc:
                reason, again = str(getattr(exc, "reason", exc)) or type(exc).__name__, True
            except UnicodeDecodeError:
                raise DownloadError(f"law.go.kr의 응답이 UTF-8이 아닙니다: {where}") from None
            else:
                if problem := failure(text):
                    said = self._without_key(problem)
                    raise RefusedError(f"law.go.kr이 거절했습니다: {where}\n  {said}", said)
                return text
            if not again:
                break
        # 'from None': an HTTPError carries the address, and the address carries the key.
        raise DownloadError(
            f"law.go.kr이 답하지 않습니다: {where}\n  {self._without_key(reason)} ({attempt}번 시도). "
            "다시 실행하면 받은 것은 두고 이어 받습니다."
        ) from None

    def _wait(self, attempt: int) -> None:
        if self._last is not None:
            # 1, 2, 4 … pauses apart when the service stumbles.
            pause = self._pace.pause * 2 ** (attempt - 1)
            rest = self._last + pause - self._clock()
            if rest > 0:
                self._sleep(rest)
        self._last = self._clock()

    def _ask(self, service: str, parameters: Mapping[str, str]) -> str:
        query = urlencode({"OC": self._key, "type": "JSON", **parameters}, quote_via=quote)
        request = Request(f"{self._address}/{service}?{query}", headers={"User-Agent": "slm-forest taxlaw update"})
        self.requests += 1
        with urlopen(request, timeout=self._pace.timeout) as response:
            return response.read().decode("utf-8-sig")

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***").replace(quote(self._key), "***")


def failure(text: str) -> str | None:
    """What the service says went wrong, or None when the text is an answer (a JSON object with a body)."""
    start = text.lstrip()
    if start.startswith("<"):
        if _FAILED.search(text) or _MESSAGE.search(text):
            said = [found[1].strip() for found in (_FAILED.search(text), _MESSAGE.search(text)) if found]
            return " ".join(said)
        if start[:100].lower().startswith(("<!doctype", "<html")):
            words = " ".join(_TAG.sub(" ", text).split())
            return f"JSON 대신 HTML이 왔습니다: {words[:80]}"
        return f"JSON 대신 XML이 왔습니다: {start[:80]}"
    try:
        payload = json.loads(text)
    except json.JSONDecodeError as exc:
        return f"JSON이 아닙니다 ({exc.msg}, {len(text):,}자)"
    if not isinstance(payload, dict) or not payload:
        return "JSON 객체가 아닙니다"
    if isinstance(payload.get("Law"), str):
        return payload["Law"]
    if "result" in payload or "msg" in payload:
        return " ".join(str(payload[key]) for key in ("result", "msg") if payload.get(key))
    return None


def records(value: object) -> list[dict]:
    """One record is a dict, several are a list, none is missing or an empty string: always a list."""
    if value is None or value == "":
        return []
    return [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict)]
