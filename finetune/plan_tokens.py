"""How many tokens a run trains on, with the student's tokenizer where it is at hand and estimated where it is not.

Nothing is downloaded or converted.  The batches are those of the training loop itself, so padding, steps and the largest
pass are the real ones.  Knows nothing of memory or devices.
"""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from finetune.base import BaseWeights, cache_folder
from finetune.chat import Encoded, encode, render_prompt
from finetune.data import Example, Row, endless_batches, target_text
from finetune.errors import InputError
from finetune.evidence import show_evidence, user_turn
from finetune.plan_memory import Pass
from finetune.settings import Base, DomainStage, PreferenceStage, RunConfig, Stage
from finetune.students import Student, TokensPerCharacter, find_student, known_students
from finetune.train import split_batch

# Pieces of the fitted vocabulary where the tokenizer is not at hand: datasets/demo keeps 5,772 (docs/loop.md's run).
FITTED_PIECES = 6_000
TURN_TOKENS = {"gemma": 10, "question_answer": 16}  # of the template around a question and its answer
SAMPLE = 400  # texts of a domain corpus that are tokenised; the rest is taken to be like them


@dataclass(frozen=True)
class Known:
    """What could be found of a base without fetching it."""

    config: object  # transformers configuration
    tokenizer: object | None
    rate: TokensPerCharacter | None  # used when there is no tokenizer
    name: str
    how: str  # where tokens come from, in words


@dataclass(frozen=True)
class Tokens:
    """Lengths of the dataset's examples in tokens, with the template; ``vocabulary`` is that after fitting."""

    examples: int
    p50: int
    p95: int
    longest: int
    over_cap: int
    over_share: float
    characters_per_token: float  # of questions and answers, without the template
    answer_share: float  # tokens that are trained and reach the output layer
    answer_tokens: float  # mean
    exact: bool
    how: str
    vocabulary: int


@dataclass(frozen=True)
class StagePlan:
    """One stage: work per epoch as the loop would do it, and how far its budgets let it go."""

    name: str
    kind: str
    epoch_tokens: int
    epoch_padded: int
    epoch_scored: int
    epoch_passes: int
    epoch_steps: int
    epochs: float  # that the budgets in steps and epochs allow; with only minutes given: infinite
    max_minutes: float | None
    work: float  # passes through the model per token, relative to training once
    largest: Pass


def find_base(base: Base) -> Known:
    """Configuration and tokenizer of a base as far as they are on this machine.

    Raises InputError for a base that is neither here nor among the known students.
    """
    from transformers import AutoConfig

    from finetune.base import load_tokenizer, read_model_config, resolve_base

    if base.folder:
        weights = resolve_base(base)
        name = f"folder {base.folder.name}"
        return Known(read_model_config(weights), load_tokenizer(weights), None, name, "이 base 의 토크나이저")
    if base.package:
        student = next((one for one in known_students() if one.tokenizer_like == base.package), None)
        tokenizer = _packaged_tokenizer(base.package, base.sha256, base.template)
        if student is None:
            raise InputError(f"알려지지 않은 base 패키지입니다: {base.package}\n  finetune/students.yaml 을 보세요.")
        how = "이 base 의 토크나이저" if tokenizer else "글자당 토큰 추정 (base 를 아직 변환하지 않음)"
        return Known(_config_of(student), tokenizer, student.tokens_per_character, base.package, how)
    student = find_student(base.hub)
    try:
        config = AutoConfig.from_pretrained(base.hub, revision=base.revision, local_files_only=True)
        weights = BaseWeights(base.hub, base.revision, base.hub, base.hub, None, "", base.template)
        return Known(config, load_tokenizer(weights), None, base.hub, "이 base 의 토크나이저")
    except OSError as exc:  # not downloaded yet
        if student is None:
            names = ", ".join(one.hub for one in known_students())
            raise InputError(
                f"{base.hub} 를 아직 내려받지 않아 모양을 알 수 없습니다 (not downloaded, not a known student).\n"
                f"  미리 아는 학생: {names}\n  다른 모델은 먼저 내려받고 base.folder 로 적으세요."
            ) from exc
    tokenizer = _packaged_tokenizer(student.tokenizer_like, None, base.template) if student.tokenizer_like else None
    rate = student.tokens_per_character
    how = f"{student.tokenizer_like} 의 같은 토크나이저" if tokenizer else "글자당 토큰 추정"
    if not tokenizer and not rate.measured:
        how += " (이 모델에서 재지 않음: Gemma 의 값)"
    return Known(_config_of(student), tokenizer, rate, base.hub, how)


def base_at_hand(weights: BaseWeights, tokenizer) -> Known:
    """The same of weights and a tokenizer that are open already."""
    from finetune.base import read_model_config

    return Known(read_model_config(weights), tokenizer, None, weights.source, "이 실행의 토크나이저")


def _config_of(student: Student):
    from transformers import Gemma3TextConfig, PhiConfig

    family = PhiConfig if student.model_type == "phi" else Gemma3TextConfig
    return family(**student.shape, tie_word_embeddings=student.tie_word_embeddings)


def _packaged_tokenizer(package: str, sha256: str | None, template: str | None):
    """The tokenizer of a package whose weights were converted before; None when they were not."""
    from finetune.base import load_tokenizer

    if sha256 is None:
        module = package.replace("-", "_")
        if importlib.util.find_spec(module) is None:
            return None
        sha256 = importlib.import_module(module).EXPECTED_SHA256
    folder = cache_folder() / "base" / sha256[:16]
    if not (folder / "tokenizer.json").is_file() or not (folder / "config.json").is_file():
        return None
    return load_tokenizer(BaseWeights(folder, None, package, sha256, None, "", template))


def encoded_examples(rows: list[Row], known: Known, config: RunConfig) -> list[Example]:
    """The rows as the loop would see them; without a tokenizer, ids are zeros of the estimated number."""
    used = [row for row in rows if row.style in config.mix]
    if not used:
        raise InputError(f"데이터셋에 mix 의 행이 없습니다 (no rows of the styles in mix): {sorted(config.mix)}")
    return [
        Example(row, _encode(row, known, config))
        for row in show_evidence(used, config.evidence, config.seed, config.refers)
    ]


def _encode(row: Row, known: Known, config: RunConfig) -> Encoded:
    history = tuple((turn.question, turn.answer) for turn in row.history)
    answer = target_text(row, config.target)
    if known.tokenizer is not None:
        return encode(user_turn(row), answer, known.tokenizer, history)
    turn = TURN_TOKENS[template_name(known, config)]
    said = [text for pair in history for text in pair] + [user_turn(row)]
    head = round(sum(known.rate.estimate(text) for text in said)) + turn * (len(history) + 1) - 1
    return Encoded((0,) * (head + round(known.rate.estimate(answer)) + 1), head)


def template_name(known: Known, config: RunConfig) -> str:
    """Of the chat template this run would use."""
    from finetune.base import TEMPLATE_OF_TYPE

    return config.base.template or TEMPLATE_OF_TYPE[known.config.model_type]


def count_tokens(examples: list[Example], known: Known, config: RunConfig) -> Tokens:
    """Lengths of all examples, those over ``max_tokens`` included."""
    lengths = sorted(example.length for example in examples)
    answers = [example.length - example.encoded.answer_start for example in examples]
    texts = [(user_turn(example.row), target_text(example.row, config.target)) for example in examples]
    characters = sum(len(question) + len(answer) for question, answer in texts)
    turn = TURN_TOKENS[template_name(known, config)]
    over = sum(length > config.max_tokens for length in lengths)
    return Tokens(
        examples=len(lengths),
        p50=lengths[len(lengths) // 2],
        p95=lengths[min(len(lengths) - 1, math.ceil(0.95 * len(lengths)))],
        longest=lengths[-1],
        over_cap=over,
        over_share=over / len(lengths),
        characters_per_token=characters / max(1, sum(lengths) - turn * len(lengths)),
        answer_share=sum(answers) / sum(lengths),
        answer_tokens=sum(answers) / len(answers),
        exact=known.tokenizer is not None,
        how=known.how,
        vocabulary=_vocabulary(examples, known, config),
    )


def _vocabulary(examples: list[Example], known: Known, config: RunConfig) -> int:
    whole = known.config.get_text_config().vocab_size
    if not config.fit_vocab:
        return whole + config.extend_vocab
    if known.tokenizer is None:
        return min(whole, FITTED_PIECES) + config.extend_vocab
    from finetune.vocab import kept_ids

    definition = json.loads(known.tokenizer.backend_tokenizer.to_str())
    template = known.tokenizer(render_prompt("", known.tokenizer), add_special_tokens=False)["input_ids"]
    used = {i for example in examples for i in example.encoded.ids} | set(template)
    return len(kept_ids(definition, used)) + config.extend_vocab


def plan_stages(examples: list[Example], known: Known, config: RunConfig) -> list[StagePlan]:
    """Every stage of the run in order.  Raises InputError for a domain corpus or pairs that are not there."""
    kept = [example for example in examples if example.length <= config.max_tokens]
    if not kept:
        raise InputError(f"모든 예제가 max_tokens={config.max_tokens} 보다 깁니다 (every example is over the cap).")
    return [_plan_stage(stage, kept, known, config) for stage in config.stages]


def _plan_stage(stage: Stage, examples: list[Example], known: Known, config: RunConfig) -> StagePlan:
    train = stage.settings(config.train)
    if isinstance(stage, DomainStage):
        from finetune.domain import law_texts

        texts = law_texts(stage.texts)
        tokens = sum(_length(text, known) for text in texts[:SAMPLE]) / len(texts[:SAMPLE])
        total = round(tokens * len(texts))
        pieces = max(len(texts), total // config.max_tokens)
        work = _even_work(pieces, total, total, train, config, rows_per_item=1)
    elif isinstance(stage, PreferenceStage):
        from finetune.preference import read_pairs

        pairs = read_pairs(stage.pairs)
        sides = [(pair.question, answer) for pair in pairs for answer in (pair.chosen, pair.rejected)]
        scored = round(sum(_length(answer, known) for _, answer in sides))
        total = scored + round(sum(_length(question, known) for question, _ in sides))
        work = _even_work(len(pairs), total, scored, train, config, rows_per_item=2)
    else:
        work = _simulated_work(examples, config, train)
    passes, padded, tokens, scored, steps, largest = work
    budgets = [train.epochs, train.max_steps and train.max_steps / steps]
    return StagePlan(
        name=stage.name,
        kind=stage.kind,
        epoch_tokens=tokens,
        epoch_padded=padded,
        epoch_scored=scored,
        epoch_passes=passes,
        epoch_steps=steps,
        epochs=min((budget for budget in budgets if budget), default=math.inf),
        max_minutes=train.max_minutes,
        work=1.5 if isinstance(stage, PreferenceStage) else 1.0,  # the reference's forward pass is half a training one
        largest=largest,
    )


def _simulated_work(examples: list[Example], config: RunConfig, train):
    """One epoch of the loop's own batches, cut into its own passes."""
    batches = _one_epoch(endless_batches(examples, config.mix, train.batch_size, config.seed, config.taxes))
    passes = padded = tokens = scored = count = 0
    largest = Pass(1, 1, 1)
    for _, batch in batches:
        count += 1
        for part in split_batch(batch, train.pass_tokens):
            longest = max(len(example.ids) for example in part)
            answers = sum(len(example.ids) - example.answer_start for example in part)
            passes += 1
            padded += longest * len(part)
            tokens += sum(len(example.ids) for example in part)
            scored += answers
            if longest * len(part) > largest.tokens:
                largest = Pass(len(part), longest, max(largest.scored, answers))
            elif answers > largest.scored:
                largest = Pass(largest.rows, largest.longest, answers)
    if train.packing:
        padded = tokens
    return passes, padded, tokens, scored, math.ceil(count / train.accumulate), largest


def _one_epoch(batches: Iterator) -> Iterator:
    for done, batch in batches:
        yield done, batch
        if done >= 1 - 1e-9:
            return


def _even_work(items: int, tokens: int, scored: int, train, config: RunConfig, rows_per_item: int):
    """Work of a stage whose batches are not simulated: passes filled up to ``pass_tokens``."""
    per_batch = max(1, round(tokens / items * train.batch_size))
    batches = math.ceil(items / train.batch_size)
    parts = max(1, math.ceil(per_batch / train.pass_tokens))
    longest = min(config.max_tokens, max(1, round(tokens / items / rows_per_item)))
    rows = max(rows_per_item, min(train.pass_tokens, per_batch) // longest)
    largest = Pass(rows, longest, math.ceil(rows * longest * scored / tokens))
    return batches * parts, tokens, tokens, scored, math.ceil(batches / train.accumulate), largest


def _length(text: str, known: Known) -> float:
    if known.tokenizer is not None:
        return len(known.tokenizer(text, add_special_tokens=False)["input_ids"])
    return known.rate.estimate(text)


def generated_pass(examples: list[Example], config: RunConfig) -> Pass:
    """A whole evaluation batch: the longest worked question with the longest answer allowed."""
    worked = [example.encoded.answer_start for example in examples if example.row.style == "worked"]
    prompts = worked or [example.encoded.answer_start for example in examples]
    rows = min(config.evaluation.batch_size, config.evaluation.rows)
    return Pass(rows, max(prompts) + config.evaluation.max_new_tokens, 0)
