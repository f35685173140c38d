"""Prompts are Jinja files under prompts/; an undefined variable is an error, braces in the law's text are harmless.

A request is the preamble (safety, ethics, no invented law; the same for every task) and one task's prompt about one
document.  The hash of the templates is part of a row's provenance: a row can say which words it was asked with.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from data_gen.documents import Document
from data_gen.rows import short_hash

PROMPTS = Path(__file__).parent / "prompts"
PREAMBLE_VERSION = "1"
"""Raised with each change of prompts/preamble.j2; a test holds the version to the text's hash."""


@lru_cache(maxsize=1)
def _environment():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # No HTML escaping: the reader is a model, and 「」 and & must reach it as they are.
    return Environment(
        loader=FileSystemLoader(PROMPTS),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        keep_trailing_newline=True,
    )


def render_prompt(name: str, document: Document) -> str:
    """The whole user message for one document.  Raises jinja2.UndefinedError when the template asks for what is not there."""
    # The asker's voice is chosen by the document, so that a corpus is asked about in many, and a rerun in the same.
    pick = int(short_hash(document.id), 16)
    return _environment().get_template(f"{name}.j2").render(document=document, meta=dict(document.meta), pick=pick)


@lru_cache(maxsize=1)
def preamble() -> str:
    """The words that stand before every task, as one system message (or at the head of the user's)."""
    return _environment().get_template("preamble.j2").render()


@lru_cache(maxsize=64)
def prompt_hash(name: str) -> str:
    """Short hash of all that is constant in what a task is asked with: the preamble, its template and what it includes."""
    from jinja2 import meta

    texts, waiting, seen = [], ["preamble.j2", f"{name}.j2"], set()
    while waiting:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        text = (PROMPTS / file).read_text(encoding="utf-8")
        texts.append(text)
        waiting += [found for found in meta.find_referenced_templates(_environment().parse(text)) if found]
    return short_hash("\n".join(texts))
