"""Raw law text for domain adaptation: where it comes from, and how it becomes next-token examples.

The text is read when a run starts and never stored; what is learned are the statutes themselves (public domain under
Article 7 of the Copyright Act) or this project's own digest.
"""

from __future__ import annotations

import json
from pathlib import Path

from finetune.chat import Encoded
from finetune.checkpoint import folder_sha256
from finetune.data import file_sha256
from finetune.errors import GateError, InputError

REPO = Path(__file__).parents[1]
AUTO_STATUTES = REPO.parent / "shared" / "data" / "statutes"  # as data_gen's documents.statutes: auto


def law_texts(source: str) -> list[str]:
    """The texts of ``source`` (DomainStage.texts): one per article, provision, or line of a .jsonl file.

    Raises InputError or taxlaw.errors.SourceError naming what is missing.
    """
    if source == "digest":
        from taxlaw.digest import load_digest

        return [f"{one.law} {one.article}({one.heading})\n{one.rule}" for one in load_digest()]
    path = _path(source)
    if path.is_dir():
        from taxlaw.statutes import load_statutes

        articles = [article for article in load_statutes(path).values() if not article.deleted]
        return [f"{one.law} {one.article}({one.heading})\n{one.text}" for one in articles]
    if path.suffix == ".jsonl":
        texts = _json_lines(path)
    else:
        texts = [path.read_text(encoding="utf-8").strip()]
    if not any(texts):
        raise InputError(f"말뭉치가 비어 있습니다 (no text): {path}")
    return [text for text in texts if text]


def source_sha256(source: str) -> str:
    """Identity of the content of ``source``, for the run's fingerprint."""
    if source == "digest":
        return "digest"  # part of taxlaw, whose files are hashed as code
    path = _path(source)
    return folder_sha256(path) if path.is_dir() else file_sha256(path)


def law_examples(texts: list[str], tokenizer, max_tokens: int) -> list[Encoded]:
    """Cut every text into pieces of at most ``max_tokens``; all tokens but the first of a piece are learned.

    Every piece begins with ``<bos>`` where the tokenizer has one, as at serving; the last piece of a text ends with
    ``<eos>``.  Raises GateError when a token is unknown to the vocabulary.
    """
    head = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    tail = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    room = max_tokens - len(head)
    examples = []
    for text in texts:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"] + tail
        if tokenizer.unk_token_id is not None and tokenizer.unk_token_id in ids and tokenizer.unk_token_id not in tail:
            raise GateError(f"말뭉치에 어휘에 없는 글자가 있습니다 (<unk>): {text[:60]!r}")
        pieces = [ids[start : start + room] for start in range(0, len(ids), room)]
        examples += [Encoded((*head, *piece), 1) for piece in pieces if len(head) + len(piece) > 1]
    return examples


def _path(source: str) -> Path:
    path = AUTO_STATUTES if source == "statutes:auto" else Path(source)
    if not path.exists():
        raise InputError(
            f"texts 를 찾을 수 없습니다: {path}\n"
            "  digest, statutes:auto, 법령 폴더, .txt 또는 .jsonl 파일을 적으세요. (No such source of law text.)"
        )
    return path


def _json_lines(path: Path) -> list[str]:
    texts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (json.JSONDecodeError, KeyError, TypeError) as exc:
            raise InputError(f'{path}:{number}: {{"text": …}} 줄이 아닙니다 (not a line with text): {exc}') from exc
        if not isinstance(text, str):
            raise InputError(f"{path}:{number}: text 가 글이 아닙니다 (text is not a string)")
        texts.append(text.strip())
    return texts
