"""What is searched: the digest and the article headings in the package, statutes and rulings in folders, the casebook.

Reads through the readers that taxlaw has; knows no word and no score.  The digest alone is always there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from taxlaw.articles import history, indexed_articles
from taxlaw.citations import find_citations
from taxlaw.digest import Provision, load_digest
from taxlaw.errors import SourceError
from taxlaw.law_names import full_name
from taxlaw.ruling_numbers import ruling_key
from taxlaw.rulings import Ruling, casebook_path, load_casebook
from taxlaw.search.passages import Passage
from taxlaw.statutes import StatuteArticle, read_markdown
from taxlaw.table_files import active_tables
from taxlaw.versions import versions_of

CORPUS = "documents.jsonl"
_BODY = 6000  # characters of a ruling's own text that are searched; its gist and title come first


@dataclass(frozen=True)
class Entry:
    """A passage and what it is found by: ``law`` and ``article`` ('' for a ruling), ``rule`` (the digest's words on it),
    ``cites`` (a ruling's articles).
    """

    passage: Passage
    law: str = ""
    article: str = ""
    rule: str = ""
    cites: tuple[tuple[str, str], ...] = ()


def found_folders(root: Path) -> tuple[Path, ...]:
    """Folders worth searching that lie where this project puts them: corpora/<name>, and ../shared/data beside it."""
    corpora = sorted(file.parent for file in (root / "corpora").glob(f"*/{CORPUS}"))
    beside = root.parent / "shared" / "data"
    return (*corpora, *(folder for folder in (beside / "statutes", beside / "nts_rulings") if folder.is_dir()))


def source_files(folders: Sequence[Path]) -> tuple[Path, ...]:
    """The files that will be read, in order.  Raises SourceError when a folder is missing or holds none of them."""
    files: list[Path] = []
    for folder in folders:
        found = _files_of(folder)
        if not found:
            raise SourceError(
                f"찾을 글이 없는 폴더입니다: {folder}\n  법령(.md, .json), 예규(.jsonl, .json.gz), 또는 data_gen collect가 "
                f"만든 corpora/<이름> 폴더를 주세요 (nothing to search in this folder)."
            )
        files += found
    return tuple(dict.fromkeys(files))


def fingerprint(files: Iterable[Path], salt: str) -> str:
    """A hash of everything that is searched: the files' bytes, the package's own tables, and ``salt``."""
    digest = hashlib.sha256(salt.encode())
    digest.update(resources.files("taxlaw").joinpath("data/digest.yaml").read_bytes())
    tables = active_tables()
    for name in ("article_index.tsv.gz", "versions.tsv.gz"):
        digest.update(tables.read(name).encode())
    for file in (*_casebook_file(), *files):
        digest.update(file.name.encode() + b"\0")
        try:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as exc:
            raise SourceError(f"파일을 읽을 수 없습니다: {file}\n  {exc}") from exc
    return digest.hexdigest()[:32]


def gather(files: Sequence[Path]) -> list[Entry]:
    """Every entry, articles first, in one order for the same files.  Raises SourceError naming the file and why."""
    articles: list[StatuteArticle] = []
    rulings: dict[str, Ruling] = {}
    for file in files:
        for found in _read(file):
            if isinstance(found, StatuteArticle):
                articles.append(found)
            else:
                _keep_longest(rulings, found)
    for ruling in load_casebook() if _casebook_file() else ():
        _keep_longest(rulings, ruling)
    digest = {(provision.law, provision.article): provision for provision in load_digest()}
    entries = list(_article_entries(articles, digest))
    entries += _known_by_heading({(entry.law, entry.article) for entry in entries}, digest)
    return entries + [_ruling_entry(ruling) for ruling in rulings.values() if not ruling.deleted]


def _files_of(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise SourceError(f"폴더가 없습니다 (no such folder): {folder}\n  retrieval.folders 또는 --folder를 고치세요.")
    if (folder / CORPUS).is_file():
        return [folder / CORPUS]
    endings = (".md", ".json", ".jsonl", ".json.gz")
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and file.name.endswith(endings) and not file.name.lower().startswith(("readme", "."))
    )


def _read(file: Path) -> Iterator[StatuteArticle | Ruling]:
    if file.name == CORPUS:
        from taxlaw.search.corpus import read_corpus

        yield from read_corpus(file)
    elif file.suffix == ".md":
        yield from read_markdown(file, file.parent.parent)
    elif file.suffix == ".json" and _is_law(file):
        from taxlaw.statute_json import read_law_json

        yield from read_law_json(file.read_text(encoding="utf-8-sig"), file, file.name)
    else:
        from taxlaw.nts_documents import load_documents

        yield from load_documents(file)


def _is_law(file: Path) -> bool:
    try:
        payload = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as exc:
        raise SourceError(f"JSON을 읽을 수 없습니다: {file}\n  {exc}") from exc
    return isinstance(payload, dict) and "법령" in payload


def _casebook_file() -> tuple[Path, ...]:
    try:
        return (casebook_path(),)
    except SourceError:  # an optional package: without it there are fewer rulings, which describe() counts
        return ()


def _article_entries(articles: list[StatuteArticle], digest: dict[tuple[str, str], Provision]) -> Iterator[Entry]:
    """One entry for each different text of an article, with the days between which it stands."""
    laws: dict[str, dict[date, dict[str, StatuteArticle]]] = {}  # law -> promulgated -> article
    for article in articles:
        law = full_name(article.law) or article.law
        laws.setdefault(law, {}).setdefault(article.promulgated, {})[article.article] = article
    for law, versions in laws.items():
        known = versions_of(law)
        if known and max(versions) >= known[0].promulgated:  # an act of 1961 under the name of a living one goes
            versions = {day: texts for day, texts in versions.items() if day >= known[0].promulgated}
        for number in dict.fromkeys(number for texts in versions.values() for number in texts):
            yield from _runs(law, number, versions, digest.get((law, number)))


def _runs(
    law: str, number: str, versions: dict[date, dict[str, StatuteArticle]], rule: Provision | None
) -> Iterator[Entry]:
    """The stretches of time in which one article keeps the same words, oldest first."""
    runs: list[tuple[StatuteArticle, date | None]] = []  # the first version with these words; the day they end
    whole = max(len(texts) for texts in versions.values()) // 2
    for promulgated in sorted(versions):
        texts = versions[promulgated]
        there = texts.get(number)
        last = runs[-1][0] if runs and runs[-1][1] is None else None
        if there is None and len(texts) < whole:
            continue  # a response of a few articles says nothing of the others
        if there is not None and last is not None and there.text == last.text:
            continue
        if last is not None:
            runs[-1] = (last, there.effective if there else min(other.effective for other in texts.values()))
        if there is not None and not there.deleted:
            runs.append((there, None))
    for position, (article, end) in enumerate(runs):
        newest = position == len(runs) - 1
        passage = Passage(
            id=f"law:{law}:{number}" + ("" if newest else f"@{article.effective}"),
            kind="article",
            title=f"{law} {number}",
            text=article.text,
            heading=article.heading,
            effective_from=article.effective,
            effective_to=end,
            url=_law_url(law, number),
            source=article.source,
        )
        yield Entry(passage, law, number, rule.rule if rule and newest else "")


def _known_by_heading(with_text: set[tuple[str, str]], digest: dict[tuple[str, str], Provision]) -> Iterator[Entry]:
    """Articles no folder holds: by the digest where it has them, else by their headings alone."""
    for (law, number), rule in digest.items():
        if (law, number) not in with_text:
            figures = f"\n{', '.join(rule.figures)}" if rule.figures else ""
            title, text = f"{law} {number}", rule.rule + figures
            url, source = _law_url(law, number), "taxlaw/data/digest.yaml"
            passage = Passage(rule.id, "digest", title, text, rule.heading, rule.effective, None, url, source)
            yield Entry(passage, law, number, rule.rule)
    source = active_tables().describe()
    for law, number in indexed_articles():
        if (law, number) in with_text or (law, number) in digest:
            continue
        past = history(law, number)
        for at, there in enumerate(past):
            if there.state != "found" or (at and past[at - 1].state == "found"):
                continue
            later = next((other for other in past[at:] if other.state != "found"), None)
            last = [other for other in past[at:] if other.state == "found" and (not later or other.day < later.day)][-1]
            passage = Passage(
                id=f"law:{law}:{number}" + (f"@{later.day}" if later else ""),
                kind="heading",
                title=f"{law} {number}",
                text="",
                heading=last.heading or "",
                effective_from=there.day if at else None,
                effective_to=later.day if later else None,
                url=_law_url(law, number),
                source=source,
            )
            yield Entry(passage, law, number)


def _ruling_entry(ruling: Ruling) -> Entry:
    cites = {(full_name(c.law) or c.law, c.article) for c in find_citations(ruling.laws or ruling.gist) if c.law}
    text = "\n".join(part for part in (ruling.gist, ruling.reply, ruling.body[:_BODY]) if part)
    passage = Passage(
        id=ruling.id,
        kind="ruling",
        title=ruling.number,
        text=text,
        heading=ruling.issue,
        effective_from=ruling.replied,
        effective_to=None,
        url="",
        source=ruling.source,
    )
    return Entry(passage, cites=tuple(sorted(cites)))


def _keep_longest(rulings: dict[str, Ruling], found: Ruling) -> None:
    """The same ruling comes from several files (a list of results, the document itself): the fullest is taken."""
    key = ruling_key(found.number) or found.id
    if key not in rulings or _length(found) > _length(rulings[key]):
        rulings[key] = found


def _length(ruling: Ruling) -> int:
    return len(ruling.gist) + len(ruling.reply) + len(ruling.body) + len(ruling.laws)


def _law_url(law: str, number: str) -> str:
    """The page of the article at 국가법령정보센터."""
    return f"https://www.law.go.kr/법령/{quote(law.replace(' ', ''))}/{quote(number)}"
