"""Nothing is open that nobody asked to open, and no secret can be found in what the server sends or writes."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from urllib.parse import urlsplit

import openai
import pytest

from serve.http.access import read_access

KEY = "a-key-of-some-length-0123456789"
PASSWORD = "correct horse battery"
CHAT = {"model": "student", "messages": [{"role": "user", "content": "질문"}]}


@pytest.fixture(scope="module")
def locked(serve_it, tmp_path_factory):
    """A server with a login and a key, as it would be opened to other machines."""
    file = tmp_path_factory.mktemp("secret") / "password"
    file.write_text(PASSWORD, encoding="utf-8")
    return serve_it(read_access("127.0.0.1", 0, f"user:{file}", environment={"SLM_FOREST_API_KEY": KEY}))


def send(url: str, path: str, body: dict | None = None, method: str | None = None, **headers: str):
    """(status, headers, text) of one request; header names with underscores for dashes."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    data = None if body is None else json.dumps(body)
    connection.request(
        method or ("GET" if body is None else "POST"), path, data, {"Content-Type": "application/json"} | names
    )
    reply = connection.getresponse()
    return reply.status, reply.headers, reply.read().decode()


def test_what_is_off_by_default(site) -> None:
    for path in (
        "/docs",
        "/redoc",
        "/openapi.json",
        "/gradio_api/mcp/schema",
        "/gradio_api/mcp/",
        "/monitoring/summary",
    ):
        assert send(site.url, path)[0] in (403, 404), path
    config = json.loads(send(site.url, "/config")[2])
    assert not config.get("run_history") and not config.get("enable_monitoring")
    assert send(site.url, "/gradio_api/file=/etc/passwd")[0] in (403, 404)
    assert send(site.url, "/file=/etc/passwd")[0] in (403, 404)


def test_health(site, locked) -> None:
    told = json.loads(send(site.url, "/healthz")[2])
    assert told["status"] == "ok" and told["ready"] and told["student"] == "demo/student-Q8_0"
    assert told["model_sha256"] == "ab" * 32 and told["waiting"] == 0
    strangers = json.loads(send(locked.url, "/healthz")[2])
    assert strangers["ready"] and "student" not in strangers and "model_sha256" not in strangers
    assert "student" in json.loads(send(locked.url, "/healthz", Authorization=f"Bearer {KEY}")[2])


def test_a_name_pointed_at_this_machine_is_not_ours(site) -> None:
    for path in ("/", "/config", "/healthz", "/v1/models"):
        assert send(site.url, path, Host="evil.example.kr")[0] == 400, path
    port = urlsplit(site.url).port
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert send(site.url, "/healthz", Host=host)[0] == 200


def test_another_web_site_cannot_use_the_api(site, echo) -> None:
    before = len(echo.asked)
    status, headers, _ = send(site.url, "/v1/chat/completions", CHAT, Origin="https://evil.example.kr")
    assert status == 403 and "access-control-allow-origin" not in headers
    status, headers, _ = send(site.url, "/v1/chat/completions", method="OPTIONS", Origin="https://evil.example.kr")
    assert status >= 400 and "access-control-allow-origin" not in headers
    assert send(site.url, "/v1/chat/completions", CHAT, Content_Type="text/plain")[0] == 415
    assert len(echo.asked) == before, "a refused request reached the model"
    own = f"http://{urlsplit(site.url).netloc}"
    assert send(site.url, "/v1/chat/completions", CHAT, Origin=own)[0] == 200


def test_a_large_request_is_refused_everywhere(site) -> None:
    large = CHAT | {"messages": [{"role": "user", "content": "가" * 300_000}]}
    for path in ("/v1/chat/completions", "/gradio_api/queue/join", "/gradio_api/upload"):
        status, _, text = send(site.url, path, large)
        assert status == 413 and json.loads(text)["error"]["code"] == "request_too_large"


def test_one_client_is_bounded_and_told_when_to_come_back(serve_it, echo_student) -> None:
    server = serve_it(student=echo_student(), requests_per_minute=6, burst=2, page_events_per_minute=0.001)
    statuses = [send(server.url, "/v1/models") for _ in range(3)]
    assert [status for status, _, _ in statuses] == [200, 200, 429]
    assert 1 <= int(statuses[2][1]["retry-after"]) <= 11
    assert json.loads(statuses[2][2])["error"]["code"] == "rate_limit_exceeded"
    # A forwarded address is not believed unless the proxy that says it is.
    assert send(server.url, "/v1/models", X_Forwarded_For="203.0.113.9")[0] == 429
    logins = [send(server.url, "/login", {}, X_Forwarded_For=f"203.0.113.{n}")[0] for n in range(121)]
    assert logins[-1] == 429 and 429 not in logins[:-1], "guessing passwords must be slow"


def test_behind_a_proxy_that_is_trusted_every_client_has_his_own_rate(serve_it, echo_student) -> None:
    access = read_access("127.0.0.1", 0, trusted_proxies=("127.0.0.1",), environment={})
    server = serve_it(access, student=echo_student(), requests_per_minute=0.001, burst=1)
    statuses = [send(server.url, "/v1/models", X_Forwarded_For=f"203.0.113.{n}")[0] for n in (1, 2, 1)]
    assert statuses == [200, 200, 429]


def test_with_a_login_nothing_answers_without_it(locked, echo) -> None:
    before = len(echo.asked)
    ask = {"data": ["질문"]}
    for path, body in [
        ("/config", None),
        ("/gradio_api/info", None),
        ("/gradio_api/call/ask", ask),
        ("/gradio_api/queue/join", {"data": ["질문"], "fn_index": 0, "session_hash": "x"}),
        ("/gradio_api/run/ask", ask),
        ("/gradio_api/upload", {}),
        ("/v1/models", None),
        ("/v1/chat/completions", CHAT),
    ]:
        status, _, text = send(locked.url, path, body)
        assert status == 401, f"{path}: {status} {text[:200]}"
    assert len(echo.asked) == before


def test_the_right_login_and_key_get_in_and_wrong_ones_do_not(locked) -> None:
    import gradio_client

    client = gradio_client.Client(locked.url, auth=("user", PASSWORD), verbose=False)
    assert client.predict("세율은 얼마", api_name="/ask") == "세율은 얼마"
    with pytest.raises(Exception, match=r"auth|401|credential|Could not"):
        gradio_client.Client(locked.url, auth=("user", PASSWORD + "x"), verbose=False)
    with openai.OpenAI(base_url=locked.v1, api_key=KEY, max_retries=0) as right:
        assert right.chat.completions.create(**CHAT).choices[0].message.content.strip() == "질문"
    with (
        openai.OpenAI(base_url=locked.v1, api_key=KEY + "x", max_retries=0) as wrong,
        pytest.raises(openai.AuthenticationError),
    ):
        wrong.models.list()


def test_no_secret_in_pages_configuration_errors_or_logs(locked, capfd, caplog) -> None:
    """The key and the password are looked for in everything that a logged-in person and an outsider can be sent."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    form = urllib.parse.urlencode({"username": "user", "password": PASSWORD}).encode()
    opener.open(locked.url + "login", form, timeout=10)
    seen = [opener.open(locked.url + path, timeout=10).read().decode() for path in ("", "config", "gradio_api/info")]
    assert '"ask"' in seen[2] or "/ask" in seen[2], "the login must have worked, or this test looks at nothing"
    seen += [
        send(locked.url, path, Authorization=f"Bearer {KEY}")[2] for path in ("/healthz", "/v1/models", "/v1/none")
    ]
    seen += [send(locked.url, "/v1/chat/completions", {"model": KEY}, Authorization=f"Bearer {KEY}x")[2]]
    seen += [repr(locked.site.application.state.__dict__), repr(locked.engine.config)]
    out = capfd.readouterr()
    seen += [out.out, out.err, caplog.text]
    for text in seen:
        assert KEY not in text and PASSWORD not in text


def test_an_open_server_with_a_login_but_no_key_has_no_api(serve_it, echo_student, tmp_path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD, encoding="utf-8")
    server = serve_it(read_access("127.0.0.1", 0, f"user:{file}", environment={}), student=echo_student())
    status, _, text = send(server.url, "/v1/models", Authorization="Bearer ")
    assert status == 401 and json.loads(text)["error"]["code"] == "api_closed"
