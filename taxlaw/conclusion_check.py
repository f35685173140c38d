"""Yes or no: does an answer conclude as the ruling it rests on?  A statute states rules with exceptions and is not compared.

Compared are the answer's first two sentences with the ruling's words of the same kind (해당하지 않음, 적용가능, 과세됨).
"""

from __future__ import annotations

import re

from taxlaw.findings import Finding

# A ruling concludes; a statute states rules with exceptions, and an answer may rightly be about the exception.
RULING = re.compile(r"(?:서면|사전|기준|질의|조심|심사|적부|이의)[-\s]?(?:[가-힣]+-)?\d{4}|대법원|회신|판결|기획재정부")
# A stop ends a sentence after a Hangul letter only: '2024. 11. 14. 회신' is one piece.
_SENTENCE = re.compile(r"[^\n?!]+?(?:[가-힣)]\.(?=\s|$)|[?!\n]|$)")
_GIST = re.compile(
    r"(?:회신\s?요지|요지|회신)\s?:\s?(?P<gist>.+?)(?=\n(?:관련\s?법령|문서번호|회신일|쟁점)|\Z)", re.DOTALL
)
_END = r"(?=[.,\n/]|$)"
_NOT = (
    r"(?:\s?(?:하|되|이)?지\s?(?:아니|않|못)|(?:할|될|받을)\s?수\s?없|(?:이|가|은|는|도)?\s?(?:아니|아닙|아님|아닌|불가)"
    r"|(?:이|가|에|\s)*\s?대상(?:이|에)?\s?(?:아니|아닙|아님|해당\s?하지|포함되지)|에\s?해당\s?(?:하|되)지\s?(?:아니|않))"
)
_YES = (
    r"(?:(?:할|될|받을)\s?수\s?있(?!는지|을지)|\s?가능(?:함|하(?!지)|합)|\s?대상(?:임|입니|이\s?[되된됩]|에\s?해당[하함합])|에\s?해당(?:함|합|하는\s?것|한다)"
    r"|합니다|됩니다|입니다|한다|된다|이다|(?:함|됨|임)(?![가-힣])|(?:하|되)는\s?것(?:임|이|입)|(?:하|되)(?:며|고|므로)|해요|돼요)"
)
_PREDICATE = re.compile(
    r"(?<![가-힣])(?P<stem>비과세|과세\s?대상|매입세액공제|세액공제|공제|해당|포함|적용|감면|과세|인정|합산|가산|면제|제외|영세율)"
    rf"(?:을|를)?(?:(?P<no>{_NOT})|(?P<yes>{_YES}))"
)
_BARE = 24  # letters of an opening that is the verdict alone: '적용할 수 있습니다.'
_REFUSED = re.compile(r"못|않|아니|안\s")
# 적용가능 and 불가: what is asked for may be had, or may not.
_POSSIBLE = re.compile(
    rf"(?P<no>불가(?:능)?(?:함|하|합|{_END})|가능하지\s?(?:아니|않)|수\s?없(?:음|는\s?것(?:임|이|입|으로)|습니다|다(?![가-힣])|어요))"
    rf"|(?<!불)(?P<yes>가능(?:함|합|하[며고다]|한\s?것|해요|{_END})|수\s?있(?:음|는\s?것(?:임|이|입|으로)|습니다|다(?![가-힣])|어요))"
)
# What a taxpayer asks for; 과세할 수 없음 and 팔 수 있음 do not contradict one another.
_FAVOUR = re.compile(r"공제|적용|감면|환급|인정|배제|특례|포함|손금|필요경비|받을|경정청구")
_BURDEN = re.compile(r"(?<!비)과세|부과|추징|징수|가산")
_BELONGS = re.compile(
    r"(?:해당|포함|(?<=과세)대상|(?<=과세\s)대상)(?:(?P<no>\s?(?:하|되)지\s?(?:아니|않)|이?\s?(?:아니|아닙|아님))"
    rf"|(?P<yes>함|합니다|하는\s?것|되는\s?것|됨|됩니다|된다|한다|입니다|임|{_END}))"
)
_TAXED = re.compile(
    r"(?P<untaxed>비)?과세(?:가|를)?\s?(?:(?P<no>(?:하|되)지\s?(?:아니|않)|안\s?[되됩])"
    r"|(?P<yes>됩니다|되는\s?것|됨|된다|합니다|하는\s?것|함(?![가-힣])|한다|돼요))"
)


def reversed_conclusion(question: str, answer: str, evidence: str) -> list[Finding]:
    """해당합니다 where the evidence only says 해당하지 않음, and the like.

    A word that the ruling uses both ways settles nothing.
    """
    if not RULING.search(evidence):
        return []
    sentences = [match[0] for match in _SENTENCE.finditer(answer) if match[0].strip()]
    head = "".join(sentences[:2])
    said, known = _polarity(head), _polarity(evidence)
    if not sentences:
        return []
    whole, bare = _polarity(answer), len(sentences[0]) <= _BARE
    first = _polarity(sentences[0])
    if bare:
        said |= first  # the verdict alone outweighs what is said after it
    for stem, (yes, span) in said.items():
        if yes is None or stem not in known or known[stem][0] is None:
            continue
        if whole[stem][0] is None and not (bare and stem in first):
            continue
        if known[stem][0] != yes:
            return [_fault(answer, head, span, evidence[slice(*known[stem][1])])]
    gist = _GIST.search(evidence)
    if gist is None:
        return []
    for pattern in (_TAXED, _BELONGS, _POSSIBLE):
        # The opening sentence answers; what follows it may be about another thing.
        told = _signs(pattern, sentences[0])
        if not told and not (pattern is _POSSIBLE and _REFUSED.search(sentences[0])):
            told = _signs(pattern, head)
        ruled = _signs(pattern, gist["gist"])
        if len({yes for yes, _ in ruled}) == 1 and len({yes for yes, _ in told}) == 1 and told[0][0] != ruled[0][0]:
            return [_fault(answer, head, told[0][1], gist["gist"][slice(*ruled[0][1])])]
    return []


def _fault(answer: str, head: str, span: tuple[int, int], right: str) -> Finding:
    at = answer.find(head[slice(*span)])
    span = (at, at + span[1] - span[0])
    message = f"근거 자료와 결론이 반대입니다: 답변 '{answer[slice(*span)]}', 근거 '{right}'."
    return Finding("contradiction", "fault", span, message, right, 19)


def _signs(pattern: re.Pattern, text: str) -> list[tuple[bool, tuple[int, int]]]:
    """(whether affirmed, span) of each predicate of one kind; 비과세됨 is 과세되지 않음."""
    found = []
    for match in pattern.finditer(text):
        before = text[max(0, match.start() - 12) : match.start()]
        vague = match[0].startswith("수") and match.start() >= 12 and not _FAVOUR.search(before)
        if pattern is _POSSIBLE and (vague or _BURDEN.search(before)):
            continue
        yes = match["yes"] is not None
        if match.groupdict().get("untaxed"):
            yes = not yes
        found.append((yes, match.span()))
    return found


def _polarity(text: str) -> dict[str, tuple[bool | None, tuple[int, int]]]:
    """stem -> (True, False, or None when both ways; span of the first use)."""
    found: dict[str, tuple[bool | None, tuple[int, int]]] = {}
    for match in _PREDICATE.finditer(text):
        stem, yes = match["stem"].replace(" ", ""), match["yes"] is not None
        if stem in found and found[stem][0] != yes:
            found[stem] = (None, found[stem][1])
        else:
            found.setdefault(stem, (yes, match.span()))
    return found
