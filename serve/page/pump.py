"""One answer read in its own thread: the model writes at its own speed, the page looks at the newest state when it redraws.

A pane never waits for a delta, so a stop shows at once even when a teacher is silent; the thread ends at its next delta
and closes the stream, which gives the model to the next question.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

from serve.answer import Answer, Progress
from serve.errors import Code, ServeError

_LOG = logging.getLogger(__name__)


class Pump:
    """Reads ``open_steps()`` to its end.  ``newest`` is the last progress; ``result`` is set once, then ``done``."""

    def __init__(self, open_steps: Callable[[], Iterator[Progress | Answer]], on_end: Callable[[], None]) -> None:
        self.newest: Progress | None = None
        self.result: Answer | ServeError | None = None
        self.done = False
        self._open_steps = open_steps
        self._on_end = on_end
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="answer", daemon=True)

    def start(self) -> Pump:
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the answer at its next delta."""
        self._stop.set()

    def _read(self) -> None:
        try:
            with closing(self._open_steps()) as steps:
                for step in steps:
                    if isinstance(step, Answer):
                        self.result = step
                    elif self._stop.is_set():
                        break
                    else:
                        self.newest = step
        except ServeError as error:
            self.result = error
        except Exception as error:
            # The traceback goes to the server's log; the person is told that it was our fault.
            _LOG.exception("an answer failed")
            self.result = ServeError(
                Code.BAD_REPLY,
                "프로그램의 잘못으로 답하지 못했습니다.",
                f"{type(error).__name__}: 서버의 기록을 보세요. 다시 물어볼 수 있습니다.",
            )
        finally:
            self.done = True
            self._on_end()
