"""The index on disk: built once for one content, then opened by memory map.

A build is written beside its place and moved there whole: a cut-off build has another name and is never opened.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from time import monotonic, process_time
from typing import TYPE_CHECKING

from taxlaw.errors import SourceError
from taxlaw.law_names import DECREE, RULE, act_of, compact
from taxlaw.ruling_numbers import ruling_key
from taxlaw.search.chapters import chapter_of
from taxlaw.search.passages import Passage
from taxlaw.search.sources import Entry
from taxlaw.statutes import StatuteArticle
from taxlaw.structure import parse_article

if TYPE_CHECKING:
    import numpy as np
    from bm25s import BM25

LAYOUT = 4  # raise it when what is written here, or how words.py cuts text, changes
FIELDS = ("heading", "chapter", "body", "rule", "part")
_K1, _B = 1.2, {"heading": 0.3, "chapter": 0.3, "body": 0.75, "rule": 0.5, "part": 0.6}
_LONG = 500  # characters from which an article's paragraphs (항) are searched one by one as well
_KEPT = 4  # builds kept in the cache folder
_FOREVER = date.max.toordinal()
_BATCH = 4000  # lines
Words = Callable[[Sequence[str]], list[list[str]]]


@dataclass(frozen=True, eq=False)
class Index:
    """An open index, compared by identity.  Rows are entries; ``parent`` gives the row of each part; days are ordinals of dates."""

    folder: Path
    count: int
    built: dict
    fields: dict[str, BM25]
    parent: np.ndarray
    start: np.ndarray
    end: np.ndarray
    is_ruling: np.ndarray
    level: np.ndarray  # 0 act, 1 decree, 2 rule, 3 ruling
    act: np.ndarray  # number of the act in ``acts``, -1 for a ruling
    acts: tuple[str, ...]
    articles: dict[str, list[int]]  # '소득세법 제55조' -> rows, oldest version first
    rulings: dict[str, int]  # ruling_key -> row
    cites: dict[int, list[str]]  # row of a ruling -> articles it rests on
    headings: tuple[str, ...]  # of every row, as law_names.compact leaves it; "" without one
    links: np.ndarray  # (rows of a decree or rule, row of the article of the act or decree that it carries out)
    _text: mmap.mmap
    _offsets: np.ndarray

    def passage(self, row: int) -> Passage:
        """Read one passage from the map."""
        line = self._text[self._offsets[row] : self._offsets[row + 1]]
        raw = json.loads(line)
        days = {key: date.fromisoformat(raw[key]) if raw[key] else None for key in ("effective_from", "effective_to")}
        return Passage(**{**raw, **days})


def cache_folder() -> Path:
    """Where indexes are kept: $XDG_CACHE_HOME/slm-forest/search, else ~/.cache/slm-forest/search."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "slm-forest" / "search"


def salt() -> str:
    """What besides the sources decides the content of an index."""
    return f"{LAYOUT} {FIELDS} {_K1} {_B} {_LONG} kiwipiepy {version('kiwipiepy')} bm25s {version('bm25s')}"


def build(target: Path, entries: Sequence[Entry], words: Words, say: Callable[[str], None] | None = None) -> None:
    """Write the index of ``entries`` at ``target``.  Raises SourceError when the folder cannot be written."""
    begun, worked = monotonic(), process_time()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(prefix=f"{target.name}.building-", dir=target.parent))
    except OSError as exc:
        raise SourceError(
            f"색인을 쓸 수 없습니다: {target.parent}\n  XDG_CACHE_HOME을 쓸 수 있는 곳으로 바꾸세요. ({exc})"
        ) from exc
    try:
        _write_entries(half, entries)
        counts = _write_fields(half, entries, words, say)
        facts = {
            "layout": LAYOUT,
            "entries": len(entries),
            **counts,
            "seconds": round(monotonic() - begun, 1),
            "cpu_seconds": round(process_time() - worked, 1),
        }
        (half / "meta.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
        try:
            half.rename(target)
        except OSError:
            if not (target / "meta.json").is_file():  # else another process was faster, with the same content
                raise
        _forget_old(target)
    except OSError as exc:
        raise SourceError(f"색인을 쓸 수 없습니다: {target}\n  디스크의 남은 자리를 확인하세요. ({exc})") from exc
    finally:
        shutil.rmtree(half, ignore_errors=True)


def open_index(folder: Path) -> Index:
    """Map an index that ``build`` has written.  Raises SourceError when it is damaged."""
    import numpy as np
    from bm25s import BM25

    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        keys = json.loads((folder / "keys.json").read_text(encoding="utf-8"))
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r")
            for name in ("parent", "start", "end", "level", "act", "links", "offsets")
        }
        fields = {
            name: BM25.load(str(folder / name), mmap=True, show_progress=False)
            for name in FIELDS
            if (folder / name).is_dir()
        }
        with (folder / "passages.jsonl").open("rb") as stream:
            text = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError, KeyError) as exc:
        raise SourceError(f"색인이 망가졌습니다: {folder}\n  이 폴더를 지우면 다시 만듭니다. ({exc})") from exc
    return Index(
        folder=folder,
        count=meta["entries"],
        built=meta,
        fields=fields,
        parent=arrays["parent"],
        start=arrays["start"],
        end=arrays["end"],
        is_ruling=arrays["level"] == 3,
        level=arrays["level"],
        act=arrays["act"],
        acts=tuple(keys["acts"]),
        articles=keys["articles"],
        rulings=keys["rulings"],
        headings=tuple(keys["headings"]),
        cites={int(row): cited for row, cited in keys["cites"].items()},
        links=arrays["links"],
        _text=text,
        _offsets=arrays["offsets"],
    )


def size_of(folder: Path) -> int:
    """Bytes on disk."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _write_entries(folder: Path, entries: Sequence[Entry]) -> None:
    import numpy as np

    offsets, start, end, level, act = [0], [], [], [], []
    acts: dict[str, int] = {}
    articles: dict[str, list[int]] = {}
    rulings: dict[str, int] = {}
    cites: dict[int, list[str]] = {}
    with (folder / "passages.jsonl").open("wb") as stream:
        for row, entry in enumerate(entries):
            line = json.dumps(asdict(entry.passage), ensure_ascii=False, default=date.isoformat).encode() + b"\n"
            stream.write(line)
            offsets.append(offsets[-1] + len(line))
            first, last = entry.passage.effective_from, entry.passage.effective_to
            start.append(first.toordinal() if first else 0)
            end.append(last.toordinal() if last else _FOREVER)
            if entry.law:
                articles.setdefault(f"{entry.law} {entry.article}", []).append(row)
                act.append(acts.setdefault(act_of(entry.law), len(acts)))
                level.append(1 if entry.law.endswith(DECREE) else 2 if entry.law.endswith(RULE) else 0)
            else:
                rulings.setdefault(ruling_key(entry.passage.title), row)
                act.append(-1)
                level.append(3)
                if entry.cites:
                    cites[row] = [f"{law} {article}" for law, article in entry.cites]
    links = [(row, target) for row, entry in enumerate(entries) for target in articles.get(_carried_out(entry), ())]
    for name, values, kind in (
        ("links", links or np.zeros((0, 2)), "int32"),
        ("offsets", offsets, "int64"),
        ("start", start, "int32"),
        ("end", end, "int32"),
        ("level", level, "int8"),
        ("act", act, "int16"),
    ):
        np.save(folder / f"{name}.npy", np.asarray(values, dtype=kind))
    headings = [compact(entry.passage.heading) for entry in entries]
    keys = {"acts": list(acts), "articles": articles, "rulings": rulings, "cites": cites, "headings": headings}
    (folder / "keys.json").write_text(json.dumps(keys, ensure_ascii=False), encoding="utf-8")


def _write_fields(
    folder: Path, entries: Sequence[Entry], words: Words, say: Callable[[str], None] | None
) -> dict[str, int]:
    import numpy as np
    from bm25s import BM25

    parts = [_parts(entry) for entry in entries]
    texts = (
        (entry.law, chapter_of(entry.law, entry.article), entry.passage.heading, entry.passage.text, entry.rule)
        for entry in entries
    )
    # Versions of a law share most of their lines, and the parts of an article are its lines.
    lines = list(dict.fromkeys(line for text in texts for column in text for line in column.splitlines()))
    known: dict[str, list[str]] = {}
    for at in range(0, len(lines), _BATCH):
        batch = lines[at : at + _BATCH]
        known.update(zip(batch, words(batch), strict=True))
        if say:
            say(f"찾기 색인을 만드는 중 (indexing): {min(at + _BATCH, len(lines)):,}/{len(lines):,}줄")

    def read(text: str) -> list[str]:
        return [word for line in text.splitlines() for word in known[line]]

    columns: dict[str, list[list[str]]] = {name: [] for name in FIELDS}
    parent: list[int] = []
    for row, entry in enumerate(entries):
        heading = read(entry.passage.heading)
        columns["heading"].append(read(entry.law) + heading)
        columns["chapter"].append(read(chapter_of(entry.law, entry.article)) if entry.law else [])
        columns["body"].append(heading + read(entry.passage.text))
        columns["rule"].append(read(entry.rule))
        for part in parts[row]:
            columns["part"].append(heading + read(part))
            parent.append(row)
    for name, documents in columns.items():
        if any(documents):
            retriever = BM25(k1=_K1, b=_B[name])
            retriever.index(documents, show_progress=False)
            retriever.save(str(folder / name), show_progress=False)
    np.save(folder / "parent.npy", np.asarray(parent, dtype="int32"))
    if say:
        say(f"찾기 색인을 만들었습니다 (indexed): {len(entries):,}건")
    return {"parts": len(parent), "lines": len(known)}


def _carried_out(entry: Entry) -> str:
    """The article of the act (or decree) that an article of a decree (or rule) names first: '법 제89조제1항제3호에서 …'."""
    for suffix, word, target in ((DECREE, "법", ""), (RULE, "영", DECREE), (RULE, "법", "")):
        if entry.law.endswith(suffix) and (
            named := re.search(rf"(?<![가-힣]){word} (제\d+조(?:의\d+)?)", entry.passage.text)
        ):
            return f"{act_of(entry.law)}{target} {named[1]}"
    return ""


def _parts(entry: Entry) -> list[str]:
    """The paragraphs (항) of a long article; none for a short one or a ruling."""
    passage = entry.passage
    if passage.kind != "article" or len(passage.text) < _LONG:
        return []
    day = passage.effective_from or date.min
    article = parse_article(StatuteArticle(entry.law, entry.article, passage.heading, passage.text, day, day, ""))
    texts = [part.text for part in article.paragraphs if not part.deleted]
    return texts if len(texts) > 1 else []


def _forget_old(target: Path) -> None:
    """Keep the newest builds; what another process left half done long ago goes as well."""
    builds = [folder for folder in target.parent.iterdir() if folder != target and (folder / "meta.json").is_file()]
    for folder in sorted(builds, key=lambda folder: folder.stat().st_mtime, reverse=True)[_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)
