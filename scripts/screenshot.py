"""Take the README's picture of the page: the trained student beside its recorded teacher, in headless Chromium.

    .venv/bin/python scripts/screenshot.py            # needs `make demo` done, `make setup-test`, and a Chromium

Starts `python -m serve app` on a free port, asks the showcase question, waits until both panes have their verdict.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

REPO = Path(__file__).parents[1]
QUESTION = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def take(url: str, out: Path, question: str, width: int, dark: bool) -> None:
    """Ask ``question`` on the page at ``url`` and save the picture once both panes have finished."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if not browser_path:
        raise SystemExit("Chromium이 없습니다. Debian/Ubuntu: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        scheme = "dark" if dark else "light"
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, device_scale_factor=1.5)
        page.goto(url)
        page.wait_for_timeout(3000)  # a click before Gradio has wired the buttons is lost
        page.locator("#question textarea").fill(question)
        page.locator("#send").click()
        student = page.locator("#left-foot .sf-badges")
        # Without a key and without a recording the pane says so, and has no badges.
        teacher = page.locator("#right-foot .sf-badges, #right-card .sf-state")
        student.first.wait_for(timeout=120_000)
        teacher.first.wait_for(timeout=120_000)
        page.wait_for_timeout(500)
        page.screenshot(path=out, full_page=True)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=REPO / "docs/page.png")
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--port", type=int, default=7861)
    arguments = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-m", "serve", "app", "--no-browser", "--port", str(arguments.port)],
        cwd=REPO,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in server.stderr:
            sys.stderr.write(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                take(found.group(0), arguments.out, arguments.question, arguments.width, arguments.dark)
                break
        else:
            raise SystemExit("페이지가 열리지 않았습니다 (위의 오류를 보세요).")
    finally:
        server.terminate()
        server.wait(timeout=20)
    print(arguments.out)


if __name__ == "__main__":
    main()
