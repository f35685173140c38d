"""If these fail, rulings reach the teacher cut, undated, or with the taxpayer's claim taken for the decision."""

import gzip
import json
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.errors import SourceError
from taxlaw.nts_documents import CLASSES, html_text, load_documents
from taxlaw.nts_sections import cut_sections

RULINGS = Path(__file__).parents[2].parent / "shared" / "data" / "nts_rulings"
needs_shared = pytest.mark.skipif(not RULINGS.is_dir(), reason="shared data is not here")

CONTESTED = """[주 문]
기각한다.
[이 유]
1. 처분개요
가. 사업을 하였다.
2. 청구인 주장 및 처분청 의견
가. 청구법인 주장
1. 사실관계
잘못이다.
나. 처분청 의견
옳다.
3. 심리 및 판단
가. 쟁점
나. 관련 법령 : <별지> 기재
1. 사실관계
다. 판단
4. 결 론
그러므로 기각한다.
<별지> 관련 법령
1. 주문
"""


def main_row(**changes):
    about = {"doc_no": "서면-2026-법규-0001", "doc_class": "질의회신", "date": "20260811", "tax": "양도소득세"}
    about |= {
        "doc_id": "7",
        "gist": "된다",
        "related_laws": ["소득세법 제89조", "소득세법  제89조\r"],
        "source": "judgment",
    }
    row = {"title": "되는지", "content": "1. 사실관계\n가\n2. 질의내용\n나\n", "response": "되는 것입니다."}
    return row | {"metadata": about | changes}


def detail(kind="08", html="<p>주 문</p><p>기각&nbsp;한다.</p>", day="20260707"):
    document = {
        "ntstDcmId": "9",
        "ntstDcmDscmCntn": "조심-2025-인-0001",
        "ntstDcmClCd": kind,
        "ntstTlawClCd": "303",
        "ntstDcmTtl": "당부",
        "ntstDcmGistCntn": None,
        "ntstDcmCntn": "붙임과 같습니다.",
        "ntstDcmRgtDt": day,
        "attrYr": "2022",
    }
    files = [{"dcmFleTy": "hwp", "dcmFleByte": ""}, {"dcmFleTy": "html", "dcmFleByte": html}]
    laws = [{"ntstTextNm": "법인세법 제52조"}]
    return {"dcmDVO": document, "dcmHwpEditorDVOList": files, "dcmRltnStttList": laws, "pageIndex": 1}


def hit(kind="01"):
    found = {
        "DOC_ID": "3",
        "NTST_DCM_DSCM_CNTN": "<!HS>사전<!HE>-2026-법규소득-0543",
        "NTST_DCM_CL_CD": kind,
        "NTST_TLAW_CL_NM": "종합소득세",
        "TTL": "구분",
        "GIST_CNTN": " 아님 ",
        "CNTN": "해당하지 않는 것입니다.",
        "NTST_DCM_RGT_DT": "20260813000000",
        "FILE_CN": "1. 사실관계 여기서 잘",
    }
    return {"wnSessionUuid": None, "dcm": found}


def written(tmp_path, data, name="documents.json"):
    path = tmp_path / name
    if name.endswith(".jsonl"):
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in data), encoding="utf-8")
    else:
        raw = json.dumps(data, ensure_ascii=False).encode("utf-8")
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def test_main_rows(tmp_path):
    (ruling,) = load_documents(written(tmp_path, [main_row()]))
    assert (ruling.id, ruling.number, ruling.document_class) == ("nts-7", "서면-2026-법규-0001", "질의회신")
    assert (ruling.replied, ruling.field, ruling.gist) == (date(2026, 8, 11), "양도소득세", "된다")
    assert (ruling.related, ruling.laws, ruling.reply) == (("소득세법 제89조",), "소득세법 제89조", "되는 것입니다.")
    assert ruling.section("질의내용") == "2. 질의내용\n나\n" and ruling.section("결론") is None


def test_a_detail_page_of_the_site(tmp_path):
    (ruling,) = load_documents(written(tmp_path, detail(), "detail.json.gz"))
    assert (ruling.id, ruling.document_class, ruling.field) == ("nts-9", "심판청구", "법인세")
    assert ruling.body == "주 문\n기각 한다." and ruling.section("주문") == ruling.body
    assert (ruling.source, ruling.gist, ruling.related) == ("detail.json.gz", "", ("법인세법 제52조",))


@pytest.mark.parametrize(("code", "name"), CLASSES.items())
def test_search_hits_of_each_class_have_no_body(tmp_path, code, name):
    (ruling,) = load_documents(written(tmp_path, {"body": [hit(code)], "top": []}))
    assert (ruling.document_class, ruling.number) == (name, "사전-2026-법규소득-0543")
    # The site cuts the body in a list of hits; half of it must not pass for the document.
    assert (ruling.body, ruling.sections, ruling.reply) == ("", (), "해당하지 않는 것입니다.")
    assert ruling.replied == date(2026, 8, 13)


def test_basic_rulings_know_that_they_were_deleted(tmp_path):
    rows = [
        {"law": "상속세 및 증여세법", "year": "2024", "title": "제1장 【 총칙 】", "text": ""},
        {"law": "상속세 및 증여세법", "year": "2024", "title": "1-1…1 【 판정 】", "text": "<삭제 2019.12.23.>"},
        {"law": "상속세 및 증여세법", "year": "2024", "title": "3의2-0…2 【 범위 】&lt;신설&gt;", "text": "① 가\n② 나"},
    ]
    gone, there = load_documents(written(tmp_path, rows, "basic.jsonl"))
    assert (gone.number, gone.deleted, there.deleted) == ("상속세 및 증여세법 기본통칙 1-1…1", True, False)
    assert (there.issue, there.replied, there.document_class) == ("범위", None, "기본통칙")


def test_sections_of_a_contested_case_take_no_nested_heading_for_a_chapter():
    sections = cut_sections(CONTESTED)
    names = [
        "주문",
        "이유",
        "처분개요",
        "청구인 주장 및 처분청 의견",
        "청구인 주장",
        "처분청 의견",
        "심리 및 판단",
        "결론",
        "별지",
    ]
    assert [section.name for section in sections] == names
    assert sections[4].text == "가. 청구법인 주장\n1. 사실관계\n잘못이다.\n"
    assert "".join(section.text for section in sections) == CONTESTED


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("1.처분개요", "처분개요"),
        ("1. 사실관계 및 과세예고통지 내용", "처분개요"),
        ("2. 신청법인의 주장", "청구인 주장"),
        ("2. 청구인들 주장", "청구인 주장"),
        ("3. 통지관서 의견", "처분청 의견"),
        ("4.심리 및 판단", "심리 및 판단"),
        ("○ 사실관계", "사실관계"),
        ("1. 질의내용 요약", "질의내용"),
        ("3. 관련법령 및 관련사례", "관련법령"),
        ("나.관련법령", ""),
        ("1) 결론", ""),
        ("5. 결론적으로 말하면 그러하다", ""),
    ],
)
def test_headings(heading, name):
    assert cut_sections(heading + "\n가")[0].name == name


@given(st.text(alphabet=st.sampled_from("가1. 주문이유결론\n\r\u2028[]<별지>")))
def test_sections_joined_are_the_body(body):
    assert "".join(section.text for section in cut_sections(body)) == body


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"a": 1}, "모르는 모양.*\n.*a"),
        ([], "문서가 없습니다"),
        ([{"a": 1}], "모르는 모양"),
        (["가"], "모르는 모양"),
        ([main_row(date="2026.8.11.")], "날짜를 읽을 수 없습니다"),
        ([main_row(doc_class="훈령")], "모르는 문서 종류"),
        ([main_row() | {"extra": 1}], "extra"),
        ([{"title": "가", "content": "", "response": ""}], "metadata"),
        (detail(kind="77"), "모르는 문서 종류"),
        (detail(day=""), "날짜"),
        ({"dcmDVO": {}}, "ntstDcmId"),
        ({"body": [{"dcm": None}]}, "dcm"),
        ([{"law": "가", "year": "2024", "title": "번호 없음", "text": "글"}], "번호를 읽을 수 없습니다"),
    ],
)
def test_an_unknown_shape_is_named_with_the_reason(tmp_path, data, reason):
    with pytest.raises(SourceError, match=reason) as error:
        load_documents(written(tmp_path, data))
    assert "documents.json" in str(error.value)


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    (tmp_path / "b.json.gz").write_text("not packed", encoding="utf-8")
    for name, reason in (("a.json", "JSON 형식"), ("b.json.gz", "읽을 수 없습니다"), ("c.json", "읽을 수 없습니다")):
        with pytest.raises(SourceError, match=reason):
            load_documents(tmp_path / name)


def test_html_keeps_words_and_drops_layout():
    html = "<html><body><p>가 <b>나</b>\n 다</p><p>&nbsp;</p><table><tr><td>1&lt;2</td><td>3</td></tr></table></body>"
    assert html_text(html) == "가 나 다\n1<2\n3"


@needs_shared
def test_real_documents_of_every_class():
    main = {ruling.number: ruling for ruling in load_documents(RULINGS / "data_main_sample.json")}
    assert len(main) == 6
    classes = set()
    for file in (RULINGS / "raw").glob("*.gz"):
        for ruling in load_documents(file):
            classes.add(ruling.document_class)
            assert ruling.replied and ruling.number and "<!H" not in ruling.number
            if file.name.startswith("detail"):
                # The same words as in the file made from it by another hand (its '|' stand for table cells).
                words = [re.sub(r"[\s|]", "", text) for text in (ruling.body, main[ruling.number].body)]
                assert words[0] == words[1] and ruling.related == main[ruling.number].related
    assert classes == set(CLASSES.values())
    contested = {"처분개요", "청구인 주장", "처분청 의견", "심리 및 판단", "결론"}
    for ruling in main.values():
        assert "".join(section.text for section in ruling.sections) == ruling.body
        names = {section.name for section in ruling.sections}
        if ruling.document_class in ("과세적부", "이의신청", "심사청구", "심판청구"):
            assert contested <= names
    assert len(load_documents(RULINGS / "search_rows.jsonl")) == 21
    basic = load_documents(RULINGS / "basic_rulings_inheritance_gift_156.jsonl")
    assert sum(ruling.deleted for ruling in basic) > 10 and len({ruling.id for ruling in basic}) == len(basic)
    assert len(load_documents(RULINGS / "nts_casebook_2025_96.jsonl")) == 96
