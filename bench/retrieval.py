"""Does the search find the right article?  Recall, MRR, latency, index size, and what each part of it is worth.

    nice -n 10 .venv/bin/python bench/retrieval.py               # writes docs/retrieval.md and bench/results/retrieval.json
    .venv/bin/python bench/retrieval.py --half validation        # prints only; what tuning may look at

Every question is asked of all sources at hand at once (docs name them).  The ruling a question was made from is hidden from
its own search, and the digest's words are switched off for questions that were written over the digest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))
sys.path.insert(0, str(REPO / "bench"))

from retrieval_pairs import Pair, load_pairs  # noqa: E402

from taxlaw.search.search import Search, Weights, open_search  # noqa: E402

DEPTH = 10
PLAIN = Weights(heading=0, chapter=0, rule=0, part=0, added=0, tax_name=1, levels=(1, 1, 1), votes=0, carried_out=0)
PLAIN = replace(PLAIN, often=0, amounts=0, law_named=1, heading_named=0, references=False, lay=False)
FULL = Weights()
# Each step adds to the one before.
STEPS: tuple[tuple[str, Weights], ...] = (
    ("형태소(kiwipiepy)", PLAIN),
    ("+ 생활어", replace(PLAIN, added=FULL.added, lay=True)),
)


def _steps() -> tuple[tuple[str, Weights], ...]:
    lay = STEPS[-1][1]
    fields = replace(lay, heading=FULL.heading, chapter=FULL.chapter, part=FULL.part, rule=FULL.rule)
    names = replace(fields, tax_name=FULL.tax_name, levels=FULL.levels, amounts=FULL.amounts)
    hints = replace(names, votes=FULL.votes, carried_out=FULL.carried_out, often=FULL.often)
    named = replace(hints, law_named=FULL.law_named, heading_named=FULL.heading_named)
    return (
        *STEPS,
        ("+ 제목·장·항·조문 요약", fields),
        ("+ 세목 이름, 법·영·규칙", names),
        ("+ 예규, 위임 관계", hints),
        ("+ 법 이름·제목 지정", named),
        ("+ 조문·문서번호 지정 (기본값)", FULL),
    )


@dataclass(frozen=True)
class Row:
    """``ranks``: of the first right article among the first ten hits, 0 for none; ``seconds``: of each question."""

    name: str
    ranks: tuple[int, ...]
    seconds: tuple[float, ...]

    def recall(self, depth: int) -> float:
        return sum(0 < rank <= depth for rank in self.ranks) / len(self.ranks)

    @property
    def mrr(self) -> float:
        return sum(1 / rank for rank in self.ranks if rank) / len(self.ranks)

    def millis(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(search: Search, pairs: list[Pair], name: str) -> Row:
    """Ask every question; rulings count as places in the list, never as right answers."""
    ranks, seconds = [], []
    search.find("종합소득세 세율", pairs[0].as_of, 1)  # opens the analyser
    documents = _documents(search)
    for pair in pairs:
        weights = replace(search.weights, rule=0.0) if pair.group in ("digest", "dataset") else search.weights
        asked = replace(search, weights=weights, hidden=frozenset(documents.get(pair.document, ())))
        begun = time.perf_counter()
        hits = asked.find(pair.question, pair.as_of, DEPTH)
        seconds.append(time.perf_counter() - begun)
        ranks.append(next((hit.rank for hit in hits if hit.passage.title in pair.articles), 0))
    return Row(name, tuple(ranks), tuple(seconds))


def _documents(search: Search) -> dict[str, list[int]]:
    """Rows of the rulings by id; the same ruling in two sources has one issue, so that both are hidden."""
    rows: dict[str, list[int]] = {}
    issues: dict[str, list[str]] = {}
    for row in map(int, search.index.rulings.values()):
        passage = search.index.passage(row)
        rows.setdefault(passage.id, []).append(row)
        issues.setdefault(passage.heading, []).append(passage.id)
    for same in issues.values():
        together = [row for name in same for row in rows[name]]
        rows.update(dict.fromkeys(same, together))
    return rows


class _BySpaces(Search):
    def read(self, question: str):
        from taxlaw.search.words import Query, plain_words

        return Query(tuple(plain_words(question)))


def by_spaces(files: list[Path], folder: Path) -> Search:
    """Words between spaces, no morphemes: the floor."""
    from taxlaw.search.index import build, open_index
    from taxlaw.search.sources import gather
    from taxlaw.search.words import plain_words

    build(folder / "spaces", gather(files), lambda lines: [plain_words(line) for line in lines])
    return _BySpaces(open_index(folder / "spaces"), PLAIN)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("validation", "test"), help="only this half, printed only")
    args = parser.parse_args()
    from taxlaw.search.index import size_of
    from taxlaw.search.sources import found_folders, source_files

    pairs = [pair for pair in load_pairs() if args.half in (None, pair.half)]
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr)  # noqa: E731
    folders = found_folders(REPO)
    place = tempfile.TemporaryDirectory()
    search = open_search(folders, cache=Path(place.name), say=say)  # built anew, to say how long that takes
    halves = {half: [pair for pair in pairs if pair.half == half] for half in ("validation", "test")}
    record: dict = {"searched": search.describe(), "built": dict(search.index.built), "rows": [], "groups": []}
    record["load"] = round(os.getloadavg()[0], 1)
    record["megabytes"] = round(size_of(search.index.folder) / 1e6, 1)
    with tempfile.TemporaryDirectory() as scratch:
        floor = by_spaces(list(source_files(folders)), Path(scratch))
        searches = [("띄어쓰기 낱말", floor), *((name, replace(search, weights=w)) for name, w in _steps())]
        for name, one in searches:
            for half, asked in halves.items():
                if asked:
                    record["rows"].append({"half": half, **_figures(measure(one, asked, name))})
                    print(record["rows"][-1], file=sys.stderr)
        package = open_search((), cache=Path(scratch))
        for half, asked in halves.items():
            if asked:
                row = _figures(measure(package, asked, "법령 폴더 없이 (내장 요약·제목만)"))
                record["rows"].append({"half": half, **row})
    for group in dict.fromkeys(pair.group for pair in pairs):
        for half, asked in halves.items():
            if of_group := [pair for pair in asked if pair.group == group]:
                record["groups"].append({"half": half, **_figures(measure(search, of_group, group))})
    text = report(record)
    print(text)
    if args.half is None:
        (REPO / "docs" / "retrieval.md").write_text(text, encoding="utf-8")
        results = REPO / "bench" / "results" / "retrieval.json"
        results.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def _figures(row: Row) -> dict:
    return {
        "name": row.name,
        "questions": len(row.ranks),
        "recall_1": round(row.recall(1), 3),
        "recall_5": round(row.recall(5), 3),
        "mrr_10": round(row.mrr, 3),
        "p50_ms": round(row.millis(0.5), 1),
        "p95_ms": round(row.millis(0.95), 1),
    }


def report(record: dict) -> str:
    """The page docs/retrieval.md."""
    built = record["built"]
    lines = [
        "# 찾기(retrieval): 질문에서 조문까지",
        "",
        "`bench/retrieval.py`가 쓴 표입니다. 손으로 고치지 않습니다 (written by the script; do not edit).",
        "",
        f"- 날짜 {date.today()}, {platform.machine()} {os.cpu_count()}코어, 찾은 곳: {record['searched']}",
        f"- 색인: 글 {built['entries']:,}건, 항 {built['parts']:,}개, {record['megabytes']} MB, 만드는 데 {built['seconds']}초(CPU {built['cpu_seconds']}초), 다음부터는 열기만 함",
        f"- 코어를 여럿이 나누어 쓰는 기계에서 잰 시간입니다: 잰 때의 부하 {record['load']} (load average).",
        "- Recall@k: 처음 k개 안에 맞는 조문(질문에 딸린 조문 가운데 하나)이 든 질문의 비율. MRR@10: 첫 맞는 조문 순위의 역수 평균.",
        "  예규·판례는 자리를 차지하지만 맞는 답으로 세지 않습니다.",
        "- 가중치와 생활어 표는 검증(validation) 질문만 보고 골랐습니다. 두 쪽은 문서가 겹치지 않습니다.",
        "- 질문이 나온 예규는 그 질문의 찾기에서 감추고, 조문 요약으로 쓴 질문(digest, dataset)에는 조문 요약을 쓰지 않습니다.",
        "",
        '쓰는 법: `python -m taxlaw search "질문" --as-of 2026-06-01 --folder 법령폴더 --json`, `serve`에서는 설정의 `retrieval`.',
        "찾는 순서: 질문이 지정한 조문과 문서번호 → 낱말(BM25, 필드별) → 지정한 법과 제목·세목 이름·생활어·위임 관계·예규 → 기준일에 시행 중인 것만.",
        "임베딩과 재정렬(`retrieval.dense`, `retrieval.rerank`)은 기본으로 꺼져 있고 이 표에 들어 있지 않습니다.",
        "",
        "## 하나씩 더할 때",
        "",
        *_table(record["rows"], "방식"),
        "",
        "## 질문의 출처별 (기본값)",
        "",
        *_table(record["groups"], "출처"),
        "",
        "`own`: 이 저장소가 쓴 생활어 질문(bench/retrieval_questions.jsonl). `digest`, `casebook`: data_gen/recordings의 질문.",
        "`rulings`: 예규·판례의 쟁점과 관련법령(저장소 곁에 자료가 있을 때). `dataset`: datasets/demo의 행.",
        "",
        "생활어 표와 `own` 질문은 같은 손이 썼으므로 `own`은 후한 숫자입니다. 조문을 지정한 질문은 `casebook`과 `rulings`에 섞여 있습니다.",
        "",
    ]
    return "\n".join(lines)


def _table(rows: list[dict], first: str) -> list[str]:
    head = f"| {first} | 쪽 | 질문 | Recall@1 | Recall@5 | MRR@10 | p50 ms | p95 ms |"
    body = [
        f"| {row['name']} | {row['half']} | {row['questions']} | {row['recall_1']:.3f} | {row['recall_5']:.3f} | "
        f"{row['mrr_10']:.3f} | {row['p50_ms']} | {row['p95_ms']} |"
        for row in rows
    ]
    return [head, "|---|---|---|---|---|---|---|---|", *body]


if __name__ == "__main__":
    raise SystemExit(main())
