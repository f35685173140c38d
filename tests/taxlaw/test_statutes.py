"""If these fail, teachers are shown half an article, an article of 1961, or a chapter title."""

import gzip
import json
from datetime import date
from pathlib import Path

import pytest

from taxlaw.errors import SourceError
from taxlaw.statutes import load_statutes

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_statutes = pytest.mark.skipif(not (SHARED / "statutes" / "kr").is_dir(), reason="shared data is not here")
needs_responses = pytest.mark.skipif(not (SHARED / "law_api").is_dir(), reason="shared data is not here")

MARKDOWN = """---
제목: {title}
공포일자: {promulgated}
공포번호: '100'
시행일자: {effective}
소관부처:
- 재정경제부
---

# {title}

## 제1장 총칙

##### 제1조 (목적)

이 법은 시험을 위한 것이다(제2조는 다르다).

## 제2장 세율 <개정 2020.1.1>

##### 제2조의3 (세율(稅率))

**①** 세율은 다음과 같다.

  1\\. 하나
    가\\. 둘 * 셋
\t<img src="x" alt="y" >
\t┌──┐
\t│10│
\t└──┘

##### 제3조

삭제 <2020.1.1>

## 부칙

##### 제1조 (시행일)

이 법은 공포한 날부터 시행한다.
"""


def write(folder: Path, name: str, title="시험세법", promulgated="2024-12-31", effective="2025-01-01", body=MARKDOWN):
    folder.mkdir(parents=True, exist_ok=True)
    text = body.format(title=title, promulgated=promulgated, effective=effective)
    (folder / name).write_text(text, encoding="utf-8")


def test_markdown_articles_are_complete(tmp_path):
    write(tmp_path / "시험세법", "법률.md")
    articles = load_statutes(tmp_path)
    assert set(articles) == {("시험세법", "제1조"), ("시험세법", "제2조의3"), ("시험세법", "제3조")}
    rate = articles["시험세법", "제2조의3"]
    assert rate.heading == "세율(稅率)"
    assert rate.text.splitlines()[:3] == ["① 세율은 다음과 같다.", "  1. 하나", "    가. 둘 * 셋"]
    assert "│10│" in rate.text and "<img" not in rate.text
    assert (rate.effective, rate.promulgated) == (date(2025, 1, 1), date(2024, 12, 31))
    assert rate.source == "시험세법/법률.md 제100호"
    # The addendum's 제1조 must not replace the real one.
    assert articles["시험세법", "제1조"].text == "이 법은 시험을 위한 것이다(제2조는 다르다)."
    assert articles["시험세법", "제3조"].deleted and not rate.deleted


def test_of_two_laws_with_one_name_the_living_one_is_taken(tmp_path):
    write(tmp_path, "법률.md", promulgated="1961-01-01", body=MARKDOWN.replace("제2조의3", "제99조"))
    write(tmp_path, "법률(법률).md")
    articles = load_statutes(tmp_path)
    assert ("시험세법", "제99조") not in articles
    assert articles["시험세법", "제1조"].source.startswith("법률(법률).md")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("법률.md", "# 소득세법\n##### 제1조 (목적)\n", "머리말"),
        ("법률.md", "---\n제목: 소득세법\n---\n", "공포일자"),
        ("법률.md", "---\n제목: 가\n공포일자: 어제\n시행일자: 2025-01-01\n---\n", "날짜"),
        ("law.json", "{", "JSON 형식"),
        ("law.json", '{"Law": "일치하는 법령이 없습니다."}', "일치하는 법령이 없습니다"),
        ("law.json", "[]", "법령 JSON이 아닙니다"),
        ("law.json", '{"법령": {"기본정보": {}, "조문": {}}}', "기본정보"),
    ],
)
def test_an_unreadable_file_is_named_with_the_reason(tmp_path, name, content, reason):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(SourceError, match=reason) as error:
        load_statutes(tmp_path)
    assert name in str(error.value)


def test_a_folder_without_laws_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="폴더가 없습니다"):
        load_statutes(tmp_path / "none")
    (tmp_path / "README.md").write_text("no law", encoding="utf-8")
    with pytest.raises(SourceError, match="법령이 없습니다"):
        load_statutes(tmp_path)


def response(units, **facts) -> str:
    basic = {"법령명_한글": "시험세법", "공포일자": "20251223", "시행일자": "20260101", **facts}
    return json.dumps({"법령": {"기본정보": basic, "조문": {"조문단위": units}}}, ensure_ascii=False)


def test_json_shapes_lists_dicts_and_nested_items(tmp_path):
    heading = {"조문번호": "59", "조문여부": "전문", "조문내용": "제4절 세액공제"}
    item = {"목번호": "가.", "목내용": [["가. 첫째", "1) 안쪽"]]}
    article = {
        "조문번호": "59",
        "조문가지번호": "4",
        "조문여부": "조문",
        "조문제목": "특별세액공제",
        "조문내용": "제59조의4(특별세액공제) 다음과 같다.",
        "조문시행일자": "20260101",
        "항": {"호": {"호번호": "1.", "호내용": "1. 하나", "목": item}},
    }
    plain = {"조문번호": "60", "조문여부": "조문", "조문제목": "짧은 조", "조문내용": "제60조(짧은 조) 본문뿐이다."}
    pending = "20260701:제60조, 제61조제1항20270101:제62조"
    (tmp_path / "a.json").write_text(response([heading, article, plain], 조문시행일자문자열=pending), encoding="utf-8")
    articles = load_statutes(tmp_path)
    assert set(articles) == {("시험세법", "제59조의4"), ("시험세법", "제60조")}
    assert articles["시험세법", "제59조의4"].text == "다음과 같다.\n  1. 하나\n    가. 첫째\n1) 안쪽"
    assert articles["시험세법", "제60조"].text == "본문뿐이다."
    assert articles["시험세법", "제60조"].effective == date(2026, 7, 1)
    assert articles["시험세법", "제59조의4"].effective == date(2026, 1, 1)


def test_one_article_in_a_response_is_a_dict(tmp_path):
    unit = {"조문번호": "1", "조문여부": "조문", "조문제목": "목적", "조문내용": "제1조(목적) 본문"}
    (tmp_path / "a.json").write_text(response(unit), encoding="utf-8")
    assert load_statutes(tmp_path)["시험세법", "제1조"].text == "본문"


@needs_responses
def test_real_responses_lose_nothing(tmp_path):
    for file in (SHARED / "law_api").glob("law_service_*.json"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    articles = load_statutes(tmp_path)
    assert {key: article.heading for key, article in articles.items()} == {
        ("소득세법", "제12조"): "비과세소득",
        ("국세징수법", "제41조"): "압류금지 재산",
        ("부가가치세법", "제46조"): "신용카드 등의 사용에 따른 세액공제 등",
    }
    assert "1.3퍼센트" in articles["부가가치세법", "제46조"].text
    assert "  18." in articles["국세징수법", "제41조"].text
    assert "월 20만원" in articles["소득세법", "제12조"].text


@needs_statutes
def test_the_real_folder_has_every_indexed_article():
    articles = load_statutes(SHARED / "statutes" / "kr")
    laws = {law for law, _ in articles}
    assert articles["교육세법", "제1조"].promulgated.year >= 2025
    with gzip.open(SHARED / "statutes" / "article_index.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["as_of"] == "2026-06-01" and row["law"] in laws]
    assert len(rows) > 6000
    for row in rows:
        article = articles[row["law"], row["article"]]
        assert (article.heading, article.deleted) == (row["title"], row["deleted"])
        # The mirror itself holds a few numbers with neither heading nor body.
        assert article.text or not row["title"]
