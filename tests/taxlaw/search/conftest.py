"""A small library of laws and rulings in words of our own, and the index over it."""

import json
from pathlib import Path

import pytest

from taxlaw.search import open_search, sources

INCOME = {
    "제12조": ("비과세소득", "① 회사가 주는 식사대는 월 20만원까지 비과세한다."),
    "제55조": ("세율", "① 거주자의 종합소득에 대한 소득세는 과세표준에 세율을 적용한다."),
    "제89조": ("비과세 양도소득", "① 1세대 1주택을 양도하는 경우 양도소득세를 비과세한다."),
    "제95조": ("장기보유 특별공제액", "① 양도차익에서 보유기간에 따른 장기보유 특별공제액을 뺀다."),
    "제999조": ("없는 조문", "① 이 조문은 어느 판본에도 없는데 종합소득 세율과 양도를 말한다."),
}
INHERITANCE = {
    "제13조": ("상속세 과세가액", "① 상속재산의 가액에 상속개시일 전 10년 안에 증여한 재산을 더한다."),
    "제53조": (
        "증여재산 공제",
        "증여재산 공제는 다음과 같다.\n① 배우자에게서 받으면 6억원\n② 직계존속에게서 받으면 5,000만원",
    ),
}
DECREE = {"제154조": ("1세대1주택의 범위", "① 법 제89조에서 정하는 주택이란 2년 이상 보유한 주택을 말한다.")}
RULINGS = [
    {
        "id": 1,
        "분야": "양도",
        "쟁점": "멸실된 주택의 부수토지를 양도할 때 비과세 여부",
        "문서번호": "서면-2024-법규재산-0007",
        "회신일": "2024.5.1.",
        "답변요지": "멸실된 주택의 부수토지만 양도하면 1세대 1주택 비과세가 아님",
        "관련법령": "소득세법 제89조",
    }
]


def _write_law(
    folder: Path, law: str, articles: dict, effective="2024-01-01", promulgated="2023-12-31", name="법률"
) -> None:
    """One law in the Markdown layout of legalize-kr."""
    body = "\n\n".join(f"##### {number} ({heading})\n\n{text}" for number, (heading, text) in articles.items())
    head = f"---\n제목: {law}\n공포일자: {promulgated}\n시행일자: {effective}\n공포번호: '1'\n---\n\n# {law}\n\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(head + body + "\n", encoding="utf-8")


def _write_library(folder: Path) -> Path:
    """The laws and the ruling above."""
    _write_law(folder / "소득세법", "소득세법", INCOME)
    _write_law(folder / "소득세법", "소득세법 시행령", DECREE, name="시행령")
    _write_law(folder / "상속세및증여세법", "상속세 및 증여세법", INHERITANCE)
    (folder / "rulings.json").write_text(json.dumps(RULINGS, ensure_ascii=False), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _only_the_library(monkeypatch):
    """The package's own headings, digest and casebook are thousands of entries; one test asks for a few of them."""
    monkeypatch.setattr(sources, "indexed_articles", lambda: ())
    monkeypatch.setattr(sources, "load_digest", lambda: ())
    monkeypatch.setattr(sources, "_casebook_file", lambda: ())


@pytest.fixture
def write_law():
    return _write_law


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    return _write_library(tmp_path_factory.mktemp("library"))


@pytest.fixture
def search(library, tmp_path_factory):
    return open_search([library], cache=tmp_path_factory.getbasetemp() / "search-cache")
