"""The page as a server of its own on this machine, without the HTTP interface around it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from ipaddress import ip_address
from pathlib import Path

import gradio as gr

from serve.backends.protocol import Backend, GenParams
from serve.engine import Engine, Seat
from serve.errors import EXIT_OK, Code, ServeError
from serve.page.style import CSS, HEAD, theme
from serve.settings import ServeConfig, Student
from serve.teacher import Teacher


def launch(page: gr.Blocks, config: ServeConfig, student: Student, *, browser: bool) -> str:
    """Start the server without blocking and return its address.  Raises ServeError(USAGE) for a busy port or open host."""
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    host, port = config.page.host, config.page.port
    if not _is_loopback(host):
        raise ServeError(
            Code.USAGE,
            f"이 페이지에는 로그인이 없어 {host}에는 열지 않습니다.",
            "127.0.0.1로 열고, 다른 컴퓨터에서는 'ssh -L 7860:127.0.0.1:7860 …'으로 이어서 보세요.",
        )

    def healthz(_request: object) -> JSONResponse:
        return JSONResponse({"status": "ok", "student": student.name})

    try:
        _, url, _ = page.launch(
            server_name=host,
            server_port=port or None,
            share=False,
            mcp_server=False,
            prevent_thread_lock=True,
            inbrowser=browser and _display_is_likely(),
            quiet=True,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            allowed_paths=[],
            strict_cors=True,
            app_kwargs={"routes": [Route("/healthz", healthz)]},
            theme=theme(),
            css=CSS,
            head=HEAD,
        )
    except OSError as exc:
        raise ServeError(
            Code.USAGE,
            f"{host}:{port}을(를) 열 수 없습니다. 다른 프로그램이 쓰고 있을 수 있습니다.",
            f"'--port {port + 1}'처럼 다른 포트를 쓰세요.",
        ) from exc
    return url


def serve_page(
    config: ServeConfig,
    student: Student,
    as_of: date,
    load_student: Callable[[ServeConfig, Student], Backend],
    load_teacher: Callable[..., Teacher],
    *,
    browser: bool,
) -> int:
    """Load both sides, open the page and stay until Ctrl-C."""
    from serve.page.app import build_page

    with (
        closing(load_student(config, student)) as backend,
        closing(load_teacher(config.teacher, Path.cwd())) as teacher,
    ):
        params = GenParams(config.student.max_new_tokens, config.student.temperature)
        engine = Engine(config, Seat(student.name, backend, params), teacher, as_of, student)
        page = build_page(engine)
        url = launch(page, config, student, browser=browser)
        print(
            f"학생 {student.name} · 기준일 {as_of}\n브라우저에서 여세요: {url}  (Ctrl-C로 끝냅니다)",
            file=sys.stderr,
            flush=True,
        )
        try:
            while page.is_running:
                time.sleep(0.2)
        except KeyboardInterrupt:
            print("\n페이지를 닫습니다.", file=sys.stderr)
        finally:
            page.close(verbose=False)
    return EXIT_OK


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _display_is_likely() -> bool:
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
