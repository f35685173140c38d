"""If this fails, a refresh would lose or invent dates: real statutes, put into the shape of law.go.kr, must give back the
rows that are built in."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from taxlaw.statutes import read_markdown
from taxlaw.table_files import TABLES, TableSet, packaged_tables, tables_in
from taxlaw.update import update

KR = Path(__file__).parents[2].parent / "shared" / "data" / "statutes" / "kr"
pytestmark = pytest.mark.skipif(not KR.is_dir(), reason="shared data is not here")
DAY = date(2026, 11, 1)
LAWS = {"국세징수법": ("국세징수법/법률.md", "국세징수법/시행령.md"), "소득세법": ("소득세법/법률.md",)}
_UNIT = re.compile(r"제(\d+)조(?:의(\d+))?")


class FromMirror:
    """Answers as law.go.kr would, from the Markdown of the mirror."""

    def __init__(self):
        self.requests, self.lists, self.bodies = 0, {}, {}
        for act, files in LAWS.items():
            rows = [self._add(KR / file) for file in files]
            self.lists[act] = {"LawSearch": {"totalCnt": len(rows), "law": rows if len(rows) > 1 else rows[0]}}

    def get(self, service, parameters):
        self.requests += 1
        answer = (
            self.lists[parameters["query"]]
            if service == "lawSearch.do"
            else self.bodies[parameters["MST"], parameters["efYd"]]
        )
        return json.dumps(answer, ensure_ascii=False)

    def _add(self, file):
        raw, articles = file.read_text(encoding="utf-8"), read_markdown(file)
        serial, number = (re.search(rf"^{key}: '?(\d+)", raw, re.MULTILINE)[1] for key in ("법령MST", "공포번호"))
        law, effective, promulgated = articles[0].law, articles[0].effective, articles[0].promulgated
        facts = {"법령명_한글": law, "공포번호": number}
        facts |= {"공포일자": f"{promulgated:%Y%m%d}", "시행일자": f"{effective:%Y%m%d}"}
        units = []
        for article in articles:
            base, branch = _UNIT.match(article.article).groups()
            title = f"{article.article}({article.heading})" if article.heading else article.article
            content = f"{title} {article.text}"
            units.append(
                {"조문번호": base, "조문가지번호": branch or "", "조문여부": "조문", "조문제목": article.heading}
            )
            units[-1]["조문내용"] = content
        addenda = []
        for part in re.split(r"(?m)^(?=부\s*칙)", raw.split("## 부칙", 1)[1].replace("\\.", "."))[1:]:
            if head := re.search(r"<제(\d+)호,\s*(\d{4})\.\s?(\d+)\.\s?(\d+)", part):
                day = f"{head[2]}{int(head[3]):02}{int(head[4]):02}"
                addenda.append({"부칙공포일자": day, "부칙공포번호": head[1], "부칙내용": [part.split("\n")]})
        body = {"기본정보": facts, "조문": {"조문단위": units}, "부칙": {"부칙단위": addenda}}
        self.bodies[serial, facts["시행일자"]] = {"법령": body}
        return {"법령명한글": law, "법령일련번호": serial, "제개정구분명": "일부개정", **facts}


def rows_of(text, law):
    found, current = set(), ""
    for line in text.splitlines():
        current = line[1:] if line.startswith("#") else current
        if current == law and not line.startswith("#"):
            found.add(line)
    return found


def test_a_refresh_without_news_changes_nothing(tmp_path):
    update(tmp_path, FromMirror(), DAY, ["국세징수법", "국세징수법 시행령", "소득세법"], today=DAY)
    fresh = tables_in(tmp_path)
    for name in TABLES[1:]:
        assert fresh.read(name) == packaged_tables().read(name)


def test_facts_that_are_missing_are_found_again(tmp_path, monkeypatch):
    read, dropped = TableSet.read, []

    def forgetful(self, name):
        """The table as it was before the amendments of December 2025."""
        place = {"versions.tsv.gz": 0, "effective_dates.tsv.gz": 7}.get(name)
        text = read(self, name)
        if self.folder is not None or place is None:
            return text
        late = {row for row in rows_of(text, "소득세법") if row.split("\t")[place] >= "2025-12-01"}
        dropped.extend(late)
        return "\n".join(line for line in text.splitlines() if line not in late) + "\n"

    monkeypatch.setattr(TableSet, "read", forgetful)
    update(tmp_path, FromMirror(), DAY, ["소득세법"], today=DAY)
    monkeypatch.undo()
    name = "effective_dates.tsv.gz"
    assert len(dropped) > 60
    assert rows_of(tables_in(tmp_path).read(name), "소득세법") == rows_of(packaged_tables().read(name), "소득세법")
