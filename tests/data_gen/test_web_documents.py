"""If these fail, a web document is taught with its tags, under a wrong date, or vanishes without a count."""

import gzip
import json
from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.collect.settings import WebSource
from data_gen.collect.web import language_code, page_text, read_web
from data_gen.errors import BadInput

AS_OF = date(2026, 6, 1)


def web_row(**changes):
    row = {
        "source_type": "blog",
        "url": "https://example.com/1",
        "language": "ko",
        "title": "증여세",
        "content": "본문",
    }
    return row | changes


def read(tmp_path, rows, name="web.json", as_of=AS_OF, **more):
    path = tmp_path / name
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    raw = (lines if ".jsonl" in name else json.dumps(rows, ensure_ascii=False)).encode("utf-8")
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    tally = Counter()
    documents = list(read_web(WebSource(kind="web", path=path, as_of=as_of), tally, **more))
    return documents, {key: count for key, count in tally.items() if count}


@pytest.mark.parametrize("name", ["web.json", "web.jsonl", "web.json.gz", "web.jsonl.gz"])
def test_a_document_keeps_what_its_source_says_of_it(tmp_path, name):
    row = web_row(author="홍", publish_date="2025-03-01", tags=["증여", "세금"], views=0)
    (document,), tally = read(tmp_path, [row], name)
    assert (document.kind, document.title, document.text) == ("web", "증여세", "증여세\n\n본문")
    assert (document.as_of, document.area) == (date(2025, 3, 1), "상속증여세")
    assert dict(document.meta) == {
        "source_type": "blog", "url": "https://example.com/1", "language": "ko", "author": "홍",
        "publish_date": "2025-03-01", "tags": "증여, 세금", "views": "0",
    }  # fmt: skip
    assert [(part.name, document.text[part.start : part.end]) for part in document.parts] == [
        ("머리", "증여세\n\n"),
        ("본문", "본문"),
    ]
    assert tally == {"read": 1}


def test_an_undated_document_takes_the_date_of_the_source_and_is_counted(tmp_path):
    (document,), tally = read(tmp_path, [web_row(publish_date=None, tags=None, views=None, author=None)])
    assert document.as_of == AS_OF and tally == {"read": 1, "noted:날짜가 없어 기준일을 쓴 문서": 1}
    with pytest.raises(BadInput, match=r"publish_date.*web\.json 1번째"):
        read(tmp_path, [web_row()], as_of=None)


def test_other_languages_and_empty_pages_are_counted_and_dropped(tmp_path):
    rows = [web_row(language=code) for code in ("ko-KR", "Korean", "en", "en_US")] + [web_row(content="<p> </p>")]
    documents, tally = read(tmp_path, rows)
    assert len(documents) == 2 and tally["dropped:쓰지 않는 언어 (en)"] == 2 and tally["dropped:본문이 빈 문서"] == 1
    assert tally["read"] == 5
    assert len(read(tmp_path, rows, languages=("ko", "en"))[0]) == 4
    assert language_code("한국어") == "ko"


def test_a_folder_of_files_is_read_in_order(tmp_path):
    read(tmp_path, [web_row(title="둘")], "b.jsonl")
    read(tmp_path, [web_row(title="하나")], "a.json.gz")
    documents = read_web(WebSource(kind="web", path=tmp_path, as_of=AS_OF), Counter())
    assert [document.title for document in documents] == ["하나", "둘"]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (
            "<div><p>가&nbsp;나</p>\n<script>var a = '<p>b</p>';</script><ul><li>다</li><li>라 &lt; 마</li></ul></div>",
            "가 나\n다\n라 < 마",
        ),
        ("첫 줄\n둘째 <b>굵은</b> 줄<br>셋째", "첫 줄\n둘째 굵은 줄\n셋째"),
        ("<!-- 숨김 --><style>p{}</style><p>글</p>", "글"),
        ("R&amp;D 비용", "R&D 비용"),
        (
            "제3조 <개정 2025. 1. 1.>\n\n  a < b, 1<2 그리고 <표 1>",
            "제3조 <개정 2025. 1. 1.>\n\n  a < b, 1<2 그리고 <표 1>",
        ),
    ],
)
def test_html_becomes_words_and_plain_text_stays(page, words):
    assert page_text(page) == words


@given(st.text(alphabet="가나 <>/b\n개정2025.&;pR①「」", max_size=40))
def test_text_without_tags_or_entities_is_untouched(text):
    if "</" not in text and "<b" not in text and "&" not in text:
        assert page_text(text) == text


@given(
    st.lists(st.text(alphabet="가나다라 1①ㆍ", min_size=1).map(lambda t: " ".join(t.split())).filter(bool), min_size=1)
)
def test_no_word_of_a_page_is_lost(lines):
    assert page_text("".join(f"<p>{line}</p>" for line in lines)) == "\n".join(lines)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source_type": "forum"}, "source_type"),
        ({"url": "example.com"}, "url"),
        ({"title": ""}, "title"),
        ({"views": -1}, "views"),
        ({"publish_date": "작년"}, "작년"),
        ({"tags": "증여, 세금"}, "tags"),
        ({"viewz": 1}, "viewz"),
        ({"language": None}, "language"),
    ],
)
@pytest.mark.parametrize("name", ["web.json", "web.jsonl"])
def test_a_row_that_breaks_the_schema_is_an_error_with_file_and_place(tmp_path, change, reason, name):
    with pytest.raises(BadInput, match=reason) as error:
        read(tmp_path, [web_row(), web_row(**change)], name)
    assert f"{name} 2" in str(error.value)
