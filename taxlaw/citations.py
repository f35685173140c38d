"""Citations of articles in Korean text: find them, resolve 같은 법, write them canonically.

Answers "which provision does this text name?".  Whether the provision exists is the business of articles.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from taxlaw.law_names import DECREE, RULE, act_of, full_name, spellings
from taxlaw.money import normalise_digits

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_MOK = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
_PARAGRAPH = rf"(?:(?:제\s?)?(?P<hang{{0}}>\d+)\s?항(?!목|공|만)|(?P<circle{{0}}>[{_CIRCLED}]))"
_SUBPARAGRAPH = r"(?:제\s?)?(?P<ho{0}>\d+(?:\s?호\s?의\s?\d+|\s?호))(?!실|텔|주|봉|수)"
_ITEM = rf"(?P<mok{{0}}>[{_MOK}])\s?목(?!적|록|표)"
_DEPTH = rf"(?:\s?의?\s?{_PARAGRAPH})?(?:\s?의?\s?{_SUBPARAGRAPH})?(?:\s?의?\s?{_ITEM})?"
_HEADING = r"(?:\s?(?:\([^()\d][^()]{0,40}\)|【[^】]{1,60}】)(?=\s?제?\s?\d+\s?항))?"
# 제18조의 2 with a space is an article too, but 제18조의 2호 or 제18조의 2가지 is not.
_BRANCH = r"(?:의(?P<branch>\d+)(?!\d|[.,]?\d*\s?(?:%|퍼센트))|\s?의\s(?P<branch2>\d+)(?!\s?[호항가-힣%]|[.,]?\d)|\s?의\s(?P<branch3>\d+)(?=\s?제\s?\d|\s?[에을를은는의와과]))?"


def _numbered(pattern: str, number: str = "") -> str:
    """The pattern with ``number`` behind the names of its groups: a name may stand once in an expression."""
    return pattern.replace("{0}", number)


_ARTICLE = re.compile(
    rf"(?:제\s?(?P<number>\d+)\s?조(?![가-힣]?원){_BRANCH}"
    r"|§+\s?(?P<sign>\d+)(?:조)?(?:의\s?(?P<sign_branch>\d+))?"
    r"|(?<![\d.제])(?P<plain>\d+)조(?!\s?원)(?:의(?P<plain_branch>\d+))?)" + _HEADING + _numbered(_DEPTH)
)
_SAME_ARTICLE = re.compile(
    r"(?:(?<![가-힣])(?:같은|동|위|전)\s?(?P<level>조|항)|(?<![가-힣])동(?P<level2>조|항))" + _numbered(_DEPTH)
)
_FILLER = r"(?:\s*(?:본문|단서|전단|후단|각\s?호(?:\s외의\s부분)?|각\s?목(?:\s외의\s부분)?|외의\s부분))*"
_JOIN = rf"{_FILLER}\s*(?P<join>,|、|[ㆍ·･・/]|및|또는|이나|나|과|와|부터|내지|[~∼～-])\s*(?:제\s?(?=\d)|(?=[{_CIRCLED}{_MOK}]|\d))"
_NEXT = re.compile(
    _JOIN.replace(r"(?:제\s?(?=\d)|", r"(?:(?=제\s?\d)|")
    + rf"(?:{_numbered(_PARAGRAPH)}(?:\s?{_numbered(_SUBPARAGRAPH)})?(?:\s?{_numbered(_ITEM)})?"
    + rf"|{_numbered(_SUBPARAGRAPH, '2')}(?:\s?{_numbered(_ITEM, '2')})?|{_numbered(_ITEM, '3')})"
)
_RANGE = re.compile(r"부터|내지|[~∼～]")
_PAREN = r"(?:\s*(?:\((?:[^()]|\([^()]*\))*\)|【[^】]*】|\[[^\]]*\]|<[^>]*>))"
_CONNECTED = re.compile(
    rf"(?:까지)?{_FILLER}{_PAREN}?\s*(?:,|、|[ㆍ·･・/]|및|또는|이나|나|과|와|부터|내지|[~∼～-]|그리고|혹은|;)?\s*(?:및|또는)?\s*(?:제?\s?(?=\d))?"
)
_SAME_LAW = re.compile(
    r"(?<![가-힣])(?:(?P<same>같은|동|위|이|당해|상기)\s?)?(?P<what>법률|법|시행령|시행규칙|영|규칙)(?:\s?(?P<suffix>시행령|시행규칙))?$"
)
_PARTICLE = re.compile(r"(?:상의?|의|에서(?:는)?|에(?:\s?따[른라](?:면)?|\s?의한|\s?규정된)?|은|는|인|중|등)$")
_OTHER_NAME = re.compile(
    r"(?:(?:[가-힣]+(?:을|를)\s위한\s)?(?:[가-힣ㆍ]+\s(?:및|등의|등)\s|[가-힣ㆍ]+의\s)*[가-힣ㆍ]+(?:등에|에)\s?관한\s(?:특별법|특례법|기본법|법률|법)"
    r"|[가-힣ㆍ·･]+\s조세조약|[가-힣ㆍ·]+(?:법|법률|령|규칙|조약|협정|협약|정관|약관|규정|고시|훈령|조례|규약|지침|계약서?))"
    r"(?:\s?(?P<suffix>시행령|시행규칙))?$"
)
_NOT_A_NAME = frozenset(
    ["방법", "세법", "개정법", "현행법", "구법", "신법", "불법", "위법", "해당법", "관련법", "법령", "세법상"]
)
# §§55, 56의2: further numbers after a doubled sign.
_MORE_SIGNS = re.compile(
    r"\s*(?:,|[ㆍ·･]|및|와|과)\s*§*\s?(?P<base>\d{1,3})(?:조)?(?:의\s?(?P<branch>\d{1,2}))?(?![\d.,]*\s?[%원억만년월일항호명개]|\d)"
)
_ENDLESS = re.compile(r"\d{6}")  # no provision has such a number; a looping model may write one
_SENTENCE_END = re.compile(r"[.。!?]\s|\n")


@dataclass(frozen=True)
class Citation:
    """One provision named in a text; ``article`` is '제53조의2', ``subparagraph`` '1의2' (호), ``item`` '가' (목).

    ``implied``: taken over from context (inside a range, or the law from an earlier sentence), not written out.
    ``former``: named as old law (구 소득세법).
    """

    law: str | None
    article: str
    paragraph: int | None
    subparagraph: str | None
    item: str | None
    start: int
    end: int
    text: str
    implied: bool = False
    former: bool = False


@dataclass(frozen=True)
class _Mention:
    start: int
    end: int
    law: str
    former: bool
    sure: bool = True  # named with the article or in its sentence, not guessed from further back


_ADDENDUM = _Mention(0, 0, "부칙", False)  # an addendum (부칙) has articles of its own


def find_citations(text: str) -> list[Citation]:
    """Every provision the text names, in order; ranges are expanded.  Articles of an addendum (부칙) are left out.

    A bare 제N조 takes the law named before it; with none before it, ``law`` is None.
    """
    return list(read_citations(text))


@lru_cache(maxsize=512)
def read_citations(text: str) -> tuple[Citation, ...]:
    """find_citations as a tuple; one text is read by many checks, so its reading is kept for a while."""
    if not re.search("조|§", text):
        return ()
    plain = normalise_digits(text)
    mentions = _find_mentions(plain)
    found: list[Citation] = []
    law: _Mention | None = None  # law of the citation before
    reach = 0  # everything before this offset is used up
    tokens = sorted([*_ARTICLE.finditer(plain), *_SAME_ARTICLE.finditer(plain)], key=lambda match: match.start())
    for match in tokens:
        if match.start() < reach or _ENDLESS.search(match[0]):
            continue
        if match.re is _SAME_ARTICLE:
            if (
                not found
                or law is _ADDENDUM
                or (match["hang"] or match["circle"] or match["ho"] or match["mok"]) is None
            ):
                continue
            citation = _same_article(found[-1], match, text)
        else:
            gap = plain[reach : match.start()] if reach else None
            connected = gap is not None and _CONNECTED.fullmatch(gap) is not None
            named, beside = _law_before(plain, match, mentions, law, connected)
            if match["plain"] and not beside:
                continue  # a bare '53조' needs a law beside it
            law = named
            if named is _ADDENDUM:
                reach = match.end()
                continue
            citation = _citation(named, match, text)
            if connected and _RANGE.search(gap or ""):
                found += _between(found[-1], citation, text) if found else []
        found.append(citation)
        reach = match.end()
        while match[0].startswith("§§") and (more := _MORE_SIGNS.match(plain, reach)):
            found.append(_after_signs(citation, more, text))
            reach = more.end()
        while (more := _NEXT.match(plain, reach)) and not _ENDLESS.search(more[0]):
            found += _continued(found[-1], more, text)
            reach = more.end()
    return tuple(found)


def format_citation(citation: Citation) -> str:
    """Canonical form: '상속세 및 증여세법 제53조의2제1항제1호의2가목'; without the law when it is not known."""
    parts = [citation.article]
    if citation.paragraph is not None:
        parts.append(f"제{citation.paragraph}항")
    if citation.subparagraph is not None:
        number, _, branch = citation.subparagraph.partition("의")
        parts.append(f"제{number}호" + (f"의{branch}" if branch else ""))
    if citation.item is not None:
        parts.append(f"{citation.item}목")
    return (f"{citation.law} " if citation.law else "") + "".join(parts)


def _law_before(
    plain: str, match: re.Match, mentions: list[_Mention], last: _Mention | None, connected: bool
) -> tuple[_Mention | None, bool]:
    """The law an article belongs to, and whether it is named right there (or carried on by a list)."""
    # 400 characters hold the longest name with its bracketed definition; more would make long texts slow.
    base = max(0, match.start() - 400)
    head = plain[base : match.start()].rstrip()
    while stripped := re.search(_PAREN + "$", head):
        head = head[: stripped.start()].rstrip()
    if head.endswith("부칙"):
        return _ADDENDUM, True
    earlier = [mention for mention in mentions if mention.start < match.start()]
    particle = _PARTICLE.search(head)
    ends = {base + len(head), base + len(head[: particle.start()].rstrip() if particle else head)}
    # A definition in brackets may hold its own law names: 구 국세기본법(... 이하 '구 국세기본법') 제47조의3.
    for mention in reversed(earlier):
        if mention.end in ends:
            return mention, True
    antecedent = next((mention for mention in reversed(earlier) if mention.end <= base + len(head)), None)
    sure = True
    if last not in (None, _ADDENDUM):
        if antecedent is None or last.start >= antecedent.start:
            antecedent = last
            sure = last.sure
        elif antecedent.law != last.law:
            sure = False  # another law was named in passing since: either may be meant
    if connected and last is not None:
        return last, True
    if same := _SAME_LAW.search(head):
        # 법, 영 alone mean the law at hand, which may be another than the one named last.
        sure = bool(same["same"]) or same["what"].startswith("시행")
        return _relative(same, antecedent, match.start(), sure), True
    if (other := _OTHER_NAME.search(head)) and other[0] not in _NOT_A_NAME:
        name = re.sub(r"^(?:구|현행|개정|종전)\s?", "", other[0])
        return _Mention(match.start(), match.start(), full_name(name) or name, other[0] != name), True
    if antecedent is None:
        return None, False
    near = sure and _SENTENCE_END.search(plain, antecedent.end, match.start()) is None
    return replace(antecedent, start=match.start(), end=match.start(), sure=near), False


def _relative(same: re.Match, antecedent: _Mention | None, at: int, sure: bool) -> _Mention | None:
    """같은 법 (시행령), 동법, 법, 영, 규칙: the act of the law named before, or its decree or rule."""
    if antecedent is None:
        return None
    law = act_of(antecedent.law)
    what = same["suffix"] or same["what"]
    if what in ("시행령", "영"):
        law += DECREE
    elif what in ("시행규칙", "규칙"):
        law += RULE
    return _Mention(at, at, law, antecedent.former, sure)


def _citation(law: _Mention | None, match: re.Match, text: str) -> Citation:
    number = match["number"] or match["sign"] or match["plain"]
    branch = match["branch"] or match["branch2"] or match["branch3"] or match["sign_branch"] or match["plain_branch"]
    article = f"제{int(number)}조" + (f"의{int(branch)}" if branch else "")
    paragraph, subparagraph, item = _depth(match, "")
    span = text[match.start() : match.end()]
    return Citation(
        law.law if law else None,
        article,
        paragraph,
        subparagraph,
        item,
        match.start(),
        match.end(),
        span,
        implied=law is not None and not law.sure,
        former=law.former if law else False,
    )


def _after_signs(first: Citation, match: re.Match, text: str) -> Citation:
    """The next article of '§§55, 56': the law of the first, nothing else of it."""
    article = f"제{int(match['base'])}조" + (f"의{int(match['branch'])}" if match["branch"] else "")
    start, end = match.start("base"), match.end()
    bare = {"paragraph": None, "subparagraph": None, "item": None}
    return replace(first, article=article, start=start, end=end, text=text[start:end], **bare)


def _depth(match: re.Match, mark: str) -> tuple[int | None, str | None, str | None]:
    groups = match.groupdict()
    circle, hang, ho = groups.get("circle" + mark), groups.get("hang" + mark), groups.get("ho" + mark)
    paragraph = _CIRCLED.index(circle) + 1 if circle else int(hang) if hang else None
    subparagraph = "의".join(re.findall(r"\d+", ho)) if ho else None
    return paragraph, subparagraph, groups.get("mok" + mark)


def _same_article(previous: Citation, match: re.Match, text: str) -> Citation:
    """같은 조 제2항, 같은 항 제1호: the article (and paragraph) of the citation before."""
    paragraph, subparagraph, item = _depth(match, "")
    if (match["level"] or match["level2"]) == "항":
        paragraph = previous.paragraph
    return replace(
        previous,
        paragraph=paragraph,
        subparagraph=subparagraph,
        item=item,
        start=match.start(),
        end=match.end(),
        text=text[match.start() : match.end()],
    )


def _continued(previous: Citation, match: re.Match, text: str) -> list[Citation]:
    """제1항ㆍ제2항, 제1호부터 제7호까지, 가목 및 나목 after a citation; a range is expanded."""
    paragraph, subparagraph, item = _depth(match, "")
    if paragraph is None and (match["ho2"] or match["mok3"]):
        paragraph = previous.paragraph
        _, subparagraph, item = _depth(match, "2")
        if match["mok3"]:
            subparagraph, item = previous.subparagraph, match["mok3"]
    unit = match.string[match.end("join") : match.end()]
    start = match.end() - len(unit.lstrip())
    last = replace(
        previous,
        paragraph=paragraph,
        subparagraph=subparagraph,
        item=item,
        start=start,
        end=match.end(),
        text=text[start : match.end()],
    )
    if not _RANGE.fullmatch(match["join"]):
        return [last]
    middle: list[Citation] = []
    whole = {"start": previous.start, "end": last.end, "text": text[previous.start : last.end], "implied": True}
    if match["mok3"] and previous.item:
        for item in _MOK[_MOK.index(previous.item) + 1 : _MOK.index(match["mok3"])]:
            middle.append(replace(previous, item=item, **whole))
    elif match["ho2"] and previous.subparagraph and previous.subparagraph.isdigit() and (subparagraph or "").isdigit():
        for number in range(int(previous.subparagraph) + 1, int(subparagraph)):
            middle.append(replace(previous, subparagraph=str(number), item=None, **whole))
    elif paragraph and previous.paragraph and not subparagraph:
        for number in range(previous.paragraph + 1, paragraph):
            middle.append(replace(previous, paragraph=number, subparagraph=None, item=None, **whole))
    return [*middle, last]


def _between(first: Citation, last: Citation, text: str) -> list[Citation]:
    """Articles strictly inside 제95조부터 제97조까지 or 제10조의2부터 제10조의6까지 (at most 100)."""
    if first.law != last.law:
        return []
    (base, branch), (end_base, end_branch) = _numbers(first.article), _numbers(last.article)
    if base == end_base:
        articles = [f"제{base}조의{n}" for n in range(max(branch, 1) + 1, end_branch)]
    elif branch == end_branch == 0:
        articles = [f"제{n}조" for n in range(base + 1, end_base)]
    else:
        articles = []
    span = {"start": first.start, "end": last.end, "text": text[first.start : last.end], "implied": True}
    bare = replace(first, paragraph=None, subparagraph=None, item=None, **span)
    return [replace(bare, article=article) for article in articles[:100]]


def _numbers(article: str) -> tuple[int, int]:
    numbers = [int(part) for part in re.findall(r"\d+", article)]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def _find_mentions(plain: str) -> list[_Mention]:
    """Names of laws in running text: 「…」 and every known spelling, with 시행령/시행규칙 where it follows."""
    mentions = []
    for match in _mention_pattern().finditer(plain):
        name = match["bracket"] or match["name"]
        former = bool(match["old"])
        if match["bracket"] and (stripped := re.sub(r"^구\s", "", name)) != name:
            name, former = stripped, True
        name = " ".join(name.split())
        law = full_name(name) or name
        if match["suffix"] and not law.endswith((DECREE, RULE)):
            law += f" {match['suffix']}"
        mentions.append(_Mention(match.start(), match.end(), law, former))
    return mentions


@cache
def _mention_pattern() -> re.Pattern:
    """Known names with free spaces and middle dots; never inside a longer word (민법 in 난민법)."""
    dots = r"[·ㆍ･・]?\s?"
    names = "|".join(
        r"\s?".join(dots if char in "·ㆍ" else re.escape(char) for char in name if not char.isspace())
        if len(name) > 4
        else re.escape(name)
        for name in spellings()
    )
    return re.compile(
        r"(?:(?<![가-힣])(?P<old>구)\s?)?(?:[「｢『](?P<bracket>[^」｣』\n]{2,60})[」｣』]"
        rf"|(?<![가-힣])(?:(?<=구)|(?:현행|개정|종전)\s?)?(?P<name>{names})(?!인|률|무))(?:\s?(?P<suffix>시행령|시행규칙))?"
    )
