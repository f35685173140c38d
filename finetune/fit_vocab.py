"""What fit-vocab does: choose pieces from texts, write the fitted base as a folder and as GGUF, and prove both."""

from __future__ import annotations

import importlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.base import BaseWeights, load_tokenizer, resolve_base, whole_or_nothing
from finetune.chat import stop_id
from finetune.data import Row, read_rows
from finetune.domain import law_texts
from finetune.errors import GateError, InputError
from finetune.settings import Base, RunConfig

TOKENS = 32  # greedy tokens compared per beginning
# A base has not learned our questions yet: it continues plain text.
BEGINNINGS = (
    "증여세는 타인으로부터 재산을",
    "소득세의 과세표준은",
    "법인은 각 사업연도의 소득에 대한 법인세를",
    "부가가치세는 재화와 용역의 공급에 대하여",
)


@dataclass(frozen=True)
class Wanted:
    """What the command line asked for (finetune/fit_vocab_command.py)."""

    sources: tuple[str, ...]
    out: Path
    gguf: Path | None = None
    gguf_out: Path | None = None
    extend: int = 0
    held_out: str | None = None
    force: bool = False


def fit_vocab(config: RunConfig, wanted: Wanted, say=print) -> BaseWeights:
    """Write ``wanted.out`` (and ``wanted.gguf_out``); returns the weights in ``wanted.out``'s cache.

    Raises InputError for what cannot be used, GateError when a proof fails.
    """
    from finetune.vocab import fit_vocabulary

    _require_possible(config, wanted)
    rows = read_rows(config.dataset / "train.jsonl")
    texts = row_texts(rows)
    laws, held = split_law([text for source in wanted.sources for text in law_texts(source)], wanted.held_out)
    weights = resolve_base(config.base, say)
    fitted = fit_vocabulary(weights, [*texts, *laws], say)
    say(f"조각 {fitted.pieces_before:,}개 → {fitted.pieces:,}개, 글 {len(texts) + len(laws):,}편이 전과 같이 나뉩니다.")
    result = fitted.weights
    if wanted.extend:
        from finetune.extend_vocab import extend_vocabulary

        held_rows = read_rows(config.dataset / "validation.jsonl")
        measured = {f"배우지 않은 법 ({wanted.held_out})": held} if held else {}
        measured |= answer_groups(held_rows, config)
        answers = config.pieces_in == "answers"
        learned = row_texts(rows, questions=not answers)
        extended = extend_vocabulary(result, [*learned, *laws], wanted.extend, say, measured, in_answers_only=answers)
        result = extended.weights
    if wanted.out.exists():
        shutil.rmtree(wanted.out)
    with whole_or_nothing(wanted.out) as partial:
        shutil.copytree(result.folder, partial, dirs_exist_ok=True)
    size = sum(file.stat().st_size for file in wanted.out.iterdir())
    say(f"base 폴더를 썼습니다: {wanted.out} ({size / 1e6:,.0f} MB; 설정의 base.folder 에 적어 씁니다)")
    if wanted.gguf_out:
        with tempfile.TemporaryDirectory() as folder:
            source = wanted.gguf or _assemble(config.base, Path(folder))
            _fit_gguf(source, wanted.gguf_out, fitted.kept, weights, fitted.weights, say)
    return result


def row_texts(rows: Sequence[Row], questions: bool = True) -> list[str]:
    """Everything a student may read or write for ``rows``: questions, answers and calls, whichever the target is."""
    return [text for row in rows for text in (row.question if questions else None, row.answer, row.call) if text]


def answer_groups(rows: Sequence[Row], config: RunConfig) -> dict[str, list[str]]:
    """Answers by kind, because those of worked examples are mostly digits, which stay single tokens.

    Questions too, unless they are read without added pieces.
    """
    groups = {
        "답 (문서)": [row.answer for row in rows if row.style != "worked"],
        "답 (계산 풀이)": [row.answer for row in rows if row.style == "worked"],
        "답 (호출)": [row.call for row in rows if row.call],
        "질문": [row.question for row in rows if config.pieces_in == "everything"],
    }
    return {name: texts for name, texts in groups.items() if texts}


def split_law(texts: Sequence[str], law: str | None) -> tuple[list[str], list[str]]:
    """(texts of other laws, texts of ``law`` with its decree and rules).  Raises InputError when there is none."""
    if law is None:
        return list(texts), []
    held = [text for text in texts if text.startswith(law)]
    if not held:
        raise InputError(f"--texts 에 이 법이 없습니다 (no such law in the texts): {law}")
    return [text for text in texts if not text.startswith(law)], held


def greedy_text(gguf_file: Path, tokenizer, beginnings: Sequence[str], tokens: int) -> list[list[int]]:
    """Greedy ids with which a GGUF continues each beginning, without the stop token."""
    from finetune.llama import open_gguf

    stops = {stop_id(tokenizer), tokenizer.eos_token_id}
    prompts = [tokenizer(beginning, add_special_tokens=True)["input_ids"] for beginning in beginnings]
    model = open_gguf(gguf_file, context=max(map(len, prompts)) + tokens + 8)
    answers = []
    try:
        for prompt in prompts:
            answer: list[int] = []
            for token in model.generate(prompt, temp=0.0):
                if token in stops or len(answer) == tokens:
                    break
                answer.append(token)
            answers.append(answer)
    finally:
        model.close()
    return answers


def prove_same_output(
    full: Path, fitted: Path, full_tokenizer, fitted_tokenizer, kept: Sequence[int], beginnings: Sequence[str]
) -> tuple[int, int]:
    """(beginnings continued identically, those where the full model chose a piece that was dropped).

    Raises GateError when the answers differ before any dropped piece: the fitted file then computes something else.
    """
    known = set(kept)
    identical = left = 0
    before = greedy_text(full, full_tokenizer, beginnings, TOKENS)
    after = greedy_text(fitted, fitted_tokenizer, beginnings, TOKENS)
    for beginning, wanted, got in zip(beginnings, before, after, strict=True):
        same = next((n for n, token in enumerate(wanted) if token not in known), len(wanted))
        if [kept[token] for token in got[:same]] != wanted[:same]:
            raise GateError(
                f"어휘를 줄인 GGUF 가 다르게 답합니다 (greedy output differs): {beginning}\n"
                f"  전: {full_tokenizer.decode(wanted)!r}\n  후: {fitted_tokenizer.decode(got)!r}"
            )
        identical += same == len(wanted) and len(got) == len(wanted)
        left += same < len(wanted)
    return identical, left


def _fit_gguf(source: Path, target: Path, kept: Sequence[int], weights: BaseWeights, fitted: BaseWeights, say) -> None:
    from finetune.gguf_slice import slice_gguf
    from finetune.parity import STRINGS, check_tokens

    full_tokenizer, tokenizer = load_tokenizer(weights), load_tokenizer(fitted)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.stem}.partial.gguf")
    try:
        slice_gguf(source, partial, kept, tokenizer)
        compared = check_tokens(partial, tokenizer, STRINGS)
        identical, left = prove_same_output(source, partial, full_tokenizer, tokenizer, kept, BEGINNINGS)
        shutil.move(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    say(
        f"GGUF 를 썼습니다: {target} ({source.stat().st_size / 1e6:,.0f} → {target.stat().st_size / 1e6:,.0f} MB)\n"
        f"  확인: 토큰 {compared}문장 일치, 같은 글 {identical}/{len(BEGINNINGS)}"
        + (f" (버린 조각을 고른 글 {left}개는 거기까지 같음)" if left else "")
    )


def _assemble(base: Base, folder: Path) -> Path:
    package = importlib.import_module(base.package.replace("-", "_"))
    target = folder / "base.gguf"
    package.assemble(target)
    return target


def _require_possible(config: RunConfig, wanted: Wanted) -> None:
    for path in (wanted.out, wanted.gguf_out):
        if path is not None and path.exists() and not wanted.force:
            raise InputError(f"이미 있습니다: {path}\n  다른 이름을 주거나 --force 로 덮어쓰세요 (exists already).")
    if wanted.out.exists() and not (wanted.out / "config.json").is_file():
        raise InputError(f"모델 폴더가 아니어서 덮어쓰지 않습니다 (not a model folder): {wanted.out}")
    if wanted.gguf is not None and not wanted.gguf.is_file():
        raise InputError(f"파일이 없습니다 (no such file): {wanted.gguf}")
    if wanted.gguf is not None and wanted.gguf_out is None:
        raise InputError("--gguf 에는 --gguf-out 이 필요합니다 (needs --gguf-out).")
    if wanted.gguf_out is not None and wanted.gguf is None and config.base.package is None:
        raise InputError("base 가 패키지가 아니므로 --gguf 로 GGUF 를 주세요 (give --gguf: the base is no package).")
    if wanted.gguf_out is not None and wanted.extend:
        raise InputError(
            "늘린 어휘는 행을 고르는 것으로 GGUF 에 넣을 수 없습니다 (--extend and --gguf-out).\n"
            "  `python -m finetune export` 로 --out 폴더를 GGUF 로 쓰세요."
        )
