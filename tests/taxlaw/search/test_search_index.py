"""The index on disk: built once for one content, never half, told from a damaged one."""

import shutil

import pytest

from taxlaw.errors import SourceError
from taxlaw.search import index as index_module
from taxlaw.search import open_search
from taxlaw.search import search as search_module
from taxlaw.search.index import build, open_index
from taxlaw.search.sources import gather, source_files


@pytest.fixture
def laws(tmp_path, write_law):
    write_law(tmp_path / "laws", "소득세법", {"제55조": ("세율", "① 종합소득의 세율")})
    return tmp_path / "laws"


def test_it_is_built_once_and_again_when_a_source_changes(laws, tmp_path, write_law):
    said: list[str] = []
    first = open_search([laws], cache=tmp_path / "cache", say=said.append)
    assert any("색인을 만들었습니다" in line for line in said)
    said.clear()
    assert open_search([laws], cache=tmp_path / "cache", say=said.append).index.folder == first.index.folder
    assert said == []
    write_law(laws, "소득세법", {"제55조": ("세율", "① 퇴직소득의 세율")})
    changed = open_search([laws], cache=tmp_path / "cache", say=said.append)
    assert changed.index.folder != first.index.folder
    assert "퇴직" in changed.index.passage(0).text
    assert said


def test_a_build_that_is_cut_off_is_not_used(laws, tmp_path, monkeypatch):
    def stop(lines):
        raise KeyboardInterrupt

    monkeypatch.setattr(search_module, "words_of_lines", stop)
    with pytest.raises(KeyboardInterrupt):
        open_search([laws], cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    monkeypatch.undo()
    # A process that was killed leaves its folder; its name is none that is ever opened.
    left = tmp_path / "cache" / "0123.building-abc"
    left.mkdir()
    search = open_search([laws], cache=tmp_path / "cache")
    assert search.index.count >= 1
    assert ".building-" not in search.index.folder.name


def test_two_processes_that_build_the_same_content_both_get_it(laws, tmp_path):
    entries = gather(source_files([laws]))
    for _ in range(2):
        build(tmp_path / "cache" / "same", entries, lambda lines: [line.split() for line in lines])
    assert open_index(tmp_path / "cache" / "same").count == len(entries)
    assert [folder.name for folder in (tmp_path / "cache").iterdir()] == ["same"]


def test_only_the_newest_builds_are_kept(laws, tmp_path):
    entries = gather(source_files([laws]))
    for number in range(index_module._KEPT + 3):
        build(tmp_path / "cache" / f"build{number}", entries, lambda lines: [line.split() for line in lines])
    kept = {folder.name for folder in (tmp_path / "cache").iterdir()}
    assert len(kept) == index_module._KEPT
    assert f"build{index_module._KEPT + 2}" in kept


def test_a_damaged_index_says_what_to_do(laws, tmp_path):
    search = open_search([laws], cache=tmp_path / "cache")
    (search.index.folder / "keys.json").write_text("{", encoding="utf-8")
    with pytest.raises(SourceError, match="이 폴더를 지우면 다시 만듭니다"):
        open_search([laws], cache=tmp_path / "cache")
    shutil.rmtree(search.index.folder)
    assert open_search([laws], cache=tmp_path / "cache").index.count == search.index.count


def test_a_cache_that_cannot_be_written_is_an_error_that_names_it(laws, tmp_path):
    (tmp_path / "cache").write_text("a file, not a folder", encoding="utf-8")
    with pytest.raises(SourceError, match="XDG_CACHE_HOME"):
        open_search([laws], cache=tmp_path / "cache")


def test_the_users_cache_folder_follows_the_convention(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert index_module.cache_folder() == tmp_path / "slm-forest" / "search"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert index_module.cache_folder().parts[-3:] == (".cache", "slm-forest", "search")
