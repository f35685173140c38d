"""Pushing to the hub: the real huggingface_hub client against a small hub of our own on 127.0.0.1 (found by HF_ENDPOINT)."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from data_gen.errors import BadInput, DataGenError
from data_gen.hub import plan, push
from data_gen.hub_card import front_matter
from data_gen.hub_command import add_parser

TOKEN = "hf_" + "t" * 24


class FakeHub:
    """Repositories as dicts of files.  ``refuse``: an HTTP status for every call."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.refuse = 0
        self.seen: list[tuple[str, str, dict]] = []

    def answer(self, method: str, path: str, headers: dict, body: bytes) -> tuple[int, object]:
        self.seen.append((method, path, headers))
        if self.refuse:
            return self.refuse, {"error": "scripted refusal"}
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "Invalid credentials"}
        if path == "/api/repos/create":
            asked = json.loads(body)
            assert asked["type"] == "dataset"
            repo = f"{asked['organization']}/{asked['name']}"
            if repo in self.repos:
                return 409, {"error": "exists", "url": f"http://127.0.0.1/datasets/{repo}"}
            self.repos[repo], self.private[repo] = {}, asked.get("visibility") == "private"
            return 200, {"url": f"http://127.0.0.1/datasets/{repo}"}
        if path == "/api/validate-yaml":
            assert json.loads(body)["content"].startswith("---\n")
            return 200, {"errors": [], "warnings": []}
        _, _, kind, owner, name, *rest = path.split("?")[0].split("/")
        repo = f"{owner}/{name}"
        assert kind == "datasets"
        if repo not in self.repos:
            return 404, {"error": "Repository not found"}
        files = self.repos[repo]
        if method == "GET":
            info = {"id": repo, "sha": "0" * 40, "private": self.private[repo], "tags": []}
            if rest[:1] == ["tree"]:
                return 200, [{"type": "file", "path": path, "size": 1, "oid": "0" * 40} for path in files]
            return 200, info | {"siblings": [{"rfilename": path} for path in files]}
        if rest[0] == "preupload":
            asked = json.loads(body)["files"]
            return 200, {
                "files": [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in asked]
            }
        assert rest[0] == "commit"
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        return 200, {"success": True, "commitOid": "1" * 40, "commitUrl": f"http://127.0.0.1/datasets/{repo}/commit/1"}


@pytest.fixture
def hub(monkeypatch):
    fake = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.headers.get("transfer-encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, said = fake.answer(self.command, self.path, headers, body)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_HEAD = _serve

        def log_message(self, *_) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    yield fake
    server.shutdown()
    server.server_close()


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "tax"
    folder.mkdir()
    card = front_matter("한국 세법", {"train": 1, "validation": 1}) + "# 카드\n"
    texts = {
        "README.md": card,
        "train.jsonl": '{"question": "증여세는?"}\n',
        "validation.jsonl": '{"question": "공제는?"}\n',
        "test.jsonl": "",
        "rejected.jsonl": '{"gate": "private"}\n',
        "recorded_answers.jsonl": "{}\n",
        "review.jsonl": '{"who": "김세무"}\n',
        "run.json": "{}",
        "report.html": "<p>",
        ".env": f"HF_TOKEN={TOKEN}\n",
        ".train.jsonl.tmp": "half",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


WENT_UP = {"README.md", "train.jsonl", "validation.jsonl", "run.json", "report.html"}


def test_a_push_makes_the_repository_and_sends_the_listed_files_only(dataset, hub):
    address = push(dataset, "team/korean-tax", private=True)
    assert address.endswith("datasets/team/korean-tax")
    assert hub.private == {"team/korean-tax": True}
    assert set(hub.repos["team/korean-tax"]) == WENT_UP
    for name in WENT_UP:
        assert hub.repos["team/korean-tax"][name] == (dataset / name).read_bytes()
    agents = {headers.get("user-agent", "") for _, _, headers in hub.seen}
    assert not [agent for agent in agents if "torch" in agent or "session_id" in agent]
    assert not [path for _, path, _ in hub.seen if "telemetry" in path]


def test_a_second_push_removes_what_is_no_longer_sent(dataset, hub):
    push(dataset, "team/korean-tax", with_review=True)
    assert set(hub.repos["team/korean-tax"]) == WENT_UP | {"review.jsonl"}
    hub.repos["team/korean-tax"] |= {".gitattributes": b"x", "test.jsonl": b"old"}
    push(dataset, "team/korean-tax")
    assert set(hub.repos["team/korean-tax"]) == WENT_UP | {".gitattributes"}


def test_private_rows_are_never_put_into_a_public_repository(dataset, hub):
    push(dataset, "team/open")
    hub.repos["team/open"].clear()
    with pytest.raises(DataGenError, match="이미 공개된 저장소"):
        push(dataset, "team/open", private=True)
    assert not hub.repos["team/open"]


@pytest.mark.parametrize(("status", "advice"), [(401, "HF_TOKEN"), (403, "권한"), (404, "철자")])
def test_a_refusal_says_what_to_do_and_never_the_token(status, advice, dataset, hub):
    hub.refuse = status
    with pytest.raises(DataGenError, match=f"HTTP {status}.*{advice}") as told:
        push(dataset, "team/korean-tax")
    assert TOKEN not in str(told.value)


def test_a_wrong_token_is_refused_by_the_hub(dataset, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_" + "w" * 24)
    with pytest.raises(DataGenError, match=r"401.*만료"):
        push(dataset, "team/korean-tax")
    assert not hub.repos


def test_without_a_token_nothing_is_sent_and_the_variable_is_named(dataset, hub, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataGenError, match="HF_TOKEN"):
        push(dataset, "team/korean-tax")
    assert not hub.seen
    (tmp_path / ".env").write_text(f"HF_TOKEN={TOKEN}\n")
    push(dataset, "team/korean-tax")
    assert hub.repos


def test_offline_is_said(dataset, hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(DataGenError, match="닿지 못했습니다"):
        push(dataset, "team/korean-tax")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DataGenError, match="HF_HUB_OFFLINE"):
        push(dataset, "team/korean-tax")


@pytest.mark.parametrize("repo", ["tax", "a/b/c", "팀/데이터", "team/", "../up", "https://hub/team/x"])
def test_a_name_the_hub_cannot_have_is_bad_input(repo, dataset, hub):
    with pytest.raises(BadInput, match="owner/name"):
        push(dataset, repo)
    assert not hub.seen


def test_a_folder_without_a_readable_card_or_with_a_key_in_it_stays_here(dataset, hub):
    card = (dataset / "README.md").read_text(encoding="utf-8")
    (dataset / "run.json").write_text(json.dumps({"key": "sk-" + "a" * 20}))
    with pytest.raises(DataGenError, match="API 키로 보이는"):
        push(dataset, "team/x")
    (dataset / "run.json").write_text("{}")
    (dataset / "README.md").write_text("# 카드\n")
    with pytest.raises(BadInput, match="카드가 없습니다"):
        push(dataset, "team/x")
    (dataset / "README.md").unlink()
    (dataset / "dataset_card.md").write_text(card, encoding="utf-8")
    assert plan(dataset)[0].name == "README.md"
    (dataset / "train.jsonl").unlink()
    with pytest.raises(BadInput, match=r"train\.jsonl"):
        plan(dataset)
    assert not hub.seen


def test_a_dry_run_lists_and_sends_nothing(dataset, hub, capsys, monkeypatch):
    import argparse

    monkeypatch.delenv("HF_TOKEN")
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["push", str(dataset), "--repo", "team/x", "--dry-run", "--with-review"])
    assert arguments.run(arguments) == 0
    shown = capsys.readouterr().out
    assert {line.split()[-1] for line in shown.splitlines() if " B  " in line} == WENT_UP | {"review.jsonl"}
    assert "보내지 않았습니다" in shown
    assert not hub.seen
