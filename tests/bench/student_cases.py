"""Rows and answers whose worth is known, for the tests of bench/student.py: no model."""

from datetime import date
from pathlib import Path

from finetune.data import Row
from finetune.evaluate import Generation
from finetune.evaluation.subjects import Subject
from taxlaw.calls import parse_call, render_working, run_call
from taxlaw.evidence_prompt import LOOK_UP
from taxlaw.search.passages import Hit, Passage

BENCH = Path(__file__).resolve().parents[2] / "bench"
AS_OF = date(2026, 6, 1)
LAW = "상속세 및 증여세법"
SOURCES = f"1. {LAW} 제53조(증여재산 공제) [시행 2024-01-01]\n① 공제한다.\n2. 소득세법 제14조(과세표준)\n① 합산한다."
REFUSAL = "죄송합니다. 세금이 아닌 법률 상담은 제가 도와드릴 수 없습니다."
ASKING = "계산하려면 보유기간을 알아야 합니다. 알려 주시면 계산해 드리겠습니다."
QUOTE = f"{LAW} 제53조에 따르면 “공제한다.” 2024년 1월 1일부터 시행된 규정입니다."


def row(name, **changes):
    known = dict.fromkeys(("question", "answer", "family", "evidence", "held_out"), "")
    known |= {"type": "student", "style": "plain", "source": "openapi", "tax": "기타", "as_of": "2026-06-01"}
    known |= {"articles": [], "call": None, "payable": None, "provenance": {}, "gates": [], "id": name}
    return Row.model_validate({**known, **changes})


def calculation(number, tax="gift", held_out=""):
    won = f"{number}억원"
    call = {
        "gift": f'{{"tax":"gift","amount":"{won}","relation":"직계존속"}}',
        "corporate": f'{{"tax":"corporate","base":"{won}"}}',
    }[tax]
    result = run_call(parse_call(call), AS_OF)
    question = f"부모님께 {won}을 증여받았는데 증여세는?" if tax == "gift" else f"법인세 과세표준이 {won}이면 법인세는?"
    known = {"question": question, "answer": render_working(result), "call": call, "payable": result.payable}
    known |= {"articles": list(result.articles), "style": "worked", "tax": tax, "held_out": held_out}
    return row(f"{tax}:{held_out}:{number}", **known)


def every_row():
    calculations = [
        calculation(n, tax, kind) for n in range(1, 5) for tax in ("gift", "corporate") for kind in ("", "wordings")
    ]
    calculations.append(calculation(9, "gift", "combinations"))
    said = {"evidence": SOURCES, "articles": [f"{LAW} 제53조"], "answer": QUOTE, "question": "증여재산 공제는?"}
    return [
        *calculations,
        *(row(f"ask:{n}", style="ask_back", question=f"{n}억원에 판 집의 세금은?", answer=ASKING) for n in range(3)),
        *(row(f"refuse:{n}", style="refusal", question=f"{n}번 이혼 소송은?", answer=REFUSAL) for n in range(2)),
        *(row(f"quote:{n}", family=f"grounded:{n}", held_out="documents", **said) for n in range(4)),
        row("recorded", family="law:가", **{**said, "evidence": "공제한다."}),
        row("words only", question="근거가 없는 말"),
    ]


class Student:
    """Right in everything but: one corporate call of four unseen wordings, and one document of which it never asks."""

    def __init__(self):
        self.asked = []

    def text(self, one):
        if one.asks_evidence:
            return QUOTE if one.id == "quote:0" else LOOK_UP
        if one.call:
            return one.call.replace('"4억원"', '"5억원"') if one.id == "corporate:wordings:4" else one.call
        wrong = one.id == "quote:1" and "소득세법" in one.evidence
        return QUOTE.replace(f"{LAW} 제53조", "소득세법 제14조") if wrong else one.answer

    def subject(self, name="student"):
        def answer(asked, caps):
            self.asked += asked
            return [Generation(self.text(one), True, 20) for one in asked]

        return Subject(name, name, answer, size=80_000_000)


class Search:
    describe = staticmethod(lambda: "조문 2개")

    @staticmethod
    def find(question, as_of, limit):
        def hit(article):
            return Hit(Passage("a", "article", article, "공제한다.", "제목", AS_OF, None, "", ""), 1.0, 1)

        return (hit("소득세법 제14조"), hit("법인세법 제55조"), hit("법인세법 제1조"), hit(f"{LAW} 제53조"))[:limit]


def figures_of(bench, rows, **changes):
    """The whole record, as bench/student.py puts it together."""
    ask, student = bench["measure"], Student()
    asked = ask.sort_rows(rows)
    boards = asked.boards() | ask.with_sources(asked.quoting, Search(), lambda text: None)
    answers = {name: ask.answer(student.subject(), board, ask.CAPS, "program") for name, board in boards.items()}
    silent = Subject("base", "base", lambda asked, caps: [Generation("모름모름", False, caps.words) for _ in asked])
    base = {name: ask.answer(silent, some[:2], ask.BASE_CAPS, "program") for name, some in asked.boards().items()}
    said = {"base": (silent, ask.BASE_CAPS), "student": (Student().subject(), ask.CAPS)}
    example = ask.example(said, AS_OF)
    machine = {"cpu": "시험", "cores": 2, "platform": "Linux", "load_before": [0.1, 0, 0]}
    return {
        **{"date": "2026-01-02", "command": "python bench/student.py", "commit": "abc", "machine": machine},
        "dataset": {"name": "student", "rows": len(rows), "sha256": "d" * 64},
        "file": {
            "run": "r",
            "name": "s.gguf",
            "bytes": 80_000_000,
            "sha256": "e" * 64,
            "quantisation": "Q8_0",
            "style": "program",
        },
        "base_file": {"name": "base", "bytes": 253_000_000},
        "rows": {name: len(board) for name, board in boards.items()},
        "caps": {"student": vars(ask.CAPS), "base": vars(ask.BASE_CAPS)},
        **{"student": ask.figures_of(answers), "base": ask.figures_of(base), "example": example},
        **{"compare": [], "worked": None, "teacher": None, "speed": None},
        **changes,
    }
