"""Splits without a leak: what one split was trained on, another must not ask."""

import datetime
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from data_gen.build import build
from data_gen.candidates import candidates
from data_gen.documents import load_library
from data_gen.rows import Provenance, Row, read_jsonl
from data_gen.settings import DocumentSettings, SplitSettings, WorkedSettings
from data_gen.splits import SplitKeys, articles_of, assign, split_keys
from data_gen.tasks.all_tasks import TASKS
from data_gen.teachers import Reply
from data_gen.worked.candidates import worked_candidates

REPO = Path(__file__).parents[2]
AS_OF = datetime.date(2026, 6, 1)
SHARES = SplitSettings(validation=0.1, test=0.1)


def row(number, **changes) -> Row:
    made = Row(
        f"row-{number}", f"{number}번째 질문입니다", f"{number}번째 답변입니다", "teacher", "expert", "openapi", "소득세",
        "2026-06-01", (f"소득세법 제{number + 1}조",), None, None, f"ruling:{number}", "",
        Provenance(f"document-{number}", "v", "recorded", "m"),
    )  # fmt: skip
    return replace(made, **changes)


def split(rows, shares=SHARES, seed=1, ngram=12) -> dict[str, str]:
    return assign(((one.id, split_keys(one, ngram)) for one in rows), shares, seed)


@pytest.fixture(scope="module")
def dataset():
    """The rows of a build: every recording about the casebook and the digest, and 1,500 worked rows."""
    library = load_library(DocumentSettings(casebook=True, provisions="digest", statutes="none"), AS_OF)
    documents = {document.id: document for document in library.documents}
    rows = []
    for path in sorted((REPO / "data_gen" / "recordings").glob("*.jsonl")):
        for raw in read_jsonl(path):
            if raw["document_id"] in documents:
                task = TASKS[raw["prompt"]]
                reply = Reply(task.answer.model_validate(raw["response"]), "", "recorded")
                rows += [made.row for made in candidates(documents[raw["document_id"]], task, reply, "recorded", 0)]
    worked = WorkedSettings(count=1500, shares={"gift": 4, "income": 3, "vat_simplified": 2, "corporate": 2})
    rows += [made.row for made in worked_candidates(worked, AS_OF, seed=20260603)]
    return rows


def grams(texts, size=12) -> set[tuple[str, ...]]:
    """12-grams in the plainest way, apart from the hashing under test: words between blanks."""
    found = set()
    for text in texts:
        words = text.split()
        found |= {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}
    return found


def test_no_document_article_or_12_gram_is_shared_between_splits(dataset):
    splits = split(dataset)
    held = {name: [one for one in dataset if splits[one.id] == name] for name in ("train", "validation", "test")}
    assert all(held.values())
    documents = {name: [one for one in rows if one.style != "worked"] for name, rows in held.items()}
    seen = {
        "documents": {name: {one.provenance.document_id for one in rows} for name, rows in held.items()},
        "families": {name: {one.family for one in rows} for name, rows in held.items()},
        "articles": {
            name: {article for one in rows for article in articles_of(one)} for name, rows in documents.items()
        },
        "12-grams": {
            name: grams(
                text
                for one in rows
                for text in ([one.question] if one.style == "worked" else [one.question, one.answer, one.evidence])
            )
            for name, rows in held.items()
        },
    }
    for what, by_split in seen.items():
        for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
            assert not by_split[one] & by_split[other], (what, one, other)


def test_what_a_build_writes_shares_nothing_between_its_files(config, tmp_path):
    made = config(
        documents={"casebook": True, "provisions": "digest", "statutes": "none"},
        tasks=["pairs"],
        worked={"count": 300},
        splits={"validation": 0.1, "test": 0.1},
        workers=0,
    )
    folder = build(made, tmp_path / "built").folder
    held = {name: list(read_jsonl(folder / f"{name}.jsonl")) for name in ("train", "validation", "test")}
    assert all(len(rows) > 20 for rows in held.values())

    def shared(what) -> dict[str, set]:
        return {name: {one for row in rows for one in what(row)} for name, rows in held.items()}

    def documents_articles(row):
        return () if row["style"] == "worked" else row["articles"]

    def said(row):
        return grams(
            [row["question"]] if row["style"] == "worked" else [row["question"], row["answer"], row["evidence"]]
        )

    for what in (lambda row: [row["provenance"]["document_id"]], lambda row: [row["family"]], documents_articles, said):
        found = shared(what)
        assert not (
            found["train"] & found["validation"] | found["train"] & found["test"] | found["validation"] & found["test"]
        )


def test_every_tax_keeps_its_share_in_every_split(dataset):
    splits = split(dataset)
    for tax in ("gift", "income", "vat_simplified", "corporate"):
        rows = [one for one in dataset if one.style == "worked" and one.tax == tax]
        counts = Counter(splits[one.id] for one in rows)
        for name in ("validation", "test"):
            assert 0.05 * len(rows) <= counts[name] <= 0.11 * len(rows), (tax, counts)
    documents = [one for one in dataset if one.style != "worked"]
    assert Counter(splits[one.id] for one in documents)["validation"] >= 0.05 * len(documents)


def test_the_order_of_the_rows_does_not_matter_and_the_seed_does(dataset):
    shuffled = dataset[:]
    random.Random(3).shuffle(shuffled)
    assert split(dataset) == split(shuffled)
    assert split(dataset) != split(dataset, seed=2)


@pytest.mark.parametrize(
    "shared",
    [
        {"provenance": Provenance("one", "v", "recorded", "m")},
        {"family": "ruling:서면-2024-법인-1"},
        {"articles": ("상속세 및 증여세법 제53조제1항",)},
        {"family": "law:상속세 및 증여세법 제53조"},
        {"question": "하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열 열하나 열둘 물음"},
        {"evidence": "하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열 열하나 열둘"},
    ],
)
def test_rows_that_share_something_are_never_apart(shared):
    rows = [row(number) for number in range(40)]
    rows += [row(number, **shared) for number in range(100, 103)]
    for seed in range(20):
        splits = split(rows, seed=seed)
        assert len({splits[f"row-{number}"] for number in range(100, 103)}) == 1


def test_a_chain_holds_together_from_end_to_end():
    rows = [row(number, articles=(f"소득세법 제{number}조", f"소득세법 제{number + 1}조")) for number in range(1, 60)]
    assert set(split(rows).values()) == {"train"}  # one giant component


def test_what_a_row_says_in_one_text_counts_whichever_text_it_is():
    words = "하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열 열하나 열둘"
    rows = [row(number) for number in range(30)] + [row(100, answer=words), row(101, evidence=words + " 끝")]
    assert all(len({s["row-100"], s["row-101"]}) == 1 for s in (split(rows, seed=seed) for seed in range(20)))


def test_calculator_rows_of_one_article_are_told_apart_by_family():
    rows = [
        row(number, style="worked", tax="gift", articles=("상속세 및 증여세법 제53조",), family=f"worked:gift:{number}")
        for number in range(40)
    ]
    assert Counter(split(rows).values()) == {"train": 32, "validation": 4, "test": 4}


@pytest.mark.parametrize("style", ["ask_back", "refusal"])
def test_questions_that_lack_the_same_fact_stand_in_every_split(style):
    answer = "하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열 열하나 열둘 열셋"
    changes = {"style": style, "tax": "holding", "answer": answer, "articles": ("종합부동산세법 제8조",)}
    by_template = Provenance("case", "v", "templates", "data_gen.worked")
    rows = [row(number, **changes, provenance=by_template, family=f"{style}:{number}") for number in range(40)]
    assert Counter(split(rows).values()) == {"train": 32, "validation": 4, "test": 4}
    told = [row(number, **changes, family=f"{style}:{number}") for number in range(40)]  # a teacher's are documents
    assert len(set(split(told).values())) == 1


def test_shares_of_zero_and_small_datasets_leave_everything_in_train():
    rows = [row(number) for number in range(30)]
    assert set(split(rows, SplitSettings(validation=0.0)).values()) == {"train"}
    assert set(split(rows[:3]).values()) == {"train"}
    assert split([]) == {}
    assert Counter(split(rows[:5]).values())["validation"] == 1


def test_an_id_that_comes_twice_is_an_error():
    key = SplitKeys("documents", (1,), ())
    with pytest.raises(ValueError, match="twice"):
        assign([("a", key), ("a", key)], SHARES, 1)
