"""What each quantisation changes: next-token distributions against a reference, size, decoding speed; and the gate on it.

The reference is the merged model (or, for a GGUF without one, the unquantised file).  Both read the same ids, so every
difference is that of the weights.  Only positions of answers are compared: they are what a student is for.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.chat import Encoded
from finetune.errors import GateError, InputError
from finetune.llama import next_logits, open_gguf, quantise
from finetune.settings import Gates


@dataclass(frozen=True)
class Measured:
    """One file against the reference.  KL in nats per token, Kullback-Leibler of the file from the reference."""

    positions: int
    argmax_agreement: float  # share of positions where both prefer the same token
    mean_kl: float
    p99_kl: float
    bytes: int
    tokens_per_second: float  # decoding one token after the other, on this machine


def probes(pairs: Iterable[tuple[str, str]], tokenizer, positions: int) -> list[Encoded]:
    """Encoded (question, answer) pairs with about ``positions`` answer tokens in all, evenly from every pair."""
    from finetune.chat import encode

    examples = [encode(question, answer, tokenizer) for question, answer in pairs]
    if not examples:
        raise InputError("양자화를 비교할 질문과 답이 없습니다 (no pairs to compare on).")
    share = max(1, positions // len(examples))
    return [Encoded(one.ids[: one.answer_start + share], one.answer_start) for one in examples]


def reference_of_model(model, examples: Sequence[Encoded]) -> list:
    """Log-probabilities (answer tokens, vocabulary), float32, of a transformers model for each example."""
    import torch

    found = []
    for one in examples:
        with torch.inference_mode():
            ids = torch.tensor([one.ids[:-1]], device=next(model.parameters()).device)
            kept = len(one.ids) - one.answer_start
            logits = model(input_ids=ids, logits_to_keep=kept).logits[0].float()
        found.append(torch.log_softmax(logits, dim=-1).cpu().numpy())
    return found


def reference_of_gguf(gguf_file: Path, examples: Sequence[Encoded]) -> list:
    """The same of a GGUF."""
    import numpy as np

    return [np.stack([row for row, _ in one]) for one in _read(gguf_file, examples)]


def measure(gguf_file: Path, examples: Sequence[Encoded], reference: Sequence, adapter: Path | None = None) -> Measured:
    """Compare a GGUF, with a LoRA ``adapter`` switched on if given, with ``reference`` on ``examples``.

    Raises GateError when the vocabularies differ in size.
    """
    import numpy as np

    divergences, same, seconds, decoded = [], 0, 0.0, 0
    for wanted, answer in zip(reference, _read(gguf_file, examples, adapter), strict=True):
        for ours, (theirs, took) in zip(wanted, answer, strict=True):
            if len(ours) != len(theirs):
                raise GateError(
                    f"어휘 크기가 다릅니다 (vocabulary sizes differ): {len(ours)} / {len(theirs)}: {gguf_file}"
                )
            divergences.append(float(np.sum(np.exp(ours) * (ours - theirs), dtype=np.float64)))
            same += int(ours.argmax() == theirs.argmax())
            if took is not None:
                seconds, decoded = seconds + took, decoded + 1
    if not np.isfinite(divergences).all():
        raise GateError(f"GGUF 의 확률에 NaN 이나 무한대가 있습니다 (not finite): {gguf_file}")
    return Measured(
        positions=len(divergences),
        argmax_agreement=round(same / len(divergences), 4),
        mean_kl=round(max(0.0, float(np.mean(divergences))), 6),
        p99_kl=round(max(0.0, float(np.percentile(divergences, 99))), 6),
        bytes=gguf_file.stat().st_size,
        tokens_per_second=round(decoded / seconds, 1) if seconds else 0.0,
    )


def file_type(gguf_file: Path) -> str:
    """Name of the file's number format (F16, Q8_0, ...); raises GateError for one this stage does not write."""
    from finetune.settings import QUANTISATIONS

    model = open_gguf(gguf_file, context=64, vocabulary_only=True)
    number = model.metadata.get("general.file_type", "")
    model.close()
    for name, value in QUANTISATIONS.items():
        if str(value) == number:
            return name
    raise GateError(f"형식을 모르는 GGUF 입니다 (unknown general.file_type {number!r}): {gguf_file}")


def _read(gguf_file: Path, examples: Sequence[Encoded], adapter: Path | None = None):
    """For each example, (log-probabilities, seconds of this decoding step or None) for every answer token."""
    import numpy as np

    model = open_gguf(gguf_file, context=max(len(one.ids) for one in examples) + 8, adapter=adapter)

    def log_probabilities():
        logits = next_logits(model)
        top = logits.max()
        return logits - (top + np.log(np.sum(np.exp(logits - top), dtype=np.float64))).astype(np.float32)

    try:
        for one in examples:
            model.reset()
            model.eval(one.ids[: one.answer_start])
            answer = [(log_probabilities(), None)]
            for token in one.ids[one.answer_start : -1]:
                before = time.perf_counter()
                model.eval([token])
                took = time.perf_counter() - before
                answer.append((log_probabilities(), took))
            yield answer
    finally:
        model.close()


def measure_quantisations(
    source: Path,
    source_type: str,
    examples: Sequence[Encoded],
    reference: Sequence,
    wanted: Iterable[str],
    folder: Path,
    gates: Gates,
    importance: Mapping[str, Any] | None = None,
) -> dict[str, Measured]:
    """Quantise ``source`` into ``folder``/<stem>-<QUANT>.gguf for each of ``wanted``; measure and gate it and each.

    The first row is ``source`` itself under ``source_type`` (F32, F16, BF16).  Raises GateError at the first file that
    fails, naming it; files written before stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table = {source_type: measure(source, examples, reference)}
    check_gate(source_type, table[source_type], gates)
    for name in wanted:
        target = quantised_file(source, folder, name)
        quantise(source, target, name, importance)
        table[name] = measure(target, examples, reference)
        check_gate(name, table[name], gates)
    return table


def quantised_file(source: Path, folder: Path, quantisation: str) -> Path:
    """Where a quantisation of ``source`` goes; its name says what it is and no longer what it was."""
    from finetune.settings import QUANTISATIONS

    stem = source.stem
    for name in QUANTISATIONS:
        stem = stem.removesuffix(f"-{name}")
    return folder / f"{stem}-{quantisation}.gguf"


def check_gate(name: str, measured: Measured, gates: Gates) -> None:
    """Raises GateError when ``measured`` is worse than the gate of quantisation ``name`` allows."""
    gate = gates.of(name)
    if measured.argmax_agreement < gate.argmax:
        raise GateError(
            f"{name} 가 합친 모델과 너무 다릅니다: 가장 그럴듯한 토큰이 {measured.argmax_agreement:.1%} 에서만 같습니다 "
            f"(export.gates.{name}.argmax: {gate.argmax:.1%}).\n  더 굵은 양자화를 쓰거나 문턱을 고치세요 (argmax agreement)."
        )
    if measured.mean_kl > gate.mean_kl:
        raise GateError(
            f"{name} 가 합친 모델과 너무 다릅니다: 평균 KL {measured.mean_kl:.4f} "
            f"(export.gates.{name}.mean_kl: {gate.mean_kl:g}).\n  더 굵은 양자화를 쓰거나 문턱을 고치세요 (mean KL)."
        )


def table_lines(table: dict[str, Measured]) -> list[str]:
    """The table as Markdown."""
    lines = [
        "| 양자화 | 같은 토큰 (argmax) | 평균 KL | 99% KL | 크기 MB | 토큰/s |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in table.items():
        lines.append(
            f"| {name} | {one.argmax_agreement:.1%} | {one.mean_kl:.4f} | {one.p99_kl:.4f} | {one.bytes / 1e6:,.0f} | "
            f"{one.tokens_per_second:,.0f} |"
        )
    return lines
