"""A cached answer must be the answer to exactly this: 과세 for 비과세 would be worse than no cache."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date

import pytest

from serve.backends.protocol import BackendInfo, GenParams, Message
from serve.records.cache import AnswerCache, CachedAnswer, cache_key
from serve.records.store import open_records
from serve.settings import RecordsConfig

DAY = date(2025, 7, 1)
INFO = BackendInfo("student", "학생", 2048, model_sha256="a" * 64, template_sha256="b" * 64)
PARAMS = GenParams(64, 0.0)
ASKED = (Message("user", "비과세 소득인가요?"),)
KEY = cache_key(INFO, PARAMS, ASKED, DAY, ("law:소득세법:제12조",))


@pytest.mark.parametrize(
    "other",
    [
        cache_key(replace(INFO, model_sha256="c" * 64), PARAMS, ASKED, DAY, ("law:소득세법:제12조",)),
        cache_key(replace(INFO, template_sha256="c" * 64), PARAMS, ASKED, DAY, ("law:소득세법:제12조",)),
        cache_key(replace(INFO, quantisation="nf4"), PARAMS, ASKED, DAY, ("law:소득세법:제12조",)),
        cache_key(INFO, GenParams(65, 0.0), ASKED, DAY, ("law:소득세법:제12조",)),
        cache_key(INFO, GenParams(64, 0.5, seed=1), ASKED, DAY, ("law:소득세법:제12조",)),
        cache_key(INFO, PARAMS, (Message("user", "과세 소득인가요?"),), DAY, ("law:소득세법:제12조",)),
        cache_key(INFO, PARAMS, (Message("system", "비과세 소득인가요?"),), DAY, ("law:소득세법:제12조",)),
        cache_key(INFO, PARAMS, (*ASKED, *ASKED), DAY, ("law:소득세법:제12조",)),
        cache_key(INFO, PARAMS, ASKED, date(2025, 7, 2), ("law:소득세법:제12조",)),
        cache_key(INFO, PARAMS, ASKED, DAY, ()),
    ],
)
def test_everything_that_can_change_the_answer_changes_the_key(other):
    assert other is not None and other != KEY


def test_decomposed_hangul_is_the_same_question():
    decomposed = (Message("user", unicodedata.normalize("NFD", ASKED[0].content)),)
    assert decomposed != ASKED
    assert cache_key(INFO, PARAMS, decomposed, DAY, ("law:소득세법:제12조",)) == KEY


@pytest.mark.parametrize(
    ("info", "params"),
    [
        (INFO, GenParams(64, 0.7)),
        (INFO, GenParams(64, None)),
        (INFO, GenParams(64, None, seed=3)),
        (replace(INFO, model_sha256=None), PARAMS),
    ],
)
def test_a_sampled_answer_or_one_of_unknown_weights_has_no_key(info, params):
    assert cache_key(info, params, ASKED, DAY) is None


def test_the_oldest_unused_answer_leaves_first():
    cache = AnswerCache(2)
    kept = {name: CachedAnswer(name, 1, 1, "stop") for name in "abc"}
    cache.put("a", kept["a"])
    cache.put("b", kept["b"])
    assert cache.get("a") == kept["a"]
    cache.put("c", kept["c"])
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (kept["a"], None, kept["c"])


def test_no_entries_keep_nothing():
    cache = AnswerCache(0)
    cache.put("a", CachedAnswer("a", 1, 1, "stop"))
    assert cache.get("a") is None


def reopened(records):
    return open_records(RecordsConfig(path=records.path, keep_days=None, cache_entries=4))


@pytest.mark.parametrize("consent", [True, False])
def test_the_disk_gives_back_only_what_a_consenting_session_left_there(records, keep, consent):
    turn = records.new_turn(records.new_session("page", keep_text=consent), "질문", DAY)
    keep(turn, "student", "그 답", cache_key=KEY)
    expected = CachedAnswer("그 답", 21, 7, "stop")
    assert records.cached(KEY) == expected  # from memory
    later = reopened(records)
    assert later.cached(KEY) == (expected if consent else None)
    assert later.cached(None) is None and later.cached("0" * 64) is None
    later.close()


@pytest.mark.parametrize("finish", ["superseded", "filtered", None])
def test_an_answer_that_was_broken_off_is_not_given_again(records, keep, finish):
    turn = records.new_turn(records.new_session("page", keep_text=True), "질문", DAY)
    assert keep(turn, "student", "반쪽", finish=finish, cache_key=KEY)
    assert records.cached(KEY) is None
    later = reopened(records)
    assert later.cached(KEY) is None
    later.close()


def test_a_hit_is_recorded_as_one(records, answer_of):
    turn = records.new_turn(records.new_session("page", keep_text=True), "질문", DAY)
    records.keep(turn, answer_of(text="그 답", cached=True), INFO, PARAMS, cache_key=KEY)
    cached = records._connection.execute("SELECT cached FROM answers").fetchone()[0]
    assert cached == 1
