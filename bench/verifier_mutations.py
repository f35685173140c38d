"""Single faults put into right answers, by kind.  Each maker returns a broken answer, or None where the fault cannot be seen.

"Can be seen" is judged by what the verifier is given: an article that exists under another number is a visible fault only
beside the document's text or the article's heading.  Where nothing is given such faults are counted apart (``HIDDEN``).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from verifier_answers import Sample
from verifier_words import altered_quotation, broken_form

from taxlaw.articles import indexed_laws, lookup
from taxlaw.calls import parse_call, render_working, run_call
from taxlaw.citations import Citation, find_citations
from taxlaw.errors import TaxLawError
from taxlaw.money import find_amounts, format_won
from taxlaw.paragraphs import article_numbers, paragraph_count

Maker = Callable[[random.Random, Sample], str | None]  # None: the fault would be invisible here
_ARTICLE = re.compile(r"제\s?\d+\s?조(?:\s?의\s?\d+)?")
_HEADING = re.compile(r"\s?(?:\((?P<round>[^()\d][^()]*)\)|【(?P<square>[^】]+)】|의 제목은 「(?P<quoted>[^」]+)」)")


# --- citations ----------------------------------------------------------------------------------------------------
def _written(sample: Sample) -> list[Citation]:
    """Citations of existing articles, written out with their law."""
    return [
        citation
        for citation in find_citations(sample.answer)
        if citation.law in indexed_laws()
        and not citation.implied
        and not citation.former
        and _ARTICLE.match(citation.text)
        and lookup(citation.law, citation.article, sample.as_of).status == "found"
    ]


def _named(text: str) -> set[tuple[str | None, str]]:
    return {(citation.law, citation.article) for citation in find_citations(text)}


def _visible(sample: Sample, old: Citation, law: str, article: str) -> bool:
    """Whether (law, article) in place of ``old`` can be known to be wrong from what the verifier is given."""
    if (law, article) in _named(f"{sample.question}\n{sample.evidence or ''}\n{sample.answer}"):
        return False
    status = lookup(law, article, sample.as_of)
    if status.status != "found":
        return True
    heading = _heading_after(sample.answer, old)
    if heading:
        return status.heading != heading
    return sample.evidence is not None and (old.law, old.article) in _named(sample.evidence)


def _heading_after(answer: str, citation: Citation) -> str | None:
    article = _ARTICLE.match(answer, citation.start)
    heading = _HEADING.match(answer, article.end()) if article else None
    return next((text for text in heading.groups() if text), None) if heading else None


def _renumber(sample: Sample, old: Citation, article: str) -> str:
    """The answer with every mention of that article renumbered (one fault, told the same way throughout)."""
    text = sample.answer
    for citation in sorted(find_citations(text), key=lambda found: -found.start):
        same = (citation.law, citation.article) == (old.law, old.article)
        if same and (written := _ARTICLE.match(text, citation.start)):
            text = text[: written.start()] + article + text[written.end() :]
    return text


def _split(article: str) -> tuple[int, int]:
    numbers = [int(part) for part in re.findall(r"\d+", article)]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def _join(base: int, branch: int) -> str:
    return f"제{base}조" + (f"의{branch}" if branch > 1 else "")


def _renumbered(rng: random.Random, sample: Sample, near: Callable[[int, int], list[tuple[int, int]]]) -> str | None:
    citations = _written(sample)
    rng.shuffle(citations)
    for old in citations:
        choices = [_join(*pair) for pair in near(*_split(old.article)) if pair[0] > 0]
        rng.shuffle(choices)
        for article in choices:
            if article != old.article and _visible(sample, old, old.law, article):
                return _renumber(sample, old, article)
    return None


def article_off_by_one(rng: random.Random, sample: Sample) -> str | None:
    return _renumbered(rng, sample, lambda base, branch: [(base - 1, branch), (base + 1, branch)])


def article_not_there(rng: random.Random, sample: Sample) -> str | None:
    return _renumbered(rng, sample, lambda base, _: [(base + rng.choice([700, 900]), 0), (base, rng.randrange(60, 99))])


def wrong_branch(rng: random.Random, sample: Sample) -> str | None:
    return _renumbered(
        rng,
        sample,
        lambda base, branch: [(base, branch + 1), (base, branch - 1)] if branch else [(base, rng.randrange(2, 5))],
    )


def deleted_article(rng: random.Random, sample: Sample) -> str | None:
    citations = _written(sample)
    rng.shuffle(citations)
    for old in citations:
        dead = [n for n in article_numbers(old.law) if lookup(old.law, n, sample.as_of).status == "deleted"]
        dead = [article for article in dead if _visible(sample, old, old.law, article)]
        if dead:
            return _renumber(sample, old, rng.choice(dead))
    return None


def other_law(rng: random.Random, sample: Sample) -> str | None:
    laws = [law for law in indexed_laws() if " 시행" not in law]
    citations = _written(sample)
    rng.shuffle(citations)
    for old in citations:
        rng.shuffle(laws)
        for law in laws[:4]:
            at = sample.answer.rfind(old.law, 0, old.start)
            same = sum((old.law, old.article) == (c.law, c.article) for c in find_citations(sample.answer))
            if law == old.law or at < 0 or old.start - at > len(old.law) + 3 or same > 1:
                continue
            if _visible(sample, old, law, old.article):
                return sample.answer[:at] + law + sample.answer[at + len(old.law) :]
    return None


def wrong_heading(rng: random.Random, sample: Sample) -> str | None:
    for old in _written(sample):
        heading = _heading_after(sample.answer, old)
        if not heading:
            continue
        for _ in range(20):
            other = lookup(old.law, rng.choice(article_numbers(old.law)), sample.as_of).heading
            if other and other != heading and not set("()「」【】") & set(other):
                at = sample.answer.index(heading, old.start)
                return sample.answer[:at] + other + sample.answer[at + len(heading) :]
    return None


def wrong_paragraph(rng: random.Random, sample: Sample) -> str | None:
    """A paragraph beyond the article's last one, or one beside that of the evidence."""
    given = [c for c in find_citations(sample.evidence or "") if c.paragraph]
    for old in _written(sample):
        if old.paragraph is None or not (written := re.search(r"제\s?\d+\s?항", old.text)):
            continue
        count = paragraph_count(old.law, old.article)
        choices = [count + rng.randrange(1, 4)] if count is not None else []
        of_evidence = {c.paragraph for c in given if (c.law, c.article) == (old.law, old.article)}
        if old.paragraph in of_evidence and count:
            choices += [n for n in (old.paragraph - 1, old.paragraph + 1) if 0 < n <= count and n not in of_evidence]
        choices = [n for n in choices if n > 1 or of_evidence]
        if choices:
            at = old.start + written.start()
            return sample.answer[:at] + f"제{rng.choice(choices)}항" + sample.answer[old.start + written.end() :]
    return None


# --- amounts and figures ------------------------------------------------------------------------------------------
def _amount_changed(rng: random.Random, sample: Sample, change: Callable[[str], str]) -> str | None:
    """One amount rewritten so that its value is nowhere in what the verifier is given."""
    if sample.evidence is None and sample.call is None:
        return None
    amounts = find_amounts(sample.answer)
    present = {a.won for a in (*amounts, *find_amounts(f"{sample.question}\n{sample.evidence or ''}"))}
    rng.shuffle(amounts)
    for amount in amounts:
        new = change(amount.text)
        read = find_amounts(new)
        if len(read) == 1 and read[0].won not in present | {0} and amount.won:
            return sample.answer[: amount.start] + new + sample.answer[amount.end :]
    return None


def one_digit(rng: random.Random, sample: Sample) -> str | None:
    def change(text: str) -> str:
        at = rng.choice([i for i, char in enumerate(text) if char.isdigit()])
        return text[:at] + rng.choice([d for d in "123456789" if d != text[at]]) + text[at + 1 :]

    return _amount_changed(rng, sample, change)


def wrong_unit(rng: random.Random, sample: Sample) -> str | None:
    def change(text: str) -> str:
        if text.count("만") + text.count("억") != 1:
            return ""
        return text.replace("만", "억") if "만" in text else text.replace("억", "만")

    return _amount_changed(rng, sample, change)


def _number_changed(rng: random.Random, sample: Sample, pattern: str, steps: tuple[int, ...]) -> str | None:
    if sample.evidence is None and sample.call is None:
        return None
    found = list(re.finditer(pattern, sample.answer))
    rng.shuffle(found)
    for match in found:
        given = f"{sample.question}\n{sample.evidence or ''}"
        if sample.call is None and match[0] not in given:
            continue  # worded otherwise in the document: not a figure one can hold against it
        new = str(int(match[1]) + rng.choice(steps))
        stated = new + match[0][len(match[1]) :]
        if int(new) > 0 and not re.search(rf"(?<!\d){re.escape(stated)}", f"{given}\n{sample.answer}"):
            return sample.answer[: match.start(1)] + new + sample.answer[match.end(1) :]
    return None


def wrong_rate(rng: random.Random, sample: Sample) -> str | None:
    return _number_changed(rng, sample, r"(?<![\d.,])(\d{1,2})(?:\.\d+)?%", (-5, -2, -1, 1, 2, 5))


def wrong_period(rng: random.Random, sample: Sample) -> str | None:
    return _number_changed(rng, sample, r"(?<![\d.,])(\d{1,2})(?:년|개월|일|세)(?![가-힣]*\s?\d+월)", (-3, -2, 2, 3, 5))


def _recalled(sample: Sample, **changes: object) -> str | None:
    """The full working of a case that is not the question's; None when its tax is the same."""
    call = parse_call(sample.call)
    try:
        wrong, right = run_call(call.model_copy(update=changes), sample.as_of), run_call(call, sample.as_of)
    except TaxLawError:
        return None
    plain = "근거:" not in sample.answer
    return render_working(wrong, plain) if wrong.payable != right.payable else None


def skipped_deduction(rng: random.Random, sample: Sample) -> str | None:
    if sample.call is None:
        return None
    call = parse_call(sample.call)
    ways = {
        "gift": [{"filed": False}, {"marriage_birth": 0}],
        "income": [{"deductions": 0}, {"dependants": 1}, {"children": 0}],
        "vat_simplified": [{"purchases": 0}, {"card_sales": 0}],
    }.get(call.tax, [])
    rng.shuffle(ways)
    return next((text for way in ways if (text := _recalled(sample, **way))), None)


def wrong_relation(rng: random.Random, sample: Sample) -> str | None:
    if sample.call is None or parse_call(sample.call).tax != "gift":
        return None
    return _recalled(sample, relation=rng.choice(["배우자", "직계존속", "기타친족", "타인"]), generation_skip=False)


def old_rate(rng: random.Random, sample: Sample) -> str | None:
    """The rates of another year."""
    if sample.call is None:
        return None
    year = parse_call(sample.call).year or sample.as_of.year
    others = [other for other in (2024, 2025, 2026) if other != year]
    rng.shuffle(others)
    return next((text for other in others if (text := _recalled(sample, year=other))), None)


_BRACKET = re.compile(
    r"(?P<below>[\d억만,\s]+원) \+ \((?P<base>[\d억만,\s]+원) - (?P<lower>[\d억만,\s]+원)\) × (?P<rate>\d+)%"
)


def bracket_slip(rng: random.Random, sample: Sample) -> str | None:
    """The rate of the bracket beside the right one, with all later arithmetic right."""
    if sample.call is None:
        return None
    result = run_call(parse_call(sample.call), sample.as_of)
    step = next((s for s in result.steps if s.label == "산출세액" and _BRACKET.search(s.expression)), None)
    if step is None or result.payable == 0:
        return None
    match = _BRACKET.search(step.expression)
    below, base, lower = (find_amounts(match[name])[0].won for name in ("below", "base", "lower"))
    rate = int(match["rate"]) + rng.choice([-10, 10] if result.tax == "gift" else [-2, 2])
    tax = below + (base - lower) * rate // 100
    payable = tax + result.surcharge - result.credits
    if payable <= 0 or payable == result.payable or (base - lower) * rate % 100:
        return None
    expression = f"{format_won(below)} + ({format_won(base)} - {format_won(lower)}) × {rate}%"
    lines = [f"과세표준은 {format_won(base)}입니다.", f"산출세액은 {expression} = {format_won(tax)}입니다."]
    return "\n".join([*lines, f"납부할 세액은 {format_won(payable)}입니다."])


# --- statements ---------------------------------------------------------------------------------------------------
_SWAPPED = {"이상": "이하", "이하": "이상", "초과": "미만", "미만": "초과", "이내": "이상"}


def wrong_comparison(rng: random.Random, sample: Sample) -> str | None:
    """이상 for 이하 and so on, where the document compares the same figure."""
    if sample.evidence is None:
        return None
    found = list(
        re.finditer(
            r"(?P<figure>\d[\d,.]*(?:억|만|천|%|년|개월|일|세|명|원)+)(?P<gap>\s?)(?P<word>이상|이하|초과|미만|이내)",
            sample.answer,
        )
    )
    rng.shuffle(found)
    for match in found:
        figure = re.escape(match["figure"])
        words = set(re.findall(rf"(?<!\d){figure}\s?(이상|이하|초과|미만|이내)", sample.evidence))
        if match["word"] in words and _SWAPPED[match["word"]] not in words:
            return sample.answer[: match.start("word")] + _SWAPPED[match["word"]] + sample.answer[match.end("word") :]
    return None


_POLARITY = (
    ("해당하지 않습니다", "해당합니다"),
    ("포함되지 않습니다", "포함됩니다"),
    ("적용되지 않습니다", "적용됩니다"),
    ("적용할 수 없습니다", "적용할 수 있습니다"),
    ("공제할 수 없습니다", "공제할 수 있습니다"),
    ("과세대상이 아닙니다", "과세대상입니다"),
    ("비과세됩니다", "과세됩니다"),
    ("가능하지 않습니다", "가능합니다"),
)


def wrong_conclusion(rng: random.Random, sample: Sample) -> str | None:
    """해당하지 않습니다 for 해당합니다 and the like, where the document says the same word."""
    if sample.evidence is None:
        return None
    for negative, positive in _POLARITY:
        stem = positive[:2]
        for old, new in ((negative, positive), (positive, negative)):
            at = re.search(rf"(?<![가-힣]){old}", sample.answer)
            if at and stem in sample.evidence and new not in sample.answer:
                return sample.answer[: at.start()] + new + sample.answer[at.end() :]
    return None


CITATION: dict[str, Maker] = {
    "article ±1": article_off_by_one,
    "article that never was": article_not_there,
    "wrong 의 (branch)": wrong_branch,
    "deleted article": deleted_article,
    "other law": other_law,
    "wrong heading": wrong_heading,
    "wrong 항 (paragraph)": wrong_paragraph,
    "altered quotation": altered_quotation,
}
AMOUNT: dict[str, Maker] = {
    "one digit": one_digit,
    "만 for 억": wrong_unit,
    "bracket slip": bracket_slip,
    "skipped deduction": skipped_deduction,
    "wrong relation": wrong_relation,
    "rates of another year": old_rate,
}
OTHER: dict[str, Maker] = {
    "rate ±": wrong_rate,
    "period or date": wrong_period,
    "이상 for 이하": wrong_comparison,
    "conclusion reversed": wrong_conclusion,
    "form": broken_form,
}


def hidden_article(rng: random.Random, sample: Sample) -> str | None:
    """Article ±1 that exists, with neither text nor heading given: shown in the table, counted in no target."""
    if sample.evidence is not None:
        return None
    for old in _written(sample):
        base, branch = _split(old.article)
        article = _join(base + rng.choice([-1, 1]), branch)
        exists = lookup(old.law, article, sample.as_of).status == "found"
        if exists and not _heading_after(sample.answer, old) and (old.law, article) not in _named(sample.answer):
            return _renumber(sample, old, article)
    return None


def mutated(makers: dict[str, Maker], samples: list[Sample], seed: int) -> dict[str, list[Sample]]:
    """Broken samples by kind; a kind has as many as there are answers in which it can be seen."""
    broken: dict[str, list[Sample]] = {kind: [] for kind in makers}
    for number, sample in enumerate(samples):
        for kind, maker in makers.items():
            answer = maker(random.Random(f"{seed}:{kind}:{number}"), sample)
            if answer is not None and answer != sample.answer:
                broken[kind].append(replace(sample, answer=answer))
    return broken
