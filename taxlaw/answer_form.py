"""Is a text a finished Korean answer?  Empty, cut off, looping, not Korean, or full of chat control tokens is not."""

from __future__ import annotations

import re
from collections import Counter

from taxlaw.personal_data import personal_data

_CONTROL = re.compile(
    r"<(?:start_of_turn|end_of_turn|bos|eos|pad|unk|unused\d+|mask)>|</?s>|<\|[a-z_]+\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_image>"
)
# Endings that always want a next word.  Nouns that end alike (초과, 정의, 결과) are spared.
_UNFINISHED = re.compile(
    r"(?:[,(\[「『｢‘“·~+\-×÷=]"
    r"|(?:을|를|에서|으로|에게|에 따라|에 따른|하여|하며|하고|이며|이고|및|또는|대한|관한|위한)"
    r"|(?<![정주동유합결효부초경성논협회의])의|(?<![결효부초경성통])과|(?<=[가-힣])와"
    r"|\s제\d+|\s제|\d+조제)$"
)
_LOOP = re.compile(r"([^\n]{2,60}?)\1{4,}")
_PIECE = re.compile(r"[^\n]+?(?:(?<=[다요음임함])\.(?=\s|$)|\n|$)")
_OTHER_LETTERS = re.compile(r"[A-Za-z\u3040-\u30ff\u4e00-\u9fff\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f]")
_HANGUL = re.compile(r"[가-힣]")


def form_faults(text: str, is_call: bool = False) -> list[tuple[str, tuple[int, int] | None]]:
    """(Korean message, span) of each fault of form; ``is_call``: the text is a calculator call, not prose."""
    if not text.strip():
        return [("답변이 비어 있습니다.", None)]
    faults: list[tuple[str, tuple[int, int] | None]] = []
    if token := _CONTROL.search(text):
        faults.append((f"대화 제어 토큰이 섞여 있습니다: {token[0]}", token.span()))
    if repeated := _repeated(text):
        faults.append(repeated)
    faults += personal_data(text)
    if is_call:
        return faults
    hangul, others = len(_HANGUL.findall(text)), len(_OTHER_LETTERS.findall(text))
    if hangul < others or (hangul == 0 and not re.search(r"\d", text)):
        faults.append((f"한국어 답변이 아닙니다 (글자 가운데 한글 {hangul}/{hangul + others}).", None))
    end = text.rstrip()
    if cut := _UNFINISHED.search(end, max(0, len(end) - 30)):
        faults.append((f"문장이 끝나지 않고 끊겼습니다: …{end[-12:]}", cut.span()))
    elif (opened := _open_bracket(end)) is not None:
        faults.append((f"괄호가 닫히지 않고 끊겼습니다: {end[opened:]}", (opened, len(end))))
    return faults


def _open_bracket(text: str) -> int | None:
    """Where a bracket near the end was opened and not closed; further back it is a slip, not a cut."""
    depth = 0
    for at in range(len(text) - 1, max(len(text) - 40, -1), -1):
        depth += (text[at] in ")」｣") - (text[at] in "(「｢")
        if depth < 0:
            return at
    return None


def _repeated(text: str) -> tuple[str, tuple[int, int]] | None:
    """A line or sentence three times over, or a phrase in a loop; a heading that recurs in a long text is neither."""
    seen: dict[str, int] = {}
    row, before = 1, ""
    for piece in _PIECE.finditer(text):
        words = " ".join(piece[0].split())
        if len(words) < 8 or not _HANGUL.search(words):
            continue
        seen[words] = seen.get(words, 0) + 1
        row, before = (row + 1 if words == before else 1), words
        if row == 3 or (seen[words] >= 3 and seen[words] * len(words) > 0.15 * len(text)):
            return f"같은 말이 되풀이됩니다: {words[:30]}", piece.span()
    pieces = Counter(text[at : at + 3] for at in range(len(text) - 2))
    if max(pieces.values(), default=0) < 4:
        return None  # nothing comes back often enough for a loop; the pattern below is slow
    for loop in _LOOP.finditer(text):
        if _HANGUL.search(loop[1]):
            return f"같은 말이 되풀이됩니다: {loop[1].strip()[:30]}", loop.span()
    return None
