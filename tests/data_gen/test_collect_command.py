"""If these fail, a user cannot tell what became of his documents, or learns of a wrong path after an hour of reading."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from data_gen.collect.command import add_parser
from data_gen.collect.corpus import read_corpus
from data_gen.collect.settings import load_collect_config
from data_gen.errors import BadInput, DataGenError
from taxlaw.errors import ConfigError

REPO = Path(__file__).parents[2]
FRONT = "---\n제목: 가상세법\n공포일자: 2025-12-23\n공포번호: '00200'\n시행일자: 2026-01-01\n---\n\n"
RULING = {
    "question": "부모에게서 받은 돈도 증여인가요?",
    "answer": "증여세 과세대상입니다.",
    "number": "서면-2024-상속증여-1",
    "date": "2024-05-02",
}


def collect(*words):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["collect", *map(str, words)])
    return arguments.run(arguments)


@pytest.fixture
def laws(tmp_path):
    folder = tmp_path / "kr" / "가상세법"
    folder.mkdir(parents=True)
    body = "##### 제1조 (목적)\n\n“가”를 정한다.\n\n##### 제2조\n\n삭제 <2020. 1. 1.>\n"
    (folder / "법률.md").write_text(FRONT + body, encoding="utf-8")
    return tmp_path / "kr"


def config(tmp_path, sources, **more):
    path = tmp_path / "collect.yaml"
    raw = {
        "name": "시험".encode().hex(),
        "as_of": "2026-06-08",
        "out": str(tmp_path / "out"),
        "sources": sources,
    } | more
    path.write_text(json.dumps(raw, ensure_ascii=False), encoding="utf-8")
    return path


def test_the_table_says_what_was_read_kept_and_dropped_and_why(tmp_path, laws, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    rulings = tmp_path / "rulings.jsonl"
    rulings.write_text((json.dumps(RULING, ensure_ascii=False) + "\n") * 2, encoding="utf-8")
    sources = [{"kind": "law_markdown", "path": str(laws)}, {"kind": "rulings", "path": str(rulings)}]
    assert collect("--config", config(tmp_path, sources)) == 0
    shown = capsys.readouterr().out
    for words in (
        "1. law_markdown",
        "− 삭제된 조문: 1",
        "~ 따옴표: 2",
        "2. rulings",
        "− 같은 id의 문서가 이미 있음: 1",
        "문서 2개",
    ):
        assert words in shown
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [(one["read"], one["kept"], one["unaccounted"]) for one in report["sources"]] == [(2, 1, 0), (2, 1, 0)]
    assert [document.kind for document in read_corpus(tmp_path / "out")] == ["openapi", "judgment"]


def test_one_source_can_be_named_on_the_command_line(tmp_path, laws):
    out = tmp_path / "corpus"
    assert collect("--kind", "law_markdown", "--path", laws, "--as-of", "2026-02-01", "--out", out) == 0
    (document,) = read_corpus(out)
    assert document.as_of.isoformat() == "2026-02-01" and '"가"를 정한다.' in document.text


def test_the_same_sources_give_the_same_bytes(tmp_path, laws):
    for out in ("a", "b"):
        collect("--kind", "law_markdown", "--path", laws, "--as-of", "2026-02-01", "--out", tmp_path / out)
    assert (tmp_path / "a" / "documents.jsonl").read_bytes() == (tmp_path / "b" / "documents.jsonl").read_bytes()


def test_every_missing_path_is_named_before_anything_is_read(tmp_path, laws):
    sources = [{"kind": kind, "path": f"{kind}-none"} for kind in ("law_json", "web", "questions")]
    path = config(tmp_path, [{"kind": "law_markdown", "path": str(laws)}, *sources])
    with pytest.raises(BadInput) as error:
        collect("--config", path)
    assert all(f"{source['kind']}-none" in str(error.value) for source in sources)
    assert "sources에서 지우세요" in str(error.value) and not (tmp_path / "out").exists()


def test_a_source_that_leaves_nothing_is_an_error_with_its_reasons(tmp_path, laws):
    (laws / "가상세법" / "법률.md").write_text(FRONT + "##### 제2조\n\n삭제 <2020. 1. 1.>\n", encoding="utf-8")
    with pytest.raises(DataGenError, match="삭제된 조문 1"):
        collect("--kind", "law_markdown", "--path", laws, "--out", tmp_path / "out")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"kind": "law_api", "target": "law"}, "names가 있어야"),
        ({"kind": "law_api", "target": "prec", "queries": ["가"], "names": ["나"]}, "names 대신 queries"),
        ({"kind": "law_api", "target": "prec", "queries": ["가"], "pause": 0.1}, "pause"),
        ({"kind": "law_api", "target": "prec", "query": ["가"]}, "혹시 'queries'"),
        ({"kind": "law_jsonn", "path": "x"}, "law_json"),
        ({"kind": "questions", "path": "x", "colum": "질문"}, "혹시 'column'"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, source, said):
    with pytest.raises(ConfigError, match=said):
        load_collect_config(config(tmp_path, [source]))


def test_a_config_that_holds_a_key_is_refused(tmp_path):
    path = tmp_path / "collect.yaml"
    path.write_text("name: a\nas_of: 2026-01-01\nsources: []\napi_key: someone\n", encoding="utf-8")
    with pytest.raises(DataGenError, match="API 키"):
        load_collect_config(path)


@pytest.mark.parametrize("words", [("--kind", "web"), ("--config", "a.yaml", "--as-of", "2026-01-01")])
def test_options_that_do_not_go_together_are_refused(words):
    with pytest.raises(BadInput, match="--"):
        collect(*words)


def test_the_config_that_ships_runs_without_a_key(tmp_path, monkeypatch):
    monkeypatch.chdir(REPO)
    assert collect("--config", "configs/data_gen/collect.yaml", "--out", tmp_path / "out") == 0
    assert {document.kind for document in read_corpus(tmp_path / "out")} == {"judgment", "web", "question"}


def test_every_source_that_the_shipped_config_shows_in_comments_is_valid(tmp_path):
    text = (REPO / "configs" / "data_gen" / "collect.yaml").read_text("utf-8")
    path = tmp_path / "all.yaml"
    path.write_text(re.sub(r"^  (  )?# (?=[- ])", r"  \1", text, flags=re.MULTILINE), encoding="utf-8")
    sources = load_collect_config(path).sources
    kinds = ("rulings", "web", "questions", "law_json", "law_markdown", "law_api", "law_api")
    assert tuple(source.kind for source in sources) == kinds


def test_adding_the_sub_command_imports_nothing_heavy():
    probe = (
        "import argparse, sys\n"
        "from data_gen.collect.command import add_parser\n"
        "add_parser(argparse.ArgumentParser().add_subparsers())\n"
        "assert not {'pydantic', 'rich', 'yaml', 'taxlaw'} & set(sys.modules), set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
