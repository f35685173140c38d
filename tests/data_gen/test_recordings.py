"""Every recorded answer of the package is a whole answer about a document that is asked about, and true as far as code can tell."""

import datetime
import json
from collections import Counter
from dataclasses import replace

import pytest

from data_gen.candidates import candidates
from data_gen.documents import load_library
from data_gen.gates import judge, stateful_gates, stateless_gates
from data_gen.replies import parse_answer
from data_gen.rows import Candidate, Row
from data_gen.settings import DocumentSettings, GateSettings
from data_gen.tasks.all_tasks import TASKS, applies
from data_gen.teachers import Reply
from data_gen.teachers.recorded import RECORDINGS
from data_gen.topics import load_topics
from taxlaw.addenda import pending
from taxlaw.calls import answer_payable

DAY = datetime.date(2026, 6, 1)
LEAST = {
    "scenario": 12,
    "calculation": 12,
    "followup": 10,
    "law_change": 6,
    "ask_back": 16,
    "refusal": 40,
    "analysis": 10,
}
NEW = [name for name in LEAST if name != "analysis"]


@pytest.fixture(scope="module")
def recordings():
    lines = [
        line for path in sorted(RECORDINGS.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def shown():
    """The package's own documents by id: digest, casebook and topics, with the notes on what waits."""
    library = load_library(DocumentSettings(statutes="none"), DAY)
    found = {document.id: document for document in [*library.documents, *load_topics(DAY)]}
    for document in library.documents:
        if document.kind == "openapi" and not document.notes:
            law, _, article = document.articles[0].rpartition(" ")
            notes = tuple(fact.note(DAY) for fact in pending(law, article, DAY))
            found[document.id] = replace(document, notes=notes)
    return found


def rows_of(recordings, shown, names):
    for recording in recordings:
        if recording["prompt"] not in names:
            continue
        task, document = TASKS[recording["prompt"]], shown[recording["document_id"]]
        answer = parse_answer(json.dumps(recording["response"], ensure_ascii=False), task.answer)
        for candidate in candidates(document, task, Reply(answer=answer, text="", model="recorded"), "recorded", 0):
            yield document, task, candidate


def test_there_are_enough_of_each_and_none_twice(recordings):
    counts = Counter(recording["prompt"] for recording in recordings)
    assert all(counts[name] >= least for name, least in LEAST.items()), counts
    assert counts["pairs"] == 168
    assert len({(recording["document_id"], recording["prompt"]) for recording in recordings}) == len(recordings)
    questions = Counter(
        json.dumps(r["response"], ensure_ascii=False, sort_keys=True) for r in recordings if r["prompt"] != "analysis"
    )
    assert max(questions.values()) == 1


def test_each_is_of_the_form_its_task_asks_for(recordings, shown):
    for recording in recordings:
        answer = parse_answer(json.dumps(recording["response"], ensure_ascii=False), TASKS[recording["prompt"]].answer)
        assert answer and recording["document_id"] in shown
        if recording["prompt"] != "law_change":  # the digest tells some changes itself; what waits is told by its notes
            assert applies(TASKS[recording["prompt"]], shown[recording["document_id"]]), recording["document_id"]


@pytest.mark.parametrize("name", NEW)
def test_each_new_answer_passes_every_gate(recordings, shown, name):
    alone, together = stateless_gates(GateSettings()), stateful_gates(GateSettings())
    for document, _, candidate in rows_of(recordings, shown, {name}):
        judged = judge(candidate, alone)
        assert isinstance(judged, Row), (document.id, judged.gate, judged.reason)
        judged = judge(Candidate(judged), together)
        assert isinstance(judged, Row), (document.id, judged.gate, judged.reason)


def test_each_calculation_with_a_call_ends_with_what_the_calculator_finds(recordings, shown):
    called = [c.row for _, _, c in rows_of(recordings, shown, {"calculation"}) if c.row.call]
    assert len(called) >= 8
    for row in called:
        assert answer_payable(row.answer, DAY) == row.payable, row.id


def test_each_calculation_without_a_call_ends_with_what_the_calculators_find(recordings, shown):
    """Values that no call asks for: parts of a tax, and taxes told from their tax base."""
    from taxlaw.calculators.corporate_limits import EntertainmentFacts, entertainment_limit
    from taxlaw.calculators.holding_tax import HoldingTaxFacts, holding_tax
    from taxlaw.calculators.income_parts import earned_income_credit
    from taxlaw.calculators.property_tax import PropertyTaxFacts, property_tax
    from taxlaw.calls import parse_call, run_call
    from taxlaw.money import find_amounts

    # Prices whose tax base is that of the question: (16억원 - 9억원) × 60%, and 60% of the announced price.
    holding = holding_tax(HoldingTaxFacts(official_price=1_600_000_000, year=2026, homes=2))
    home = property_tax(PropertyTaxFacts(official_price=366_666_667, year=2026))
    pay = run_call(parse_call('{"tax":"income","gross_pay":"4,260만원","year":2026}'), DAY)
    assert (holding.tax_base, home.tax_base) == (420_000_000, 220_000_000)
    found = {
        "law:상속세 및 증여세법:제26조": 90_000_000 + (840_000_000 - 500_000_000) * 30 // 100,
        "law:소득세법:제47조": next(step.amount for step in pay.steps if "근로소득금액" in step.label),
        "law:소득세법:제59조": earned_income_credit(40_000_000, 2_000_000, 2026).amount,
        "law:부가가치세법:제46조": 43_000_000 * 13 // 1000,
        "law:법인세법:제25조": entertainment_limit(EntertainmentFacts(2026, sme=True, revenue=12_000_000_000)).amount,
        "law:종합부동산세법:제9조": holding.payable,
        "law:지방세법:제111조": home.payable,
        "law:조세특례제한법:제95조의2": 720_000 * 12 * 17 // 100,
    }
    plain = {d.id: c.row for d, _, c in rows_of(recordings, shown, {"calculation"}) if not c.row.call}
    assert set(plain) == set(found)
    for name, row in plain.items():
        closing = row.answer.splitlines()[-1].split("입니다")[0]
        assert find_amounts(closing)[-1].won == found[name], (name, closing)


def test_some_changes_are_about_what_the_notes_say_waits(recordings, shown):
    waiting = [r for r in recordings if r["prompt"] == "law_change" and shown[r["document_id"]].notes]
    assert len(waiting) >= 4


def test_every_topic_has_a_refusal_in_words_of_its_own_that_cites_nothing(recordings, shown):
    from data_gen.probes import refuses
    from taxlaw.citations import find_citations
    from taxlaw.money import find_amounts

    refused = {r["document_id"]: r["response"] for r in recordings if r["prompt"] == "refusal"}
    assert set(refused) == {name for name in shown if name.startswith("topic:")}
    for name, response in refused.items():
        assert response["question"] not in shown[name].text
        assert not find_citations(response["answer"]) and not find_amounts(response["answer"])
        assert refuses(response["answer"].split(".")[0] + response["answer"].split(".")[1]), name


def test_figures_of_an_analysis_stand_in_its_document(recordings, shown):
    from taxlaw.money import find_amounts

    for recording in recordings:
        if recording["prompt"] == "analysis":
            known = {amount.won for amount in find_amounts(shown[recording["document_id"]].text)}
            said = json.dumps(recording["response"], ensure_ascii=False)
            loose = [amount.text for amount in find_amounts(said) if amount.won not in known]
            # The ordinary deduction is named as what one should know beforehand.
            assert set(loose) <= {"5,000만원"}, (recording["document_id"], loose)
