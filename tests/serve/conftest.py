"""Doubles shared by the serving tests.  Every test runs in an empty folder, without keys and away from the user's home."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from serve.settings import ServeConfig
from serve.teacher import RecordedTeacher, Teacher, question_key
from taxlaw.strict_config import validate

REPO = Path(__file__).resolve().parents[2]
AS_OF = date(2025, 7, 1)


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@dataclass(frozen=True)
class FakeFinding:
    kind: str
    severity: str
    message: str
    expected: str | None = None
    span: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class FakeVerdict:
    findings: tuple[FakeFinding, ...]

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "fault" for finding in self.findings)

    def count(self, kind: str, severity: str) -> int:
        return sum(finding.kind == kind and finding.severity == severity for finding in self.findings)

    def summary(self) -> str:
        return "틀림 없음" if self.ok else "틀림 있음"


class Verifier:
    """Finds fault with every answer that says '틀린'; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, date]] = []

    def __call__(self, question: str, answer: str, as_of: date, evidence: str | None = None) -> FakeVerdict:
        self.asked.append((question, answer, as_of))
        if "틀린" in answer:
            return FakeVerdict((FakeFinding("number", "fault", "금액 <b>5원</b>이 다릅니다", "7원"),))
        return FakeVerdict((FakeFinding("citation", "confirmed", "소득세법 제55조가 있습니다"),))


@pytest.fixture
def verifier(monkeypatch: pytest.MonkeyPatch) -> Verifier:
    """Stands in for taxlaw.verify, whose own wording its own tests cover."""
    double = Verifier()
    monkeypatch.setitem(sys.modules, "taxlaw.verify", SimpleNamespace(verify=double))
    return double


def _demo_config(**changes: dict) -> ServeConfig:
    raw = yaml.safe_load((REPO / "configs/serve/demo.yaml").read_text(encoding="utf-8"))
    raw["as_of"] = AS_OF
    for section, values in changes.items():
        raw[section] |= values
    return validate(raw, ServeConfig, where="test")


@pytest.fixture(scope="session")
def demo_config() -> Callable[..., ServeConfig]:
    """configs/serve/demo.yaml with some keys of its sections replaced: ``demo_config(page={"port": 0})``."""
    return _demo_config


WORKING = """증여재산가액: 8억 1,000만원
증여재산공제(기타친족): 1,000만원
과세표준: 8억 1,000만원 - 1,000만원 [⑦110⑧808] = 8억원
산출세액: 8억원 × 30% [⑦842⑧02] - 6,000만원 [⑦468↓⑧201] = 1억 8,000만원
신고세액공제: 1억 8,000만원 × 3% [⑤842⑥15] = 540만원
차감: 1억 8,000만원 - 540만원 [⑤046↓⑥054↓⑦807⑧101] = 1억 7,460만원
근거: 「상속세 및 증여세법」 제53조, 제55조, 제56조, 제26조, 제69조
납부할 세액: 1억 7,460만원 (174,600,000원)"""


@pytest.fixture(scope="session")
def working() -> tuple[str, str, str]:
    """A working in digits with a slip in its fourth line, the same without the slip, and what a person reads of that."""
    plain = re.sub(r" \[[^\]]*\]", "", WORKING)
    return WORKING.replace("⑦468↓⑧201] = 1억 8", "⑦467↓⑧201] = 1억 7"), WORKING, plain


@pytest.fixture(scope="session")
def as_of() -> date:
    return AS_OF


@pytest.fixture(scope="session")
def keyless_teacher() -> Callable[[dict[str, str]], Teacher]:
    """A teacher without a key that has the given recordings, question to answer."""

    def build(answers: dict[str, str]) -> Teacher:
        recorded = RecordedTeacher({question_key(question): answer for question, answer in answers.items()}, "test")
        return Teacher(_demo_config().teacher, None, recorded)

    return build
