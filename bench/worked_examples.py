"""Our calculators against 76 worked examples of others and 8 published wrong figures: prints the table, writes docs.

    .venv/bin/python bench/worked_examples.py        # writes docs/worked_examples.md; needs ../shared/data

Exits 1 when a row has no calculator or disagrees, or when a wrong figure is not contradicted.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPO), str(REPO / "bench")]  # runs from a checkout, installed or not

from known_bad_cases import NO_FIGURE, refutations  # noqa: E402
from worked_examples_cases import (  # noqa: E402
    DATA,
    RUN_IN_ANOTHER_YEAR,
    our_answer,
    read_rows,
    years_of,
)

DOCUMENT = REPO / "docs" / "worked_examples.md"


def compare(row: dict) -> tuple[str, str, bool]:
    """(calculator, years run, whether every expected figure is ours in every year) of one row."""
    answers = [our_answer(row, year) for year in years_of(row)]
    if not answers or None in answers:
        return "없음", "", False
    agrees = all(answer.figures.get(key) == amount for answer in answers for key, amount in row["expected"].items())
    years = sorted({answer.year for answer in answers})
    shown = str(years[0]) if len(years) == 1 else f"{years[0]}~{years[-1]}"
    return answers[0].calculator, shown, agrees


def document(rows: list[dict]) -> tuple[str, bool]:
    """The page and whether everything in it is as it should be."""
    lines, by_tax, right = [], {}, 0
    for row in sorted(rows, key=lambda row: row["id"]):
        calculator, years, agrees = compare(row)
        right += agrees
        agreed, whole = by_tax.get(row["tax"], (0, 0))
        by_tax[row["tax"]] = (agreed + agrees, whole + 1)
        expected = ", ".join(f"{key} {amount:,}" for key, amount in row["expected"].items())
        lines.append(
            f"| {row['id']} | {row['tax']} | {years} | `{calculator}` | {expected} | {'일치' if agrees else '**불일치**'} |"
        )
    wrong = refutations()
    refuted = sum(case.refuted for case in wrong)
    parts = [
        "# 풀이 예제와 견준 결과 (Worked examples)",
        "",
        f"`.venv/bin/python bench/worked_examples.py`로 {date.today().isoformat()}에 만들었습니다. 손으로 고치지 마십시오.",
        "",
        f"따로 만든 풀이 예제 {len(rows)}건 가운데 **{right}건**이 우리 계산기와 원 단위까지 같습니다. 계산기가 없는 행은 없어야 하고, 적힌 "
        "금액은 모두 같아야 합니다.",
        "",
        "| 세금 | 행 | 일치 |",
        "|---|---|---|",
        *(f"| {tax} | {whole} | {agreed} |" for tax, (agreed, whole) in sorted(by_tax.items())),
        "",
        "## 행마다",
        "| 행 | 세금 | 계산한 해 | 계산기 | 견준 금액(원) | 결과 |",
        "|---|---|---|---|---|---|",
        *lines,
        "",
        "## 조문으로 정한 것",
        *(f"- {name}: {why}." for name, (_, why) in RUN_IN_ANOTHER_YEAR.items()),
        "- we-014: 감정평가 수수료 600만원은 500만원까지만 뺀다 (상속세 및 증여세법 제55조제1항, 시행령 제46조의2·제20조의3제3항).",
        "- we-064: 사적연금이 1,500만원을 넘지 않아 분리과세하면 공제도 공적연금에서만 계산한다 (소득세법 제14조제3항제9호다목).",
        "- we-085: 정기예금 이자율은 과세기간 종료일의 1,000분의 35, 2024년은 366일 (부가가치세법 시행령 제65조제1항, 시행규칙 제47조).",
        "",
        "## 알려진 틀린 수치",
        f"틀린 수치 {len(wrong)}건 가운데 {refuted}건을 우리 계산기가 반박합니다.",
        "",
        "| 행 | 틀린 주장 | 우리 계산 | 반박 |",
        "|---|---|---|---|",
        *(f"| {case.id} | {case.claim} | {case.ours} | {'예' if case.refuted else '**아니오**'} |" for case in wrong),
        "",
        *(f"{name}은 뺐습니다: {why}." for name, why in NO_FIGURE.items()),
    ]
    return "\n".join(parts) + "\n", right == len(rows) and refuted == len(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    rows = read_rows("worked_examples.jsonl")
    if not rows:
        print(
            f"풀이 예제가 없습니다: {DATA / 'worked_examples.jsonl'}. 예제 자료를 그 자리에 두고 다시 실행하십시오.",
            file=sys.stderr,
        )
        return 2
    text, fine = document(rows)
    print(text)
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
