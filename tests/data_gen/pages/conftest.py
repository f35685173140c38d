"""A small dataset folder with hostile text in it, and a real browser: the system's chromium, Korean."""

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from data_gen.rows import Provenance, Row
from data_gen.spans import find_spans

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ATTACK = (
    "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>${window.hacked=1}{{7*7}} & \u2028끝"
)
EVIDENCE = (
    "소득세법 제59조(근로소득세액공제)\n시행일: 2023-01-01\n"
    "① 𝄞 산출세액이 130만원 이하이면 그 55%를 뺀다.\n② 한도는 총급여 3,300만원 이하이면 74만원이다."
)


def make_row(number: int, **changes) -> dict:
    values = {
        "id": f"openapi:law:소득세법:제59조#{number}:plain",
        "question": f"{number}번: 근로소득세액공제의 한도는 얼마인가요?",
        "answer": "소득세법 제59조제2항에 따라 총급여 3,300만원 이하이면 74만원입니다.",
        "type": "student",
        "style": "plain",
        "source": "openapi",
        "tax": "소득세",
        "as_of": "2026-06-01",
        "articles": ("소득세법 제59조",),
        "call": None,
        "payable": None,
        "family": f"law:소득세법 제59조#{number}",
        "evidence": EVIDENCE,
        "provenance": Provenance(
            "law:소득세법:제59조", "v1", "gpt", "gpt-4o", "pairs", "hash", "", f"key{number}", 7, 100, 50, 0.01
        ),
        "gates": ("schema", "verify"),
        "difficulty": 1 + number % 5,
        "verdicts": ("통과", "인용 1/1 확인"),
    }
    values |= changes
    values["spans"] = find_spans(values["evidence"], values["question"], values["answer"])
    return asdict(Row(**values))


def write_rows(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def dataset(tmp_path) -> Path:
    """Six kept rows (the last in validation, one hostile, one with history) and fourteen rejects of two gates."""
    folder = tmp_path / "시험"
    folder.mkdir()
    rows = [make_row(number) for number in range(1, 5)]
    rows[1]["history"] = [{"question": "먼저 물은 것", "answer": "먼저 답한 것"}]
    hostile = make_row(
        5, question=f"공격 {ATTACK}", answer=ATTACK, evidence=EVIDENCE + ATTACK, tax="<b>세목</b>", articles=()
    )
    write_rows(folder / "train.jsonl", [*rows, hostile])
    write_rows(folder / "validation.jsonl", [make_row(6, style="expert", tax="법인세")])
    rejects = [
        make_row(number, answer="소득세법 제59조에 따라 99만원입니다.")
        | {"gate": "verify", "reason": f"없는 금액 {ATTACK}"}
        for number in range(10, 23)
    ]
    rejects.append(make_row(30) | {"gate": "duplicate", "reason": "같은 질문이 이미 있습니다"})
    write_rows(folder / "rejected.jsonl", rejects)
    return folder


@pytest.fixture
def browser():
    """``with browser(color_scheme="dark") as seen:`` gives the ``page``, the addresses it ``asked`` for and its ``errors``."""

    @contextmanager
    def opened(**context):
        playwright = pytest.importorskip("playwright.sync_api")
        found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if found is None:
            assert not os.environ.get("CI"), "CI must install chromium: these pages would go untested"
            pytest.skip("no chromium on this machine (apt-get install chromium)")
        with playwright.sync_playwright() as runner:
            program = runner.chromium.launch(executable_path=found, args=QUIET)
            page = program.new_context(
                **{"locale": "ko-KR", "viewport": {"width": 1280, "height": 900}} | context
            ).new_page()
            page.set_default_timeout(15_000)
            seen = SimpleNamespace(page=page, asked=[], errors=[])
            page.on("request", lambda request: seen.asked.append(request.url))
            page.on("pageerror", lambda error: seen.errors.append(str(error)))
            page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
            yield seen
            program.close()

    return opened


@pytest.fixture
def row():
    return make_row
