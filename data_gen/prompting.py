"""Prompts are Jinja files under prompts/; an undefined variable is an error, braces in the law's text are harmless."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from data_gen.documents import Document

PROMPTS = Path(__file__).parent / "prompts"


@lru_cache(maxsize=1)
def _environment():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # No HTML escaping: the reader is a model, and 「」 and & must reach it as they are.
    return Environment(loader=FileSystemLoader(PROMPTS), undefined=StrictUndefined, autoescape=False, trim_blocks=True)


def render_prompt(name: str, document: Document) -> str:
    """The whole user message for one document.  Raises jinja2.UndefinedError when the template asks for what is not there."""
    return _environment().get_template(f"{name}.j2").render(document=document)
