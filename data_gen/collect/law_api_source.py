"""law.go.kr's OpenAPI becomes Documents: statutes as in force on a date, precedents, interpretations, tribunal decisions.

Every answer is kept under raw/ in the corpus folder (raw_answers.py); the Documents are made from there.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data_gen.collect.api_rulings import read_api_ruling
from data_gen.collect.law_folders import choose_version, statute_file_documents
from data_gen.collect.raw_answers import Connect, kept, listed, nothing_found
from data_gen.collect.rulings import ruling_document
from data_gen.collect.settings import LAWS, LawApiSource
from data_gen.collect.tallies import READ, drop, note
from data_gen.documents import Document
from data_gen.errors import DataGenError
from taxlaw.errors import DownloadError, RefusedError
from taxlaw.law_names import act_of, compact, full_name, nearest_law

# target -> (root of the list, entry, the row's own number).  'id' of a row is only its place in the list.
_LISTS = {
    "prec": ("PrecSearch", "prec", "판례일련번호"),
    "expc": ("Expc", "expc", "법령해석례일련번호"),
    "ttSpecialDecc": ("Decc", "decc", "특별행정심판재결례일련번호"),
}
_NO_BODY = "JSON 본문이 없는 문서 (HTML로만 공개)"
# So many refusals in a row are the service's trouble, not the documents'.
_MOST_REFUSALS = 10


class _ListedLaw(BaseModel):
    # The list has more keys and gains new ones; these are what the choice of a version rests on.
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    name: str = Field(alias="법령명한글", min_length=1)
    serial: str = Field(alias="법령일련번호", pattern=r"^\d+$")
    promulgated: str = Field(alias="공포일자", pattern=r"^\d{8}$")
    number: str = Field(alias="공포번호", pattern=r"^\d+$")
    effective: str = Field(alias="시행일자", pattern=r"^\d{8}$")


@dataclass(frozen=True)
class ListedVersion:
    """One version of a law as the list names it; ``serial`` is its 법령MST."""

    law: str
    serial: str
    promulgated: datetime.date
    number: str
    effective: datetime.date

    @property
    def version(self) -> tuple[datetime.date, int, datetime.date]:
        return self.promulgated, int(self.number), self.effective


def read_law_api(
    source: LawApiSource,
    as_of: datetime.date,
    tally: Counter,
    folder: Path,
    connect: Connect,
    tell: Callable[[str], None] = lambda line: None,
) -> Iterator[Document]:
    """The documents of one source; ``folder`` is the corpus folder, ``tell`` gets a line of progress.

    Raises DataGenError for a law that law.go.kr does not list, DownloadError when it fails: a rerun goes on from raw/.
    """
    if source.target == LAWS:
        for name in source.names:
            yield from _law(name, as_of, tally, folder, connect, tell)
        return
    seen: set[str] = set()
    for query in source.queries:
        yield from _rulings(source, query, as_of, tally, folder, connect, tell, seen)


def _law(
    asked: str, as_of: datetime.date, tally: Counter, folder: Path, connect: Connect, tell: Callable[[str], None]
) -> Iterator[Document]:
    law, raw = full_name(asked) or " ".join(asked.split()), folder / "raw" / LAWS
    tell(f"판본 목록: {law}")
    rows = listed(raw, connect, "eflaw", act_of(law), "LawSearch", "law", as_of.isoformat(), None)
    versions = [_listed_law(row, law) for row, _ in rows]
    mine = [one for one in versions if compact(one.law) == compact(law)]
    if not mine:
        near = nearest_law(asked)
        hint = f" 혹시 '{near}'입니까?" if near else ""
        raise DataGenError(f"law.go.kr의 목록에 없는 법령입니다: {asked!r}.{hint}\n  names를 고치세요 (no such law).")
    version = choose_version(mine, as_of)[0]
    stage = version.effective.strftime("%Y%m%d")
    tell(f"본문: {law} 제{version.number}호 (시행 {version.effective})")
    file = raw / f"law_{version.serial}_{stage}.json"
    # efYd must go with MST: without it the service sends today's version and says nothing.
    parameters = {"target": "eflaw", "MST": version.serial, "efYd": stage}
    text = kept(file, connect, "lawService.do", parameters)
    _refuse_another_version(text, file, law, version, stage)
    yield from statute_file_documents(file, folder, as_of, tally)


def _listed_law(row: dict, law: str) -> ListedVersion:
    try:
        one = _ListedLaw.model_validate(row)
        days = [datetime.datetime.strptime(text, "%Y%m%d").date() for text in (one.promulgated, one.effective)]
    except (ValidationError, ValueError) as exc:
        raise DownloadError(f"law.go.kr의 법령 목록의 모양이 다릅니다: {law}\n  {exc}") from exc
    return ListedVersion(" ".join(one.name.split()), one.serial, days[0], one.number, days[1])


def _refuse_another_version(text: str, file: Path, law: str, version: ListedVersion, stage: str) -> None:
    body = json.loads(text).get("법령")
    facts = body.get("기본정보") if isinstance(body, dict) else None
    if not isinstance(facts, dict):
        file.unlink()
        raise DownloadError(
            f"law.go.kr이 법령 대신 다른 것을 보냈습니다: {law} (MST {version.serial})\n  다시 실행하세요."
        )
    came = (compact(str(facts.get("법령명_한글"))), str(facts.get("공포번호")).lstrip("0"), str(facts.get("시행일자")))
    if came != (compact(law), version.number.lstrip("0"), stage):
        file.unlink()
        raise DownloadError(
            f"law.go.kr이 다른 판을 보냈습니다: {law} 제{version.number}호 {stage} 대신 {' '.join(came)} "
            f"(MST {version.serial})\n  다시 실행하고, 되풀이되면 그 법령을 names에서 빼세요."
        )


def _rulings(
    source: LawApiSource,
    query: str,
    as_of: datetime.date,
    tally: Counter,
    folder: Path,
    connect: Connect,
    tell: Callable[[str], None],
    seen: set[str],
) -> Iterator[Document]:
    root, entry, key = _LISTS[source.target]
    raw, refusals, place = folder / "raw" / source.target, 0, 0
    for row, total in listed(raw, connect, source.target, query, root, entry, as_of.isoformat(), source.pages):
        place += 1
        if place == 1 and source.pages:
            note(tally, f"pages: {source.pages} 때문에 묻지 않은 목록", max(0, total - source.pages * 100))
        serial = str(row.get(key) or "").strip()
        if not serial.isdigit():
            raise DownloadError(f"law.go.kr의 목록에 {key}가 없습니다: {query!r} {place}번째\n  받은 것: {row}")
        if serial in seen:
            note(tally, "여러 검색에 겹친 문서")
            continue
        seen.add(serial)
        tally[READ] += 1
        tell(f"{source.target} {query!r}: {place:,}/{total:,}")
        try:
            text = kept(raw / f"{serial}.json", connect, "lawService.do", {"target": source.target, "ID": serial})
        except RefusedError as exc:
            # A page of HTML: such documents exist, and so do hours of maintenance.  Not kept, so a rerun asks again.
            refusals += 1
            if "HTML" not in exc.said or refusals >= _MOST_REFUSALS:
                raise
            drop(tally, _NO_BODY)
            continue
        refusals = 0
        ruling = None if nothing_found(text) else read_api_ruling(source.target, text, row, serial)
        if ruling is None:
            drop(tally, _NO_BODY)
        else:
            note(tally, "날짜가 없어 기준일을 쓴 문서", int(ruling.replied is None))
            yield ruling_document(ruling, as_of)
