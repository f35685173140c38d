"""The search index beside the models: opened once, by whoever needs it first; the drawer takes what is open already.

Building an index takes half a minute, opening one a quarter of a second: so it is opened early only where it is built.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from serve.errors import Code, ServeError
from serve.settings import RetrievalConfig


class Evidence:
    """A taxlaw.search.Search that is opened on demand.  ``opening`` makes it; ``built`` says whether that is quick."""

    def __init__(self, opening: Callable[[], Any], built: Callable[[], bool] = lambda: True) -> None:
        self._opening = opening
        self._built = built
        self._lock = threading.Lock()
        self._search: Any = None

    @property
    def texts(self) -> Any:
        """What finds an article by its name, once it is open: the words alone, without models.  None before; never waits."""
        return getattr(self._search, "search", self._search)

    def prepare(self, build: bool = False) -> None:
        """Open it in the background, if that is quick or ``build``; a failure is told to the one who asks for evidence.

        ``build``: for a program that stays; the first question finds everything loaded.
        """

        from taxlaw.errors import SourceError

        def work() -> None:
            # What goes wrong here goes wrong again in find(), where there is somebody who can be told.
            with suppress(ServeError, SourceError, OSError):
                if build:
                    # The first question of all pays for the morphemes' model, about two seconds: this one is nobody's.
                    self._open().find("증여세", date.today(), 1)
                elif self._built():
                    self._open()

        threading.Thread(target=work, name="evidence", daemon=True).start()

    def find(self, question: str, as_of: date, limit: int = 5) -> tuple[Any, ...]:
        """Hits, best first; waits until the index is open.  Raises ServeError(USAGE) when it cannot be opened."""
        return self._open().find(question, as_of, limit)

    def _open(self) -> Any:
        from taxlaw.errors import SourceError

        with self._lock:
            if self._search is None:
                try:
                    self._search = self._opening()
                except (SourceError, OSError) as exc:
                    raise ServeError(
                        Code.USAGE, f"근거를 찾을 색인을 열지 못했습니다: {exc}", "근거 찾기를 끄면 그대로 답합니다."
                    ) from exc
            return self._search


def open_evidence(config: RetrievalConfig, root: Path, say: Callable[[str], None] | None = None) -> Evidence:
    """Evidence as the config asks for it; ``root`` is where corpora/ is looked for, ``say`` gets lines of progress."""

    def opening() -> Any:
        from serve.retrieval.opening import open_retrieval

        return open_retrieval(config, root, say)

    def built() -> bool:
        from serve.retrieval.opening import folders_of
        from taxlaw.search.index import cache_folder, salt
        from taxlaw.search.sources import fingerprint, source_files

        if config.dense or config.rerank:
            return False  # a model has to be loaded
        return (cache_folder() / fingerprint(source_files(folders_of(config, root)), salt()) / "meta.json").is_file()

    return Evidence(opening, built)
