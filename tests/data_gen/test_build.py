"""The build as a whole: what lies in the folder, what is counted, and what survives when something goes wrong."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_gen.build import build, report
from data_gen.errors import BudgetReached, DataGenError, TeacherFailure
from data_gen.funnel import FUNNEL, korean_font, stages
from data_gen.review.log import Decision, append, content_hash

ROW_KEYS = {
    *("id", "question", "answer", "type", "style", "source", "tax", "as_of", "articles", "call", "payable"),
    *("family", "evidence", "provenance", "gates", "history", "spans", "difficulty", "verdicts", "held_out"),
}
FILES = {
    *("train.jsonl", "validation.jsonl", "rejected.jsonl", "failures.jsonl", "recorded_answers.jsonl"),
    *("analysis.jsonl", "README.md", "funnel.png", "run.json", "report.html"),
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
    out, desk = tmp_path / "set", scripted(numbered(reply))
    built = build(config(worked={"count": 60}), out=out, desk=desk)
    assert {path.name for path in out.iterdir()} == FILES
    assert desk.closed
    rows = lines(out / "train.jsonl") + lines(out / "validation.jsonl")
    assert len(rows) == built.kept.counts.accepted == 84
    assert all(set(row) == ROW_KEYS for row in rows)
    assert all(len(row["gates"]) == len(row["verdicts"]) for row in rows)
    assert all(row["call"] and row["payable"] is not None for row in rows if row["style"] == "worked")
    pair = next(row for row in rows if row["style"] == "plain")
    assert (pair["type"], pair["source"], pair["call"]) == ("student", "openapi", None)
    assert {"document_id", "document_version", "prompt", "prompt_hash", "request", "seed", "usd", "judge"} <= set(
        pair["provenance"]
    )
    cited = [pair["evidence"][span["start"] : span["end"]] for span in pair["spans"]]
    assert any("5,000만원" in text for text in cited)
    assert len(lines(out / "recorded_answers.jsonl")) == 24
    assert len(lines(out / "analysis.jsonl")) == 12
    assert "증여" in (out / "train.jsonl").read_text(encoding="utf-8")  # Hangul as it is
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["counts"]["by_split"] == {
        "train": len(lines(out / "train.jsonl")),
        "validation": len(lines(out / "validation.jsonl")),
        "test": 0,
    }
    assert run["provisions"] == "시험용 문서." and "usd" not in run


def test_nothing_is_shared_between_three_splits(tmp_path, config, library, document, scripted, reply):
    articles = [f"국세기본법 제{number}조" for number in (2, 3, 4, 5, 14, 15, 16, 18, 20, 21, 22, 26)]

    def ask(shown, _):
        pair = reply(int(shown.id.rsplit("#")[1]))
        for style in pair.values():
            style["articles"] = list(shown.articles)
            style["answer"] = f"{shown.articles[0]}에 따른 답변입니다. 그 조문의 요건을 먼저 확인해야 합니다."
        return pair

    library(
        [
            document(number, text=f"{name}: 본문", articles=(name,), family=f"law:{name}")
            for number, name in enumerate(articles, 1)
        ]
    )
    out = tmp_path / "set"
    build(config(worked={"count": 200}, splits={"validation": 0.2, "test": 0.2}), out=out, desk=scripted(ask))
    found = {name: lines(out / f"{name}.jsonl") for name in ("train", "validation", "test")}
    assert all(any(row["style"] == "worked" for row in rows) for rows in found.values())
    assert all(any(row["style"] != "worked" for row in rows) for rows in found.values())
    for key in ("family", "document"):
        seen = [
            {row["family"] if key == "family" else row["provenance"]["document_id"] for row in rows}
            for rows in found.values()
        ]
        assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    cited = [{name for row in rows if row["style"] != "worked" for name in row["articles"]} for rows in found.values()]
    assert not cited[0] & cited[1] and not cited[0] & cited[2] and not cited[1] & cited[2]


def test_datasets_opens_the_folder(tmp_path, config, library, documents, scripted, reply, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    library(documents)
    out = tmp_path / "set"
    build(config(worked={"count": 60}), out=out, desk=scripted(numbered(reply)))
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
        "capped": BudgetReached("금액 상한"),
        "wrong_article": wrong_article,
        "english": english,
        "twins": twins,
        "same_as_others": reply(0),
    }


KINDS = ("good", "failed", "cut", "half", "chatter", "capped", "wrong_article", "english", "twins", "same_as_others")
NO_ANSWER = {"failed", "cut", "half", "chatter", "capped"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=12), worked=st.integers(0, 5), seed=st.integers(0, 99)
)
def test_requested_is_accepted_plus_rejected_plus_failed_whatever_the_teacher_does(
    kinds, worked, seed, config, library, document, scripted, reply, monkeypatch
):
    monkeypatch.setattr("data_gen.summary.draw_funnel", lambda *_: True)
    monkeypatch.setattr("data_gen.summary.write_report", lambda *_: None)
    documents = [document(number) for number in range(1, len(kinds) + 1)]
    library(documents)

    def script(shown, _):
        number = int(shown.id.rsplit("#")[1])
        return misbehaviours(reply, number)[kinds[number - 1]]

    folder = Path(tempfile.mkdtemp())
    try:
        out = folder / "set"
        desk = scripted(script, places=3)
        if set(kinds) <= NO_ANSWER - {"capped"}:
            with pytest.raises(DataGenError, match="하나에도 답하지 못했습니다"):
                build(config(worked={"count": worked}, seed=seed), out=out, desk=desk)
            return
        built = build(config(worked={"count": worked}, seed=seed), out=out, desk=desk)
        counts = built.kept.counts
        # Every figure is held against what lies on the disk, not against another counter.
        accepted = lines(out / "train.jsonl") + lines(out / "validation.jsonl")
        rejected, failed = lines(out / "rejected.jsonl"), lines(out / "failures.jsonl")
        assert counts.requested == 2 * len(kinds) + worked
        assert (counts.accepted, counts.rejected, counts.failed) == (len(accepted), len(rejected), len(failed))
        assert counts.requested == counts.accepted + counts.rejected + counts.failed
        ids = [row["id"] for row in accepted + rejected + failed]
        assert len(set(ids)) == len(ids) == counts.requested
        assert sum(counts.by_gate.values()) == counts.rejected
        assert counts.failed == 2 * sum(kind in NO_ANSWER for kind in kinds)
        assert all(one["reason"] for one in failed)
        assert built.spent.capped == kinds.count("capped")
        assert len(lines(out / "recorded_answers.jsonl")) == len(accepted) - worked
        assert all(set(row) == ROW_KEYS | {"gate", "reason"} and row["reason"] for row in rejected)
        assert stages(counts, FUNNEL)[-1][1] == counts.accepted
        for cell in counts.by_source.values():
            assert cell["requested"] == cell["accepted"] + cell["rejected"] + cell["failed"]
    finally:
        shutil.rmtree(folder)


def test_neither_places_nor_worker_processes_change_the_dataset(tmp_path, config, library, documents, scripted, reply):
    library(documents)
    for places, workers in ((1, 0), (5, 0), (5, 2)):
        out = tmp_path / f"{places}{workers}"
        build(config(worked={"count": 40}, workers=workers), out=out, desk=scripted(numbered(reply), places))
    assert (tmp_path / "10" / "train.jsonl").read_bytes() == (tmp_path / "50" / "train.jsonl").read_bytes()
    assert (tmp_path / "10" / "train.jsonl").read_bytes() == (tmp_path / "52" / "train.jsonl").read_bytes()


def test_a_run_that_dies_leaves_the_former_dataset_and_no_rubbish(
    tmp_path, config, library, documents, scripted, reply
):
    library(documents)
    out = tmp_path / "set"
    build(config(), out=out, desk=scripted(numbered(reply)))
    before = (out / "train.jsonl").read_bytes()

    def dies(document, _):
        return DataGenError("키 거부") if document.id.endswith("#6") else reply(1)

    desk = scripted(dies, places=2)
    with pytest.raises(DataGenError, match="키 거부"):
        build(config(), out=out, desk=desk)
    assert desk.closed
    assert (out / "train.jsonl").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_second_build_replaces_the_first_whole(tmp_path, config, library, documents, scripted, reply):
    library(documents)
    out = tmp_path / "set"
    build(config(), out=out, desk=scripted(numbered(reply)))
    (out / "slm-forest.json").write_text("[]", encoding="utf-8")
    library(documents[:3])
    assert build(config(), out=out, desk=scripted(numbered(reply))).kept.counts.accepted == 6
    assert {path.name for path in out.iterdir()} == FILES


def test_a_folder_that_is_no_dataset_is_never_replaced(tmp_path, config, library, documents, scripted, reply):
    library(documents)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"x")
    with pytest.raises(DataGenError, match="photos"):
        build(config(), out=tmp_path / "photos", desk=scripted(numbered(reply)))
    assert (tmp_path / "photos" / "a.png").read_bytes() == b"x"


def test_a_document_not_yet_in_force_is_failed_and_never_asked(tmp_path, config, library, document, scripted, reply):
    library([document(1), document(2, fault="기준일에 아직 시행되지 않은 조문")])
    desk = scripted(numbered(reply))
    built = build(config(), out=tmp_path / "set", desk=desk)
    assert built.kept.counts.failed == 2
    assert "시행되지 않은" in lines(tmp_path / "set" / "failures.jsonl")[0]["reason"]
    assert desk.asked == [document(1).id]


def test_the_law_changed_is_asked_only_where_there_is_a_change(tmp_path, config, library, document, scripted, reply):
    library([document(1), document(2, notes=("제3항의 개정은 2027. 1. 1.부터 시행된다.",))])
    asked = []

    def ask(shown, task):
        asked.append((shown.id[-1], task))
        return reply(int(shown.id[-1])) if task == "pairs" else TeacherFailure("없음")

    build(config(tasks=["pairs", "law_change"]), out=tmp_path / "set", desk=scripted(ask))
    assert asked == [("1", "pairs"), ("2", "pairs"), ("2", "law_change")]


def decide(folder: Path, row: dict, decision: str, **values) -> None:
    made = {"id": row["id"], "content": content_hash(row["question"], row["answer"]), "decision": decision}
    made |= {"reviewer": "검토자", "time": "2026-06-01T00:00:00+00:00"}
    append(folder / "review.jsonl", Decision.model_validate(made | values))


def test_what_people_decided_is_honoured_and_an_edit_passes_the_gates_again(
    tmp_path, config, library, documents, scripted, reply
):
    library(documents)
    out = tmp_path / "set"
    build(config(), out=out, desk=scripted(numbered(reply)))
    rows = {row["id"]: row for row in lines(out / "train.jsonl") + lines(out / "validation.jsonl")}
    thrown, mended, broken, kept = list(rows.values())[:4]
    better = mended["answer"].replace("공제됩니다", "공제받습니다")
    decide(out, thrown, "reject", reason="말이 어색함")
    decide(out, mended, "edit", question=mended["question"], answer=better)
    decide(out, broken, "edit", question=broken["question"], answer=broken["answer"].replace("5,000만원", "7,000만원"))
    decide(out, kept, "accept")
    built = build(config(), out=out, desk=scripted(numbered(reply)))
    now = {row["id"]: row for row in lines(out / "train.jsonl") + lines(out / "validation.jsonl")}
    refused = {row["id"]: row for row in lines(out / "rejected.jsonl")}
    assert refused[thrown["id"]]["gate"] == "review" and "말이 어색함" in refused[thrown["id"]]["reason"]
    assert now[mended["id"]]["answer"] == better and "verify" in now[mended["id"]]["gates"]
    assert refused[broken["id"]]["gate"] == "verify", "people cannot edit a wrong figure past the verifier"
    assert "review" in now[kept["id"]]["gates"]
    assert (built.decisions.rejected, built.decisions.edited, built.decisions.accepted) == (1, 2, 1)
    assert len(lines(out / "review.jsonl")) == 4, "the log outlives the build"


def test_the_screen_and_the_card_say_the_same_counts(tmp_path, config, library, documents, scripted, reply, capsys):
    from rich.console import Console

    library(documents)
    built = build(config(worked={"count": 30}), out=tmp_path / "set", desk=scripted(numbered(reply)))
    report(built, Console(width=100))
    screen = capsys.readouterr().out
    assert "요청" in screen and "54" in screen and "조문 실재" in screen
    card = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
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
    built = build(config(), out=tmp_path / "set", desk=scripted(numbered(reply)))
    assert funnel.draw_funnel(built.kept.counts, FUNNEL, tmp_path / "f.png") is False
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


def test_recordings_that_are_missing_may_be_left_out_instead_of_failing(tmp_path, config, library, document):
    folder = tmp_path / "recordings"
    folder.mkdir()
    library([document(1), document(2)])
    good = {
        "question": "상속세 및 증여세법 제53조의 공제는 얼마까지 되나요?",
        "articles": ["상속세 및 증여세법 제53조"],
    }
    good["answer"] = "상속세 및 증여세법 제53조에 따라 성년인 자녀는 10년 동안 5,000만원까지 공제됩니다."
    pair = {"expert": good, "plain": good | {"question": "부모님께 받으면 공제가 얼마나 되는지 알려 주세요."}}
    line = {"document_id": document(1).id, "prompt": "pairs", "response": pair}
    (folder / "a.jsonl").write_text(json.dumps(line, ensure_ascii=False), encoding="utf-8")
    for missing, failed in (("fail", 2), ("skip", 0)):
        teacher = {"kind": "recorded", "folder": str(folder), "missing": missing}
        counts = build(config(teacher=teacher), out=tmp_path / missing).kept.counts
        assert (counts.requested, counts.accepted, counts.failed) == (2 + failed, 2, failed)
