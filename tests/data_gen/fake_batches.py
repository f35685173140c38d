"""The fake endpoint's /files and /batches, in the shape of OpenAI's: files uploaded, batches made of them, results fetched.

Lines come back in another order than they were sent; a line whose fate is no completion goes to the error file.
"""

from __future__ import annotations

import json
import re
import time
from email.parser import BytesParser

OVER = ("completed", "failed", "expired", "cancelled")


class Batches:
    def __init__(self, endpoint) -> None:
        self._endpoint = endpoint
        self.files: dict[str, tuple[str, bytes]] = {}
        self.batches: dict[str, dict] = {}
        self._looks: dict[str, int] = {}

    def serve(self, method: str, path: str, headers: dict, payload: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        path, _, query = path.partition("?")
        if path == "/files" and method == "POST":
            return self._upload(headers, payload)
        if path == "/batches" and method == "POST":
            return self._create(json.loads(payload))
        if path == "/batches":
            found = list(reversed(self.batches.values()))
            after = re.search(r"after=([\w-]+)", query)
            if after:
                found = found[[batch["id"] for batch in found].index(after.group(1)) + 1 :]
            limit = re.search(r"limit=(\d+)", query)
            page = found[: int(limit.group(1)) if limit else 20]
            last = page[-1]["id"] if page else None
            return _json({"object": "list", "data": page, "last_id": last, "has_more": len(page) < len(found)})
        kind, _, rest = path.strip("/").partition("/")
        name, _, action = rest.partition("/")
        if kind == "files" and name in self.files:
            if action == "content":
                return 200, "application/octet-stream", self.files[name][1]
            if method == "DELETE":
                del self.files[name]
                return _json({"id": name, "object": "file", "deleted": True})
            return _json(self._file(name))
        if kind == "batches" and name in self.batches:
            if action == "cancel":
                self.batches[name]["status"] = "cancelled"
            else:
                self._look(self.batches[name])
            return _json(self.batches[name])
        return _json({"error": {"message": f"no such thing: {method} {path}", "type": "x", "code": None}}, 404)

    def _upload(self, headers: dict, payload: bytes) -> tuple[int, str, bytes]:
        form = BytesParser().parsebytes(b"Content-Type: " + headers["content-type"].encode() + b"\r\n\r\n" + payload)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.get_payload()}
        name = f"file-{len(self.files) + 1}"
        file = parts["file"]
        self.files[name] = (file.get_filename() or "batch.jsonl", file.get_payload(decode=True).rstrip(b"\r\n") + b"\n")
        return _json(self._file(name))

    def _file(self, name: str) -> dict:
        filename, data = self.files[name]
        return {
            "id": name,
            "object": "file",
            "bytes": len(data),
            "created_at": int(time.time()),
            "filename": filename,
            "purpose": "batch",
            "status": "processed",
        }

    def _create(self, asked: dict) -> tuple[int, str, bytes]:
        if asked["input_file_id"] not in self.files:
            return _json({"error": {"message": "no such file", "type": "x", "code": None}}, 400)
        name = f"batch_{len(self.batches) + 1}"
        total = len(self.files[asked["input_file_id"]][1].splitlines())
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": asked["endpoint"],
            "errors": None,
            "input_file_id": asked["input_file_id"],
            "completion_window": asked["completion_window"],
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": int(time.time()),
            "metadata": asked.get("metadata"),
            "request_counts": {"total": total, "completed": 0, "failed": 0},
        }
        self._looks[name] = 0
        return _json(self.batches[name])

    def _look(self, batch: dict) -> None:
        """Each look brings the batch nearer to its end; at the end the work is done."""
        self._looks[batch["id"]] += 1
        if batch["status"] in OVER:
            return
        if self._looks[batch["id"]] < self._endpoint.script.batch_polls:
            batch["status"] = "in_progress"
            return
        batch["status"] = self._endpoint.script.batch_end
        if batch["status"] == "failed":
            batch["errors"] = {
                "object": "list",
                "data": [{"code": "invalid_json_line", "message": "scripted", "line": 1}],
            }
            return
        done, failed = self._work(self.files[batch["input_file_id"]][1], batch["status"] == "completed")
        for field, lines in (("output_file_id", done), ("error_file_id", failed)):
            if lines:
                batch[field] = f"file-{len(self.files) + 1}"
                self.files[batch[field]] = (f"{field}.jsonl", "".join(lines).encode())
        batch["request_counts"] |= {"completed": len(done), "failed": len(failed)}

    def _work(self, data: bytes, whole: bool) -> tuple[list[str], list[str]]:
        """Output and error lines; a batch that did not complete has answered only the first half of its lines."""
        lines = [json.loads(line) for line in data.decode().splitlines() if line.strip()]
        done, failed = [], []
        for number, line in enumerate(lines):
            body = line["body"]
            digest = self._endpoint.digest(body)
            row = {"id": f"batch_req_{number}", "custom_id": line["custom_id"], "response": None, "error": None}
            if not whole and number >= len(lines) // 2:
                row["error"] = {"code": "batch_expired", "message": "This request could not be executed in time."}
                failed.append(json.dumps(row, ensure_ascii=False) + "\n")
                continue
            kind = self._endpoint.fate(digest)
            if not self._endpoint.completes(kind):
                self._endpoint.record(kind, digest, "", "", via="batch")
                error = {"error": {"message": "scripted 500", "type": "x", "code": "server_error"}}
                row["response"] = {"status_code": 500, "request_id": f"req_{number}", "body": error}
                failed.append(json.dumps(row, ensure_ascii=False) + "\n")
                continue
            completion = self._endpoint.completion(body, kind, digest)
            self._endpoint.record(kind, digest, completion["id"], "", via="batch")
            row["response"] = {"status_code": 200, "request_id": f"req_{number}", "body": completion}
            done.append(json.dumps(row, ensure_ascii=False) + "\n")
        return list(reversed(done)), failed


def _json(value: dict, status: int = 200) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(value, ensure_ascii=False).encode()
