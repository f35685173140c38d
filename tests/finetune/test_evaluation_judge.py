"""The judge against a scripted endpoint: blind, both orders, and no verdict made of what cannot be read."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from finetune.data import Row
from finetune.errors import GateError, InputError
from finetune.evaluation.judge import JudgeSettings, Pair, judge, open_judge

LONG, SHORT = "세액은 6억 140만원입니다. 상속세 및 증여세법 제53조에 따른 공제를 뺐습니다.", "잘 모르겠습니다."


@contextmanager
def endpoint(reply, status=200):
    """A local chat-completions server; ``reply(question)`` is the content it sends, ``question`` what the judge reads."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({"path": self.path, "key": self.headers["Authorization"], **body})
            content = reply(json.loads(body["messages"][1]["content"])) if status == 200 else ""
            message = {"role": "assistant", "content": content}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            whole = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"], "choices": [choice]}
            sent = json.dumps(whole if status == 200 else {"error": {"message": "no"}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def key(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("JUDGE_KEY", "key-of-the-test")


@pytest.fixture
def row(tiny):
    return Row.model_validate(tiny.row(0, "20억원", payable=601_400_000, evidence="제53조 공제 5,000만원"))


def asked(reply, pairs, status=200):
    with endpoint(reply, status) as (url, seen):
        return judge(pairs, open_judge(JudgeSettings("scripted", url, "JUDGE_KEY", retries=0))), seen


def longer(question):
    return json.dumps({"winner": "A" if len(question["답변 A"]) > len(question["답변 B"]) else "B", "reason": "긴 답"})


def test_both_orders_are_asked_and_the_judge_is_blind(row):
    record, seen = asked(longer, [Pair(row, LONG, SHORT), Pair(row, SHORT, LONG)])
    assert (record["win"], record["loss"], record["tie"]) == (1, 1, 0)
    assert record["score"]["value"] == 0.5
    shown = [json.loads(one["messages"][1]["content"]) for one in seen]
    assert [(one["답변 A"], one["답변 B"]) for one in shown[:2]] == [(LONG, SHORT), (SHORT, LONG)]
    assert set(shown[0]) == {"기준일", "확인된 사실", "계산기로 확인한 세액", "질문", "답변 A", "답변 B"}
    assert shown[0]["계산기로 확인한 세액"] == "6억 140만원"
    assert not any(name in json.dumps(seen, ensure_ascii=False) for name in ("student", "base", "teacher"))
    assert seen[0]["path"] == "/v1/chat/completions" and seen[0]["key"] == "Bearer key-of-the-test"


def test_a_preference_for_the_first_place_is_a_tie(row):
    record, _ = asked(lambda question: '{"winner": "A", "reason": "앞의 답"}', [Pair(row, LONG, SHORT)])
    assert record["tie"] == 1 and record["win"] == 0 and record["swayed_by_place"] == 1
    assert record["score"]["value"] == 0.5


def test_a_win_in_one_order_and_a_tie_in_the_other_is_a_win(row):
    def says(question):
        return '```json\n{"winner": "%s", "reason": "…"}\n```' % ("A" if question["답변 A"] == LONG else "tie")

    assert asked(says, [Pair(row, LONG, SHORT)])[0]["win"] == 1


def test_an_unreadable_reply_is_not_a_tie(row):
    def says(question):
        return "둘 다 좋네요" if SHORT in question["답변 A"] else longer(question)

    record, _ = asked(says, [Pair(row, LONG, SHORT), Pair(row, LONG, LONG + " 끝.")])
    assert record["unread"] == 1 and record["loss"] == 1 and record["score"]["rows"] == 1


def test_a_judge_that_is_never_understood_is_an_error(row):
    with pytest.raises(GateError, match="읽지 못했습니다"):
        asked(lambda question: "A", [Pair(row, LONG, SHORT)])


@pytest.mark.parametrize(("status", "error"), [(401, InputError), (404, InputError), (500, GateError)])
def test_a_refusing_or_broken_endpoint_is_named(row, status, error):
    with pytest.raises(error, match="scripted"):
        asked(longer, [Pair(row, LONG, SHORT)], status)


def test_without_a_key_nothing_is_sent(monkeypatch):
    monkeypatch.delenv("JUDGE_KEY")
    with pytest.raises(InputError, match="JUDGE_KEY"):
        open_judge(JudgeSettings("scripted", "http://127.0.0.1:9/v1", "JUDGE_KEY"))
