"""What code asks a person in place of what a student wrote: for the facts that the tax turns on and the question lacks.

A student may compute from a fact that nobody stated, write half a call, or ask for what stands in the question already.
Where it asks for a fact that is truly missing its own words stand.
"""

from __future__ import annotations

import re
from datetime import date

from taxlaw.call_answer import run_quietly, split_call
from taxlaw.call_check import wrong_tax
from taxlaw.needed_facts import ask_for, lacking, unstated
from taxlaw.stated_facts import unread

# "계산하려면 보유기간을 알아야 합니다.": the fact, without what it is needed for.
_ASKED = re.compile(r"(?:^|(?<=[.!?])\s|\n)(?:\S+려면\s)?([^.!?\n]{1,60}?)[을를]\s알아야")
_TAX = re.compile(r'"tax":\s?"(\w+)"')
_WORD = re.compile(r"[가-힣A-Za-z0-9]{2,}")
_PARTICLE = re.compile(r"(?<=[가-힣A-Za-z0-9]{2})(?:인지와|인지|와|과|의|이|가)$")

# Which tax a question asks for, the first that fits: a penalty names the tax it is on, a sale the 취득세 among its costs.
_ASKED_TAX: tuple[tuple[str, str], ...] = (
    ("penalty", "가산세"),
    ("retirement", r"퇴직소득(?:세|\s?산출)"),
    ("withholding", r"원천징수|원천세|떼[나는어이]|떼고"),
    ("capital_gains", "양도소득세|양도세"),
    ("holding", "종합부동산세|종부세"),
    ("acquisition", "취득세"),
    ("property", "재산세"),
    ("inheritance", "상속세"),
    ("gift", "증여세"),
    ("corporate", "법인세"),
    ("vat_simplified", r"간이(?:과세)?.*(?:부가|납부할)|(?:부가세|부가가치세).*간이"),
    ("vat_general", r"일반과세.*부가|(?:부가세|부가가치세).*일반과세"),
    ("income", "종합소득세|종소세|소득세|연말정산"),
)


def asked_fact(text: str) -> str | None:
    """The fact a text says must be known ('보유기간'), in its own words; None when it names none that way."""
    found = _ASKED.search(text)
    return found and found[1]


def asked_tax(question: str) -> str | None:
    """The calculator of the tax that a question asks for by name; None when it names none, or VAT without saying of whom."""
    return next((tax for tax, words in _ASKED_TAX if re.search(words, question)), None)


def facts_to_ask(question: str, text: str, as_of: date) -> tuple[str, ...]:
    """The facts to ask for in place of the student's ``text``; () when it may stand, or when nothing is known to be missing.

    A call that fits the question and can be run is judged by its own facts, any other by what the question's words turn on.
    """
    given = split_call(text.strip())
    if given is None:
        asked, tax = asked_fact(text), asked_tax(question)
        if asked is None or tax is None:
            return ()
        missing = lacking(question, tax)
        return () if any(_same_fact(asked, fact) for fact in missing) else missing
    if given.call is not None:
        if wrong_tax(question, given.call.tax):
            return ()
        fits = not unread(question, given.call) and run_quietly(given.call, as_of)[0] is not None
        return unstated(question, given.call) or (() if fits else lacking(question, given.call.tax))
    named = _TAX.search(text)
    return lacking(question, named[1]) if named and not wrong_tax(question, named[1]) else ()


def asked_instead(question: str, text: str, as_of: date) -> str | None:
    """The sentence that asks for them; None when the student's own ``text`` is gone by."""
    facts = facts_to_ask(question, text, as_of)
    return ask_for(facts) if facts else None


def asks_needlessly(question: str, text: str) -> bool:
    """Whether a text asks for a fact although the question states all that its tax turns on."""
    if split_call(text.strip()) is not None or asked_fact(text) is None:
        return False
    tax = asked_tax(question)
    return tax is not None and not lacking(question, tax)


def _same_fact(asked: str, fact: str) -> bool:
    """Whether two names share a word that tells facts apart: '보유 기간' and '보유기간' do, '취득한 금액' and '금액' do not."""
    joined = re.sub(r"\W", "", asked)
    words = [_PARTICLE.sub("", word) for word in _WORD.findall(fact)]
    return any(word in joined for word in words if word not in ("금액", "한해의", "가액"))
