"""A law.go.kr on this machine: laws, precedents and decisions of our own making, every request counted.

``hold`` makes it fall silent at one request, so that a client can be killed in the middle.
"""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LISTS = {
    "eflaw": ("LawSearch", "law"),
    "prec": ("PrecSearch", "prec"),
    "expc": ("Expc", "expc"),
    "ttSpecialDecc": ("Decc", "decc"),
}
KEYS = {"prec": "판례일련번호", "expc": "법령해석례일련번호", "ttSpecialDecc": "특별행정심판재결례일련번호"}
NOTHING = {"Law": "일치하는 판례가 없습니다.  판례명을 확인하여 주십시오."}


class FakeLawGoKr:
    """``lists``: (target, query) -> rows; ``bodies``: (target, number) -> an answer (dict, or str sent as it is)."""

    def __init__(self, lists, bodies, page=100):
        self.lists, self.bodies, self.page = lists, bodies, page
        self.asked, self.keys, self.hold_at, self.count = Counter(), set(), None, 0
        self.held, self.release = threading.Event(), threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server.server_port}/DRF"

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def hold(self, request):
        """Fall silent at the n-th request from now (1 is the next), once."""
        self.hold_at = self.count + request

    def answer(self, path):
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        target, self.count = query["target"], self.count + 1
        self.keys.add(query.get("OC"))
        name = tuple(sorted((key, value) for key, value in query.items() if key not in ("OC", "type")))
        self.asked[name] += 1
        if self.count == self.hold_at:
            self.held.set()
            self.release.wait(30)
            return None
        if "query" in query:
            return self._listing(target, query["query"], int(query["page"]))
        return self.bodies.get((target, query.get("MST") or query["ID"]), NOTHING)

    def _listing(self, target, query, page):
        rows = self.lists.get((target, query), [])
        if not rows:
            return NOTHING
        root, entry = LISTS[target]
        shown = rows[(page - 1) * self.page : page * self.page]
        # One record comes as a dict, not as a list of one.
        return {root: {"totalCnt": str(len(rows)), "page": str(page), entry: shown[0] if len(shown) == 1 else shown}}

    def _handler(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                said = fake.answer(self.path)
                if said is None:
                    return
                raw = (said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)).encode("utf-8")
                self.send_response(200)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        return Handler


def law_row(name, serial, promulgated, number, effective):
    return {
        "id": "1",
        "법령일련번호": serial,
        "법령명한글": name,
        "공포일자": promulgated,
        "공포번호": number,
        "시행일자": effective,
        "제개정구분명": "일부개정",
    }


def law_body(name, promulgated, number, effective, articles):
    facts = {
        "법령명_한글": name,
        "법령ID": "009999",
        "공포일자": promulgated,
        "공포번호": number,
        "시행일자": effective,
    }
    units = [
        {
            "조문번호": str(place),
            "조문여부": "조문",
            "조문제목": "제목",
            "조문내용": f"제{place}조(제목)",
            "항": [{"항내용": f"① {words}"}],
        }
        for place, words in enumerate(articles, 1)
    ]
    return {"법령": {"기본정보": facts, "조문": {"조문단위": units}}}


def ruling_row(target, serial, **more):
    return {"id": "1", KEYS[target]: serial, **more}
