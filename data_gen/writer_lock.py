"""One writer at a time: a lock beside a file, which says who holds it and goes with its process, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import sys
from pathlib import Path

from data_gen.errors import DataGenError

# A POSIX record lock does not stop its own process, which would even free it by closing the file a second time.
_held: set[tuple[int, Path]] = set()


class WriterLock:
    """Takes the lock at once or raises DataGenError naming the process that has it.

    A record lock (not flock): it belongs to the process alone, so worker processes that outlive a killed run hold nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._mine = (os.getpid(), self.path)
        if self._mine in _held:
            raise DataGenError(f"이 프로세스가 이미 쓰고 있는 파일입니다: {self.path} (already open for writing here)")
        self._file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            holder = self._holder()
            self._file.close()
            raise DataGenError(
                f"다른 프로세스가 쓰고 있습니다: {self.path.with_suffix('')}\n  {holder}\n"
                "  그 실행이 끝난 뒤에 다시 하거나 다른 저장소를 쓰세요 (locked by another process)."
            ) from exc
        _held.add(self._mine)
        self._file.truncate(0)
        who = {"pid": os.getpid(), "host": socket.gethostname(), "command": " ".join(sys.argv)[:200]}
        self._file.write(json.dumps(who, ensure_ascii=False) + "\n")
        self._file.flush()

    def _holder(self) -> str:
        self._file.seek(0)
        # The holder may be between taking the lock and writing its name.
        with contextlib.suppress(json.JSONDecodeError, KeyError, TypeError):
            who = json.loads(self._file.read())
            return f"pid {who['pid']} ({who['host']}): {who['command']}"
        return "pid를 알 수 없음"

    def release(self) -> None:
        """Idempotent.  The file stays: removing it could take the lock away from under the next holder."""
        if self._mine in _held:
            _held.discard(self._mine)
            self._file.close()
