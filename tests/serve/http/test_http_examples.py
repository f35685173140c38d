"""The examples that users copy run as they are, against a live server with the real page."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
QUESTION = "아버지께 20억원을 증여받았습니다. 증여세는 얼마인가요?"


@pytest.fixture(scope="module")
def page_site(make_engine, echo):
    """The page as people open it, mounted in the application."""
    from serve.http.access import read_access
    from serve.http.running import open_site
    from serve.page.app import build_page

    engine = make_engine()
    with open_site(engine, build_page(engine), read_access("127.0.0.1", 0, environment={})) as site:
        yield site


def test_ask_the_page(page_site, echo, capsys) -> None:
    echo.enqueue(*CALL)
    example = runpy.run_path(str(EXAMPLES / "ask_the_page.py"))
    assert example["main"](QUESTION, page_site.url) == 0
    out = capsys.readouterr().out
    assert "6억 140만원" in out and "검증:" in out and "증여재산가액: 20억원" in out


def test_ask_the_page_says_what_is_wrong(page_site, capsys) -> None:
    example = runpy.run_path(str(EXAMPLES / "ask_the_page.py"))
    assert example["main"]("   ", page_site.url) == 1
    assert "질문" in capsys.readouterr().err


def test_openai_client(page_site, echo) -> None:
    echo.enqueue(*CALL)
    ran = subprocess.run(
        [sys.executable, str(EXAMPLES / "openai_client.py"), QUESTION, page_site.url + "v1"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    assert "코드가 계산한 결과" in ran.stdout and "6억 140만원" in ran.stdout
    assert "검증:" in ran.stdout and "토큰: 입력" in ran.stdout


def test_visitors_do_not_pile_up_in_memory(page_site) -> None:
    """Gradio's own bounds would let a program that calls /ask fill more than a gigabyte."""
    from starlette.routing import Mount

    [gradio] = [route.app for route in page_site.application.routes if isinstance(route, Mount)]
    blocks = gradio.get_blocks()
    assert gradio.state_holder.capacity <= 256
    assert blocks._queue.ANALYTICS_MAX_EVENTS <= 100 and blocks._queue.ANAYLTICS_CACHE_FREQUENCY >= 1_000_000
