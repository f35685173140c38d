"""If these fail, a refresh repeats downloads, hides a refusal, leaks the key, or mixes tables behind the user's back."""

import io
import json
import re
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from taxlaw import addenda, articles, paragraphs, table_files, versions
from taxlaw.__main__ import main
from taxlaw.command_line import run_lookup
from taxlaw.errors import ConfigError, DownloadError, SourceError
from taxlaw.law_api import LawApi, Pace, records
from taxlaw.update import _read_body, run_update, update

KEY = "someone@key"
AS_OF = date(2026, 10, 1)
LAW = "교육세법"
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def listed(serial, promulgated, number, effective, name=LAW):
    return {
        "법령일련번호": serial,
        "현행연혁코드": "연혁",
        "법령명한글": name,
        "공포일자": promulgated,
        "공포번호": number,
        "시행일자": effective,
        "제개정구분명": "일부개정",
    }


def unit(number, heading, text, branch=None, **more):
    title = f"제{number}조" + (f"의{branch}" if branch else "")
    named = f"({heading})" if heading else ""
    return {
        "조문번호": number,
        **({"조문가지번호": branch} if branch else {}),
        "조문여부": "조문",
        "조문제목": heading,
        "조문내용": f"{title}{named} {text}",
        **more,
    }


OLD_UNITS = [
    *[unit(str(n), f"시험 제목 {n}", "가나다.") for n in range(1, 14) if n != 11],
    unit("8", "시험 제목", "가나다.", branch="2"),
]
ADDENDUM = [
    [
        "부칙 <제21500호,2026.9.1>",
        "제1조(시행일) 이 법은 공포한 날부터 시행한다. 다만, 제5조제2항의 개정규정은 2027년 1월 1일부터 시행한다.",
        "제2조(과세표준에 관한 적용례) 제8조의 개정규정은 2027년 7월 1일 이후 신고하는 경우부터 적용한다.",
    ]
]


def body(number, promulgated, effective, units, addendum=ADDENDUM, name=LAW, **facts):
    basic = {"법령명_한글": name, "공포번호": number, "공포일자": promulgated, "시행일자": effective, **facts}
    parts = {"부칙공포일자": promulgated, "부칙공포번호": number, "부칙내용": addendum}
    return {"법령": {"기본정보": basic, "조문": {"조문단위": units}, "부칙": {"부칙단위": parts}}}


NEW_UNITS = [
    {"조문번호": "1", "조문여부": "전문", "조문내용": "제1장 총칙"},
    *[u for u in OLD_UNITS if u["조문번호"] not in ("5", "13")],
    unit("5", "과세표준", "", 항=[{"항내용": "① 가."}, {"항내용": "② 나. <개정 2026.9.1>"}]),
    unit("5", "새로운 조", "라.", branch="7"),
    unit("13", "", "삭제 <2026.9.1>"),
]
BODY = body(
    "21500", "20260901", "20260901", NEW_UNITS, 조문시행일자문자열="20270101:제5조제2항20271001:제9조, 제10조제1항"
)
LISTING = {
    "LawSearch": {
        "totalCnt": "4",
        "law": [
            listed("999002", "20260901", "21500", "20270101"),
            listed("999002", "20260901", "21500", "20260901"),
            listed("999001", "20241231", "20616", "20260930"),
            listed("999003", "20260901", "36500", "20260901", name=f"{LAW} 시행령"),
        ],
    }
}


class Script:
    """A law.go.kr that answers from a list: query -> answers in turn (the last one for ever)."""

    def __init__(self, answers):
        self.answers = {key: list(value) if isinstance(value, list) else [value] for key, value in answers.items()}
        self.seen, self.queries = [], []

    def reply(self, path):
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        self.queries.append(query)
        if query.get("target") != "eflaw" or query.get("type") != "JSON":
            return 400, "wrong target"
        key = f"{query['MST']}@{query.get('efYd')}" if "MST" in query else f"{query['query']}#{query['page']}"
        self.seen.append(key)
        queue = self.answers.get(key, [(404, "none")])
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        status, text = answer if isinstance(answer, tuple) else (200, answer)
        return status, text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)


@pytest.fixture
def serve(monkeypatch):
    servers = []

    def start(answers):
        script = Script(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                status, text = script.reply(self.path)
                raw = text.encode("utf-8")
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        monkeypatch.setenv("LAW_GO_KR_URL", f"http://127.0.0.1:{server.server_port}/DRF")
        return script

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def connect(clock=None, **pace):
    clock = clock or Clock()
    return LawApi(KEY, Pace(**pace), clock, clock.sleep)


@pytest.fixture
def tables(monkeypatch):
    """Uses the tables of a folder, as a new process would."""
    caches = (
        table_files.active_tables,
        articles._index,
        versions._table,
        addenda._table,
        paragraphs._index,
    )

    def use(folder):
        monkeypatch.setenv("SLM_FOREST_DATA", str(folder))
        for cached in caches:
            cached.cache_clear()

    yield use
    monkeypatch.undo()
    for cached in caches:
        cached.cache_clear()


GOOD = {f"{LAW}#1": LISTING, "999002@20260901": BODY}


def refresh(folder, serve, answers=GOOD, **more):
    script = serve(answers)
    return update(folder, connect(), AS_OF, [LAW], today=AS_OF, **more), script


def test_the_refreshed_tables_answer_and_the_others_stay(tmp_path, serve, tables):
    done, script = refresh(tmp_path, serve)
    # 999002 wins over the version that took effect later but was promulgated before; one list, one body.
    assert script.seen == [f"{LAW}#1", "999002@20260901"]
    assert done.requests == 2 and "조문 14개: 생긴 것 1, 없어진 것 1" in done.changes[LAW]
    tables(tmp_path)
    assert articles.index_dates()[-1] == AS_OF
    assert articles.lookup(LAW, "제5조의7", AS_OF).status == "found"
    assert articles.lookup(LAW, "제5조의7", date(2025, 7, 1)).status == "no_such_article"
    assert articles.lookup(LAW, "제13조", AS_OF).status == "deleted"
    assert articles.lookup("소득세법", "제17조", AS_OF).status == "found"
    assert (versions.version_on(LAW, AS_OF).number, versions.version_on(LAW, AS_OF).serial) == ("21500", "999002")
    assert versions.version_on(LAW, date(2025, 7, 1)).number == "19925"
    assert versions.version_on(LAW, AS_OF).effective == date(2026, 9, 1)
    assert paragraphs.paragraph_count(LAW, "제5조") >= 2


def test_what_waits_is_read_from_the_addendum_and_from_the_date_string_once(tmp_path, serve, tables):
    refresh(tmp_path, serve)
    tables(tmp_path)
    (fact,) = addenda.pending(LAW, "제5조", AS_OF, paragraph=2)
    assert (fact.number, fact.effective, fact.clause, fact.kind) == ("21500", date(2027, 1, 1), "부칙 제1조", "시행일")
    (only_there,) = addenda.pending(LAW, "제9조", AS_OF)
    assert (only_there.effective, only_there.clause) == (date(2027, 10, 1), "조문시행일자")
    (rule,) = addenda.pending(LAW, "제8조", AS_OF)
    assert (rule.kind, rule.effective) == ("적용례", date(2027, 7, 1))
    # Facts that were built in are still there.
    assert addenda.pending("소득세법", "제17조", date(2026, 6, 1), paragraph=3)[0].effective == date(2027, 1, 1)


def test_lookup_says_where_its_facts_come_from(tmp_path, serve, tables, capsys):
    refresh(tmp_path, serve)
    tables(tmp_path)
    out = io.StringIO()
    run_lookup(f"{LAW} 제5조, 소득세법 제17조", AS_OF, out)
    sources = [json.loads(line)["source"] for line in out.getvalue().splitlines()]
    assert "2026-10-01 기준으로 law.go.kr에서 받음" in sources[0] and str(tmp_path) in sources[0]
    assert "이 법은 내장 표 그대로" in sources[1]


def test_a_killed_run_goes_on_where_it_stopped(tmp_path, serve):
    decree = f"{LAW} 시행령"
    units = [unit(str(n), "가", "나.") for n in range(1, 20)]
    answers = GOOD | {"999003@20260901": [(404, "x"), body("36500", "20260901", "20260901", units, name=decree)]}
    script = serve(answers)
    with pytest.raises(DownloadError, match="이어 받습니다"):
        update(tmp_path, connect(), AS_OF, [LAW, decree], today=AS_OF)
    assert not (tmp_path / "tables.json").exists()
    first = list(script.seen)
    done = update(tmp_path, connect(), AS_OF, [LAW, decree], today=AS_OF)
    assert (first, script.seen[len(first) :]) == ([f"{LAW}#1", "999002@20260901", "999003@20260901"], first[-1:])
    assert done.requests == 1 and set(done.changes) == {LAW, decree}
    assert update(tmp_path, connect(), AS_OF, [LAW], today=AS_OF).requests == 0


class Today(date):
    @classmethod
    def today(cls):
        return AS_OF


def test_interrupted_by_the_user_then_run_from_the_command_line(tmp_path, serve, monkeypatch, capsys):
    def stop(_):
        raise KeyboardInterrupt

    script = serve(GOOD)
    monkeypatch.setattr("taxlaw.update.date", Today)
    err = io.StringIO()
    assert run_update(tmp_path, LawApi(KEY, Pace(), Clock(), stop), AS_OF, [LAW], io.StringIO(), err) == 130
    assert "이어 받습니다" in err.getvalue() and script.seen == [f"{LAW}#1"]
    monkeypatch.setenv("LAW_GO_KR_OC", KEY)
    arguments = ["update", "--out", str(tmp_path), "--law", LAW, "--as-of", "2026-10-01"]
    assert main(arguments) == 0
    assert script.seen == [f"{LAW}#1", "999002@20260901"]
    out, err = capsys.readouterr()
    assert "제21500호" in out and KEY not in out + err


def test_one_record_is_a_dict_and_many_fill_pages(tmp_path, serve):
    single = {"LawSearch": {"totalCnt": "1", "law": LISTING["LawSearch"]["law"][1]}}
    assert refresh(tmp_path / "one", serve, GOOD | {f"{LAW}#1": single})[0].changes
    rows = LISTING["LawSearch"]["law"]
    pages = {
        f"{LAW}#1": {"LawSearch": {"totalCnt": "4", "law": rows[2:]}},
        f"{LAW}#2": {"LawSearch": {"totalCnt": "4", "law": rows[:2]}},
    }
    _, script = refresh(tmp_path / "two", serve, GOOD | pages)
    assert script.seen == [f"{LAW}#1", f"{LAW}#2", "999002@20260901"]
    assert records({"a": 1}) == [{"a": 1}] and records("") == [] == records(None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"Law": "일치하는 법령이 없습니다.  법령명을 확인하여 주십시오."}, "일치하는 법령이 없습니다"),
        ("<?xml version='1.0'?><law><result>실패</result><msg>MST not found</msg></law>", "실패 MST not found"),
        ("<!DOCTYPE html><html><body><h1>점검 중</h1></body></html>", "HTML.*점검 중"),
        ({"result": "사용자 정보 검증 실패", "msg": f"OC {KEY} 확인"}, "검증 실패 OC \\*\\*\\* 확인"),
        ("", "JSON이 아닙니다"),
        ("[]", "JSON 객체가 아닙니다"),
    ],
)
@pytest.mark.parametrize("place", [f"{LAW}#1", "999002@20260901"])
def test_a_refusal_that_looks_like_success_is_told_and_not_kept(tmp_path, serve, place, answer, reason):
    with pytest.raises(DownloadError, match=reason) as error:
        refresh(tmp_path, serve, GOOD | {place: answer})
    assert KEY not in str(error.value)
    kept = [file.name for file in (tmp_path / "raw").rglob("*.json")] if (tmp_path / "raw").exists() else []
    assert kept == ([] if "#" in place else [f"list_{LAW}_1.json"])
    assert not (tmp_path / "tables.json").exists()


def test_a_stumble_is_waited_out_and_requests_keep_their_distance(tmp_path, serve):
    clock = Clock()
    script = serve(GOOD | {f"{LAW}#1": [(500, "x"), (503, "x"), LISTING]})
    update(tmp_path, connect(clock, pause=0.5), AS_OF, [LAW], today=AS_OF)
    assert script.seen == [f"{LAW}#1"] * 3 + ["999002@20260901"]
    assert clock.slept == [1.0, 2.0, 0.5]


def test_it_gives_up_without_showing_the_key(tmp_path, serve):
    script = serve({f"{LAW}#1": (500, "x")})
    with pytest.raises(DownloadError, match="HTTP 500") as error:
        update(tmp_path, connect(attempts=3), AS_OF, [LAW], today=AS_OF)
    assert len(script.seen) == 3
    assert KEY not in str(error.value) and error.value.__cause__ is None and error.value.__suppress_context__
    # The key is in the request, and nowhere on disk.
    assert script.queries[0]["OC"] == KEY


def test_the_key_is_on_no_file(tmp_path, serve):
    refresh(tmp_path, serve)
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_another_version_than_the_one_asked_for_is_refused(tmp_path, serve):
    today = body("21600", "20260915", "20260915", NEW_UNITS)
    with pytest.raises(DownloadError, match="다른 판을 보냈습니다"):
        refresh(tmp_path, serve, GOOD | {"999002@20260901": today})
    assert not list(tmp_path.rglob("law_*.json"))


def test_a_cut_response_does_not_delete_half_a_law(tmp_path, serve):
    with pytest.raises(DownloadError, match="잘린 응답"):
        refresh(tmp_path, serve, GOOD | {"999002@20260901": body("21500", "20260901", "20260901", NEW_UNITS[:3])})


def test_the_version_that_waits_is_read_for_its_addenda(tmp_path, serve, tables):
    listing = {"LawSearch": {"totalCnt": "2", "law": [*LISTING["LawSearch"]["law"][1:2]]}}
    listing["LawSearch"]["law"].append(listed("999009", "20260920", "21700", "20270301"))
    addendum = [["부칙 <제21700호,2026.9.20>", "이 법은 2027년 3월 1일부터 시행한다."]]
    units = [*NEW_UNITS[:-1], unit("12", "시험", "", 항=[{"항내용": "① 다. <개정 2026.9.20>"}])]
    answers = GOOD | {f"{LAW}#1": listing, "999009@20270301": body("21700", "20260920", "20270301", units, addendum)}
    refresh(tmp_path, serve, answers)
    tables(tmp_path)
    assert [v.number for v in versions.versions_waiting(LAW, AS_OF)] == ["21700"]
    assert addenda.pending(LAW, "제12조", AS_OF)[0].effective == date(2027, 3, 1)


def test_wrong_requests_are_refused_before_the_first_one(tmp_path, serve):
    script = serve(GOOD)
    for as_of, laws, reason in [
        (date(2026, 10, 2), [LAW], "오늘보다 뒤"),
        (date(2026, 6, 1), [LAW], "이미 2026-06-01"),
        (AS_OF, ["증여세법"], "색인에 없는 법.*상속세 및 증여세법"),
    ]:
        with pytest.raises(ConfigError, match=reason):
            update(tmp_path, connect(), as_of, laws, today=AS_OF)
    with pytest.raises(ConfigError, match=r"0\.5초 이상"):
        Pace(pause=0.1)
    assert script.seen == []


def test_a_damaged_set_is_an_error_and_an_old_one_is_not_used(tmp_path, serve, tables):
    refresh(tmp_path, serve)
    tables(tmp_path)
    (tmp_path / "versions.tsv.gz").write_bytes(b"half")
    with pytest.raises(SourceError, match=r"상했습니다.*versions"):
        versions.version_on(LAW, AS_OF)
    told = []
    assert refresh(tmp_path, serve, tell=told.append)[0].requests == 0
    assert any("상했습니다" in line for line in told)
    manifest = json.loads((tmp_path / "tables.json").read_text(encoding="utf-8"))
    assert set(manifest["laws"]) == {LAW}
    (tmp_path / "tables.json").write_text(json.dumps(manifest | {"as_of": "2026-05-01"}), encoding="utf-8")
    tables(tmp_path)
    assert articles.index_dates()[-1] == date(2026, 6, 1)
    assert re.search(r"내장 표 .*쓰지 않음", table_files.active_tables().describe(LAW))
    (tmp_path / "tables.json").write_text("{}", encoding="utf-8")
    tables(tmp_path)
    with pytest.raises(SourceError, match="다른 모양"):
        articles.indexed_laws()


@pytest.mark.skipif(not (SHARED / "law_api").is_dir(), reason="shared data is not here")
def test_a_real_response_becomes_rows(tmp_path, serve, tables):
    """소득세법 제12조 alone is a cut response; as an answer for one article it still reads, dates and all."""
    real = json.loads((SHARED / "law_api" / "law_service_ita12_abridged.json").read_text(encoding="utf-8"))
    serve({"280405@20260701": real})
    version = versions.Version("소득세법", date(2025, 12, 23), "21221", date(2026, 7, 1), "280405", "일부개정")
    units, _, rows = _read_body(tmp_path, connect(), "소득세법", version)
    assert [article.article for article in units] == ["제12조"]
    assert ("제17조", 3, date(2027, 1, 1)) in {(row.target.article, row.target.paragraph, row.last) for row in rows}
