"""If these fail, a ruling reaches the teacher without its number, date or gist, or with a part of its words missing."""

import gzip
import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.collect.rulings import body_of, cited_articles, read_rulings, ruling_document
from data_gen.collect.settings import RulingsSource
from data_gen.documents import Part
from data_gen.errors import BadInput
from taxlaw.nts_sections import cut_sections
from taxlaw.rulings import Ruling

AS_OF = date(2026, 6, 1)
SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="shared data is not here")
BODY = "1. 사실관계\n집을 팔았다.\n2. 질의요지\n세금이 있는지.\n3. 관련법령\n소득세법 제89조\n"


def main_row(**about):
    metadata = {"doc_no": "서면-2026-법규-0001", "doc_class": "질의회신", "date": "20260811", "tax": "종합소득세"}
    metadata |= {
        "doc_id": "7",
        "gist": "비과세됨",
        "related_laws": ["소득세법  제89조 제1항", "소득세법", "소득세법 제95조"],
    }
    return {"title": "되는지", "content": BODY, "response": "비과세되는 것입니다.", "metadata": metadata | about}


def read(tmp_path, data, name="data_main.json", as_of=AS_OF):
    path = tmp_path / name
    if ".jsonl" in name:
        raw = "\n".join(json.dumps(row, ensure_ascii=False) for row in data).encode("utf-8")
    else:
        raw = json.dumps(data, ensure_ascii=False).encode("utf-8")
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    tally = Counter()
    source = RulingsSource(kind="rulings", path=path, as_of=as_of)
    return list(read_rulings(source, tally)), {key: count for key, count in tally.items() if count}


def words(document, name):
    return [document.text[part.start : part.end] for part in document.parts if part.name == name]


def outer(parts):
    """Parts that lie in no other part, in order."""
    found: list[Part] = []
    for part in parts:
        if not found or part.start >= found[-1].end:
            found.append(part)
    return found


@pytest.mark.parametrize("name", ["data_main.json", "a.jsonl", "a.json.gz", "a.jsonl.gz"])
def test_a_ruling_keeps_number_date_gist_laws_and_sections(tmp_path, name):
    (document,), tally = read(tmp_path, [main_row()], name)
    assert (document.id, document.kind, document.title) == ("nts-7", "judgment", "되는지")
    assert (document.as_of, document.family) == (date(2026, 8, 11), "ruling:서면-2026-법규-0001")
    assert (document.area, document.articles) == ("소득세", ("소득세법 제89조", "소득세법 제95조"))
    meta = dict(document.meta)
    assert (meta["number"], meta["replied"]) == ("서면-2026-법규-0001", "2026-08-11")
    assert (meta["gist"], meta["class"]) == ("비과세됨", "질의회신")
    assert words(document, "요지") == ["비과세됨"] and words(document, "사실관계") == ["1. 사실관계\n집을 팔았다.\n"]
    assert words(document, "질의내용") == ["2. 질의요지\n세금이 있는지.\n"]
    assert words(document, "회신")[0].endswith("회신:\n비과세되는 것입니다.")
    assert body_of(document) == BODY and "회신일: 2026-08-11" in words(document, "머리")[0]
    assert tally == {"read": 1}


@pytest.mark.parametrize(
    ("kind", "day", "reply"),
    [("판례", "선고일", "판결"), ("심판청구", "결정일", "결정"), ("사전답변", "회신일", "회신")],
)
def test_each_class_calls_its_day_and_its_outcome_by_their_names(tmp_path, kind, day, reply):
    (document,), _ = read(tmp_path, [main_row(doc_class=kind)])
    assert f"{day}: 2026-08-11" in document.text and words(document, reply)


def test_a_reply_that_stands_in_the_body_is_not_told_twice(tmp_path):
    row = main_row() | {"content": BODY + "4. 회신\n비과세되는\n것입니다."}
    (document,), _ = read(tmp_path, [row])
    assert document.text.count("것입니다") == 1 and words(document, "회신") == ["4. 회신\n비과세되는\n것입니다."]


_LINE = st.one_of(
    st.sampled_from(
        ["1. 사실관계", "2. 질의내용", "○ 회신", "[주 문]", "[이 유]", "1. 처분개요", "3. 심리 및 판단", "4. 결 론", ""]
    ),
    st.text(alphabet=st.characters(codec="utf-8", categories=("Lo", "Nd", "Po", "Zs")), max_size=12),
    st.text(alphabet="가나다한글 ①\u1112\u1161\u11ab\r\u2028", max_size=8),
)


@given(
    st.lists(_LINE, max_size=12), st.text(alphabet="가나다 \n", max_size=10), st.text(alphabet="가나다1 ", max_size=8)
)
def test_parts_joined_give_the_text_and_sections_joined_give_the_body(lines, reply, gist):
    body = "\n".join(lines)
    ruling = Ruling(
        id="r", field="", issue="쟁점", number="서면-1", replied=AS_OF, gist=gist, laws="", document_class="질의회신",
        reply=reply, body=body, sections=cut_sections(body),
    )  # fmt: skip
    document = ruling_document(ruling, None)
    cut = [document.text[part.start : part.end] for part in outer(document.parts)]
    assert "".join(cut) == document.text
    assert body_of(document) == body
    (whole,) = [part for part in document.parts if part.name == "본문"] or [None]
    if whole is not None:
        at = document.parts.index(whole) + 1
        inside = document.parts[at : at + len(ruling.sections)]
        assert "".join(document.text[part.start : part.end] for part in inside) == body
        assert [part.name for part in inside] == [section.name or "서두" for section in ruling.sections]
    assert reply.strip() == "" or "".join(reply.split()) in "".join(document.text.split())


def test_a_main_file_without_numbers_and_dates_takes_the_date_of_the_source(tmp_path):
    row = main_row() | {"metadata": {"related_laws": ["소득세법 제89조"], "source": "judgment"}}
    named = row | {"title": "서면-2024-법규재산-0012, 되는지"}
    documents, tally = read(tmp_path, [row, named])
    assert [document.as_of for document in documents] == [AS_OF, AS_OF]
    assert documents[0].family == f"ruling:{documents[0].id}" and documents[0].id.startswith("main-")
    assert documents[1].family == "ruling:서면-2024-법규재산-0012"
    assert tally == {"read": 2, "noted:날짜가 없어 기준일을 쓴 문서": 2, "noted:문서번호가 없는 문서": 1}
    none, tally = read(tmp_path, [row], as_of=None)
    assert none == [] and tally == {"read": 1, "dropped:날짜 없는 문서 (source에 as_of 없음)": 1}


def test_question_answer_rows_in_either_language(tmp_path):
    rows = [
        {"question": "집을 팔면 세금이 있나요?", "answer": "있습니다.", "laws": "소득세법 제94조, 소득세법 제89조"},
        {
            "문서번호": "서면-1",
            "회신일": "2025.3.2.",
            "제목": "주택",
            "질의": BODY,
            "회신": "없습니다.",
            "세목": "양도소득세",
        },
    ]
    (plain, ruling), _ = read(tmp_path, rows, "a.jsonl")
    assert words(plain, "질의내용") == ["집을 팔면 세금이 있나요?"] and plain.area == "소득세"
    assert plain.articles == ("소득세법 제94조", "소득세법 제89조") and plain.as_of == AS_OF
    assert (ruling.as_of, ruling.area, body_of(ruling)) == (date(2025, 3, 2), "양도소득세", BODY)
    assert ruling.family == "ruling:서면-1"


def test_a_single_published_ruling(tmp_path):
    page = {
        "id": "9", "docNumber": "서면1팀-12", "productionDate": "2007.09.03", "title": "공제", "type": "질의회신",
        "taxLawCode": "305", "relatedLawsMeta": "소득세법 제14조, 소득세법 제52조", "targetYear": 2026, "body": "적용됨.",
    }  # fmt: skip
    (document,), _ = read(tmp_path, page)
    assert (document.id, document.as_of, document.area) == ("nts-9", date(2007, 9, 3), "소득세")
    assert document.articles == ("소득세법 제14조", "소득세법 제52조")


def test_casebook_rows_have_the_text_that_the_build_gives_them(tmp_path):
    from data_gen.documents import _casebook

    row = {
        "id": 3,
        "분야": "상증",
        "쟁점": "공제 여부",
        "문서번호": "서면-1",
        "회신일": "2024.3.15.",
        "답변요지": "됨",
        "관련법령": "소득세법 제2조",
    }
    (document,), _ = read(tmp_path, [row])
    (built,) = _casebook(tmp_path / "data_main.json")
    assert (document.id, document.text, document.version, document.area, document.family) == (
        built.id, built.text, built.version, built.area, built.family,
    )  # fmt: skip


def test_deleted_empty_and_mere_titles_are_counted_and_left_out(tmp_path):
    basic = {"law": "상속세 및 증여세법", "year": "2024"}
    rows = [
        basic | {"title": "제1장 【 총칙 】", "text": ""},
        basic | {"title": "1-1…1 【 판정 】", "text": "<삭제 2019.12.23.>"},
        basic | {"title": "2-0…1 【 범위 】", "text": "① 가"},
        main_row(gist="") | {"content": " \n", "response": ""},
    ]
    documents, tally = read(tmp_path, rows)
    assert [document.title for document in documents] == ["범위"]
    assert tally["read"] == 4
    dropped = {key.removeprefix("dropped:") for key in tally if key.startswith("dropped:")}
    assert dropped == {"장·절 제목", "삭제된 문서", "본문·요지·회신이 모두 빈 문서"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([main_row(), {"a": 1}], "모르는 모양.*2번째"),
        ([main_row(), "글"], "2번째"),
        ([main_row(date="2026.8.11.")], "날짜를 읽을 수 없습니다.*1번째"),
        ([main_row(doc_class="훈령")], "모르는 문서 종류"),
        ([main_row() | {"extra": 1}], "extra"),
        ([{"question": "가", "answer": "나", "점수": 1}], "점수"),
        ([{"question": "가", "answer": "나", "date": "어제"}], "어제"),
        ([{"title": "가", "content": "나", "response": 3}], "response"),
        ({"a": 1}, "모르는 모양"),
        ({"dcmDVO": {}}, "ntstDcmId"),
        ({"docNumber": "1", "body": "가"}, "productionDate"),
    ],
)
def test_a_row_of_another_shape_is_an_error_with_file_and_place(tmp_path, data, reason):
    with pytest.raises(BadInput, match=reason) as error:
        read(tmp_path, data)
    assert "data_main.json" in str(error.value)


def test_rulings_come_one_at_a_time(tmp_path):
    path = tmp_path / "data_main.json"
    row = json.dumps(main_row(), ensure_ascii=False)
    path.write_text("[" + ",".join([row] * 300) + ", this is no JSON", encoding="utf-8")
    documents = read_rulings(RulingsSource(kind="rulings", path=path), Counter())
    assert [next(documents).id for _ in range(3)] == ["nts-7"] * 3
    with pytest.raises(BadInput, match="번째"):
        list(documents)


def test_only_articles_of_named_laws_are_related():
    laws = ("상증법 제53조의2 제1항", "제9조", "부가가치세법", "소득세법 시행령 제163조제3항")
    ruling = Ruling(id="r", field="", issue="가", number="1", replied=AS_OF, gist="", laws="", related=laws)
    assert cited_articles(ruling) == ("상속세 및 증여세법 제53조의2", "소득세법 시행령 제163조")


@needs_shared
def test_the_real_documents_lose_nothing():
    path = SHARED / "nts_rulings" / "data_main_sample.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    documents = list(read_rulings(RulingsSource(kind="rulings", path=path), Counter()))
    assert len(documents) == len(raw) == 6
    for row, document in zip(raw, documents, strict=True):
        assert body_of(document) == row["content"]
        squeezed = "".join(document.text.split())
        facts = [row["title"], row["response"], row["metadata"]["gist"], row["metadata"]["doc_no"]]
        assert all("".join(fact.split()) in squeezed for fact in facts)
        assert "".join(document.text[part.start : part.end] for part in outer(document.parts)) == document.text
        assert document.as_of == date.fromisoformat(row["metadata"]["date"]) and document.articles
    everything = Counter()
    found = list(read_rulings(RulingsSource(kind="rulings", path=SHARED / "nts_rulings", as_of=AS_OF), everything))
    assert len(found) > 250 and everything["read"] > 300
