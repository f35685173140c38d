"""Real statute text from a folder: the Markdown layout of legalize-kr, or law.go.kr JSON responses.

Knows the two layouts and their traps; does not know which version of a law is in force (see the addenda of each law).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from taxlaw.errors import SourceError

_FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*$", re.MULTILINE)
_ARTICLE_HEADING = re.compile(r"(제\d+조(?:의\d+)?)(?:\s*\((.*)\))?$")
_DELETED = re.compile(r"\A삭제\s*(?:<[^>]*>)?\.?\Z")


@dataclass(frozen=True)
class StatuteArticle:
    """One article (조): ``text`` is complete, paragraphs and items included; ``source`` is the file and promulgation."""

    law: str
    article: str
    heading: str
    text: str
    effective: date
    promulgated: date
    source: str

    @property
    def deleted(self) -> bool:
        """True when the article only says that it was deleted (삭제)."""
        return _DELETED.match(self.text) is not None


def load_statutes(folder: Path) -> dict[tuple[str, str], StatuteArticle]:
    """Every article in a folder of .md or .json files, keyed by (law, article) = ('소득세법 시행령', '제155조').

    Where files hold the same law (교육세법 of 1961 beside that of today), the one promulgated last is taken.
    Raises SourceError naming the file and the reason when one cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise SourceError(f"법령 폴더가 없습니다 (no such folder): {folder}")
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".md", ".json") and file.is_file())
    files = [file for file in files if not file.name.lower().startswith("readme") and not file.name.startswith(".")]
    if not files:
        raise SourceError(
            f"폴더에 .md 또는 .json 법령이 없습니다: {folder}\n  legalize-kr 또는 law.go.kr JSON 폴더를 지정하세요."
        )
    # law -> (promulgated, effective, articles); one response may hold only a few articles of a law.
    chosen: dict[str, tuple[date, dict[str, StatuteArticle]]] = {}
    for file in files:
        articles = read_markdown(file, folder) if file.suffix == ".md" else _read_json(file, folder)
        for article in articles:
            promulgated, kept = chosen.get(article.law, (date.min, {}))
            if article.promulgated > promulgated:
                kept = {}
            elif article.promulgated < promulgated:
                break
            kept[article.article] = article
            chosen[article.law] = (article.promulgated, kept)
    if not chosen:
        raise SourceError(f"폴더의 파일 {len(files)}개에서 조문을 하나도 찾지 못했습니다: {folder}")
    return {(law, number): article for law, (_, kept) in chosen.items() for number, article in kept.items()}


def read_markdown(file: Path, root: Path | None = None) -> list[StatuteArticle]:
    """The articles of one Markdown file of legalize-kr, in order; addenda (부칙) are left out."""
    text = _read(file)
    front = _FRONT_MATTER.match(text)
    if front is None:
        raise SourceError(f"머리말(front matter)이 없습니다: {file}\n  legalize-kr의 법령 파일이 맞는지 확인하세요.")
    facts = dict(re.findall(r"^([가-힣A-Z]+):[ \t]*(.*?)[ \t]*$", front[1], re.MULTILINE))
    missing = [key for key in ("제목", "공포일자", "시행일자") if not facts.get(key)]
    if missing:
        raise SourceError(f"머리말에 {', '.join(missing)} 이(가) 없습니다: {file}")
    law = " ".join(facts["제목"].strip("'\"").split())
    promulgated, effective = _day(facts["공포일자"], file), _day(facts["시행일자"], file)
    source = _source(file, root, facts.get("공포번호", "").strip("'\""))
    body = text[front.end() :]
    headings = list(_HEADING.finditer(body))
    articles = []
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if re.fullmatch(r"부\s*칙", heading[2]):
            break
        if named := _ARTICLE_HEADING.match(heading[2]):
            content = _plain(body[heading.end() : following.start() if following else len(body)])
            articles.append(StatuteArticle(law, named[1], named[2] or "", content, effective, promulgated, source))
    if not headings:
        raise SourceError(f"제목이 하나도 없습니다 (no heading such as '##### 제1조'): {file}")
    return articles  # may be empty: a repealing act, or a law of the 1960s kept as one block


def _plain(markdown: str) -> str:
    """Text without Markdown escapes, bold signs and image tags; box tables are kept, blank runs closed."""
    text = re.sub(r"<img\b[^>]*>", "", markdown)
    text = re.sub(r"\*\*([①-⑳㉑-㉟㊱-㊿]+)\*\*", r"\1", text)
    text = re.sub(r"\\([\\`*_{}\[\]()#+\-.!<>|~])", r"\1", text)
    lines = [line.rstrip() for line in text.splitlines()]
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip()


def _read_json(file: Path, root: Path) -> list[StatuteArticle]:
    from taxlaw.statute_json import read_law_json

    return read_law_json(_read(file), file, _source(file, root, ""))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceError(f"법령 파일을 읽을 수 없습니다: {file}\n  {exc}") from exc


def _day(text: str, file: Path) -> date:
    numbers = "".join(re.findall(r"\d+", text))
    try:
        return date(int(numbers[:4]), int(numbers[4:6]), int(numbers[6:8]))
    except ValueError as exc:
        raise SourceError(f"날짜를 읽을 수 없습니다: {text!r}, {file}") from exc


def _source(file: Path, root: Path | None, number: str) -> str:
    path = file.relative_to(root).as_posix() if root else file.name
    return f"{path} 제{number}호" if number else path
