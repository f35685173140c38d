"""Documents to candidates: each document goes to the teacher once per prompt and comes back as two pairs, or as failures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from data_gen.documents import Document
from data_gen.errors import TeacherFailure
from data_gen.replies import STYLES, Pair, parse_pairs
from data_gen.rows import TYPE_OF_STYLE, Candidate, Failure, Provenance, Row
from data_gen.teachers import Reply, Teacher

Outcome = list[Candidate | Failure]


def document_candidates(
    documents: Sequence[Document], prompts: Sequence[str], teacher: Teacher
) -> Iterator[Candidate | Failure]:
    """Two outcomes (expert, plain) per document and prompt, in the order of the documents.

    At most twice ``teacher.concurrency`` documents are under way, so memory does not grow with the corpus.  Raises
    DataGenError when the teacher says that going on is pointless (refused key, unknown model).
    """
    tasks = ((document, prompt) for document in documents for prompt in prompts)
    for outcome in _in_order(tasks, teacher):
        yield from outcome


def _in_order(tasks: Iterable[tuple[Document, str]], teacher: Teacher) -> Iterator[Outcome]:
    with ThreadPoolExecutor(max_workers=teacher.concurrency) as pool:
        waiting: deque[Future[Outcome]] = deque()
        try:
            for document, prompt in tasks:
                waiting.append(pool.submit(_ask, document, prompt, teacher))
                if len(waiting) >= 2 * teacher.concurrency:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _ask(document: Document, prompt: str, teacher: Teacher) -> Outcome:
    try:
        if document.fault:
            raise TeacherFailure(document.fault)
        reply = teacher.ask(document, prompt)
    except TeacherFailure as exc:
        return [Failure(_row_id(document, prompt, style), document.kind, document.area, str(exc)) for style in STYLES]
    pairs = parse_pairs(reply.text)
    return [_candidate(document, prompt, style, pairs[style], reply, teacher) for style in STYLES]


def _candidate(
    document: Document, prompt: str, style: str, pair: Pair | str, reply: Reply, teacher: Teacher
) -> Candidate:
    fault = pair if isinstance(pair, str) else ""
    row = Row(
        id=_row_id(document, prompt, style),
        question="" if fault else pair.question,
        answer="" if fault else pair.answer,
        type=TYPE_OF_STYLE[style],
        style=style,
        source=document.kind,
        tax=document.area,
        as_of=document.as_of.isoformat(),
        articles=() if fault else tuple(pair.articles),
        call=None,
        payable=None,
        family=document.family,
        evidence=document.text,
        provenance=Provenance(
            document_id=document.id,
            document_version=document.version,
            teacher=teacher.name,
            model=reply.model,
            prompt=prompt,
            prompt_hash=reply.prompt_hash,
            note=reply.note,
        ),
    )
    return Candidate(row, schema_fault=fault)


def _row_id(document: Document, prompt: str, style: str) -> str:
    return (
        f"{document.kind}:{document.id}:{style}"
        if prompt == "pairs"
        else f"{document.kind}:{document.id}:{prompt}:{style}"
    )
