"""The weights a run trains on (base, fitted and extended vocabulary), and how to find them again from run.json alone.

The pieces of a fitted or extended vocabulary are then read from the student's GGUF, so the dataset is not needed; the key
in run.json proves that what was built is what the run used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from finetune.base import BaseWeights, load_tokenizer, resolve_base
from finetune.data import Row
from finetune.errors import GateError, InputError
from finetune.lora import adapter_weights, holds_pieces
from finetune.settings import Base, DomainStage, RunConfig

MEASURED_TEXTS = 400  # of a domain stage, for characters per token
VOCABULARY = ("base", "fit_vocab", "extend_vocab", "pieces_in")  # settings that decide which pieces there are


@dataclass(frozen=True)
class RunWeights:
    """``weights`` are trained on; ``before`` are they without added pieces, which is what "base" means in every table.

    ``new_rows``: rows of the embedding that belong to added pieces.  ``vocabulary``: what run.json says of it, or None.
    """

    weights: BaseWeights
    before: BaseWeights
    new_rows: range
    vocabulary: dict | None


def weights_for(config: RunConfig, train_rows: list[Row], validation: list[Row], say=print) -> RunWeights:
    """Make the base of a run available, its vocabulary fitted and extended as configured.

    An adapter that holds added pieces is gone on from with them: the vocabulary is that of the run it was trained in.
    Raises InputError for what cannot be had, GateError when a proof of the vocabulary fails.
    """
    if config.lora.start and holds_pieces(adapter_weights(config.lora.start, config.lora)):
        return _with_pieces_of(config.lora.start.parent, config, say)
    weights = resolve_base(config.base, say)
    if not (config.fit_vocab or config.extend_vocab):
        return RunWeights(weights, weights, range(0), None)
    from finetune.vocab import fit_vocabulary, run_texts

    written, asked = run_texts(config, train_rows)
    if config.fit_vocab:
        fitted = fit_vocabulary(weights, written + asked, say)
        weights = fitted.weights
        vocabulary = {"pieces": fitted.pieces, "before": fitted.pieces_before, "added": 0}
    else:
        size = len(load_tokenizer(weights))
        vocabulary = {"pieces": size, "before": size, "added": 0}
    if not config.extend_vocab:
        return RunWeights(weights, weights, range(0), vocabulary)
    from finetune.domain import law_texts
    from finetune.extend_vocab import extend_vocabulary
    from finetune.fit_vocab import answer_groups

    measured = answer_groups(validation, config)
    for stage in config.stages:
        if isinstance(stage, DomainStage):  # learned from, so flattered: fit-vocab --held-out measures a law left out
            measured[f"{stage.name} 의 글 (조각을 배운 것)"] = law_texts(stage.texts)[:MEASURED_TEXTS]
    answers = config.pieces_in == "answers"
    texts = written if answers else written + asked
    extended = extend_vocabulary(weights, texts, config.extend_vocab, say, measured, in_answers_only=answers)
    added = len(extended.pieces)
    rates = {name: [round(rate, 3) for rate in pair] for name, pair in extended.characters_per_token.items()}
    vocabulary |= {"pieces": extended.first_id + added, "added": added, "characters_per_token": rates}
    return RunWeights(extended.weights, weights, range(extended.first_id, extended.first_id + added), vocabulary)


def _with_pieces_of(run: Path, config: RunConfig, say) -> RunWeights:
    if not (run / "run.json").is_file():
        raise InputError(
            f"lora.start 의 어댑터는 더한 세법 조각을 담고 있는데, 어느 조각인지 적은 run.json 이 곁에 없습니다: {run}\n"
            "  그 어댑터를 학습한 실행 폴더의 adapter 를 적으세요. (It holds added pieces: name the adapter in its run folder.)"
        )
    defaults = {
        name: RunConfig.model_fields[name].default for name in VOCABULARY
    }  # a record may be older than a setting
    there, here = defaults | read_run(run)["config"], json.loads(config.model_dump_json())
    if other := [name for name in VOCABULARY if there[name] != here[name]]:
        raise InputError(
            f"lora.start 의 실행과 어휘가 다릅니다: {', '.join(other)} (another vocabulary than {run / 'run.json'}).\n"
            + "\n".join(f"  {name}: {json.dumps(there[name], ensure_ascii=False)}" for name in other)
            + "\n  이 값으로 고치거나, 조각을 더하기 전의 어댑터에서 시작하세요."
        )
    say(f"어휘를 그 실행에서 가져옵니다 (vocabulary of the run): {run}")
    return run_weights_of(run, say)


def read_run(folder: Path) -> dict:
    """The record of a finished run.  Raises InputError when ``folder`` is none."""
    record_file = folder / "run.json"
    if not record_file.is_file():
        raise InputError(
            f"끝난 실행 폴더가 아닙니다: {folder} (run.json 이 없습니다)\n"
            "  `python -m finetune run --config …` 이 만든 폴더를 주세요. (Not a finished run.)"
        )
    try:
        record = json.loads(record_file.read_text(encoding="utf-8"))
        for key in ("config", "base", "student"):
            record[key]
    except (json.JSONDecodeError, KeyError, TypeError) as exc:
        raise InputError(f"run.json 을 읽을 수 없습니다 (cannot read): {record_file}: {exc!r}") from exc
    return record


def weights_of_run(folder: Path, say=print) -> BaseWeights:
    """The weights its adapter belongs to.  Raises InputError or GateError when they cannot be had again."""
    return run_weights_of(folder, say).weights


def run_weights_of(folder: Path, say=print) -> RunWeights:
    """What `weights_for` gave when the run was made.  Raises InputError or GateError when it cannot be had again."""
    record = read_run(folder)
    try:
        weights = resolve_base(Base(**record["config"]["base"]), say)
    except ValidationError as exc:
        raise InputError(f"run.json 의 base 를 읽을 수 없습니다: {folder}: {exc.errors()[0]['msg']}") from exc
    wanted, vocabulary = record["base"]["key"], record["base"].get("vocabulary")
    found = RunWeights(weights, weights, range(0), vocabulary)
    if weights.key != wanted and vocabulary:
        answers = record["config"].get("pieces_in") == "answers"
        found = _with_vocabulary_of(found, folder / record["student"]["gguf"], answers, say)
    if found.weights.key != wanted:
        raise GateError(
            f"실행이 쓴 base 를 다시 만들지 못했습니다 (another base): {folder}\n"
            f"  run.json {wanted[:32]}…\n  지금     {found.weights.key[:32]}…\n  base 파일과 학생 GGUF 가 실행 때의 것인지 확인하세요."
        )
    return found


def _with_vocabulary_of(found: RunWeights, student: Path, in_answers_only: bool, say) -> RunWeights:
    import gguf

    from finetune.gguf_slice import gguf_pieces
    from finetune.vocab import fit_to_ids

    if not student.is_file():
        raise InputError(f"학생 GGUF 가 없어 어휘를 알 수 없습니다 (no student file): {student}")
    weights = found.weights
    pieces = gguf_pieces(gguf.GGUFReader(student))
    tokenizer = load_tokenizer(weights)
    vocab = tokenizer.get_vocab()
    kept = [vocab[piece] for piece in pieces if piece in vocab]
    added = [piece for piece in pieces if piece not in vocab and not piece.startswith("[PAD")]
    if kept != sorted(kept) or pieces[: len(kept)] != [piece for piece in pieces if piece in vocab]:
        raise GateError(f"학생 GGUF 의 어휘가 base 에서 온 것이 아닙니다 (another vocabulary): {student}")
    if len(kept) < len(vocab):
        weights = fit_to_ids(weights, kept, say)
    if not added:
        return RunWeights(weights, weights, range(0), found.vocabulary)
    from finetune.extend_vocab import extend_with

    first = len(pieces) - len(added)
    extended = extend_with(weights, added, say, in_answers_only)
    return RunWeights(extended, weights, range(first, len(pieces)), found.vocabulary)
