"""The server in this process: open the port, stay until Ctrl-C or SIGTERM, leave nothing running behind."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serve.errors import EXIT_OK, Code, ServeError
from serve.http.access import Access, read_access
from serve.settings import ServeConfig, Student

if TYPE_CHECKING:
    import gradio as gr

    from serve.engine import Engine

_LAST_WORDS_SECONDS = 2  # how long open streams may take to end after a stop
_LEAVE_MODEL_SECONDS = 10  # one step of a large model on a slow machine


def run_app(config: ServeConfig, student: Student, as_of: date, args: argparse.Namespace) -> int:
    """``python -m serve app``: open the engine and the page, serve them, and return the exit code.

    Reads ``host``, ``port``, ``auth`` (USER:PASSWORD-FILE) and ``no_browser`` of ``args``; None means the configuration's.
    Raises ServeError.
    """
    access = read_access(
        config.page.host if getattr(args, "host", None) is None else args.host,
        config.page.port if getattr(args, "port", None) is None else args.port,
        getattr(args, "auth", None),
        allowed_hosts=config.http.allowed_hosts,
        trusted_proxies=config.http.trusted_proxies,
    )
    listening = bind(access)  # before the model is loaded: a busy port should not cost a minute
    from serve.engine import open_engine
    from serve.page.app import build_page

    with closing(listening), closing(open_engine(config, student, as_of, Path.cwd())) as engine:
        engine.prepare()
        serve_forever(engine, build_page(engine), access, browser=not args.no_browser, listening=listening)
    return EXIT_OK


def serve_forever(
    engine: Engine,
    page: gr.Blocks,
    access: Access,
    *,
    browser: bool = False,
    listening: socket.socket | None = None,
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),
) -> None:
    """Serve until Ctrl-C or SIGTERM, then end the streams.  The engine stays open: whoever opened it closes it.

    Raises ServeError(USAGE) for a port that is taken.
    """
    with open_site(engine, page, access, listening) as site:
        previous = signal.signal(signal.SIGTERM, _interrupt)
        try:
            say(f"학생 {engine.described.name} · 기준일 {engine.as_of}")
            say(f"브라우저에서 여세요: {site.url}  (Ctrl-C로 끝냅니다)")
            say(_api_line(site.url, access))
            if browser and _display_is_likely():
                webbrowser.open(site.url)
            while site.alive():
                site.wait(0.5)
        except KeyboardInterrupt:
            say("\n페이지를 닫습니다.")
        finally:
            signal.signal(signal.SIGTERM, previous)


@dataclass
class Site:
    """A running server and its address.  ``_over`` is set when its thread has ended.

    An event and not ``Thread.join``: a signal that interrupts a join marks the thread as ended, which it is not
    (CPython 3.11, bpo-45274), and the process would leave in the middle of an answer.
    """

    url: str
    application: Any
    _server: Any
    _over: threading.Event

    def alive(self) -> bool:
        return not self._over.is_set()

    def wait(self, seconds: float) -> None:
        self._over.wait(seconds)

    def stop(self) -> None:
        """End the streams, then the server; returns when both are over or after a few seconds."""
        self.application.state.askings.stop_all(0)
        self._server.should_exit = True
        self._over.wait(_LAST_WORDS_SECONDS + 5)
        if not self.application.state.askings.stop_all(_LEAVE_MODEL_SECONDS):
            raise ServeError(
                Code.BUSY,
                f"답을 쓰던 모델이 {_LEAVE_MODEL_SECONDS}초 안에 멈추지 않았습니다.",
                "프로세스를 끝내세요. 기록은 이미 저장되어 있습니다.",
            )


@contextmanager
def open_site(
    engine: Engine, page: gr.Blocks, access: Access, listening: socket.socket | None = None
) -> Iterator[Site]:
    """The server running in a thread beside this one; port 0 takes a free one.  Raises ServeError(USAGE)."""
    import uvicorn

    from serve.http.application import build_application

    sockets = [listening or bind(access)]
    try:
        port = sockets[0].getsockname()[1]
        application = build_application(engine, page, access)
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                log_level="warning",
                access_log=False,  # addresses and query strings are nobody's business
                server_header=False,
                lifespan="on",
                timeout_keep_alive=75,  # longer than clients keep idle connections, which would lose a request to a closing one
                timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
                proxy_headers=bool(access.trusted_proxies),
                forwarded_allow_ips=list(access.trusted_proxies),
            )
        )
        logging.getLogger("uvicorn.error").addFilter(_not_our_own_stop)
        over = threading.Event()

        def run() -> None:
            try:
                server.run(sockets=sockets)
            finally:
                over.set()

        threading.Thread(target=run, name="http", daemon=True).start()
        site = Site(f"http://{_shown(access.host)}:{port}/", application, server, over)
        while not server.started:
            if over.wait(0.02):
                raise ServeError(Code.USAGE, "웹 서버가 시작하지 못했습니다.", "위에 적힌 까닭을 보세요.")
        try:
            yield site
        finally:
            site.stop()
    finally:
        logging.getLogger("uvicorn.error").removeFilter(_not_our_own_stop)
        sockets[0].close()


def bind(access: Access) -> socket.socket:
    """The listening socket.  Raises ServeError(USAGE) when the address cannot be opened."""
    host = access.host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, access.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
        except OSError:
            listening.close()
            raise
    except OSError as exc:
        raise ServeError(
            Code.USAGE,
            f"{access.host}:{access.port}을(를) 열 수 없습니다: {exc.strerror or exc}.",
            f"다른 프로그램이 쓰고 있다면 '--port {access.port + 1}'처럼 다른 포트를 쓰세요.",
        ) from exc
    return listening


def _api_line(url: str, access: Access) -> str:
    how = {
        "open": "키 없이 이 컴퓨터에서만",
        "keyed": "Authorization: Bearer <SLM_FOREST_API_KEY>",
        "closed": "닫힘: 환경 변수 SLM_FOREST_API_KEY를 정하면 열립니다",
    }
    return f"프로그램에서는 (OpenAI 호환): {url}v1  ({how[access.api_state]})"


def _shown(host: str) -> str:
    host = host.strip("[]")
    name = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def _not_our_own_stop(record: logging.LogRecord) -> bool:
    """Streams of open browser tabs are cut at the end, which uvicorn reports as an error with its whole stack."""
    cut = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut and "timeout graceful shutdown exceeded" not in record.getMessage()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _display_is_likely() -> bool:
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
