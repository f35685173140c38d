"""If these fail, a cut-off run asks law.go.kr everything anew, a precedent without a body vanishes, or the key leaks."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from data_gen.collect.cleaning import clean
from data_gen.collect.corpus import read_corpus
from data_gen.collect.law_api_source import read_law_api
from data_gen.collect.settings import LawApiSource
from data_gen.collect.tallies import DROPPED, NOTED, READ, grouped
from data_gen.errors import DataGenError
from taxlaw.errors import DownloadError
from taxlaw.law_api import LawApi

# Tests are no package: the double is loaded from its file.
_SPEC = importlib.util.spec_from_file_location("fake_law_go_kr", Path(__file__).with_name("fake_law_go_kr.py"))
fakes = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fakes)
law_body, law_row, ruling_row = fakes.law_body, fakes.law_row, fakes.ruling_row

AS_OF, KEY, LAW = date(2026, 6, 8), "someone@key", "가상세법"
REPO = Path(__file__).parents[2]
LAWS = [
    law_row(LAW, "103", "20260601", "300", "20270101"),
    law_row(LAW, "102", "20251223", "200", "20260101"),
    law_row(LAW, "101", "20230808", "90", "20260301"),  # in force later, but promulgated earlier
    law_row(f"{LAW} 시행령", "104", "20260601", "301", "20260601"),
]
PRECEDENT = {
    "PrecService": {
        "판례정보일련번호": "7",
        "사건명": "증여세부과처분취소",
        "사건번호": "2024두1",
        "선고일자": "20240502",
        "법원명": "대법원",
        "판시사항": "부담부증여에서<br/>채무의 인정",
        "판결요지": "인수한 채무는 증여재산에서 뺀다.",
        "참조조문": "상속세 및 증여세법 제47조",
        "참조판례": "",
        "판례내용": "【주 문】<br/>상고를 기각한다.<br/>【이 유】<br/>이유를 본다.",
    }
}
DECISION = {
    "SpecialDeccService": {
        "사건명": "",
        "사건번호": "",
        "의결일자": "2025.03.04",
        "재결청": "조세심판원",
        "세목": "양도",
        "재결요지": "두 주택을 가진 기간이 3년을 넘지 않았다.",
        "주문": "심판청구를 기각한다.",
        "이유": "1. 처분개요",
        "관련법령": "소득세법 제89조",
    }
}
OPINION = {
    "ExpcService": {
        "안건명": "간이과세의 적용",
        "안건번호": "24-0001",
        "해석일자": "20240110",
        "질의요지": "적용되는가?",
        "회답": "적용되지 않는다.",
        "이유": "부가가치세법 제61조에 따른다.",
    }
}


@pytest.fixture
def serve(monkeypatch):
    opened = []

    def start(lists, bodies, **more):
        fake = fakes.FakeLawGoKr(lists, bodies, **more)
        opened.append(fake)
        monkeypatch.setenv("LAW_GO_KR_URL", fake.address)
        return fake

    yield start
    for fake in opened:
        fake.close()


def read(folder, tally=None, **source):
    tally = Counter() if tally is None else tally
    settings = LawApiSource(kind="law_api", **source)
    connect = lambda: LawApi(KEY, sleep=lambda seconds: None)  # noqa: E731
    return list(clean(read_law_api(settings, AS_OF, tally, folder, connect), tally)), tally


def law_bodies():
    return {("eflaw", "102"): law_body(LAW, "20251223", "200", "20260101", ["가.", "나."])}


def test_the_version_of_the_date_is_asked_for_with_its_day_and_only_once(serve, tmp_path):
    fake = serve({("eflaw", LAW): LAWS}, law_bodies(), page=3)
    documents, _ = read(tmp_path, target="law", names=[LAW])
    assert [document.id for document in documents] == [f"law:{LAW}:제1조", f"law:{LAW}:제2조"]
    assert not any(document.fault for document in documents)
    assert dict(documents[0].meta)["source"] == "raw/law/law_102_20260101.json"
    again, _ = read(tmp_path, target="law", names=[LAW])
    assert again == documents and set(fake.asked.values()) == {1} and fake.count == 3
    assert (("MST", "102"), ("efYd", "20260101"), ("target", "eflaw")) in fake.asked


def test_the_key_stands_in_no_file(serve, tmp_path):
    fake = serve({("eflaw", LAW): LAWS}, law_bodies())
    read(tmp_path, target="law", names=[LAW])
    assert fake.keys == {KEY}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY in path.read_text("utf-8")]


def test_another_version_than_the_one_asked_for_is_refused_and_not_kept(serve, tmp_path):
    serve({("eflaw", LAW): LAWS}, {("eflaw", "102"): law_body(LAW, "20260601", "300", "20270101", ["가."])})
    with pytest.raises(DownloadError, match="다른 판을 보냈습니다"):
        read(tmp_path, target="law", names=[LAW])
    assert not list(tmp_path.rglob("law_102*"))


def test_a_law_that_is_not_listed_is_named_with_the_nearest(serve, tmp_path):
    serve({}, {})
    with pytest.raises(DataGenError, match=r"증여세법.*상속세 및 증여세법"):
        read(tmp_path, target="law", names=["증여세법"])


def test_precedents_keep_number_date_gist_and_those_without_a_body_are_counted(serve, tmp_path):
    rows = [ruling_row("prec", number, 사건번호=f"2024두{number}") for number in ("7", "8", "9", "10")]
    empty = {"PrecService": {"판례정보일련번호": "9", "사건명": "가", "판례내용": ""}}
    html = "<!DOCTYPE html><html><body>taxlaw</body></html>"
    bodies = {("prec", "7"): PRECEDENT, ("prec", "9"): empty, ("prec", "10"): html}
    fake = serve({("prec", "부담부증여"): rows, ("prec", "채무"): rows[:1]}, bodies)
    (document,), tally = read(tmp_path, target="prec", queries=["부담부증여", "채무"])
    facts = dict(document.meta)
    assert (facts["number"], facts["replied"], facts["gist"]) == (
        "2024두1",
        "2024-05-02",
        "인수한 채무는 증여재산에서 뺀다.",
    )
    assert document.id == "prec:7" and document.as_of == date(2024, 5, 2) and document.family == "ruling:2024두1"
    assert document.articles == ("상속세 및 증여세법 제47조",)
    by_name = {part.name: document.text[part.start : part.end] for part in document.parts}
    assert (
        by_name["판시사항"] == "판시사항:\n부담부증여에서\n채무의 인정\n" and "상고를 기각한다." in by_name["판례내용"]
    )
    assert tally[READ] == 4 and grouped(tally, DROPPED) == {"JSON 본문이 없는 문서 (HTML로만 공개)": 3}
    assert grouped(tally, NOTED)["여러 검색에 겹친 문서"] == 1
    read(tmp_path, target="prec", queries=["부담부증여", "채무"])
    # "None found" and an empty body are answers; a page of HTML may be an hour of maintenance and is asked for again.
    assert {dict(name).get("ID"): count for name, count in fake.asked.items() if dict(name).get("ID")} == {
        "7": 1,
        "8": 1,
        "9": 1,
        "10": 2,
    }


def test_a_decision_and_an_interpretation_take_what_only_the_list_knows(serve, tmp_path):
    lists = {
        ("ttSpecialDecc", "2주택"): [ruling_row("ttSpecialDecc", "55", 청구번호="조심2024서1", 사건명="비과세 여부")],
        ("expc", "간이과세"): [ruling_row("expc", "66")],
    }
    serve(lists, {("ttSpecialDecc", "55"): DECISION, ("expc", "66"): OPINION})
    (decision,), _ = read(tmp_path, target="ttSpecialDecc", queries=["2주택"])
    (opinion,), _ = read(tmp_path, target="expc", queries=["간이과세"])
    assert dict(decision.meta)["number"] == "조심2024서1" and decision.title == "비과세 여부"
    assert (
        decision.as_of == date(2025, 3, 4) and decision.area == "양도소득세" and "심판청구를 기각한다." in decision.text
    )
    assert dict(opinion.meta)["gist"] == "적용되지 않는다." and "질의요지:\n적용되는가?" in opinion.text


def test_pages_limit_a_search_and_what_was_not_asked_for_is_reported(serve, tmp_path):
    rows = [ruling_row("prec", str(number)) for number in range(250)]
    fake = serve({("prec", "세"): rows}, {("prec", "7"): PRECEDENT})
    _, tally = read(tmp_path, target="prec", queries=["세"], pages=2)
    assert tally[READ] == 200 and sum("page" in dict(name) for name in fake.asked) == 2
    assert grouped(tally, NOTED) == {"pages: 2 때문에 묻지 않은 목록": 50}


def test_a_service_that_sends_only_html_stops_the_run(serve, tmp_path):
    rows = [ruling_row("prec", str(number)) for number in range(30)]
    fake = serve({("prec", "세"): rows}, {("prec", str(number)): "<html>점검 중</html>" for number in range(30)})
    with pytest.raises(DownloadError, match="점검 중"):
        read(tmp_path, target="prec", queries=["세"])
    assert fake.count == 11


def test_a_torn_answer_on_disk_is_asked_for_again(serve, tmp_path):
    fake = serve({("prec", "세"): [ruling_row("prec", "7")]}, {("prec", "7"): PRECEDENT})
    first, _ = read(tmp_path, target="prec", queries=["세"])
    file = tmp_path / "raw" / "prec" / "7.json"
    file.write_bytes(file.read_bytes()[:40])
    assert read(tmp_path, target="prec", queries=["세"])[0] == first and fake.count == 3


def test_a_refused_key_is_an_error_and_is_not_kept_as_an_answer(serve, tmp_path):
    refusal = {"result": "사용자 정보 검증에 실패하였습니다.", "msg": "등록된 OC가 아닙니다."}
    serve({("prec", "세"): [ruling_row("prec", "7")]}, {("prec", "7"): refusal})
    with pytest.raises(DownloadError, match="검증에 실패"):
        read(tmp_path, target="prec", queries=["세"])
    assert not (tmp_path / "raw" / "prec" / "7.json").exists()


CONFIG = f"""
name: killed
as_of: 2026-06-08
sources:
  - {{kind: law_api, target: law, names: [{LAW}]}}
  - {{kind: law_api, target: prec, queries: [세]}}
"""
# The command as it is, but for the pause between requests.
PROGRAM = """
import sys
from pathlib import Path
from rich.console import Console
from data_gen.collect.command import collect
from data_gen.collect.settings import load_collect_config
from taxlaw.law_api import LawApi
config = load_collect_config(Path(sys.argv[1]))
collect(config, Console(stderr=True), lambda pause: lambda: LawApi("k", sleep=lambda seconds: None))
"""


def test_kill_9_at_any_moment_asks_nothing_twice_but_the_request_in_flight(serve, tmp_path):
    count = 12
    rows = [ruling_row("prec", str(number)) for number in range(count)]
    body = PRECEDENT["PrecService"]
    bodies = law_bodies() | {
        ("prec", str(number)): {"PrecService": body | {"사건번호": f"2024두{number}", "판결요지": f"요지 {number}"}}
        for number in range(count)
    }
    fake = serve({("eflaw", LAW): LAWS, ("prec", "세"): rows}, bodies)
    (tmp_path / "collect.yaml").write_text(CONFIG, encoding="utf-8")

    def start():
        command = [sys.executable, "-c", PROGRAM, "collect.yaml"]
        environment = os.environ | {"PYTHONPATH": str(REPO), "LAW_GO_KR_URL": fake.address}
        return subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)

    corpus = tmp_path / "corpora" / "killed"
    for kill_at in (2, 4, 5):  # the body of the law, the body of a precedent, one further on
        fake.held.clear()
        fake.hold(kill_at)
        process = start()
        assert fake.held.wait(60), process.stderr.read()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (corpus / "documents.jsonl").exists()
    process = start()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    assert len(list(read_corpus(corpus))) == 2 + count
    twice = {name: asked for name, asked in fake.asked.items() if asked > 1}
    assert len(fake.asked) == 3 + count and sorted(twice.values()) in ([2, 2, 2], [2, 3])
    before = (corpus / "documents.jsonl").read_bytes()
    assert start().wait(60) == 0
    assert (corpus / "documents.jsonl").read_bytes() == before and sum(fake.asked.values()) == 3 + count + 3
