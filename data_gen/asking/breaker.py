"""The circuit breaker: when an endpoint is down, a run stops soon and says so, instead of failing its documents one by one."""

from __future__ import annotations

from collections import deque

from data_gen.errors import DataGenError

WINDOW = 200
SHARE = 0.9
# A 429 is an endpoint at work; only many in a row, without an answer between, mean that none will come.
_PATIENCE_429 = 8


class Breaker:
    """Opens after ``consecutive`` failures in a row, or when ``SHARE`` of the last ``WINDOW`` calls failed.

    ``consecutive`` should exceed the calls in flight: one dead connection pool fails them all at once.
    """

    def __init__(self, consecutive: int, window: int = WINDOW, share: float = SHARE) -> None:
        self._consecutive, self._share = consecutive, share
        self._row = 0
        self._throttled = 0
        self._window: deque[bool] = deque(maxlen=window)
        self._failed = 0
        self.opened: DataGenError | None = None

    def succeeded(self) -> None:
        self._row = self._throttled = 0
        self._note(False)

    def failed(self, reason: str) -> None:
        """A call that got no response: 5xx, lost, hanging, unreadable."""
        self._row += 1
        self._note(True)
        full = len(self._window) == self._window.maxlen
        if self._row >= self._consecutive:
            self._open(f"연달아 {self._row}번 응답을 받지 못했습니다", reason)
        elif full and self._failed >= self._share * len(self._window):
            self._open(f"최근 {len(self._window)}번 가운데 {self._failed}번 응답을 받지 못했습니다", reason)

    def throttled(self, reason: str) -> None:
        self._throttled += 1
        if self._throttled >= self._consecutive * _PATIENCE_429:
            self._open(f"연달아 {self._throttled}번 요청 한도(429)에 걸렸습니다", reason)

    def _note(self, failed: bool) -> None:
        if len(self._window) == self._window.maxlen:
            self._failed -= self._window[0]
        self._window.append(failed)
        self._failed += failed

    def _open(self, what: str, reason: str) -> None:
        self.opened = self.opened or DataGenError(
            f"교사 서버가 답하지 않아 멈췄습니다 (circuit breaker): {what}.\n  마지막 사유: {reason}\n"
            "  받은 답변은 저장되어 있습니다. 서버의 상태와 teacher.base_url을 확인한 뒤 같은 명령을 다시 실행하면 이어집니다."
        )
