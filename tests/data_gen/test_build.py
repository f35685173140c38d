import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_gen.build import build, report
from data_gen.errors import DataGenError, TeacherFailure
from data_gen.funnel import korean_font, stages
from data_gen.gates import GATE_NAMES

ROW_KEYS = {
    *("id", "question", "answer", "type", "style", "source", "tax", "as_of", "articles", "call", "payable"),
    *("family", "evidence", "provenance", "gates"),
}
FILES = {
    *("train.jsonl", "validation.jsonl", "rejected.jsonl", "recorded_answers.jsonl"),
    *("dataset_card.md", "funnel.png", "run.json"),
}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def numbered(reply):
    """A teacher whose pairs differ from document to document, so that none is a duplicate."""
    return lambda document, _: reply(int(document.id.rsplit("#")[1]))


@pytest.fixture
def documents(document):
    return [document(number) for number in range(1, 13)]


def test_the_folder_is_what_the_contract_says(tmp_path, config, library, documents, scripted, reply):
    library(documents)
    out = tmp_path / "set"
    built = build(config(worked={"count": 60}), out=out, teacher=scripted(numbered(reply)))
    assert {path.name for path in out.iterdir()} == FILES
    rows = lines(out / "train.jsonl") + lines(out / "validation.jsonl")
    assert len(rows) == built.counts.accepted == 84
    assert all(set(row) == ROW_KEYS for row in rows)
    assert all(row["call"] and row["payable"] is not None for row in rows if row["style"] == "worked")
    pair = next(row for row in rows if row["style"] == "plain")
    assert (pair["type"], pair["source"], pair["call"]) == ("student", "openapi", None)
    assert set(pair["provenance"]) == {
        *("document_id", "document_version", "teacher", "model", "prompt", "prompt_hash", "note"),
    }
    assert len(lines(out / "recorded_answers.jsonl")) == 24
    assert "증여" in (out / "train.jsonl").read_text(encoding="utf-8")  # Hangul as it is
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["counts"]["by_split"] == {
        "train": len(lines(out / "train.jsonl")),
        "validation": len(lines(out / "validation.jsonl")),
    }
    assert run["provisions"] == "시험용 문서."


def test_families_do_not_straddle_the_split(tmp_path, config, library, documents, scripted, reply):
    library(documents)
    build(config(worked={"count": 200}), out=tmp_path / "set", teacher=scripted(numbered(reply)))
    train = {row["family"] for row in lines(tmp_path / "set" / "train.jsonl")}
    validation = {row["family"] for row in lines(tmp_path / "set" / "validation.jsonl")}
    assert train and validation and not train & validation


def test_datasets_opens_the_folder(tmp_path, config, library, documents, scripted, reply, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    library(documents)
    out = tmp_path / "set"
    build(config(worked={"count": 60}), out=out, teacher=scripted(numbered(reply)))
    (out / "slm-forest.json").write_text("[]", encoding="utf-8")  # an export beside it does not get in the way
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == {"train", "validation"}
    assert loaded["train"].features == loaded["validation"].features
    assert loaded["train"].num_rows + loaded["validation"].num_rows == 84
    assert loaded["train"].features["payable"].dtype == "int64"


def misbehaviours(reply, number: int) -> dict[str, object]:
    good = reply(number)
    wrong_article = reply(number)
    wrong_article["plain"]["articles"] = ["소득세법 제999조"]
    english = reply(number)
    english["expert"]["question"] = "How much is the gift deduction for an adult child in Korea?"
    twins = reply(number) | {"plain": good["expert"]}
    return {
        "good": good,
        "failed": TeacherFailure("시간 초과"),
        "cut": json.dumps(good, ensure_ascii=False)[:40],
        "half": {"expert": good["expert"]},
        "chatter": "죄송하지만 답할 수 없습니다.",
        "wrong_article": wrong_article,
        "english": english,
        "twins": twins,
        "same_as_others": reply(0),
    }


KINDS = ("good", "failed", "cut", "half", "chatter", "wrong_article", "english", "twins", "same_as_others")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=12), worked=st.integers(0, 5), seed=st.integers(0, 99)
)
def test_requested_is_accepted_plus_rejected_plus_failed_whatever_the_teacher_does(
    kinds, worked, seed, config, library, document, scripted, reply, monkeypatch
):
    monkeypatch.setattr("data_gen.build.draw_funnel", lambda *_: True)
    documents = [document(number) for number in range(1, len(kinds) + 1)]
    library(documents)

    def script(shown, _):
        number = int(shown.id.rsplit("#")[1])
        return misbehaviours(reply, number)[kinds[number - 1]]

    folder = Path(tempfile.mkdtemp())
    try:
        out = folder / "set"
        teacher = scripted(script, concurrency=3)
        if set(kinds) == {"failed"}:
            with pytest.raises(DataGenError, match="시간 초과"):
                build(config(worked={"count": worked}, seed=seed), out=out, teacher=teacher)
            return
        counts = build(config(worked={"count": worked}, seed=seed), out=out, teacher=teacher).counts
        # Every figure is held against what lies on the disk, not against another counter.
        accepted = lines(out / "train.jsonl") + lines(out / "validation.jsonl")
        rejected = lines(out / "rejected.jsonl")
        run = json.loads((out / "run.json").read_text(encoding="utf-8"))
        assert counts.requested == 2 * len(kinds) + worked
        assert (counts.accepted, counts.rejected, counts.failed) == (len(accepted), len(rejected), len(run["failures"]))
        assert counts.requested == counts.accepted + counts.rejected + counts.failed
        assert sum(counts.by_gate.values()) == counts.rejected
        assert counts.failed == 2 * kinds.count("failed")
        assert len(lines(out / "recorded_answers.jsonl")) == len(accepted) - worked
        assert all(set(row) == ROW_KEYS | {"gate", "reason"} and row["reason"] for row in rejected)
        assert stages(counts, GATE_NAMES)[-1][1] == counts.accepted
        for cell in counts.by_source.values():
            assert cell["requested"] == cell["accepted"] + cell["rejected"] + cell["failed"]
    finally:
        shutil.rmtree(folder)


def test_concurrency_does_not_change_the_dataset(tmp_path, config, library, documents, scripted, reply):
    library(documents)
    for number in (1, 5):
        build(config(), out=tmp_path / str(number), teacher=scripted(numbered(reply), concurrency=number))
    assert (tmp_path / "1" / "train.jsonl").read_bytes() == (tmp_path / "5" / "train.jsonl").read_bytes()


def test_a_run_that_dies_leaves_the_former_dataset_and_no_rubbish(
    tmp_path, config, library, documents, scripted, reply
):
    library(documents)
    out = tmp_path / "set"
    build(config(), out=out, teacher=scripted(numbered(reply)))
    before = (out / "train.jsonl").read_bytes()

    def dies(document, _):
        return DataGenError("키 거부") if document.id.endswith("#6") else reply(1)

    with pytest.raises(DataGenError, match="키 거부"):
        build(config(), out=out, teacher=scripted(dies, concurrency=2))
    assert (out / "train.jsonl").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_second_build_replaces_the_first_whole(tmp_path, config, library, documents, scripted, reply):
    library(documents)
    out = tmp_path / "set"
    build(config(), out=out, teacher=scripted(numbered(reply)))
    (out / "slm-forest.json").write_text("[]", encoding="utf-8")
    library(documents[:3])
    assert build(config(), out=out, teacher=scripted(numbered(reply))).counts.accepted == 6
    assert {path.name for path in out.iterdir()} == FILES


def test_a_folder_that_is_no_dataset_is_never_replaced(tmp_path, config, library, documents, scripted, reply):
    library(documents)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"x")
    with pytest.raises(DataGenError, match="photos"):
        build(config(), out=tmp_path / "photos", teacher=scripted(numbered(reply)))
    assert (tmp_path / "photos" / "a.png").read_bytes() == b"x"


def test_a_document_not_yet_in_force_is_failed_and_never_asked(tmp_path, config, library, document, scripted, reply):
    library([document(1), document(2, fault="기준일에 아직 시행되지 않은 조문")])
    teacher = scripted(numbered(reply))
    built = build(config(), out=tmp_path / "set", teacher=teacher)
    assert built.counts.failed == 2 and "시행되지 않은" in built.failures[0].reason
    assert teacher.asked == [document(1).id]


def test_the_screen_and_the_card_say_the_same_counts(tmp_path, config, library, documents, scripted, reply, capsys):
    from rich.console import Console

    library(documents)
    built = build(config(worked={"count": 30}), out=tmp_path / "set", teacher=scripted(numbered(reply)))
    report(built, Console(width=100))
    screen = capsys.readouterr().out
    assert "요청" in screen and "54" in screen and "조문 실재" in screen
    card = (tmp_path / "set" / "dataset_card.md").read_text(encoding="utf-8")
    assert "요청 54 = 채택 54 + 거절 0 + 실패 0" in card
    for phrase in ("저작권법 제7조", "korean-tax-mcp", "MIT", "세무 자문이 아닙니다", "not a live model", "2026-06-01"):
        assert phrase in card


def test_without_a_hangul_font_the_labels_are_english(
    tmp_path, config, library, documents, scripted, reply, monkeypatch
):
    from data_gen import funnel

    monkeypatch.setattr(funnel, "KOREAN_FONTS", ("No Such Font",))
    assert korean_font() is None
    library(documents)
    built = build(config(), out=tmp_path / "set", teacher=scripted(numbered(reply)))
    assert funnel.draw_funnel(built.counts, GATE_NAMES, tmp_path / "f.png") is False
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
