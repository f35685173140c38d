"""Which texts are searched and for which days they stand."""

import gzip
import json
from datetime import date

import pytest

from taxlaw.errors import SourceError
from taxlaw.search.sources import found_folders, gather, source_files

OLD = {
    "제55조": ("세율", "① 같은 글"),
    "제56조": ("배당세액공제", "① 옛 글"),
    "제57조": ("외국납부세액공제", "① 옛 글"),
}
NEW = {"제55조": ("세율", "① 같은 글"), "제56조": ("배당세액공제", "① 새 글"), "제57조": ("외국납부세액공제", "삭제")}


def _articles(folder):
    return [entry.passage for entry in gather(source_files([folder])) if entry.passage.kind == "article"]


def test_each_different_text_stands_between_its_days(tmp_path, write_law):
    write_law(tmp_path / "a", "소득세법", OLD, "2024-01-01", "2023-12-31")
    write_law(tmp_path / "b", "소득세법", NEW, "2025-01-01", "2024-12-31")
    stood = {one.id: (one.text, one.effective_from, one.effective_to) for one in _articles(tmp_path)}
    first, second = date(2024, 1, 1), date(2025, 1, 1)
    assert stood == {
        "law:소득세법:제55조": ("① 같은 글", first, None),
        "law:소득세법:제56조@2024-01-01": ("① 옛 글", first, second),
        "law:소득세법:제56조": ("① 새 글", second, None),
        "law:소득세법:제57조": ("① 옛 글", first, second),
    }


def test_a_response_of_one_article_does_not_end_the_others(tmp_path, write_law):
    whole = {f"제{number}조": ("제목", f"① 글 {number}") for number in range(50, 60)}
    write_law(tmp_path / "a", "소득세법", whole, "2024-01-01", "2023-12-31")
    write_law(tmp_path / "b", "소득세법", {"제55조": ("세율", "① 새 글")}, "2025-01-01", "2024-12-31")
    ended = {one.id for one in _articles(tmp_path) if one.effective_to}
    assert ended == {"law:소득세법:제55조@2024-01-01"}


def test_an_act_of_1961_under_a_living_name_is_left_out(tmp_path, write_law):
    write_law(tmp_path / "a", "교육세법", {"제1조": ("목적", "① 1961년의 글")}, "1961-12-08", "1961-12-08")
    write_law(tmp_path / "b", "교육세법", {"제2조": ("정의", "① 오늘의 글")}, "2025-01-01", "2024-12-31")
    assert [one.title for one in _articles(tmp_path)] == ["교육세법 제2조"]


def test_the_fullest_of_one_rulings_copies_is_taken(tmp_path, library):
    rows = json.loads((library / "rulings.json").read_text(encoding="utf-8"))
    longer = [rows[0] | {"id": 2, "답변요지": rows[0]["답변요지"] * 3}]
    (tmp_path / "a.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    with gzip.open(tmp_path / "b.json.gz", "wt", encoding="utf-8") as file:
        json.dump(longer, file, ensure_ascii=False)
    files = source_files([tmp_path])
    (entry,) = gather([file for file in files if file.name == "a.json"])
    assert entry.cites == (("소득세법", "제89조"),)
    assert entry.passage.effective_from == date(2024, 5, 1)


def _corpus_line(**changes):
    line = {
        "id": "law:소득세법:제55조",
        "kind": "openapi",
        "title": "소득세법 제55조(세율)",
        "text": "소득세법 제55조(세율)\n시행일: 2025-01-01\n① 종합소득의 세율",
        "as_of": "2025-03-01",
        "area": "소득세",
        "version": "v",
        "family": "f",
        "parts": [{"name": "머리", "start": 0, "end": 32}],
        "meta": [["law", "소득세법"], ["article", "제55조"], ["effective", "2025-01-01"]],
    }
    return json.dumps(line | changes, ensure_ascii=False)


def test_a_corpus_gives_its_laws_and_rulings_and_nothing_else(tmp_path):
    head = "소득세법 제55조(세율)\n시행일: 2025-01-01\n"
    ruling = {"kind": "judgment", "title": "쟁점", "text": "요지와 본문", "articles": ["소득세법 제89조"], "parts": []}
    lines = [
        _corpus_line(parts=[{"name": "머리", "start": 0, "end": len(head)}]),
        _corpus_line(id="r", **ruling, meta=[["number", "서면-2024-법규재산-0007"], ["replied", "2024-05-01"]]),
        _corpus_line(id="w", kind="web", meta=[]),
    ]
    (tmp_path / "corpora" / "mine").mkdir(parents=True)
    file = tmp_path / "corpora" / "mine" / "documents.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert found_folders(tmp_path) == (file.parent,)
    article, decided = gather(source_files([file.parent]))
    assert (article.passage.text, article.passage.heading) == ("① 종합소득의 세율", "세율")
    assert article.passage.effective_from == date(2025, 1, 1)
    assert (decided.passage.title, decided.cites) == ("서면-2024-법규재산-0007", (("소득세법", "제89조"),))


@pytest.mark.parametrize(
    ("line", "said"),
    [('{"id": 1}', "2행"), (_corpus_line(surprise=1), "surprise"), (_corpus_line(meta=[["law", "가"]]), None)],
)
def test_a_corpus_line_that_does_not_fit_is_named(tmp_path, line, said):
    file = tmp_path / "documents.jsonl"
    file.write_text(_corpus_line() + "\n" + line + "\n", encoding="utf-8")
    if said is None:
        assert len(gather(source_files([tmp_path]))) == 1
        return
    with pytest.raises(SourceError, match=said):
        gather(source_files([tmp_path]))


def test_folders_that_hold_nothing_or_are_not_there_are_errors(tmp_path):
    with pytest.raises(SourceError, match="폴더가 없습니다"):
        source_files([tmp_path / "none"])
    (tmp_path / "README.md").write_text("# 법령", encoding="utf-8")
    with pytest.raises(SourceError, match="찾을 글이 없는 폴더"):
        source_files([tmp_path])


def test_a_file_that_is_no_source_is_an_error_and_not_skipped(tmp_path):
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    with pytest.raises(SourceError, match=r"a\.json"):
        gather(source_files([tmp_path]))
