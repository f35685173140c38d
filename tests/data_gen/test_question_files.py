"""If these fail, questions are lost, read in the wrong encoding, cut at a comma, or taken from the wrong column."""

import json
import zipfile
from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from data_gen.collect.questions import find_column, read_questions
from data_gen.collect.settings import QuestionsSource
from data_gen.errors import BadInput

AS_OF = date(2026, 6, 1)
QUESTIONS = ["부모님께 1억원을 받았는데, 증여세가 있나요?", '그가 "아니다"라고\n했다면?', "뷁과 㐀은 드문 글자"]


def read(path, column=None, as_of=AS_OF):
    tally = Counter()
    source = QuestionsSource(kind="questions", path=path, column=column, as_of=as_of)
    documents = list(read_questions(source, tally))
    return documents, {key: count for key, count in tally.items() if count}


def csv_text(questions, header="번호,질문"):
    quoted = ['"' + question.replace('"', '""') + '"' for question in questions]
    return "\r\n".join([header, *(f"{n},{question}" for n, question in enumerate(quoted, 1))]) + "\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_csv_in_the_encodings_that_excel_and_others_write(tmp_path, encoding):
    questions = QUESTIONS[:2] if encoding == "cp949" else QUESTIONS
    path = tmp_path / "q.csv"
    path.write_bytes(csv_text(questions).encode(encoding))
    documents, tally = read(path)
    expected = [question.replace("\r\n", "\n") for question in questions]
    assert [document.text for document in documents] == expected
    first = documents[0]
    assert (first.kind, first.as_of, first.area) == ("question", AS_OF, "상속증여세")
    assert first.id.startswith("question:") and first.family == first.id
    assert dict(first.meta)["source"] == "q.csv 2행" and tally == {"read": len(questions)}


def test_utf8_that_would_also_pass_for_cp949_is_read_as_utf8(tmp_path):
    question = next(a + b for a in "갇갈감" for b in "갵걪겟" if _fits_cp949((a + b).encode("utf-8")))
    (tmp_path / "q.csv").write_text(f"q\n{question}\n", encoding="utf-8")
    assert [document.text for document in read(tmp_path / "q.csv")[0]] == [question]


def _fits_cp949(raw):
    try:
        return bool(raw.decode("cp949"))
    except UnicodeDecodeError:
        return False


def test_a_file_in_neither_encoding_is_refused(tmp_path):
    (tmp_path / "q.csv").write_bytes("질문\n가".encode("utf-16"))
    with pytest.raises(BadInput, match="UTF-8 또는 CP949"):
        read(tmp_path / "q.csv")


def test_a_comma_without_quotes_does_not_cut_the_question_short(tmp_path):
    (tmp_path / "q.csv").write_text("질문\n집을 팔면, 세금이 있나요?\n", encoding="utf-8")
    with pytest.raises(BadInput, match="큰따옴표") as error:
        read(tmp_path / "q.csv")
    assert "2행" in str(error.value)
    (tmp_path / "q.tsv").write_text("질문\t답\n집을 팔면, 세금이 있나요?\t\n", encoding="utf-8")
    assert [document.text for document in read(tmp_path / "q.tsv")[0]] == ["집을 팔면, 세금이 있나요?"]


def test_blanks_and_repetitions_are_counted_and_dropped(tmp_path):
    nfd = "\u1100\u1161\u11a8을 사면?"
    rows = ["각을 사면?", " 각을  사면? ", nfd, "", "   ", "갑을 사면?"]
    (tmp_path / "q.jsonl").write_text("\n".join(json.dumps({"q": row}) for row in rows), encoding="utf-8")
    documents, tally = read(tmp_path / "q.jsonl")
    assert [document.text for document in documents] == ["각을 사면?", "갑을 사면?"]
    assert tally == {"read": 6, "dropped:같은 질문": 2, "dropped:빈 질문": 2}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("q.json", [{"번호": 1, "Question": "가?"}, {"질문": "나?"}]),
        ("q.json", ["가?", "나?"]),
        ("q.jsonl", [{"질 의": "가?"}, {"질 의": "나?"}]),
    ],
)
def test_json_with_a_key_found_by_its_name_or_a_list_of_texts(tmp_path, name, data):
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in data)
    (tmp_path / name).write_text(lines if name.endswith("l") else json.dumps(data), encoding="utf-8")
    assert [document.text for document in read(tmp_path / name)[0]] == ["가?", "나?"]


def workbook(path, sheets):
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_excel_reads_every_sheet_that_has_the_column(tmp_path):
    sheets = {
        "설명": [["이 파일은"], ["질문 모음"]],
        "1월": [[], ["번호", "질문"], [1, "가?"], [2, None], [3]],
        "2월": [["질문", "메모"], ["나?", "x"], [2025, None]],
        "빈 시트": [],
    }
    documents, tally = read(workbook(tmp_path / "q.xlsx", sheets))
    assert [document.text for document in documents] == ["가?", "나?", "2025"]
    assert dict(documents[1].meta)["source"] == "q.xlsx 2월 2행"
    assert tally == {"read": 5, "dropped:빈 질문": 2, "noted:질문 열이 없어 읽지 않은 시트": 1}


def test_excel_rows_beyond_the_size_that_the_file_claims_are_read(tmp_path):
    path = workbook(tmp_path / "q.xlsx", {"가": [["질문"], ["가?"], ["나?"]]})
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'<dimension ref="A1:A3"' in parts[sheet]
    parts[sheet] = parts[sheet].replace(b'ref="A1:A3"', b'ref="A1:A2"')
    with zipfile.ZipFile(path, "w") as packed:
        for name, raw in parts.items():
            packed.writestr(name, raw)
    assert [document.text for document in read(path)[0]] == ["가?", "나?"]


def test_excel_that_has_no_such_column_or_is_none(tmp_path):
    with pytest.raises(BadInput, match="있는 열: 번호, 내용"):
        read(workbook(tmp_path / "q.xlsx", {"가": [["번호", "내용"], [1, "가?"]]}))
    with pytest.raises(BadInput, match="빈 Excel"):
        read(workbook(tmp_path / "e.xlsx", {"가": []}))
    (tmp_path / "f.xlsx").write_bytes(b"no workbook")
    with pytest.raises(BadInput, match="열 수 없습니다"):
        read(tmp_path / "f.xlsx")


def test_the_column_is_named_or_found_or_the_columns_seen_are_told(tmp_path):
    (tmp_path / "q.csv").write_text("제목,내용\n가,나?\n", encoding="utf-8")
    with pytest.raises(BadInput, match="있는 열: 제목, 내용"):
        read(tmp_path / "q.csv")
    assert [document.text for document in read(tmp_path / "q.csv", column="내용")[0]] == ["나?"]
    with pytest.raises(BadInput, match="혹시 '내용'"):
        read(tmp_path / "q.csv", column="내용물")
    with pytest.raises(BadInput, match="question, 질문 가운데"):
        find_column(["question", "질문"], None, "q.csv")
    assert find_column(["a", " Q "], None, "q.csv") == 1


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("q.jsonl", '{"질문": "가?"}\n{"질문": 3}', "2행"),
        ("q.jsonl", "3", "1행"),
        ("q.jsonl", '{"질문": "가?"}\n{"답": "나"}', "있는 열: 답"),
        ("q.csv", '질문\n"가\n', "CSV 형식"),
        ("q.csv", "", "있는 열: .없음."),
        ("q.txt", "가?", "읽을 수 없는 형식"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=reason):
        read(tmp_path / name)


def test_questions_need_a_date(tmp_path):
    (tmp_path / "q.csv").write_text("질문\n가?\n", encoding="utf-8")
    with pytest.raises(BadInput, match="as_of"):
        read(tmp_path / "q.csv", as_of=None)


@given(st.lists(st.text(alphabet='가나다라 ",\n？①', min_size=1), max_size=6))
def test_every_question_of_a_csv_comes_through(tmp_path_factory, questions):
    path = tmp_path_factory.mktemp("q") / "q.csv"
    path.write_bytes(csv_text(questions).encode("utf-8-sig"))
    documents, tally = read(path)
    plain = dict.fromkeys(" ".join(question.split()) for question in questions if question.strip())
    assert [" ".join(document.text.split()) for document in documents] == list(plain)
    assert tally.get("read", 0) == len(questions)
