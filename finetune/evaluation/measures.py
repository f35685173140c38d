"""What is measured of one answer.  Each measure is a (part, whole) pair, so that a share is the sum of parts over wholes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from finetune.data import Row, target_text
from finetune.evaluate import Generation
from finetune.evaluation.behaviour import asks_back, names_fact, refuses
from finetune.evaluation.completion import complete
from finetune.evaluation.overlap import bleu_statistics, morphemes, rouge_l
from finetune.evidence import user_turn
from taxlaw.calls import answer_payable, facts_of, find_call, parse_call
from taxlaw.citations import find_citations
from taxlaw.errors import TaxLawError
from taxlaw.evidence_prompt import asks_for_evidence
from taxlaw.verify import Verdict, verify


@dataclass(frozen=True)
class Likelihood:
    """Teacher-forced: ``nats`` of the expected answer's ``tokens`` (stop token included), which spell ``characters``."""

    nats: float
    tokens: int
    characters: int


@dataclass(frozen=True)
class Measured:
    """One answer with what was found.  ``parts``: measure -> (part, whole); a measure that does not apply is absent."""

    row: Row
    written: str
    stopped: bool
    shown: str
    problem: str | None
    payable: int | None
    faults: tuple[str, ...]  # messages of the verifier
    codes: tuple[int, ...]  # taxlaw.findings.REASONS of those faults
    parts: dict[str, tuple[float, float]]
    bleu: tuple[int, ...] | None  # of what is shown, against the row's answer
    bleu_written: tuple[int, ...] | None  # of what was written, against what was taught


def measure(
    row: Row,
    generation: Generation,
    target: str,
    likelihood: Likelihood | None = None,
    generated: bool = True,
    alone: bool = False,
) -> Measured:
    """Judge one answer.  ``target``: what worked rows were taught (finetune.data.target_text); ``generated``: False for a
    recorded answer, which has no tokens and no end of its own; ``alone``: code runs every call as it stands, and asks for nothing.
    """
    as_of = date.fromisoformat(row.as_of)
    done = complete(generation.text, row.question, as_of, user_turn(row), alone)
    verdict = verify(row.question, done.final, as_of, row.evidence or None)
    faults = [finding for finding in verdict.findings if finding.severity == "fault"]
    payable = answer_payable(generation.text, as_of)
    shown, written = morphemes(done.shown), morphemes(generation.text)
    right = target_text(row, target) if row.asks_evidence else row.answer
    answer, taught = morphemes(right), morphemes(target_text(row, target))
    asking = asks_back(done.words)
    refusing = not done.called and refuses(done.words)
    looking = asks_for_evidence(generation.text)

    # A recorded answer often is the row's own; a case from outside may have no answer in words.
    compared = bool(right) and (generated or done.shown.strip() != right.strip())

    parts: dict[str, tuple[float, float]] = {
        "verdict_ok": (verdict.ok, 1),
        "characters": (len(done.shown), 1),
        "characters_written": (len(generation.text), 1),
        "refused" if row.style == "refusal" else "wrongly_refused": (refusing, 1),
        "citations_real": real_citations(verify(row.question, done.final, as_of)),
        "citations_real_own": real_citations(verify(row.question, done.words, as_of)) if done.words else (0, 0),
    }
    if row.style == "ask_back":
        parts["asked_back"] = (asking and not done.called, 1)
        if (named := names_fact(row.answer, done.words)) is not None:
            parts["asked_fact"] = (named and asking and not done.called, 1)
    else:
        parts["wrongly_asked"] = (asking, 1)
    if row.asks_evidence:
        parts["asked_evidence"] = (looking, 1)
    else:  # an answer that asks for evidence cites nothing, and rightly so
        # An answer that only repeats the question has no fault: something must be confirmed, and it must have an end.
        parts["verified"] = (verdict.ok and generation.stopped and _confirms(verdict), 1)
        parts["right_article"] = cited_of(row.articles, done.final)
        parts["right_article_own"] = cited_of(row.articles, done.words)
        if row.shows_evidence or row.payable is not None or row.style in ("ask_back", "refusal"):
            parts["wrongly_asked_evidence"] = (looking, 1)
    if compared:
        parts["rouge_l"] = (rouge_l(shown, answer), 1)
        parts["rouge_l_written"] = (rouge_l(written, taught), 1)
    if row.call is None and row.payable is None:
        parts["wrongly_called"] = (done.called, 1)
    if row.payable is not None:
        # A right call that code holds back, to ask a question or for what it says, gives nobody a tax.
        parts["exact"] = (payable == row.payable and not asking and done.problem is None, 1)
        parts["wrongly_declined"] = (asking or refusing or looking, 1)
    if row.call and target in ("program", "facts_first"):
        parts["call_read"] = (reads_as(row.call, generation.text, as_of), 1)
    if done.called:
        parts["calls_run"] = (done.problem is None, 1)
    if generated:
        parts["ended_by_stop"] = (generation.stopped, 1)
        parts["tokens"] = (generation.tokens, 1)
    if likelihood is not None:
        parts["nll_token"] = (likelihood.nats, likelihood.tokens)
        parts["nll_character"] = (likelihood.nats, likelihood.characters)
    return Measured(
        row=row,
        written=generation.text,
        stopped=generation.stopped,
        shown=done.shown,
        problem=done.problem,
        payable=payable,
        faults=tuple(finding.message for finding in faults),
        codes=tuple(finding.code for finding in faults if finding.code is not None),
        parts={name: (float(part), float(whole)) for name, (part, whole) in parts.items() if whole},
        bleu=bleu_statistics(shown, answer) if compared else None,
        bleu_written=bleu_statistics(written, taught) if compared else None,
    )


def _confirms(verdict: Verdict) -> bool:
    return any(finding.severity == "confirmed" for finding in verdict.findings)


def reads_as(expected: str, text: str, as_of: date) -> bool:
    """Whether ``text`` begins with a call of the same facts as the call ``expected``, in whatever words the amounts are."""
    call, right = find_call(text), parse_call(expected)
    if call is None or call.tax != right.tax:
        return False
    try:
        return facts_of(call, as_of) == facts_of(right, as_of)
    except (TaxLawError, ValueError):  # facts that no calculator takes
        return False


def real_citations(verdict: Verdict) -> tuple[int, int]:
    """(articles that exist and are in force on the date, articles that could be judged), from a verdict without evidence.

    An article with any fault (no such, deleted, not yet in force, another heading) is not real; one whose law is not named
    or not indexed is not judged.
    """
    findings = [finding for finding in verdict.findings if finding.kind == "citation" and finding.span]
    wrong = {finding.span for finding in findings if finding.severity == "fault"}
    right = {finding.span for finding in findings if finding.severity == "confirmed"} - wrong
    return len(right), len(right) + len(wrong)


def cited_of(articles: list[str], text: str) -> tuple[int, int]:
    """(how many of the row's articles the text cites, how many the row has), at the level of law and article."""
    wanted = {(citation.law, citation.article) for name in articles for citation in find_citations(name)}
    cited = {(citation.law, citation.article) for citation in find_citations(text)}
    return len(wanted & cited), len(wanted)
