"""How good is a judge?  Put to it: pairs that are right, and the same pairs made wrong by code.  Precision and recall are of
calling a pair wrong (contradicted or unsupported); "unclear" calls nothing wrong."""

from __future__ import annotations

import datetime
import json
import re
from collections import Counter
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from data_gen.asking.pool import run_pool
from data_gen.errors import BadInput, TeacherFailure
from data_gen.judge import Opinion, judge_row
from data_gen.judge.mutations import KINDS, mutations
from data_gen.prompting import prompt_hash
from data_gen.rows import Provenance, Row, short_hash
from data_gen.teachers import Desk
from taxlaw.citations import find_citations
from taxlaw.strict_config import StrictModel, load_config

GOLDEN = Path(__file__).with_name("golden.yaml")
VERDICTS = ("supported", "contradicted", "unsupported", "unclear", "failed")
WRONG = frozenset({"contradicted", "unsupported"})


class GoldenPair(StrictModel):
    document: str
    question: str
    answer: str
    swap: Annotated[tuple[str, str] | None, Field(strict=False)] = None


class _File(StrictModel):
    pairs: Annotated[tuple[GoldenPair, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Case:
    """``kind``: supported, or the kind of mutation.  ``row`` is what the judge is shown."""

    kind: str
    row: Row


@dataclass(frozen=True)
class Measured:
    """``confusion``: for each kind of case how often each verdict was given ("failed": none in the asked form)."""

    judge: str
    model: str
    date: str
    prompt_hash: str
    golden_hash: str
    supported: int
    mutated: int
    precision: float
    recall: float
    confusion: dict[str, dict[str, int]]


def golden_cases(path: Path = GOLDEN) -> list[Case]:
    """Every golden pair and its mutations.  Raises ConfigError (not the file's form) or BadInput (unknown document, a swap
    whose words the answer lacks)."""
    from data_gen.documents import load_library
    from data_gen.settings import DocumentSettings
    from taxlaw.table_files import active_tables

    as_of = active_tables().as_of
    library = load_library(DocumentSettings(casebook=False, provisions="digest", statutes="none"), as_of)
    documents = {document.id: document for document in library.documents}
    cases = []
    for number, pair in enumerate(load_config(path, _File).pairs, 1):
        document = documents.get(pair.document)
        if document is None:
            raise BadInput(f"{path}: {number}번째 쌍의 문서가 digest에 없습니다: {pair.document}")
        if pair.swap and pair.swap[0] not in pair.answer:
            raise BadInput(f"{path}: {number}번째 쌍의 답변에 바꿀 말이 없습니다: {pair.swap[0]}")
        articles = tuple(dict.fromkeys(f"{c.law} {c.article}" for c in find_citations(pair.answer) if c.law))
        row = Row(
            id=f"golden-{number}",
            question=pair.question,
            answer=pair.answer,
            type="teacher",
            style="expert",
            source=document.kind,
            tax=document.area,
            as_of=as_of.isoformat(),
            articles=articles or document.articles,
            call=None,
            payable=None,
            family=document.family,
            evidence=document.text,
            provenance=Provenance(document.id, document.version, "golden", "golden"),
        )
        cases.append(Case("supported", row))
        for mutation in mutations(pair.answer, document.text, pair.swap):
            cases.append(Case(mutation.kind, _changed(row, mutation.kind, mutation.answer)))
    return cases


def _changed(row: Row, kind: str, answer: str) -> Row:
    from dataclasses import replace

    # The articles listed stay those of the right answer: a judge must find the fault in the words.
    return replace(row, id=f"{row.id}-{kind}", answer=answer)


async def measure(desk: Desk, path: Path = GOLDEN) -> Measured:
    """Ask the judge of every case.  A case without a verdict counts as failed: it calls nothing wrong.

    Raises DataGenError when going on is pointless (refused key, money cap).
    """

    async def one(case: Case) -> tuple[Case, Opinion | None]:
        try:
            return case, await judge_row(desk, case.row)
        except TeacherFailure:
            return case, None

    counts: dict[str, Counter] = {kind: Counter() for kind in ("supported", *KINDS)}
    models: Counter = Counter()
    async with aclosing(run_pool(golden_cases(path), one, desk.places)) as answers:
        async for case, opinion in answers:
            counts[case.kind][opinion.verdict if opinion else "failed"] += 1
            models.update([opinion.model] if opinion else [])
    called = {kind: sum(found[verdict] for verdict in WRONG) for kind, found in counts.items()}
    caught = sum(called[kind] for kind in KINDS)
    mutated = sum(counts[kind].total() for kind in KINDS)
    return Measured(
        judge=desk.name,
        model=models.most_common(1)[0][0] if models else "",
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        prompt_hash=prompt_hash("judge"),
        golden_hash=short_hash(path.read_text(encoding="utf-8")),
        supported=counts["supported"].total(),
        mutated=mutated,
        precision=caught / (caught + called["supported"]) if caught + called["supported"] else 0.0,
        recall=caught / mutated if mutated else 0.0,
        confusion={kind: {verdict: found[verdict] for verdict in VERDICTS} for kind, found in counts.items()},
    )


def measured_path(store: Path, judge: str) -> Path:
    """Where a measurement is kept: beside the store of answers."""
    return store.parent / f"judge_{re.sub(r'[^A-Za-z0-9._-]', '_', judge)}.json"


def save_measured(measured: Measured, store: Path) -> Path:
    path = measured_path(store, measured.judge)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(measured), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def load_measured(store: Path, judge: str) -> Measured | None:
    """The last measurement of a judge with the prompt of today; None when there is none.  Raises BadInput for a broken file."""
    path = measured_path(store, judge)
    if not path.is_file():
        return None
    try:
        found = Measured(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as exc:
        raise BadInput(
            f"판정 모델의 측정 기록을 읽을 수 없습니다: {path}\n  지우고 judge-check를 다시 실행하세요."
        ) from exc
    return found if found.prompt_hash == prompt_hash("judge") else None


def describe(measured: Measured) -> str:
    """Two Korean lines for the dataset card."""
    return (
        f"판정 모델 {measured.judge}({measured.model}), {measured.date} 측정: 맞는 쌍 {measured.supported}개와 코드로 틀리게 만든 "
        f"쌍 {measured.mutated}개 가운데\n틀렸다고 한 것의 정밀도 {measured.precision:.3f}, 재현율 {measured.recall:.3f} "
        "(precision and recall of calling a pair wrong)."
    )
