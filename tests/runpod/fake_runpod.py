"""A RunPod of one process: the REST API on localhost, a pod that is a folder, an ssh that runs commands in it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

A100, H100 = "NVIDIA A100 80GB PCIe", "NVIDIA H100 PCIe"

SSH = r"""#!/usr/bin/env bash
# Runs the command in the fake pod's folder.  255 when the pod does not answer, as ssh does.
pod="@POD@"
printf '%s\n' "$*" >> "$pod/ssh-arguments"
[ -e "$pod/unreachable" ] && exit 255
if [ -e "$pod/break-next" ]; then rm "$pod/break-next"; exit 255; fi
command="${@: -1}"
places="s#/tmp/slm-forest-armed#$pod/armed#g; s#/workspace#$pod/workspace#g; s#/opt/slm-forest#$pod/code#g; s#/dev/shm#$pod/memory#g"
command="$(sed "$places" <<< "$command")"
if [[ "$command" == *".env &&"* ]]; then
    sed "$places" | bash -c "$command"
elif [[ "$command" == *"tar -cf"* && -e "$pod/damage" ]]; then
    rm "$pod/damage" 2>/dev/null
    damaged="$(mktemp -d)" && cp -a "$pod/workspace/." "$damaged" && echo rotten >> "$damaged/runs/student/student.gguf"
    bash -c "${command//$pod\/workspace/$damaged}"
else
    bash -c "$command"
fi
"""


class FakeRunpod:
    """State of the account; ``answers`` holds (status, problem) for the next POST /pods, before a pod is made."""

    def __init__(self):
        self.gpus = [
            {"id": A100, "memory": 80, "price": {"secure": 1.6}, "availability": "LOW"},
            {"id": H100, "memory": 80, "price": {"secure": 3.0}, "availability": "HIGH"},
        ]
        self.pods, self.requests, self.answers = {}, [], []
        self.cost = None  # of created pods; None: the listed price
        self.licence = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def _answer(self, status, body=None):
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def handle_any(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                outer.requests.append((self.command, self.path, body, self.headers.get("Authorization")))
                self._answer(*outer.respond(self.command, self.path, body))

            do_GET = do_POST = do_DELETE = do_HEAD = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def respond(self, method, path, body):
        if "/resolve/" in path:
            return (self.licence,)
        if path.startswith("/catalog/gpus"):
            return 200, {"gpus": self.gpus}
        if (method, path) == ("POST", "/pods"):
            if self.answers:
                status, detail = self.answers.pop(0)
                return status, {"title": "x", "status": status, "detail": detail}
            price = next(gpu["price"]["secure"] for gpu in self.gpus if gpu["id"] == body["gpu"]["id"])
            made = {
                "id": f"pod{len(self.pods) + 1}",
                "name": body["name"],
                "status": "RUNNING",
                "cost": self.cost or price,
                "gpu": {"id": body["gpu"]["id"]},
                "mounts": body["mounts"],
                "runtime": {"ports": [{"ip": "127.0.0.1", "private": 22, "public": 10022, "type": "tcp"}]},
            }
            self.pods[made["id"]] = made
            return 201, made
        if path == "/pods":
            return 200, {"pods": list(self.pods.values())}
        pod_id, _, action = path.removeprefix("/pods/").partition("/")
        if pod_id not in self.pods:
            return 404, {"title": "Not Found", "status": 404, "detail": "no such pod"}
        if method == "DELETE":
            del self.pods[pod_id]
            return (204,)
        if action == "action":
            self.started(pod_id)
            return 200, self.pods[pod_id]
        return 200, self.pods[pod_id]

    def started(self, pod_id):
        self.pods[pod_id]["status"] = "RUNNING"

    def asked(self, method, path=None):
        """Bodies of the requests of that kind."""
        return [body for how, where, body, _ in self.requests if how == method and path in (None, where)]


def write_ssh(tools, pod):
    """Put the fake ssh into ``tools`` and make the pod's folders."""
    for name in ("workspace", "code", "memory"):
        (pod / name).mkdir(parents=True)
    (pod / "armed").write_text("1\n")
    (tools / "ssh").write_text(SSH.replace("@POD@", str(pod)))
    (tools / "ssh").chmod(0o755)
