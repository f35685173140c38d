import datetime
import json
from pathlib import Path

import pytest

from data_gen.documents import load_library
from data_gen.errors import DataGenError
from data_gen.settings import DocumentSettings
from data_gen.teachers.recorded import RECORDINGS
from taxlaw.digest import load_digest

AS_OF = datetime.date(2026, 6, 1)
REAL = Path(__file__).parents[3] / "shared" / "data" / "statutes"
LAW = """---
제목: 상속세 및 증여세법
법령구분: 법률
공포일자: {promulgated}
시행일자: {effective}
---

# 상속세 및 증여세법

##### 제53조 (증여재산 공제)

시험용으로 지어낸 본문입니다.

##### 제900조 (지어낸 조)

이 조는 시험에만 있습니다.

##### 제901조

삭제 <2020.1.1>
"""


@pytest.fixture
def folder(tmp_path):
    def make(promulgated="2025-12-31", effective="2026-01-01"):
        (tmp_path / "법률.md").write_text(LAW.format(promulgated=promulgated, effective=effective), encoding="utf-8")
        return str(tmp_path)

    return make


def test_the_casebook_and_the_digest_become_documents_with_their_own_dates():
    library = load_library(DocumentSettings(statutes="none"), AS_OF)
    kinds = [document.kind for document in library.documents]
    assert (kinds.count("judgment"), kinds.count("openapi")) == (96, len(load_digest()))
    ruling = next(document for document in library.documents if document.id == "casebook-001")
    assert ruling.as_of == datetime.date(2023, 9, 22)
    assert "국세징수법 제107조" in ruling.text and ruling.area == "국세기본"
    provision = next(document for document in library.documents if document.id == "law:상속세 및 증여세법:제53조")
    assert provision.as_of == AS_OF and provision.articles == ("상속세 및 증여세법 제53조",)
    assert "digest" in library.origin


def test_a_statutes_folder_replaces_the_digests_words_and_the_rest_is_counted(folder):
    library = load_library(DocumentSettings(casebook=False, statutes=folder()), AS_OF)
    texts = {document.id: document.text for document in library.documents}
    assert len(texts) == len(load_digest())
    assert "시험용으로 지어낸 본문" in texts["law:상속세 및 증여세법:제53조"]
    assert "원문 1개" in library.origin and f"요약(digest)으로 대신한 조문 {len(texts) - 1}개" in library.origin


def test_scope_all_takes_every_living_article_of_the_folder(folder):
    library = load_library(DocumentSettings(casebook=False, provisions="all", statutes=folder()), AS_OF)
    ids = {document.id for document in library.documents}
    assert "law:상속세 및 증여세법:제900조" in ids
    assert "law:상속세 및 증여세법:제901조" not in ids  # deleted


def test_text_not_yet_in_force_is_never_shown_as_law(folder):
    later = folder(promulgated="2026-05-01", effective="2027-01-01")
    library = load_library(DocumentSettings(casebook=False, provisions="all", statutes=later), AS_OF)
    by_id = {document.id: document for document in library.documents}
    assert "지어낸 본문" not in by_id["law:상속세 및 증여세법:제53조"].text  # the digest stands in
    assert "2027-01-01" in by_id["law:상속세 및 증여세법:제900조"].fault


def test_another_text_is_another_version(folder):
    digest = load_library(DocumentSettings(casebook=False, statutes="none"), AS_OF)
    text = load_library(DocumentSettings(casebook=False, statutes=folder()), AS_OF)
    versions = [{document.id: document.version for document in library.documents} for library in (digest, text)]
    changed = [key for key in versions[0] if versions[0][key] != versions[1][key]]
    assert changed == ["law:상속세 및 증여세법:제53조"]


def test_a_casebook_file_can_stand_in_for_the_package(tmp_path):
    row = {
        "id": "our-1",
        "분야": "상증",
        "쟁점": "쟁점",
        "문서번호": "서면-1",
        "회신일": "2024.3.15.",
        "답변요지": "요지",
    }
    path = tmp_path / "rulings.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    library = load_library(DocumentSettings(casebook_file=path, provisions="none"), AS_OF)
    assert [document.id for document in library.documents] == ["our-1"]
    path.write_text((json.dumps(row, ensure_ascii=False) + "\n") * 2, encoding="utf-8")
    with pytest.raises(Exception, match="our-1"):
        load_library(DocumentSettings(casebook_file=path, provisions="none"), AS_OF)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(DataGenError, match="법령 폴더가 없습니다"):
        load_library(DocumentSettings(statutes=str(tmp_path / "none")), AS_OF)
    with pytest.raises(DataGenError, match="provisions: all"):
        load_library(DocumentSettings(provisions="all", statutes="none"), AS_OF)


def test_every_shipped_recording_belongs_to_a_document_of_the_demo():
    ids = {document.id for document in load_library(DocumentSettings(statutes="none", topics=True), AS_OF)}
    for path in RECORDINGS.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert json.loads(line)["document_id"] in ids


@pytest.mark.skipif(not REAL.is_dir(), reason="the statutes folder is not beside this checkout")
def test_auto_uses_the_folder_beside_the_repository():
    library = load_library(DocumentSettings(casebook=False), AS_OF)
    assert "../shared/data/statutes" in library.origin
    provision = next(document for document in library.documents if document.id == "law:상속세 및 증여세법:제53조")
    assert "①" in provision.text or "1." in provision.text
