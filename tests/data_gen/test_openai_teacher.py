"""The live teacher against a scripted endpoint on this machine: what it retries, what it calls a failure, what it sends."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from data_gen.errors import DataGenError, TeacherFailure
from data_gen.settings import OpenAISettings
from data_gen.teachers.openai_compatible import OpenAITeacher, read_key


def completion(content, finish_reason="stop", refusal=None) -> dict:
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "fake-1",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


@pytest.fixture
def endpoint(monkeypatch):
    """A server that answers with the queued (status, body) in turn and keeps what it was asked."""
    script, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append({"path": self.path, "key": self.headers["Authorization"], "body": body})
            status, answer, *kind = script.pop(0)
            data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind[0] if kind else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("FAKE_TEACHER_KEY", "test-value")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    def open_teacher(**changes) -> OpenAITeacher:
        values = {
            "kind": "openai",
            "model": "fake",
            "key_env": "FAKE_TEACHER_KEY",
            "base_url": f"http://127.0.0.1:{server.server_port}/v1",
            "retries": 2,
            "timeout_s": 5,
        }
        return OpenAITeacher(OpenAISettings(**(values | changes)))

    yield open_teacher, script, asked
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


ERROR = {"error": {"message": "no", "type": "x"}}


def test_a_good_reply_comes_back_word_for_word_with_its_usage(endpoint, document):
    open_teacher, script, asked = endpoint
    script.append((200, completion('{"expert": "가"}')))
    reply = open_teacher().ask(document(), "pairs")
    assert (reply.text, reply.model) == ('{"expert": "가"}', "fake-1")
    assert (reply.input_tokens, reply.output_tokens) == (11, 7)
    assert len(reply.prompt_hash) == 16
    assert asked[0]["path"] == "/v1/chat/completions"
    assert asked[0]["key"] == "Bearer test-value"
    assert document().text in asked[0]["body"]["messages"][0]["content"]


def test_json_mode_and_limits_are_sent_as_the_config_says(endpoint, document):
    open_teacher, script, asked = endpoint
    script += [(200, completion("{}")), (200, completion("{}"))]
    open_teacher(max_output_tokens=77, temperature=0.0).ask(document(), "pairs")
    open_teacher(json_mode=False, token_limit_key="max_completion_tokens").ask(document(), "pairs")
    first, second = asked[0]["body"], asked[1]["body"]
    assert first["response_format"] == {"type": "json_object"}
    assert (first["max_tokens"], first["temperature"]) == (77, 0.0)
    assert "response_format" not in second and "temperature" not in second and "max_tokens" not in second
    assert second["max_completion_tokens"] == 2000


def test_429_is_retried_until_it_answers(endpoint, document):
    open_teacher, script, asked = endpoint
    script += [(429, ERROR), (429, ERROR), (200, completion("{}"))]
    assert open_teacher().ask(document(), "pairs").text == "{}"
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([(500, ERROR)] * 3, "HTTP 500"),
        ([(400, ERROR)], "HTTP 400"),
        ([(200, completion('{"expert": {"question": "질', "length"))], "finish_reason=length"),
        ([(200, completion(None, "content_filter"))], "finish_reason=content_filter"),
        ([(200, completion(None, refusal="할 수 없습니다"))], "거절"),
        ([(200, completion("  "))], "빈 응답"),
        ([(200, completion("") | {"choices": []})], "빈 응답"),
    ],
)
def test_no_whole_reply_is_a_failure_with_its_reason(endpoint, document, answers, reason):
    open_teacher, script, asked = endpoint
    script += answers
    with pytest.raises(TeacherFailure, match=reason):
        open_teacher().ask(document(), "pairs")
    assert len(asked) == len(answers)


def test_a_body_that_is_not_json_is_a_failure_not_a_crash(endpoint, document):
    open_teacher, script, _ = endpoint
    for answer in ((200, "<html>점검 중</html>"), (200, "<html>점검 중</html>", "text/html"), (200, ERROR)):
        script.append(answer)
        with pytest.raises(TeacherFailure):
            open_teacher().ask(document(), "pairs")


def test_nobody_listening_is_a_failure(endpoint, document):
    open_teacher, _, _ = endpoint
    with pytest.raises(TeacherFailure, match="연결 실패"):
        open_teacher(base_url="http://127.0.0.1:9/v1", retries=0).ask(document(), "pairs")


@pytest.mark.parametrize(
    ("status", "named"), [(401, "FAKE_TEACHER_KEY"), (403, "FAKE_TEACHER_KEY"), (404, "teacher.model")]
)
def test_a_refused_key_or_unknown_model_stops_the_run(endpoint, document, status, named):
    open_teacher, script, _ = endpoint
    script.append((status, ERROR))
    with pytest.raises(DataGenError, match=named) as caught:
        open_teacher().ask(document(), "pairs")
    assert "test-value" not in str(caught.value)


def test_a_missing_key_names_the_variable_and_where_to_put_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOLAR_KEY", raising=False)
    with pytest.raises(DataGenError, match=r"SOLAR_KEY(.|\n)*\.env"):
        read_key("SOLAR_KEY")


def test_the_key_may_stand_in_dotenv_and_the_environment_wins(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SOLAR_KEY=from-file\n", encoding="utf-8")
    monkeypatch.delenv("SOLAR_KEY", raising=False)
    assert read_key("SOLAR_KEY") == "from-file"
    monkeypatch.setenv("SOLAR_KEY", "from-environment")
    assert read_key("SOLAR_KEY") == "from-environment"


def test_a_whole_build_with_the_live_teacher(endpoint, tmp_path, config, library, document, reply):
    from data_gen.build import build

    open_teacher, script, _ = endpoint
    library([document(1), document(2), document(3)])
    script += [
        (200, completion(json.dumps(reply(1), ensure_ascii=False))),
        (200, completion("물론입니다! 다음은 질문과 답변입니다.")),
        *[(500, ERROR)] * 3,
    ]
    built = build(config(), out=tmp_path / "set", teacher=open_teacher(concurrency=1))
    counts = built.counts
    assert (counts.requested, counts.accepted, counts.rejected, counts.failed) == (6, 2, 2, 2)
    kept = [
        json.loads(line)
        for split in ("train", "validation")
        for line in (tmp_path / "set" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert {row["provenance"]["teacher"] for row in kept} == {"openai"}
    assert {row["provenance"]["model"] for row in kept} == {"fake-1"}
    # What a live model said is never offered as a recorded answer.
    assert (tmp_path / "set" / "recorded_answers.jsonl").read_text(encoding="utf-8") == ""
    assert "test-value" not in (tmp_path / "set" / "run.json").read_text(encoding="utf-8")
