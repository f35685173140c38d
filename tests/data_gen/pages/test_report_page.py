"""The report opens from disk with nothing fetched, runs nothing that stands in the data, and shows all rejects."""

import json
import re

import pytest

from data_gen.errors import BadInput
from data_gen.report import facts
from data_gen.report.page import write_report
from data_gen.report.run_record import funnel, limits, money, tokens

RUN = {
    "config": {"name": "시험 묶음", "as_of": "2026-06-01"},
    "provisions": "법령 조문: 시험용.",
    "documents": 3,
    "counts": {"requested": 25, "accepted": 6, "rejected": 14, "failed": 5, "by_gate": {"duplicate": 1, "verify": 13}},
    "failures": {"finish_reason=length <b>": 4, "429": 1},
    "replies": {"used": 10, "sent": 12, "capped": 0, "unpriced": 0},
    "review": {"accepted": 3, "edited": 1, "rejected": 2, "stale": 0, "cut": 0},
    "usage": {"gpt-4o": {"input": 1200, "cached": 200, "output": 340, "reasoning": 40}},
    "usd": 1.5,
    "krw": 2085,
    "seconds": 75.0,
    "limit_history": [{"seconds": 0.0, "limit": 8, "why": "시작"}, {"seconds": 30.0, "limit": 4, "why": "429"}],
    "date": "2026-06-01T09:30:00+00:00",
}


@pytest.fixture
def report(dataset):
    (dataset / "run.json").write_text(json.dumps(RUN, ensure_ascii=False), encoding="utf-8")
    return write_report(dataset)


def shown(page) -> list[str]:
    return page.locator("#rows .row summary strong").all_inner_texts()


def test_the_report_in_a_browser_without_a_network(report, browser) -> None:
    with browser(offline=True) as seen:
        page = seen.page
        page.goto(report.as_uri())
        page.wait_for_selector("#rows .row")
        assert (
            "시험 묶음" in page.inner_text("h1")
            and "$1.50" in page.inner_text(".tiles")
            and "2,085원" in page.inner_text(".tiles")
        )
        assert "1분 15초" in page.inner_text(".tiles")
        assert page.locator("#funnel .wide li").all_inner_texts()[-1].split() == ["채택", "6"]
        assert "제59조" in page.inner_text("#coverage") and "요약에 있으나 쌍이 없는 조문" in page.inner_text(
            "#coverage"
        )

        # All rejects, ten a page.
        assert len(shown(page)) == 10 and "1 / 2쪽 · 14개" in page.inner_text(".pager >> nth=0")
        page.focus(".pager .after >> nth=0")
        page.keyboard.press("Enter")
        assert len(shown(page)) == 4
        page.select_option("#by-gate", "duplicate")
        assert shown(page) == ["30번: 근로소득세액공제의 한도는 얼마인가요?"]
        page.select_option("#by-gate", "")
        page.fill("#by-text", "12번")
        assert shown(page) == ["12번: 근로소득세액공제의 한도는 얼마인가요?"]
        page.fill("#by-text", "")

        # Accepted samples: the place the answer rests on is marked, characters beyond the first plane and all.
        page.focus("#tab-accepted")
        page.keyboard.press("Space")
        assert len(shown(page)) == 6
        page.select_option("#by-tax", "법인세")
        page.focus("#rows .row summary")
        page.keyboard.press("Enter")
        page.wait_for_selector(".row .evidence")
        marks = page.locator(".evidence mark").all_inner_texts()
        assert "소득세법 제59조" in marks and "74만원" in marks

        # What stands in the data is text.
        page.select_option("#by-tax", "<b>세목</b>")
        page.click("#rows .row summary")
        page.wait_for_selector(".row .evidence")
        assert page.evaluate("window.hacked") is None
        assert page.locator("#rows img, #rows script, #rows b").count() == 0
        assert "</script><script>window.hacked=1</script>" in page.inner_text("#rows")
        assert seen.errors == [] and [address for address in seen.asked if not address.startswith("file:")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_fits_a_narrow_screen_in_both_colours(report, browser, scheme: str) -> None:
    with browser(viewport={"width": 380, "height": 800}, color_scheme=scheme, offline=True) as seen:
        seen.page.goto(report.as_uri())
        seen.page.wait_for_selector("#rows .row")
        for number in range(3):
            seen.page.locator("#rows .row summary").nth(number).click()
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 380
        paper = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(int(part) for part in re.findall(r"\d+", paper)) > 380
        assert light == (scheme == "light")


def test_the_file_holds_one_script_and_asks_for_nothing(report) -> None:
    text = report.read_text(encoding="utf-8")
    assert text.count("<script") == text.count("</script>") == 2  # the data and the page's own
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//|url\(|@import", text)
    assert "default-src 'none'" in text and "finish_reason=length &lt;b&gt;" in text
    assert "쓴 응답 10 · 보낸 요청 12" in text and "사람의 검토: 채택 3 · 고침 1 · 거절 2" in text


def test_what_the_run_did_not_record_is_said_to_be_missing(dataset) -> None:
    text = write_report(dataset).read_text(encoding="utf-8")
    assert text.count("기록 없음") >= 5 and "$0.00" not in re.sub(r"<tbody>.*?</tbody>", "", text, flags=re.DOTALL)


def test_too_many_rejects_are_counted_and_the_reader_is_told_where_they_are(dataset, monkeypatch) -> None:
    monkeypatch.setattr(facts, "MOST_REJECT_CHARS", 4_000)
    found = facts.gather(dataset)
    assert found.rejected == 14 and 0 < len(found.rejects) < 14
    text = write_report(dataset).read_text(encoding="utf-8")
    assert f"{14 - len(found.rejects)}개는 여기에 싣지 않았습니다" in text and "rejected.jsonl" in text


def test_facts_of_the_rows(dataset) -> None:
    found = facts.gather(dataset)
    assert found.accepted == 6 and found.gates == {"verify": 13, "duplicate": 1}
    teacher = found.teachers["gpt", "gpt-4o"]
    assert (teacher.rows, teacher.rejected) == (6, 14)
    assert teacher.input_tokens == 20 * 100 and teacher.usd == pytest.approx(0.2)
    assert found.articles["소득세법", "제59조"] == 5 and found.without_article == 1
    assert sorted(found.difficulty.elements()) == [1, 2, 2, 3, 4, 5]


def test_rows_of_one_reply_share_its_tokens(dataset, row) -> None:
    lines = [json.dumps(row(number) | {"provenance": row(1)["provenance"]}, ensure_ascii=False) for number in (1, 2)]
    (dataset / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name in ("validation.jsonl", "rejected.jsonl"):
        (dataset / name).unlink()
    assert facts.gather(dataset).teachers["gpt", "gpt-4o"].input_tokens == 100


def test_run_records_in_their_shapes() -> None:
    assert [(stage.name, stage.left, stage.out) for stage in funnel(RUN, {}, 0)] == [
        ("요청", 25, 0),
        ("응답 있음", 20, 5),
        ("관문: 근거 대조", 7, 13),
        ("관문: 중복", 6, 1),
        ("채택", 6, 0),
    ]
    assert funnel({}, {"verify": 2}, 3)[0].left == 5
    assert tokens({"usage": {"input": 5, "output": 2}}) == [
        ("전체", {"input": 5, "cached": 0, "output": 2, "reasoning": 0})
    ]
    assert tokens({}) is None and tokens({"usage": {}}) is None
    assert money({"usd": None}, "usd") == {"전체": None} and money({}, "usd") is None
    assert money({"usd": {"a": 1, "b": None}}, "usd") == {"a": 1.0, "b": None}
    assert [change.limit for change in limits({"limit_history": [[0, 8, "시작"], [3.5, 4]]})] == [8, 4]
    assert limits({}) is None and limits({"limit_history": []}) is None


def test_a_folder_that_is_no_dataset_is_named(tmp_path) -> None:
    with pytest.raises(BadInput, match="데이터셋 폴더가 아닙니다"):
        write_report(tmp_path)
