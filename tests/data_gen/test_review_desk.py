"""The review's index and desk: rows are found on disk, and two pages on one dataset see each other's decisions."""

import argparse
import json

import pytest

from data_gen.errors import BadInput
from data_gen.review import command
from data_gen.review.desk import ReviewDesk
from data_gen.review.index import Filters, read_index
from data_gen.review.log import LOG_NAME, load_decisions


def row(number: int, **changes) -> dict:
    values = {"id": f"r{number}", "question": f'질문 {number} "따옴표"', "answer": "답변입니다.", "source": "openapi"}
    return values | {"tax": "소득세", "style": "plain", "as_of": "2026-06-01", "evidence": "근거 문장 ABC"} | changes


@pytest.fixture
def folder(tmp_path):
    def write(name: str, rows: list[dict]) -> None:
        text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")

    write("train", [row(0), row(1, tax="법인세"), row(2, style="expert")])
    write("test", [row(3, source="judgment")])
    write("rejected", [row(4, gate="verify", reason="근거에 없는 금액")])
    return tmp_path


def ids(index, filters: Filters, decided=lambda number: False) -> list[str]:
    return [index.row(number)["id"] for number in index.select(filters, decided)]


def test_filters_choose_rows_and_rows_are_read_from_disk(folder) -> None:
    index = read_index(folder)
    assert len(index) == 5 and index.kept == 4
    assert ids(index, Filters()) == ["r0", "r1", "r2", "r3"]
    assert ids(index, Filters(rejected=True)) == ["r0", "r1", "r2", "r3", "r4"]
    assert ids(index, Filters(gate="verify")) == ["r4"] and ids(index, Filters(split="rejected")) == ["r4"]
    assert ids(index, Filters(tax="법인세")) == ["r1"] and ids(index, Filters(style="expert")) == ["r2"]
    assert ids(index, Filters(split="test")) == ["r3"] and ids(index, Filters(source="없는 출처")) == []
    assert ids(index, Filters(undecided=True), lambda number: number < 2) == ["r2", "r3"]
    assert ids(index, Filters(text='질문 2 "따옴표"')) == ["r2"]
    assert ids(index, Filters(text="abc", tax="소득세")) == ["r0", "r2", "r3"]
    assert ids(index, Filters(text="없는 금액", rejected=True)) == ["r4"]
    assert ids(index, Filters(text="plain")) == [], "only texts are searched, not the other columns"


def test_decisions_are_written_counted_and_taken_back(folder) -> None:
    desk = ReviewDesk(folder, "가")
    desk.decide(0, "accept")
    desk.decide(1, "reject", reason="말이 어색함")
    desk.decide(4, "edit", question="질문", answer="고친 답변")
    now = desk.progress()
    assert (now.decided, now.total, now.rejects) == (2, 4, 1) and dict(now.by_reviewer) == {"가": 3}
    assert desk.undo() == 4 and desk.undo() == 1 and desk.undo() == 0 and desk.undo() is None
    assert load_decisions(folder / LOG_NAME).standing == {}
    assert len((folder / LOG_NAME).read_text().splitlines()) == 6, "nothing is ever removed from the log"


def test_two_pages_on_one_dataset_see_each_other(folder) -> None:
    first, second = ReviewDesk(folder, "가"), ReviewDesk(folder, "나")
    first.decide(0, "accept")
    second.decide(1, "accept")
    assert first.progress() == second.progress()
    assert dict(first.progress().by_reviewer) == {"가": 1, "나": 1}
    assert second.undo() == 1 and second.undo() is None, "the decision of another stays"
    assert first.progress().decided == 1


def test_what_makes_no_sense_is_refused_and_not_written(folder) -> None:
    desk = ReviewDesk(folder, "가")
    with pytest.raises(BadInput, match="그대로 채택할 수 없습니다"):
        desk.decide(4, "accept")
    with pytest.raises(BadInput, match="바뀐 글자가 없습니다"):
        desk.decide(0, "edit", question=row(0)["question"], answer=row(0)["answer"])
    assert not (folder / LOG_NAME).exists()


def test_a_dataset_built_anew_under_the_page_takes_no_decision(folder) -> None:
    desk = ReviewDesk(folder, "가")
    (folder / "train.jsonl").write_text(json.dumps(row(9), ensure_ascii=False) + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match="다시 만들어졌습니다"):
        desk.decide(0, "accept")
    assert not (folder / LOG_NAME).exists()


def test_bad_input_is_named(folder, tmp_path) -> None:
    (folder / "test.jsonl").write_text('{"id": 1\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"test\.jsonl:1"):
        read_index(folder)
    with pytest.raises(BadInput, match="데이터셋 폴더가 아닙니다"):
        read_index(tmp_path / "없음")


def test_the_command_wants_a_reviewer_and_a_port(folder) -> None:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    for options, fault in ((["--reviewer", " "], "검토자 이름"), (["--port", "70000"], "65535")):
        arguments = parser.parse_args(["review", str(folder), "--no-browser", *options])
        with pytest.raises(BadInput, match=fault):
            arguments.run(arguments)
