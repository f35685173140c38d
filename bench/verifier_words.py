"""Single faults of wording: words quoted as an article's that are not its own, and broken form."""

from __future__ import annotations

import random
import re

from verifier_answers import Sample

_QUOTED = re.compile(r"“([^“”]+)”")
_OTHER_WORDS = (
    ("한다", "할 수 있다"),
    ("있다", "없다"),
    ("이상", "이하"),
    ("및", "또는"),
    ("또는", "및"),
    ("경우", "때"),
)


def altered_quotation(rng: random.Random, sample: Sample) -> str | None:
    """One word of a quotation changed, left out or put in; quotations are those that stand in the evidence."""
    quoted = _QUOTED.search(sample.answer)
    if quoted is None or sample.source != "quotation":
        return None
    words = quoted[1]
    pieces = words.split(" ")
    at = rng.randrange(1, len(pieces)) if len(pieces) > 2 else 0
    ways = [words.replace(old, new, 1) for old, new in _OTHER_WORDS if old in words]
    if at:
        ways += [" ".join(pieces[:at] + pieces[at + 1 :]), " ".join([*pieces[:at], "원칙적으로", *pieces[at:]])]
    given = "".join((sample.evidence or "").split())
    ways = [way for way in ways if "".join(way.split()) not in given]  # a quotation cut short is still one
    changed = rng.choice(ways) if ways else words
    return sample.answer[: quoted.start(1)] + changed + sample.answer[quoted.end(1) :]


def broken_form(rng: random.Random, sample: Sample) -> str | None:
    added = (
        "<end_of_turn>",
        "\n" + "공제를 받을 수 있습니다. " * 6,
        " 그리고 이 경우에는 공제를",
        " 신청인의 주민등록번호는 850101-1234566입니다.",
        " 문의 전화는 010-1234-5678입니다.",
    )
    return rng.choice(["", *(sample.answer + text for text in added)])
