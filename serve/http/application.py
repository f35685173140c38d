"""The one web application: ``/healthz``, ``/v1`` and the page it is given, behind the same checks.

Gradio's defaults that would open or record something are named and turned off here: every address, error details in the
browser, the history of runs, the monitoring dashboard, MCP, uploads and files.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported

import gradio as gr
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, Response

from serve.http.access import Access
from serve.http.asking import Askings
from serve.http.chat import Desk, chat_routes
from serve.http.limits import BodyLimit, Buckets, PageLimit
from serve.http.line import Line
from serve.http.wire import error_response

if TYPE_CHECKING:
    from serve.engine import Engine

# Gradio keeps the settings of every component for each visitor, about 120 KB, for 10,000 of them; a program that calls /ask is
# a new visitor every time.  Who is forgotten starts from the page's own settings; his conversation is the page's to keep.
_VISITORS = 256
_PAGE_BURST = 120  # events at once: a page that is opened asks for several


def build_application(engine: Engine, page: gr.Blocks, access: Access) -> FastAPI:
    """The application, with ``page`` mounted at ``/``.  ``state.askings`` are the answers of ``/v1`` being written."""
    bounds = engine.config.http
    desk = Desk(
        engine,
        access,
        Line(bounds.at_once, bounds.max_waiting),
        Askings(),
        Buckets(bounds.requests_per_minute, bounds.burst),
        engine.records.new_session("http", keep_text=False) if engine.records is not None else None,
    )
    application = FastAPI(title="SLM Forest", docs_url=None, redoc_url=None, openapi_url=None)
    application.state.askings = desk.askings
    application.state.line = desk.line

    @application.get("/healthz")
    async def healthz(request: Request) -> Response:
        return JSONResponse(_health(desk, told_all=access.login is None or _has_key(request, access)))

    @application.exception_handler(HTTPException)
    async def refused(request: Request, exc: HTTPException) -> Response:
        return error_response(exc.status_code, str(exc.detail), "http_error", headers=dict(exc.headers or {}))

    application.include_router(chat_routes(desk))
    mount_page(application, page, access, bounds.max_body_bytes)
    # Added last is asked first.
    application.add_middleware(BodyLimit, most=bounds.max_body_bytes)
    application.add_middleware(PageLimit, buckets=Buckets(bounds.page_events_per_minute, _PAGE_BURST))
    if access.allowed_hosts:
        # A name that some other site has pointed at this address (DNS rebinding) is not ours.
        application.add_middleware(TrustedHostMiddleware, allowed_hosts=list(access.allowed_hosts), www_redirect=False)
    return application


def mount_page(application: FastAPI, page: gr.Blocks, access: Access, most_bytes: int) -> None:
    """Mount the page with every opening default of Gradio closed, and its login when there is one."""
    from serve.page.style import CSS, HEAD, theme

    login = access.login
    page.state_session_capacity = _VISITORS
    gr.mount_gradio_app(
        application,
        page,
        path="/",
        server_name=access.host,
        server_port=access.port,
        footer_links=[],
        run_history=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        auth=(lambda user, password: login.admits(user, password)) if login else None,
        auth_message="SLM Forest에 로그인하세요." if login else None,
        allowed_paths=[],
        show_error=False,
        max_file_size=most_bytes,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        css=CSS,
        head=HEAD,
    )


def _health(desk: Desk, told_all: bool) -> dict[str, Any]:
    """Whether it can answer; behind a login, who answers is told only to somebody with the key."""
    health: dict[str, Any] = {"status": "ok", "ready": True, "waiting": desk.line.waiting}
    if told_all:
        info = desk.engine.student.backend.info()
        health |= {
            "student": desk.engine.described.name,
            "model_sha256": info.model_sha256,
            "as_of": desk.engine.as_of.isoformat(),
            "answering": desk.line.running,
            "max_waiting": desk.engine.config.http.max_waiting,
        }
    return health


def _has_key(request: Request, access: Access) -> bool:
    return access.key_is_right(request.headers.get("authorization"))


__all__ = ["build_application", "mount_page"]
