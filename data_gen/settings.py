"""The build's YAML as one strict model.  Keys to paid services never live here: a file that holds one is refused."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from data_gen.errors import DataGenError
from data_gen.teacher_settings import ENV_NAME, OpenAISettings, RecordedSettings
from taxlaw.errors import ConfigError
from taxlaw.strict_config import StrictModel, load_config

WORKED_TAXES = ("gift", "income", "vat_simplified", "corporate")
WorkedTax = Literal[
    "gift",
    "income",
    "vat_simplified",
    "corporate",
    "inheritance",
    "retirement",
    "capital_gains",
    "vat_general",
    "penalty",
    "holding",
    "acquisition",
    "property",
    "withholding",
]
TaskName = Literal[
    "pairs", "scenario", "calculation", "followup", "law_change", "ask_back", "refusal", "labelled", "analysis"
]

# Shapes of the keys that the services we name hand out; the point is to stop a paste, not to recognise every vendor.
_KEY_LIKE = re.compile(r"\b(?:sk|up|gsk|xai|hf|rpa|nvapi)[-_][A-Za-z0-9_-]{12,}")
_KEY_FIELD = re.compile(r"(?:^|[{,])\s*(?:api_?key|token|secret|password)\s*:\s*\S", re.IGNORECASE | re.MULTILINE)
_KEY_ENV = re.compile(r"(?:^|[{,])\s*key_env\s*:\s*[\"']?([^\s\"'#,}]+)", re.MULTILINE)


class DocumentSettings(StrictModel):
    casebook: bool = True
    """Read the casebook that ships in the package korean-tax-mcp."""
    casebook_file: Path | None = None
    """A JSON or JSONL file of the same rows, instead of the package's."""
    provisions: Literal["digest", "all", "none"] = "digest"
    """Which articles become documents: the digest's, every article of the statutes folder, or none."""
    statutes: str = "auto"
    """A folder of statute text, ``auto`` (../shared/data/statutes when it is there) or ``none`` (digest only)."""
    corpora: tuple[Path, ...] = ()
    """Folders written by ``python -m data_gen collect``."""
    topics: bool = False
    """Topics outside tax law, about which the task ``refusal`` is asked."""


class HeldOutSettings(StrictModel):
    """Test rows beside ``count``, with amounts no other row has, of a kind kept out of all other rows."""

    wordings: Annotated[int, Field(ge=0)] = 0
    """Questions in frames that no training question uses."""
    combinations: Annotated[int, Field(ge=0)] = 0
    """Cases that state a set of facts no training case states together."""
    ask_back: Annotated[int, Field(ge=0)] = 0
    refusals: Annotated[int, Field(ge=0)] = 0
    """Both: questions in frames that no training question uses."""


class WorkedSettings(StrictModel):
    count: Annotated[int, Field(ge=0)] = 0
    shares: dict[WorkedTax, Annotated[float, Field(ge=0)]] = Field(
        default_factory=lambda: dict.fromkeys(WORKED_TAXES, 1.0)
    )
    """Relative weight of each tax; they need not sum to one."""
    steps: Literal["coarse", "fine"] = "coarse"
    """Answers: the calculators' working as it is, or (gift only) with borrow and carry of every digit written out."""
    per_amount: Annotated[int, Field(ge=1)] | None = None
    """Most rows of a tax with the same main amount (null: no limit).  A small number makes amounts many and families small,
    so that validation and test, which share no amount with training, are like it."""
    ask_back: Annotated[int, Field(ge=0)] = 0
    """Questions of these taxes that lack a fact; the answer asks for it."""
    refusals: Annotated[int, Field(ge=0)] = 0
    """Questions outside tax law, and about evasion; the answer declines."""
    held_out: HeldOutSettings = HeldOutSettings()

    @property
    def total(self) -> int:
        """Rows made without a teacher, at most."""
        apart = self.held_out
        held_out = apart.wordings + apart.combinations + apart.ask_back + apart.refusals
        return self.count + self.ask_back + self.refusals + held_out

    @model_validator(mode="after")
    def _some_weight(self) -> WorkedSettings:
        if self.count and not sum(self.shares.values()):
            raise ValueError("shares의 합이 0입니다 (all shares are zero)")
        return self

    @model_validator(mode="after")
    def _fine_for_gift_only(self) -> WorkedSettings:
        others = [tax for tax, share in self.shares.items() if share and tax != "gift"]
        if self.steps == "fine" and others:
            raise ValueError(
                f"steps: fine은 증여세에만 씁니다. shares를 {{gift: 1}}로 적으세요 (gift only; given: {', '.join(others)})"
            )
        return self


class GroundedSettings(StrictModel):
    """Pairs by rule from the text of statutes, with what a search finds in the prompt; needs a statutes folder."""

    count: Annotated[int, Field(ge=0)] = 0
    held_out: Annotated[int, Field(ge=0)] = 0
    """Test rows whose article no training row shows."""
    share_apart: Annotated[float, Field(ge=0, lt=1)] = 0.08
    """Share of the articles kept out of training for that."""
    sources: Annotated[int, Field(ge=1, le=8)] = 3
    """Finds shown in each prompt."""


class LengthSettings(StrictModel):
    """Bounds in characters, inclusive."""

    question_min: int = 8
    question_max: int = 600
    answer_min: int = 20
    answer_max: int = 4000


class GateSettings(StrictModel):
    length: LengthSettings = LengthSettings()
    near_duplicate: Annotated[float, Field(gt=0, le=1)] | None = 0.85
    """Similarity from which two questions with the same numbers and articles are one; null: exact duplicates only."""
    decontaminate: tuple[Path, ...] = ()
    """Evaluation files or folders whose n-grams must not occur in a pair.  Only what stands here is ever read."""
    ngram: Annotated[int, Field(ge=4)] = 12
    """Words in a row that count as the same text, for decontamination and between splits."""


class SplitSettings(StrictModel):
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1
    test: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _some_left(self) -> SplitSettings:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test가 1 이상이라 학습 묶음이 남지 않습니다 (nothing left to train on)")
        return self


class JudgeSettings(StrictModel):
    teacher: str | OpenAISettings
    """A name from the book of teachers, or an endpoint."""
    reject: tuple[Literal["contradicted", "unsupported", "unclear"], ...] = ("contradicted", "unsupported")
    """Verdicts that reject a pair; the others are only written down."""


class BuildConfig(StrictModel):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    out: Path | None = None
    """Dataset folder; datasets/<name> when left out."""
    as_of: datetime.date
    """The date the law is stated for (기준일)."""
    seed: int = 0
    documents: DocumentSettings = DocumentSettings()
    teacher: Annotated[RecordedSettings | OpenAISettings, Field(discriminator="kind")] | str
    """A name from ``teachers``, or the settings themselves."""
    teachers: Path = Path("configs/teachers.yaml")
    prices: Path = Path("configs/prices.yaml")
    tasks: tuple[TaskName, ...] = ("pairs",)
    store: Path = Path("teacher_store/responses.sqlite")
    """Every response ever paid for, shared by all builds; keep it."""
    max_usd: Annotated[float, Field(gt=0)] | None = None
    """The run stops within the calls in flight when this much is spent."""
    worked: WorkedSettings = WorkedSettings()
    grounded: GroundedSettings = GroundedSettings()
    gates: GateSettings = GateSettings()
    judge: JudgeSettings | None = None
    splits: SplitSettings = SplitSettings()
    workers: Annotated[int, Field(ge=0)] | None = None
    """Processes that run the gates; null: one a core, none for a small build."""

    @property
    def templated(self) -> int:
        """Rows made without a teacher, at most."""
        return self.worked.total + self.grounded.count + self.grounded.held_out


def load_build_config(path: Path) -> BuildConfig:
    """Read a build config.  Raises ConfigError, and DataGenError when the file holds something that looks like a key."""
    if path.is_file():
        refuse_keys(path)
    return load_config(path, BuildConfig)


def refuse_keys(path: Path) -> None:
    """Raises DataGenError when the file holds something that looks like a key; the value is never echoed."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise ConfigError(f"UTF-8로 읽을 수 없는 설정 파일입니다: {path}\n  Save it as UTF-8. ({exc.reason})") from exc
    named = _KEY_ENV.search(text)
    wrong_env = named and not re.fullmatch(ENV_NAME, named.group(1))
    if _KEY_LIKE.search(text) or _KEY_FIELD.search(text) or wrong_env:
        # The value itself is never echoed: a terminal log is as public as the file.
        raise DataGenError(
            f"설정 파일에 API 키로 보이는 값이 있습니다: {path}\n"
            "  Keys never go into YAML. 값을 지우고(노출된 키는 폐기), 환경 변수나 .env에 넣은 뒤 key_env에 그 변수의 이름만 적으세요."
        )
