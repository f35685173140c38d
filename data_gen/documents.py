"""Raw law in: the casebook and the provisions become Documents, each with the date its law is stated for.

Knows where text comes from and says so; knows nothing of teachers or gates.  Nothing is read from the network.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from data_gen.errors import DataGenError
from data_gen.rows import short_hash
from data_gen.settings import DocumentSettings

if TYPE_CHECKING:
    from taxlaw.digest import Provision

REPO_ROOT = Path(__file__).resolve().parents[1]
# Beside the repository, never inside it: a folder of statute text somebody fetched.
AUTO_STATUTES = Path("..") / "shared" / "data" / "statutes"

# The casebook's own short names of its fields, as the digest names its areas.
_AREA_OF_FIELD = {
    "국기": "국세기본",
    "법인": "법인세",
    "상증": "상속증여세",
    "부가": "부가가치세",
    "소득": "소득세",
    "양도": "양도소득세",
    "종부": "종합부동산세",
    "국조": "국제조세",
}


@dataclass(frozen=True)
class Part:
    """A named stretch of a document's text: 제1항, 제1항제2호, 사실관계.  Parts may lie inside one another."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """One thing a teacher is shown.

    ``kind``: openapi (statute or digest), judgment (ruling), practical (calculator), web (blog, paper, news), question (a
    question without an answer), topic (something outside tax law).
    """

    id: str
    kind: str
    title: str
    text: str
    as_of: datetime.date
    area: str
    version: str
    """Hash of the text: a changed document is another version."""
    family: str
    articles: tuple[str, ...] = ()
    fault: str = ""
    """Why this document must not be asked about (not yet in force), else empty."""
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    """What the reader must know beside the text: amendments promulgated and not yet in force, the version before."""
    meta: tuple[tuple[str, str], ...] = ()
    """Facts of the source by name: number, replied, gist, url, author, publish_date, source_type, language, tags …"""


@dataclass(frozen=True)
class Library:
    """Every document of a build, one pass at a time: corpora are read from disk, never held."""

    documents: tuple[Document, ...]
    origin: str
    """One Korean sentence: which text was used for the provisions."""
    corpora: tuple[Path, ...] = ()

    def __len__(self) -> int:
        """How many documents there are; corpora are counted by their lines."""
        count = len(self.documents)
        for folder in self.corpora:
            with (folder / "documents.jsonl").open("rb") as lines:
                count += sum(1 for _ in lines)
        return count

    def __iter__(self) -> Iterator[Document]:
        """Every document.  Raises DataGenError at the second of two with one id, BadInput for a broken corpus."""
        from data_gen.collect.corpus import read_corpus

        seen: set[str] = set()
        for document in chain(self.documents, *(read_corpus(folder) for folder in self.corpora)):
            if document.id in seen:
                raise DataGenError(f"같은 id의 문서가 둘 있습니다: {document.id}\n  id는 문서마다 달라야 합니다.")
            seen.add(document.id)
            yield document


def load_library(settings: DocumentSettings, as_of: datetime.date) -> Library:
    """Every document the config asks for.  Raises DataGenError or the SourceError of the reader concerned."""
    folder = statutes_folder(settings)
    documents: list[Document] = []
    if settings.casebook or settings.casebook_file:
        documents += _casebook(settings.casebook_file)
    if settings.provisions == "none":
        origin = "법령 조문은 쓰지 않았습니다 (provisions: none)."
    elif folder is None:
        if settings.provisions == "all":
            raise DataGenError(
                "provisions: all은 법령 폴더가 있어야 합니다 (statutes folder needed).\n"
                "  documents.statutes에 폴더를 적거나 provisions: digest로 바꾸세요."
            )
        origin = "법령 조문: 이 프로젝트가 쓴 요약(digest). 실제 법령 원문이 아닙니다."
        documents += _digest(as_of)
    else:
        provisions, replaced = _statutes(folder, settings.provisions, as_of)
        documents += provisions
        shown = settings.statutes if settings.statutes != "auto" else AUTO_STATUTES.as_posix()
        origin = f"법령 조문: 법령 폴더의 원문 {len(provisions) - replaced}개 ({shown})"
        origin += (
            f", 폴더에 없거나 기준일에 시행 전이라 요약(digest)으로 대신한 조문 {replaced}개." if replaced else "."
        )
    if settings.topics:
        from data_gen.topics import load_topics

        documents += load_topics(as_of)
    if settings.corpora:
        origin += f" 모은 말뭉치: {', '.join(path.as_posix() for path in settings.corpora)}."
        for path in settings.corpora:
            if not (path / "documents.jsonl").is_file():
                raise DataGenError(
                    f"말뭉치 폴더가 아닙니다 (documents.jsonl 없음): {path}\n"
                    "  `python -m data_gen collect --config …` 로 먼저 모으거나 documents.corpora의 경로를 고치세요."
                )
    return Library(tuple(documents), origin, settings.corpora)


def statutes_folder(settings: DocumentSettings) -> Path | None:
    if settings.statutes == "none":
        return None
    if settings.statutes == "auto":
        folder = REPO_ROOT / AUTO_STATUTES
        return folder if folder.is_dir() else None
    folder = Path(settings.statutes)
    if not folder.is_dir():
        raise DataGenError(
            f"법령 폴더가 없습니다: {folder}\n  documents.statutes의 경로를 고치거나 auto 또는 none을 쓰세요."
        )
    return folder


def _casebook(path: Path | None) -> list[Document]:
    from data_gen.private_data import mask
    from taxlaw.rulings import load_casebook

    documents = []
    for ruling in load_casebook(path):
        text = f"쟁점: {ruling.issue}\n문서번호: {ruling.number}\n회신일: {ruling.replied.isoformat()}\n회신 요지: {ruling.gist}"
        text += f"\n관련 법령: {ruling.laws}" if ruling.laws else ""
        text, _ = mask(text)  # the book prints telephone numbers of its editors
        documents.append(
            Document(
                id=ruling.id,
                kind="judgment",
                title=ruling.issue,
                text=text,
                # A ruling speaks of the law on the day of its reply, not of today's.
                as_of=ruling.replied,
                area=_AREA_OF_FIELD.get(ruling.field, ruling.field),
                version=short_hash(text),
                family=f"ruling:{ruling.number}",
            )
        )
    return documents


def _digest(as_of: datetime.date) -> list[Document]:
    from taxlaw.digest import load_digest

    return [_from_digest(provision, as_of) for provision in load_digest()]


def _from_digest(provision: Provision, as_of: datetime.date) -> Document:
    from data_gen.collect.pending_notes import notes_for

    name = f"{provision.law} {provision.article}"
    text = f"{name}({provision.heading})\n시행일: {provision.effective.isoformat()}\n{provision.rule}"
    if provision.figures:
        text += "\n수치: " + "; ".join(provision.figures)
    early = provision.effective > as_of
    return Document(
        id=provision.id,
        kind="openapi",
        title=f"{name}({provision.heading})",
        text=text,
        as_of=as_of,
        area=provision.area,
        version=short_hash(text),
        family=f"law:{name}",
        articles=(name,),
        fault=f"기준일 {as_of}에 아직 시행되지 않은 조문 (시행 {provision.effective})" if early else "",
        notes=notes_for(provision.law, provision.article, as_of),
    )


def _statutes(folder: Path, scope: str, as_of: datetime.date) -> tuple[list[Document], int]:
    """Documents from the folder's text, and for how many of them the digest stood in.

    A folder holds one version of each act.  Where its text of an article is not the law on ``as_of`` (or it lacks the
    article), the digest's own words are shown instead: text of the wrong date is worse than a summary of the right one.
    """
    from data_gen.collect.statute_documents import statute_document
    from taxlaw.digest import load_digest
    from taxlaw.statutes import load_statutes
    from taxlaw.structure import parse_article

    statutes = load_statutes(folder)
    documents, replaced, seen = [], 0, set()
    for provision in load_digest():
        key = (provision.law, provision.article)
        seen.add(key)
        article = statutes.get(key)
        document = None if article is None or article.deleted else statute_document(parse_article(article), as_of)
        if document is None or document.fault:
            replaced += 1
            documents.append(_from_digest(provision, as_of))
        else:
            documents.append(replace(document, area=provision.area))
    if scope == "all":
        rest = (article for key, article in statutes.items() if key not in seen and not article.deleted)
        documents += [statute_document(parse_article(article), as_of) for article in rest]
    return documents, replaced
