"""Folders of statutes become Documents: law.go.kr JSON, and Markdown with YAML front matter.

Of several versions of one law the one in force on the date is read: the latest 공포일 with 공포일 and 시행일 on or before
it.  Files are looked at twice, first for their dates alone, so that a folder of thousands is never held in memory.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_gen.collect.settings import LawJsonSource, LawMarkdownSource
from data_gen.collect.statute_documents import plain_article, statute_document
from data_gen.collect.tallies import READ, drop, note
from data_gen.documents import Document
from data_gen.errors import BadInput
from taxlaw.addenda import PendingAmendment, read_api_dates
from taxlaw.law_api import failure, records
from taxlaw.law_names import compact, full_name
from taxlaw.statutes import StatuteArticle
from taxlaw.structure import read_statute

OTHER_VERSION = "기준일의 판이 아니어서 읽지 않은 파일"
COMPARED = "바로 앞의 판이어서 달라진 곳만 견준 파일"
NO_LAW = "법령이 아닌 파일"
NO_ARTICLE = "조문이 없는 파일"


class _Facts(BaseModel):
    # Sources carry many more keys and gain new ones; these are what the choice of a version rests on.
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    law: str = Field(min_length=1)
    promulgated: datetime.date
    number: str = ""
    effective: datetime.date
    law_id: str = ""


@dataclass(frozen=True)
class LawFile:
    """One file and which version of which law it says it holds; ``law`` without spaces and dots, for comparing."""

    file: Path
    law: str
    promulgated: datetime.date
    number: str
    effective: datetime.date
    law_id: str

    @property
    def version(self) -> tuple[datetime.date, int, datetime.date]:
        digits = "".join(filter(str.isdigit, self.number))
        return self.promulgated, int(digits or 0), self.effective


def read_law_json_folder(source: LawJsonSource, as_of: datetime.date, tally: Counter) -> Iterator[Document]:
    """Every article of a folder (or one file) of lawService.do responses.  Raises BadInput, SourceError naming the file."""
    root, files = _files(source.path, ".json")
    known = [facts for file in files if (facts := _json_facts(file, tally))]
    yield from _documents(known, root, as_of, tally)


def read_law_markdown_folder(source: LawMarkdownSource, as_of: datetime.date, tally: Counter) -> Iterator[Document]:
    """Every article of kr/<법령명>/{법률,시행령,시행규칙}.md.  Raises BadInput, SourceError naming the file."""
    root, files = _files(source.path, ".md")
    yield from _documents([_markdown_facts(file) for file in files], root, as_of, tally)


def choose_version(versions: Iterable[LawFile], as_of: datetime.date) -> list[LawFile]:
    """The files of the one version that is the law on the date; where none is yet, of the one that will be first."""
    versions = list(versions)
    standing = [one for one in versions if one.promulgated <= as_of and one.effective <= as_of]
    if standing:
        best = max(one.version for one in standing)
    else:
        best = min(versions, key=lambda one: (one.effective, one.version)).version
    return [one for one in versions if one.version == best]


def version_before(versions: Iterable[LawFile], chosen: LawFile, as_of: datetime.date) -> list[LawFile]:
    """The files of the version that stood before the chosen one; another law of the same name (법령ID) is none."""
    older = [one for one in versions if one.law_id == chosen.law_id and one.version < chosen.version]
    return choose_version(older, as_of) if older else []


def statute_file_documents(
    file: Path, root: Path, as_of: datetime.date, tally: Counter, before: Mapping[str, StatuteArticle] | None = None
) -> Iterator[Document]:
    """The articles of one file; empty and deleted ones are counted and left out.

    ``before``: the articles of the version before by number, where there is one.
    """
    statute = read_statute(file, root) if _has_articles(file) else None
    if statute is None:
        note(tally, f"{NO_ARTICLE}: {file.relative_to(root).as_posix()}")
        return
    later = _later(file, statute.origin.law, statute.origin.number, statute.origin.promulgated)
    for article in statute.articles:
        tally[READ] += 1
        if statute.deleted:
            drop(tally, "폐지된 법령의 조문")
        elif not article.text.strip():
            drop(tally, "빈 조문")
        elif article.deleted:
            drop(tally, "삭제된 조문")
        else:
            own = tuple(fact for fact in later if fact.article == article.number)
            yield statute_document(article, as_of, own, (before or {}).get(article.number))


def _documents(known: list[LawFile], root: Path, as_of: datetime.date, tally: Counter) -> Iterator[Document]:
    laws: dict[str, list[LawFile]] = {}
    for one in known:
        laws.setdefault(one.law, []).append(one)
    for versions in laws.values():
        chosen = choose_version(versions, as_of)
        older = version_before(versions, chosen[0], as_of)
        note(tally, COMPARED, len(older))
        note(tally, OTHER_VERSION, len(versions) - len(chosen) - len(older))
        statutes = filter(None, (read_statute(one.file, root) for one in older if _has_articles(one.file)))
        before = {article.number: plain_article(article) for statute in statutes for article in statute.articles}
        for one in chosen:
            yield from statute_file_documents(one.file, root, as_of, tally, before)


def _files(path: Path, suffix: str) -> tuple[Path, list[Path]]:
    """(the root that sources are named from, the files in a stable order)."""
    if path.is_file():
        return path.parent, [path]
    if not path.is_dir():
        raise BadInput(f"법령 폴더가 없습니다 (no such folder): {path}\n  설정의 path를 고치거나 그 자료원을 지우세요.")
    files = [
        file
        for file in sorted(path.rglob(f"*{suffix}"))
        if file.is_file() and not file.name.startswith(".") and not file.name.lower().startswith("readme")
    ]
    if not files:
        raise BadInput(f"폴더에 {suffix} 파일이 없습니다: {path}\n  path가 법령 폴더를 가리키는지 확인하세요.")
    return path, files


def _markdown_facts(file: Path) -> LawFile:
    text = _read(file)
    front, closed, _ = text.removeprefix("---").replace("\r\n", "\n").partition("\n---\n")
    if not text.startswith("---") or not closed:
        raise BadInput(f"머리말(front matter)이 없습니다: {file}\n  legalize-kr의 법령 파일이 맞는지 확인하세요.")
    try:
        # Strings only: a number such as 00139 is a name, and a wrong date must be named, not raised by the loader.
        raw = yaml.load(front, Loader=yaml.BaseLoader)
    except yaml.YAMLError as exc:
        raise BadInput(f"머리말이 YAML이 아닙니다: {file}\n  {exc}") from exc
    if not isinstance(raw, dict):
        raise BadInput(f"머리말이 '키: 값' 목록이 아닙니다: {file}")
    return _law_file(file, raw, ("제목", "공포일자", "공포번호", "시행일자"))


def _json_facts(file: Path, tally: Counter) -> LawFile | None:
    """None for other JSON that lies in the folder (counted); a broken file is an error, not a law less."""
    text = _read(file)
    try:
        payload = json.loads(text)
    except json.JSONDecodeError as exc:
        raise BadInput(
            f"JSON 형식이 잘못되었습니다: {file} {exc.lineno}행\n  {exc.msg}. 파일을 다시 받으세요."
        ) from exc
    law = payload.get("법령") if isinstance(payload, dict) else None
    if not isinstance(law, dict) or not isinstance(law.get("기본정보"), dict):
        said = failure(text)
        note(tally, f"{NO_LAW} (law.go.kr: {said[:40]})" if said and isinstance(payload, dict) else NO_LAW)
        return None
    return _law_file(file, law["기본정보"], ("법령명_한글", "공포일자", "공포번호", "시행일자"))


def _law_file(file: Path, raw: dict, keys: tuple[str, str, str, str]) -> LawFile:
    law, promulgated, number, effective = keys
    values = {
        "law": raw.get(law) or "",
        "promulgated": _day(raw.get(promulgated)),
        "number": raw.get(number) or "",
        "effective": _day(raw.get(effective)),
        "law_id": raw.get("법령ID") or "",
    }
    try:
        facts = _Facts.model_validate(values)
    except ValidationError as exc:
        named = dict(zip(("law", "promulgated", "number", "effective"), keys, strict=True))
        wrong = ", ".join(
            f"{named[str(e['loc'][0])]} (받은 값: {raw.get(named[str(e['loc'][0])])!r})" for e in exc.errors()
        )
        raise BadInput(f"법령 파일의 {wrong}을(를) 읽을 수 없습니다: {file}") from exc
    return LawFile(file, compact(facts.law), facts.promulgated, facts.number, facts.effective, facts.law_id)


def _day(value: object) -> object:
    """20260102 of a response as 2026-01-02; anything else is left to the model."""
    text = str(value)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else value


def _has_articles(file: Path) -> bool:
    """False for a response of headings only, as of an act that repeals another; Markdown is left to its reader."""
    if file.suffix != ".json":
        return True
    articles = json.loads(_read(file))["법령"].get("조문")
    units = records(articles.get("조문단위")) if isinstance(articles, dict) else []
    return any(unit.get("조문여부") != "전문" for unit in units)


def _later(file: Path, law: str, number: str, promulgated: datetime.date) -> tuple[PendingAmendment, ...]:
    if file.suffix != ".json":
        return ()
    facts = json.loads(_read(file))["법령"]["기본정보"]
    return read_api_dates(str(facts.get("조문시행일자문자열") or ""), full_name(law) or law, number, promulgated)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise BadInput(f"UTF-8로 읽을 수 없는 파일입니다: {file}\n  {exc.reason}. UTF-8로 저장하세요.") from exc
