"""From a question to the articles and rulings it is about: exact references first, then words, on the law of a date.

Deterministic, and safe to call from several threads: an open index is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from taxlaw.articles import lookup
from taxlaw.citations import Citation, find_citations, format_citation
from taxlaw.law_names import DECREE, RULE, act_of, compact
from taxlaw.lookup import provision
from taxlaw.ruling_numbers import find_ruling_numbers
from taxlaw.search.index import Index, build, cache_folder, open_index, salt
from taxlaw.search.passages import Hit
from taxlaw.search.sources import fingerprint, gather, source_files
from taxlaw.search.words import Query, distinct, read_query, words_of_lines
from taxlaw.versions import version_on

if TYPE_CHECKING:
    import numpy as np

_STANDS = ("found", "law_not_indexed", "law_not_named")
CHECK = "기준일 확인 필요"
_VOTERS = 5
_SHORT, _WHOLE = 2, 5  # letters a heading must have to be looked for in a question that names its law, and in any other


@dataclass(frozen=True)
class Weights:
    """How much each field and each hint counts; chosen on the validation questions of bench/retrieval.py."""

    body: float = 1.0
    heading: float = 1.2
    chapter: float = 0.15
    rule: float = 1.5
    part: float = 0.5
    added: float = 0.35  # words that the lay table adds, against the question's own
    tax_name: float = 1.4  # factor for the acts of a tax the question names
    levels: tuple[float, float, float] = (1.0, 0.8, 0.45)  # factors for act, decree, rule
    votes: float = 0.4  # share of a ruling's score that the articles it rests on get
    carried_out: float = 0.35  # share of a decree article's score that the article of the act it carries out gets
    often: float = 0.1  # for each e-fold of the decree articles that carry an article out
    amounts: float = 0.5  # share of the best score that the articles behind a tax's amount get when one is asked for
    law_named: float = 2.0  # factor for the articles of a law that the question names
    heading_named: float = 1.0  # share of the best score for a heading that is all the question holds
    references: bool = True
    lay: bool = True


@dataclass(frozen=True)
class Search:
    """An open index with the way its scores are put together.  ``describe()`` says in Korean what is searched."""

    index: Index
    weights: Weights = Weights()
    hidden: frozenset[int] = frozenset()
    """Rows that are not searched: bench/retrieval.py hides the ruling from which a question was made."""

    def find(self, question: str, as_of: date, limit: int = 5) -> tuple[Hit, ...]:
        """The passages in force on ``as_of`` that the question is about, best first, at most ``limit``.

        What the question names comes first.  At most every fifth hit is a ruling, unless the question names more.
        """
        named = self._named(question, as_of) if self.weights.references else {}
        rows: list[tuple[int, tuple[str, ...]]] = list(named.items())
        if len(rows) < limit:
            query = self.read(question)
            scores = self.scores(query, as_of)
            articles, rulings = self._ranked(scores, as_of, limit, named)
            for place in range(len(rows), limit):
                nearer = rulings and (not articles or (place % 5 == 4 and scores[rulings[0]] > scores[articles[0]]))
                if not (nearer or articles):
                    break
                row = (rulings if nearer else articles).pop(0)
                rows.append((row, self._why(row, query)))
            best = float(scores.max()) if len(scores) else 0.0
            values = [
                best + len(named) - at if at < len(named) else float(scores[row]) for at, (row, _) in enumerate(rows)
            ]
        else:
            values = [float(len(rows) - at) for at in range(len(rows))]
        return tuple(
            Hit(self.index.passage(row), round(value, 4), rank, why + self._doubts(row, as_of))
            for rank, ((row, why), value) in enumerate(zip(rows[:limit], values, strict=False), start=1)
        )

    def read(self, question: str) -> Query:
        return read_query(question, lay=self.weights.lay)

    def scores(self, query: Query, as_of: date) -> np.ndarray:
        """A score for every row; 0 for what is not in force on ``as_of`` or shares no word with the question."""
        import numpy as np

        weights, index = self.weights, self.index
        total = np.zeros(index.count, dtype=np.float32)
        for words, share in ((distinct(query.words), 1.0), (list(query.added), weights.added)):
            if words and share:
                total += share * self._of_words(words)
        standing = _in_force(index, as_of)
        if self.hidden:
            standing = standing.copy()
            standing[list(self.hidden)] = False
        rulings = np.where(index.is_ruling & standing, total, 0)
        factor = np.asarray((*weights.levels, 0.0), dtype=np.float32)[index.level]
        preferred = [number for number, act in enumerate(index.acts) if act in query.laws]
        if preferred:
            factor[np.isin(index.act, preferred)] *= weights.tax_name
        spoken = self._spoken_of(query.named_laws)
        factor[spoken] = weights.law_named
        total = np.where(standing, total * factor, 0)
        # What speaks for an article besides its own words: rulings that rest on it, the decree that carries it out.
        hints = weights.votes * self._votes(rulings) + weights.carried_out * self._carried_out(total)
        total = np.where(standing, (total + hints) * (1 + weights.often * _often(index)), 0)
        if query.amounts and weights.amounts:
            rows = [row for name in query.amounts for row in index.articles.get(name, ()) if standing[row]]
            total[rows] += weights.amounts * total.max(initial=0)
        if weights.heading_named:
            shares = self._headings_held(query, spoken)
            total = np.where(standing, total + weights.heading_named * shares * total.max(initial=0), 0)
        return np.where(index.is_ruling, rulings, total)

    def allows(self, row: int, as_of: date) -> bool:
        """Whether a row may be shown for a day: in force then, and not hidden."""
        if row in self.hidden or not _in_force(self.index, as_of)[row]:
            return False
        return bool(self.index.is_ruling[row]) or self._stands(row, as_of)

    def describe(self) -> str:
        """'조문 5,967개 (제목만 1,155개), 예규·판례 230건'."""
        rulings = int(self.index.is_ruling.sum())
        return f"조문 {len(self.index.articles):,}개, 예규·판례 {rulings:,}건"

    def _of_words(self, words: list[str]) -> np.ndarray:
        import numpy as np

        total = np.zeros(self.index.count, dtype=np.float32)
        for name, retriever in self.index.fields.items():
            weight = getattr(self.weights, name)
            ids = [retriever.vocab_dict[word] for word in words if word in retriever.vocab_dict]
            if not weight or not ids:
                continue
            scores = retriever.get_scores_from_ids(ids)
            if name == "part":
                best = np.zeros(self.index.count, dtype=np.float32)
                np.maximum.at(best, self.index.parent, scores)
                scores = best
            total += weight * scores
        return total

    def _spoken_of(self, laws: tuple[str, ...]) -> np.ndarray:
        """Which rows are articles of the laws a question names; an act's name does not stand for its decree."""
        import numpy as np

        spoken = np.zeros(self.index.count, dtype=bool)
        for law in laws:
            act = act_of(law)
            if act in self.index.acts:
                level = 1 if law.endswith(DECREE) else 2 if law.endswith(RULE) else 0
                spoken |= (self.index.act == self.index.acts.index(act)) & (self.index.level == level)
        return spoken

    def _headings_held(self, query: Query, spoken: np.ndarray) -> np.ndarray:
        """For every article how much of a question (0 to 1) is its heading, word for word; 0 where it is not held whole.

        Short headings (세율, 납세지) stand in questions about anything and count only where the law is named as well.
        """
        import numpy as np

        asked = compact(query.text)
        shares = np.zeros(self.index.count, dtype=np.float32)
        for row, heading in enumerate(self.index.headings):
            long_enough = len(heading) >= (_SHORT if spoken[row] else _WHOLE)
            if long_enough and heading in asked and not self.index.is_ruling[row]:
                shares[row] = min(1.0, len(heading) / max(query.letters, 1))
        return shares

    def _votes(self, rulings: np.ndarray) -> np.ndarray:
        """For every article the best score among the nearest rulings that rest on it."""
        import numpy as np

        votes = np.zeros_like(rulings)
        for ruling in np.argsort(-rulings, kind="stable")[:_VOTERS]:
            for name in self.index.cites.get(int(ruling), ()):
                for row in self.index.articles.get(name, ()):
                    votes[row] = max(votes[row], rulings[ruling])
        return votes

    def _carried_out(self, total: np.ndarray) -> np.ndarray:
        import numpy as np

        best = np.zeros_like(total)
        np.maximum.at(best, self.index.links[:, 1], total[self.index.links[:, 0]])
        return best

    def _ranked(
        self, scores: np.ndarray, as_of: date, limit: int, named: dict[int, tuple[str, ...]]
    ) -> tuple[list[int], list[int]]:
        """Rows of articles and rows of rulings, best first; ties go to the earlier row."""
        import numpy as np

        articles: list[int] = []
        rulings: list[int] = []
        for row in map(int, np.argsort(-scores, kind="stable")):
            if scores[row] <= 0 or (len(articles) >= limit and len(rulings) >= limit):
                break
            if row in named:
                continue
            if self.index.is_ruling[row]:
                rulings.append(row)
            elif len(articles) < limit and self._stands(row, as_of):
                articles.append(row)
        return articles, rulings

    def _named(self, question: str, as_of: date) -> dict[int, tuple[str, ...]]:
        """Rows of the articles and rulings that the question names, in the order in which it does."""
        found: dict[int, tuple[int, tuple[str, ...]]] = {}
        for number in find_ruling_numbers(question):
            row = self.index.rulings.get(number.key)
            if row is not None:
                found.setdefault(row, (number.start, ("문서번호 지정",)))
        for citation in find_citations(question):
            if citation.law is None:
                continue
            name, why = f"{citation.law} {citation.article}", "조문 지정"
            rows = self._standing(name, as_of)
            if not rows:
                report = provision(citation, as_of)
                if report.moved_to:
                    rows = self._standing(f"{citation.law} {report.moved_to}", as_of)
                    why = f"{format_citation(citation)}에서 옮긴 조문"
            for row in rows:
                found.setdefault(row, (citation.start, (why,)))
        return {row: why for row, (_, why) in sorted(found.items(), key=lambda item: item[1][0])}

    def _standing(self, name: str, as_of: date) -> list[int]:
        allowed = _in_force(self.index, as_of)
        return [row for row in self.index.articles.get(name, ()) if allowed[row] and self._stands(row, as_of)]

    def _stands(self, row: int, as_of: date) -> bool:
        """False when the addenda or the article index say that it is not the law on the day, whatever the folder holds."""
        law, _, article = self.index.passage(row).title.rpartition(" ")
        return _status(law, article, as_of)[0] in _STANDS

    def _why(self, row: int, query: Query) -> tuple[str, ...]:
        passage = self.index.passage(row)
        text = passage.text + passage.heading
        heading = [word for word in query.words if "_" not in word and len(word) > 1 and word in passage.heading]
        shared = [word for word in distinct(query.words) if "_" not in word and len(word) > 1 and word in text]
        lay = [used for used in query.lay if any(term in text for term in used.partition("→")[2].split(", "))]
        why = [f"제목: {', '.join(distinct(heading))}"] if heading else []
        why += [f"낱말: {', '.join(shared[:5])}"] if shared else []
        why += [f"생활어: {used}" for used in lay[:2]]
        return tuple(why)

    def _doubts(self, row: int, as_of: date) -> tuple[str, ...]:
        passage = self.index.passage(row)
        if passage.kind == "ruling":
            return ()
        law, _, article = passage.title.rpartition(" ")
        start, version = passage.effective_from, version_on(law, as_of)
        early = start is not None and start > as_of
        # Words that were changed later, with a version in between that no folder holds: the change may be older than it.
        between = passage.effective_to is not None and start is not None and version and version.effective > start
        return (CHECK,) if early or between or _status(law, article, as_of)[1] else ()


def open_search(
    folders: Sequence[Path] = (),
    *,
    cache: Path | None = None,
    say: Callable[[str], None] | None = None,
    weights: Weights = Weights(),
) -> Search:
    """Search the package's own digest and headings, the installed casebook, and ``folders`` (statutes, rulings, corpora).

    The index is built when these contents have none yet in ``cache`` (default: the user's cache folder); ``say`` gets a
    Korean line of progress now and then.  Raises SourceError naming the file that cannot be read.
    """
    files = source_files(folders)
    place = _place(files, cache)
    if not _is_whole(place):
        build(place, gather(files), words_of_lines, say)
    return Search(open_index(place), weights)


def is_built(folders: Sequence[Path] = (), cache: Path | None = None) -> bool:
    """Whether ``open_search`` would only have to open.  Raises SourceError as it would."""
    return _is_whole(_place(source_files(folders), cache))


def _place(files: Sequence[Path], cache: Path | None) -> Path:
    return (cache or cache_folder()) / fingerprint(files, salt())


def _is_whole(place: Path) -> bool:
    return (place / "meta.json").is_file()


@lru_cache(maxsize=4)
def _often(index: Index) -> np.ndarray:
    """log(1 + how many articles of decrees and rules carry the row out): what much is built on is asked about often."""
    import numpy as np

    return np.log1p(np.bincount(index.links[:, 1], minlength=index.count)).astype(np.float32)


@lru_cache(maxsize=16)
def _in_force(index: Index, as_of: date) -> np.ndarray:
    """Which rows stand on a day, by the days of their versions.

    Where the folders hold no version that old, the oldest one stands in if the article existed then; ``find`` says so.
    """
    day = as_of.toordinal()
    standing = (index.start <= day) & (day < index.end)
    for name, rows in index.articles.items():
        if index.start[rows[0]] > day:
            law, _, article = name.rpartition(" ")
            standing[rows[0]] = lookup(law, article, as_of).status in ("found", "law_not_indexed")
    return standing


@lru_cache(maxsize=65536)
def _status(law: str, article: str, as_of: date) -> tuple[str, bool]:
    """(status, must be looked at) of an article on a day, by the package's own index and addenda."""
    report = provision(Citation(law, article, None, None, None, 0, 0, ""), as_of)
    return report.status, report.confirm
