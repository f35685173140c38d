"""Where the amounts of an answer come from.  Stricter than the verifier: what it leaves unchecked is not good enough to teach."""

from __future__ import annotations

import re

# A sum as it is written out; any word ends it ("… = 200만원과 …"), so that each is read on its own.
_SUM = re.compile(r"[\d.,조억만천백십원%×÷+\-−*/()=\s]+")


def loose_amounts(question: str, answer: str, evidence: str) -> list[str]:
    """Amounts of the answer, as written, that rest on nothing.

    An amount rests on the question, the evidence, the digest of a provision the answer cites, or on a sum that is
    written out and right (its operands included: "1,000만원이라면 1,000만원 × 10% = 100만원" is an example, not a claim).
    """
    from taxlaw.arithmetic import find_calculations
    from taxlaw.citations import find_citations
    from taxlaw.digest import load_digest
    from taxlaw.money import find_amounts

    written = [run for run in _SUM.findall(answer) if "=" in run]
    sums = [calculation.text for run in written for calculation in find_calculations(run) if calculation.correct]
    cited = {(citation.law, citation.article) for citation in find_citations(answer)}
    rules = [
        " ".join((provision.rule, *provision.figures))
        for provision in load_digest()
        if (provision.law, provision.article) in cited
    ]
    known = {amount.won for text in (question, evidence, *sums, *rules) for amount in find_amounts(text)}
    loose = [amount.text for amount in find_amounts(answer) if amount.won and amount.won not in known]
    return list(dict.fromkeys(loose))
