"""Articles from one law.go.kr JSON response (lawService.do, target=law).

The shape is XML turned into JSON: one record is a dict, several are a list; a heading of a chapter is a 조문단위 too.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

from taxlaw.addenda import read_api_dates
from taxlaw.errors import SourceError
from taxlaw.statutes import StatuteArticle

_TITLE = re.compile(r"^제\d+조(?:의\d+)?\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*")


def read_law_json(text: str, file: Path, source: str) -> list[StatuteArticle]:
    """Every article of one response, complete with 항, 호 and 목.  Raises SourceError when it is not a law."""
    try:
        payload = json.loads(text)
    except json.JSONDecodeError as exc:
        raise SourceError(f"JSON 형식이 잘못되었습니다: {file} {exc.lineno}행\n  {exc.msg}") from exc
    if not isinstance(payload, dict) or not isinstance(payload.get("법령"), dict):
        said = payload.get("Law") if isinstance(payload, dict) else None
        reason = f"응답: {said}" if said else "최상위 열쇠 '법령'이 없습니다 (not a lawService.do response)"
        raise SourceError(f"법령 JSON이 아닙니다: {file}\n  {reason}")
    law = payload["법령"]
    facts, units = law.get("기본정보"), law.get("조문")
    if not isinstance(facts, dict) or not isinstance(units, dict) or not facts.get("법령명_한글"):
        raise SourceError(f"법령 JSON에 기본정보 또는 조문이 없습니다: {file}")
    name = " ".join(facts["법령명_한글"].split())
    promulgated, effective = _day(facts.get("공포일자"), file), _day(facts.get("시행일자"), file)
    later = _pending(facts.get("조문시행일자문자열") or "", name, file)
    articles = []
    for unit in _many(units.get("조문단위")):
        if unit.get("조문여부") == "전문":
            continue
        article = _number(unit, "조문", "조")
        day = later.get(article) or (_day(unit["조문시행일자"], file) if unit.get("조문시행일자") else effective)
        articles.append(
            StatuteArticle(name, article, (unit.get("조문제목") or "").strip(), _text(unit), day, promulgated, source)
        )
    if not articles:
        raise SourceError(f"법령 JSON에 조문이 없습니다 (headings only): {file}")
    return articles


def _number(unit: dict, kind: str, suffix: str) -> str:
    branch = str(unit.get(f"{kind}가지번호") or "").strip()
    number = str(unit.get(f"{kind}번호") or "").strip()
    return f"제{int(number)}{suffix}" + (f"의{int(branch)}" if branch and int(branch) else "")


def _text(unit: dict) -> str:
    """Body of an article: its lead sentence, then each 항, 호 and 목 on a line of its own."""
    lines = [_TITLE.sub("", _flat(unit.get("조문내용")), count=1)]
    for paragraph in _many(unit.get("항")):
        lines.append(_flat(paragraph.get("항내용")))
        for subparagraph in _many(paragraph.get("호")):
            lines.append("  " + _flat(subparagraph.get("호내용")))
            lines += ["    " + _flat(item.get("목내용")) for item in _many(subparagraph.get("목"))]
    lines.append(_flat(unit.get("조문참고자료")))
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _flat(content: object) -> str:
    """목내용 is a string or a list of lists of strings."""
    if content is None:
        return ""
    if isinstance(content, list):
        return "\n".join(part for part in (_flat(entry) for entry in content) if part)
    return str(content).strip()


def _many(value: object) -> list[dict]:
    """One record or several, always as a list."""
    if value is None or value == "":
        return []
    return [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict)]


def _pending(text: str, law: str, file: Path) -> dict[str, date]:
    """Articles that take effect later than the rest, whole articles only (제17조제3항 leaves 제17조 as it is)."""
    try:
        facts = read_api_dates(text, law)
    except SourceError as exc:
        raise SourceError(f"{exc}\n  {file}") from exc
    whole = [fact for fact in facts if fact.effective and not (fact.paragraph or fact.subparagraph or fact.item)]
    return {fact.article: fact.effective for fact in whole if fact.effective}


def _day(value: object, file: Path) -> date:
    text = str(value or "")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError as exc:
        raise SourceError(f"날짜를 읽을 수 없습니다: {value!r}, {file}") from exc
