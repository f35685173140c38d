"""``python -m taxlaw update``: brings the tables of facts up to date from law.go.kr.

Every answer is kept under raw/ in the folder, so that a run cut short goes on where it stopped; the tables are written
only when every law has come.  Facts only go into the tables; the raw answers hold the text and stay with the user.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from taxlaw.addenda import API_CLAUSE, read_api_dates
from taxlaw.addendum_clauses import Target
from taxlaw.addendum_text import Clause, read_addenda
from taxlaw.effective_facts import Row, build_rows
from taxlaw.errors import ConfigError, DownloadError, SourceError
from taxlaw.law_api import LawApi, failure, records
from taxlaw.law_names import act_of, compact, full_name, nearest_law
from taxlaw.statute_json import read_law_json
from taxlaw.statutes import StatuteArticle
from taxlaw.table_files import FOLDER_VARIABLE, TABLES, TableSet, packaged_tables, tables_in, write_tables, write_whole
from taxlaw.update_tables import (
    LawSnapshot,
    add_facts,
    add_paragraphs,
    add_snapshot,
    add_versions,
    index_number,
    last_headings,
    take_snapshot,
)
from taxlaw.versions import Version

_PAGE = 100  # the most that law.go.kr lists at once
_ADDENDUM_HEAD = re.compile(r"^부\s*칙\s*(?:\(.*\))?\s*<제\d+호,\s*\d{4}\..*>\s*$")


class _Listed(BaseModel):
    # The list of law.go.kr has more keys and gains new ones; these are what we rest on.
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    name: str = Field(alias="법령명한글", min_length=1)
    serial: str = Field(alias="법령일련번호", pattern=r"^\d+$")
    promulgated: str = Field(alias="공포일자", pattern=r"^\d{8}$")
    number: str = Field(alias="공포번호", pattern=r"^\d+$")
    effective: str = Field(alias="시행일자", pattern=r"^\d{8}$")
    revision: str = Field(alias="제개정구분명", default="")


@dataclass(frozen=True)
class Updated:
    """What an update did; ``changes``: law -> one Korean line."""

    folder: Path
    as_of: date
    requests: int
    changes: Mapping[str, str]


@dataclass(frozen=True)
class _Fetched:
    law: str
    listed: tuple[Version, ...]
    version: Version
    snapshot: LawSnapshot
    articles: tuple[StatuteArticle, ...]  # of the version promulgated last
    clauses: tuple[Clause, ...]
    api_rows: tuple[Row, ...]


def update(
    folder: Path,
    api: LawApi,
    as_of: date,
    laws: Iterable[str] = (),
    today: date | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Updated:
    """Refresh the tables in ``folder`` for the laws (all indexed ones when none is named) as they stand on a date.

    Raises ConfigError for a law that is not indexed or a date the tables already cover, DownloadError when law.go.kr
    fails; nothing is written then but the raw answers, and the next run goes on from them.
    """
    base = _base(folder, tell)
    if as_of > (today or date.today()):
        raise ConfigError(f"기준일 {as_of}은 오늘보다 뒤입니다. 앞으로의 개정은 아직 알 수 없습니다.")
    if as_of < base.as_of or (base.folder is None and as_of == base.as_of):
        raise ConfigError(
            f"표가 이미 {base.as_of} 기준입니다({base.describe()}). 그보다 뒤의 --as-of 를 주세요 (받은 값: {as_of})."
        )
    texts = {name: base.read(name) for name in TABLES}
    before = last_headings(texts["article_index.tsv.gz"])
    chosen = _choose(laws, tuple(before))
    lists: dict[str, list[Version]] = {}
    for act in dict.fromkeys(act_of(law) for law in chosen):
        tell(f"판본 목록: {act}")
        for version in _list_versions(folder, api, act, as_of):
            lists.setdefault(compact(version.law), []).append(version)
    fetched = []
    for place, law in enumerate(chosen, start=1):
        tell(f"[{place}/{len(chosen)}] {law}")
        fetched.append(_fetch(folder, api, law, lists.get(compact(law), []), as_of, before[law]))
    merged = _merge(texts, before, fetched, base.as_of, as_of)
    fresh = dict(base.laws) | {one.law: as_of for one in fetched}
    write_tables(folder, merged, as_of, fresh, "law.go.kr OpenAPI")
    changes = {one.law: _change(one, before[one.law], as_of) for one in fetched}
    return Updated(folder, as_of, api.requests, changes)


def _base(folder: Path, tell: Callable[[str], None]) -> TableSet:
    """The set to go on from: the folder's own, unless the package has become newer."""
    packaged = packaged_tables()
    try:
        own = tables_in(folder)
    except SourceError as exc:
        tell(f"폴더의 표를 버리고 내장 표에서 다시 만듭니다: {exc}")
        return packaged
    return own if own and own.as_of > packaged.as_of else packaged


def _choose(laws: Iterable[str], indexed: tuple[str, ...]) -> tuple[str, ...]:
    chosen = []
    for law in laws:
        name = full_name(law) or law
        if name not in indexed:
            near = nearest_law(law)
            hint = f" 혹시 '{near}'입니까?" if near else ""
            raise ConfigError(f"색인에 없는 법입니다: {law!r}.{hint} (law not indexed)")
        chosen.append(name)
    return tuple(dict.fromkeys(chosen)) or indexed


def _list_versions(folder: Path, api: LawApi, act: str, as_of: date) -> list[Version]:
    """Every version that law.go.kr lists for an act, its decree and its rules, one per day of effect."""
    found: list[Version] = []
    seen, page = 0, 1
    while True:
        parameters = {"target": "eflaw", "query": act, "display": str(_PAGE), "page": str(page)}
        name = f"{as_of.isoformat()}/list_{compact(act)}_{page}.json"
        text = _kept(folder, name, lambda: api.get("lawSearch.do", parameters))  # noqa: B023  called at once
        listing = json.loads(text).get("LawSearch")
        if not isinstance(listing, dict):
            raise DownloadError(f"법령 목록이 아닙니다 (no LawSearch): {folder / 'raw' / name}")
        rows = records(listing.get("law"))
        found += [_version(row, name) for row in rows]
        seen += len(rows)
        if not rows or seen >= int(listing.get("totalCnt") or 0):
            return found
        page += 1


def _version(row: dict, where: str) -> Version:
    try:
        one = _Listed.model_validate(row)
        days = [date.fromisoformat(text) for text in (one.promulgated, one.effective)]
    except (ValidationError, ValueError) as exc:
        raise DownloadError(f"법령 목록의 모양이 다릅니다: {where}\n  {exc}") from exc
    return Version(" ".join(one.name.split()), days[0], str(int(one.number)), days[1], one.serial, one.revision)


def _fetch(folder: Path, api: LawApi, law: str, listed: list[Version], as_of: date, before: dict) -> _Fetched:
    known = [version for version in listed if version.promulgated <= as_of]
    standing = [version for version in known if version.effective <= as_of]
    if not standing:
        raise DownloadError(f"{law}: law.go.kr의 목록에 {as_of}의 판이 없습니다 (목록 {len(listed)}개).")
    # The latest 공포일 first, not the latest 시행일; then the last stage of that version in force.
    order = [(version.promulgated, int(version.number), version.effective) for version in standing]
    version = standing[order.index(max(order))]
    last = max(known, key=lambda one: (one.promulgated, int(one.number), one.effective))
    articles, clauses, rows = _read_body(folder, api, law, version)
    snapshot = take_snapshot(articles, version.effective)
    standing_before = sum(heading != "!" for heading in before.values())
    if sum(heading != "!" for heading in snapshot.headings.values()) * 2 < standing_before:
        raise DownloadError(
            f"{law}: 받은 조문이 {len(snapshot.headings)}개뿐입니다(전에는 {standing_before}개). 잘린 응답으로 보여 쓰지 않습니다."
        )
    if last.serial != version.serial:
        articles, clauses, more = _read_body(folder, api, law, last)
        rows = (*rows, *more)
    # One version in several stages is listed once per stage; its own day is the first.
    first: dict[tuple[date, str], Version] = {}
    for one in sorted(known, key=lambda one: one.effective):
        first.setdefault((one.promulgated, one.number), Version(law, *_fields(one)))
    return _Fetched(law, tuple(first.values()), version, snapshot, articles, clauses, rows)


def _fields(version: Version) -> tuple[date, str, date, str, str]:
    return version.promulgated, version.number, version.effective, version.serial, version.revision


def _read_body(
    folder: Path, api: LawApi, law: str, version: Version
) -> tuple[tuple[StatuteArticle, ...], tuple[Clause, ...], tuple[Row, ...]]:
    stage = version.effective.strftime("%Y%m%d")
    name = f"law_{version.serial}_{stage}.json"
    # efYd must go with MST: without it the service sends today's version and says nothing.
    parameters = {"target": "eflaw", "MST": version.serial, "efYd": stage}
    text = _kept(folder, name, lambda: api.get("lawService.do", parameters))
    file = folder / "raw" / name
    articles = tuple(read_law_json(text, file, name))
    body = json.loads(text)["법령"]
    facts = body["기본정보"]
    asked = (compact(law), version.number, stage)
    came = (compact(str(facts.get("법령명_한글"))), str(facts.get("공포번호")).lstrip("0"), str(facts.get("시행일자")))
    if came != asked:
        file.unlink()
        raise DownloadError(
            f"law.go.kr이 다른 판을 보냈습니다: {law} 제{version.number}호 {stage} 대신 {' '.join(came)} (MST {version.serial})"
        )
    dates = read_api_dates(str(facts.get("조문시행일자문자열") or ""), law, "", version.promulgated)
    rows = tuple(
        Row(
            law,
            Target(fact.article, fact.paragraph, fact.subparagraph, fact.item),
            "시행일",
            "",
            version.promulgated,
            fact.effective,
            fact.latest,
            API_CLAUSE,
        )
        for fact in dates
    )
    return articles, tuple(read_addenda(law, _addenda_markdown(body.get("부칙")))), rows


def _addenda_markdown(addenda: object) -> str:
    """The addenda of a response in the layout that addendum_text.py cuts."""
    units = records(addenda.get("부칙단위")) if isinstance(addenda, dict) else []
    parts = ["## 부칙"]
    for unit in units:
        lines = [line.strip() for line in _lines(unit.get("부칙내용")) if line.strip()]
        if not lines or not _ADDENDUM_HEAD.match(lines[0]):
            day, number = str(unit.get("부칙공포일자") or ""), str(unit.get("부칙공포번호") or "")
            if not (re.fullmatch(r"\d{8}", day) and number.isdigit()):
                continue  # an addendum without a number: of the 1950s, nothing waits in it
            lines.insert(0, f"부칙 <제{int(number)}호,{day[:4]}.{int(day[4:6])}.{int(day[6:])}>")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _lines(content: object) -> list[str]:
    if isinstance(content, list):
        return [line for part in content for line in _lines(part)]
    return str(content or "").split("\n")


def _merge(
    texts: Mapping[str, str], before: Mapping[str, dict], fetched: list[_Fetched], base_day: date, as_of: date
) -> dict[str, str]:
    snapshots = {one.law: one.snapshot for one in fetched}
    known = _promulgations(texts["versions.tsv.gz"])
    versions = add_versions(texts["versions.tsv.gz"], [v for one in fetched for v in one.listed], base_day)
    listed = [
        {"제목": law, "공포번호": number, "시행일자": effective}
        for law, rows in _promulgations(versions).items()
        for (_, number), effective in rows.items()
    ]
    rows = build_rows([c for one in fetched for c in one.clauses], [a for one in fetched for a in one.articles], listed)
    fresh = []
    for row in rows:
        mine = known.get(row.law, {})
        since = max((day for day, _ in mine), default="")
        if row.promulgated.isoformat() >= since and (row.promulgated.isoformat(), row.number.split("·")[0]) not in mine:
            fresh.append(row)
    fresh += [row for one in fetched for row in one.api_rows if row.last and row.last > as_of]
    there = {(one.law, number) for one in fetched for number in (*one.snapshot.headings, *_numbers(one.articles))} - {
        (law, number) for law, headings in before.items() for number, heading in headings.items() if heading != "!"
    }
    new = {
        (row.law, row.target.article, row.promulgated.isoformat())
        for row in fresh
        if (row.law, index_number(row.target.article)) in there
    }
    return {
        "article_index.tsv.gz": add_snapshot(texts["article_index.tsv.gz"], as_of, snapshots),
        "versions.tsv.gz": versions,
        "effective_dates.tsv.gz": add_facts(texts["effective_dates.tsv.gz"], fresh, new),
        "paragraph_index.tsv.gz": add_paragraphs(texts["paragraph_index.tsv.gz"], snapshots),
    }


def _numbers(articles: Iterable[StatuteArticle]) -> list[str]:
    return [index_number(article.article) for article in articles if not article.deleted]


def _promulgations(table: str) -> dict[str, dict[tuple[str, str], str]]:
    """law -> (promulgated, number) -> effective."""
    laws: dict[str, dict[tuple[str, str], str]] = {}
    law = ""
    for line in table.splitlines():
        if line.startswith("#"):
            law = line[1:]
            continue
        promulgated, number, effective, *_ = line.split("\t")
        laws.setdefault(law, {})[promulgated, number] = effective
    return laws


def _change(one: _Fetched, before: Mapping[str, str], as_of: date) -> str:
    now = one.snapshot.headings
    gone = [number for number, heading in before.items() if heading != "!" and now.get(number, "!") == "!"]
    come = [number for number, heading in now.items() if heading != "!" and before.get(number, "!") == "!"]
    waiting = sum(version.effective > as_of for version in one.listed)
    return (
        f"제{one.version.number}호({one.version.promulgated} 공포, {one.version.effective} 시행), "
        f"조문 {len(now)}개: 생긴 것 {len(come)}, 없어진 것 {len(gone)}, 시행을 기다리는 판 {waiting}"
    )


def _kept(folder: Path, name: str, ask: Callable[[], str]) -> str:
    """The raw answer on disk, asked for only when it is not there yet.  What is kept is an answer, not a failure."""
    file = folder / "raw" / name
    if file.is_file():
        text = file.read_text(encoding="utf-8")
        if failure(text) is None:
            return text
    text = ask()
    write_whole(file, text.encode("utf-8"))
    return text


def run_update(folder: Path, api: LawApi, as_of: date, laws: Iterable[str], out: object, err: object) -> int:
    """The command: progress on ``err``, one line per law on ``out``."""
    try:
        done = update(folder, api, as_of, laws, tell=lambda line: print(line, file=err, flush=True))
    except KeyboardInterrupt:
        print("멈췄습니다. 다시 실행하면 받은 것은 두고 이어 받습니다 (run again to go on).", file=err)
        return 130
    for law, line in done.changes.items():
        print(f"{law}: {line}", file=out)
    print(f"표를 썼습니다: {done.folder} ({done.as_of} 기준, 요청 {done.requests}번)", file=out)
    print(f"다른 폴더에 썼다면 {FOLDER_VARIABLE} 를 그 폴더로 두어야 쓰입니다.", file=out)
    return 0
