"""The exact answer cache: the same model, prompt, settings, day and sources give the same text, so it need not be written again.

Never by meaning: 과세 and 비과세 are neighbours in every embedding.  What is kept is the model's own text; it is completed and
verified again at every use.
"""

from __future__ import annotations

import hashlib
import json
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from serve.backends.protocol import BackendInfo, Finish, GenParams, Message


@dataclass(frozen=True)
class CachedAnswer:
    """A model's text as it came, with its sizes in tokens and how it ended."""

    text: str
    new_tokens: int | None
    prompt_tokens: int | None
    finish: Finish | None


def cache_key(
    info: BackendInfo, params: GenParams, messages: Sequence[Message], as_of: date, sources: Sequence[str] = ()
) -> str | None:
    """The key of an answer (hex), or None when it may differ next time: sampled, or from weights nobody can name.

    ``sources``: ids of the passages shown, in order.
    """
    if not params.deterministic or info.model_sha256 is None:
        return None
    content = {
        "model": info.model_sha256,
        "template": info.template_sha256,
        # 8-bit and 4-bit of one file, or another device, round differently and so may write differently.
        "precision": [info.quantisation, info.device, info.context_tokens],
        "messages": [[one.role, unicodedata.normalize("NFC", one.content)] for one in messages],
        "params": asdict(params),
        "as_of": as_of.isoformat(),
        "sources": list(sources),
    }
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class AnswerCache:
    """The last ``entries`` answers in memory, least recently used out first; 0 keeps none.  Thread-safe."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._answers: OrderedDict[str, CachedAnswer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> CachedAnswer | None:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, key: str, answer: CachedAnswer) -> None:
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > self._entries:
                self._answers.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()
