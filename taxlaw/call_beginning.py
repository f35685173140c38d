"""Whether what a model has begun to write can still become a calculator call: one line of JSON with keys and values of its tax.

Judges only what is certain: of a value that is not written to its end, or that is a list or an object, no more than its form.
"""

from __future__ import annotations

import json
import re

from pydantic import ValidationError

from taxlaw.calls import TAXES, keys_of

_STRING = r'"(?:[^"\\\n]|\\.)*'
_NUMBER = r"-?\d+(?:\.\d+)?"
_WORDS = ("true", "false", "null")
_BEGUN_WORD = "|".join(
    sorted((word[:end] for word in _WORDS for end in range(1, len(word) + 1)), key=len, reverse=True)
)
_BEGUN_VALUE = rf'(?:{_STRING}|(?:{_STRING}"|-?(?:\d+(?:\.\d*)?)?|{_BEGUN_WORD})\s*)'
_PAIR = re.compile(rf'\s*"(?P<key>[^"\\\n]*)"\s*:\s*(?P<value>{_STRING}"|{_NUMBER}|true|false|null)\s*(?P<end>[,}}])')
_BEGUN_PAIR = re.compile(
    rf'\s*(?:"(?P<begun>[^"\\\n]*)|"(?P<key>[^"\\\n]*)"\s*(?::\s*(?:(?P<nested>[\[{{].*)|{_BEGUN_VALUE})?)?)?', re.S
)


def may_become_call(text: str) -> bool:
    """Whether ``text`` is the beginning of a call, or begins with a whole one; empty text may become anything."""
    text = text.lstrip()
    if not text.startswith("{"):
        return not text
    place, facts = 1, {}
    while pair := _PAIR.match(text, place):
        if pair["key"] in facts:
            return False
        facts[pair["key"]] = _value(pair["value"])
        place = pair.end()
        if pair["end"] == "}":
            return _fit(facts)
    rest = _BEGUN_PAIR.fullmatch(text, place)
    if rest is None or not _fit(facts):
        return False
    known = _keys(facts) - set(facts)
    if rest["key"] is not None:
        return rest["key"] in known and not (rest["key"] == "tax" and rest["nested"])
    return rest["begun"] is None or any(key.startswith(rest["begun"]) for key in known)


def _value(written: str) -> object:
    try:
        return json.loads(written)
    except ValueError:  # an escape that is none, or digits without end
        return written


def _keys(facts: dict[str, object]) -> set[str]:
    """The keys that a call of this tax may have; before the tax is said, of any."""
    taxes = (facts["tax"],) if "tax" in facts else TAXES
    return {key for tax in taxes if isinstance(tax, str) for key in keys_of(tax)}


def _fit(facts: dict[str, object]) -> bool:
    if not set(facts) <= _keys(facts):
        return False
    if "tax" not in facts:
        return True
    readers = keys_of(str(facts["tax"]))
    try:
        for key, value in facts.items():
            readers[key].validate_python(value)
    except ValidationError:
        return False
    return True
