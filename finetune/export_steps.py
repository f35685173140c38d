"""What merge, export and quantize do: weights out of a finished run, with the gate of each step.

Files appear under their name only when their gate was passed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

from finetune.base import load_model, load_tokenizer, resolve_base, whole_or_nothing
from finetune.chat import TEMPLATES, Encoded
from finetune.errors import GateError, InputError
from finetune.settings import Base, Gates

TOKENS = 24  # tokens per text in the gates


def merge_run(run_folder: Path, out: Path, force: bool = False, say=print) -> None:
    """Write the merged float32 model of a run with its tokenizer to folder ``out``."""
    from finetune.merge import merge_adapter
    from finetune.run_weights import weights_of_run

    _require_free(out, force)
    weights = weights_of_run(run_folder, say)
    merged = merge_adapter(weights, _adapter(run_folder))
    merged._weight_conversions = None  # else a text model out of a multimodal checkpoint is saved under its old names
    with whole_or_nothing(out) as partial:
        merged.save_pretrained(partial)
        load_tokenizer(weights).save_pretrained(partial)
    size = sum(file.stat().st_size for file in out.iterdir())
    say(f"합쳤습니다: {out} (fp32, {size / 1e6:,.0f} MB, NaN 없음)")


def export_folder(source: Path, out: Path, file_type: str, force: bool = False, say=print) -> None:
    """Write a model folder, or a finished run merged on the way, as GGUF; gates: token ids, greedy tokens."""
    from finetune.gguf_export import export_gguf
    from finetune.merge import merge_adapter
    from finetune.parity import STRINGS, check_tokens
    from finetune.run_weights import weights_of_run

    _require_gguf_name(out)
    _require_free(out, force)
    if (source / "run.json").is_file():
        weights = weights_of_run(source, say)
        model = merge_adapter(weights, _adapter(source))
    else:
        weights = resolve_base(Base(folder=source), say)
        model = load_model(weights, "float32").eval()
    tokenizer = load_tokenizer(weights)
    with _file_or_nothing(out) as partial:
        export_gguf(model, tokenizer, partial, file_type, out.stem)
        compared = check_tokens(partial, tokenizer, STRINGS)
        found = _same_as(model, tokenizer, partial, file_type)
    say(f"썼습니다: {out} ({file_type}, {out.stat().st_size / 1e6:,.0f} MB)\n  확인: 토큰 {compared}문장 일치, {found}")


def export_run_adapter(
    run_folder: Path, out: Path, base_gguf: Path | None = None, force: bool = False, say=print
) -> None:
    """Write a run's adapter as GGUF; with ``base_gguf``, check that base + adapter answers as the merged model does."""
    from finetune.adapter_gguf import export_adapter
    from finetune.base import read_model_config
    from finetune.merge import merge_adapter
    from finetune.quantisations import file_type
    from finetune.run_weights import weights_of_run

    _require_gguf_name(out)
    _require_free(out, force)
    weights = weights_of_run(run_folder, say)
    checked = "확인하지 않음 (--base-gguf 없음)"
    with _file_or_nothing(out) as partial:
        layers = export_adapter(_adapter(run_folder), read_model_config(weights).get_text_config(), partial, out.stem)
        if base_gguf is not None:
            _require_file(base_gguf)
            merged = merge_adapter(weights, _adapter(run_folder))
            checked = _same_as(merged, load_tokenizer(weights), base_gguf, file_type(base_gguf), partial)
    say(
        f"썼습니다: {out} (어댑터, {layers}개 층, {out.stat().st_size / 1e6:,.1f} MB)\n  확인: {checked}\n"
        f"  어휘가 같은 base GGUF 에만 붙습니다: {weights.source}"
    )


def quantise_file(source: Path, wanted: Sequence[str], folder: Path, force: bool = False, say=print) -> None:
    """Quantise ``source`` to each of ``wanted`` in ``folder`` and gate each against ``source`` itself."""
    from finetune.parity import QUESTIONS
    from finetune.quantisations import measure_quantisations, quantised_file, reference_of_gguf, table_lines

    _require_file(source)
    for name in wanted:
        _require_free(quantised_file(source, folder, name), force)
    type_name, examples = probe_gguf(source, QUESTIONS, TOKENS)
    reference = reference_of_gguf(source, examples)
    table = measure_quantisations(source, type_name, examples, reference, dict.fromkeys(wanted), folder, Gates())
    say(f"{source.name} 과 견준 표 (답 토큰 {table[type_name].positions}개, 이 파일이 스스로 쓴 답):")
    say("\n".join(table_lines(table)))


def _same_as(model, tokenizer, gguf_file: Path, type_name: str, adapter: Path | None = None) -> str:
    """Gate a file on sentences of tax law against ``model``; what was found, in words.

    Not on greedy answers: a short one (a stop token at once) says little about the weights.
    """
    from finetune.parity import QUESTIONS, STRINGS
    from finetune.quantisations import check_gate, measure, probes, reference_of_model

    pairs = zip(QUESTIONS * 2, STRINGS, strict=False)
    examples = probes(pairs, tokenizer, TOKENS * len(STRINGS))
    found = measure(gguf_file, examples, reference_of_model(model, examples), adapter)
    check_gate(type_name, found, Gates())
    return (
        f"합친 모델과 같은 토큰 {found.argmax_agreement:.1%}, 평균 KL {found.mean_kl:.5f} (토큰 {found.positions}개"
        + (", base + 어댑터)" if adapter else ")")
    )


def probe_gguf(source: Path, questions: Sequence[str], tokens: int) -> tuple[str, list[Encoded]]:
    """(file type, examples): the questions with the greedy answers of an unquantised GGUF.

    Raises InputError when ``source`` is quantised already, GateError when it has no chat template of ours.
    """
    import jinja2

    from finetune.llama import open_gguf, parts_of_gguf
    from finetune.quantisations import file_type
    from taxlaw.read_in_parts import as_read

    type_name = file_type(source)
    if type_name not in ("F32", "F16", "BF16"):
        raise InputError(
            f"이미 양자화된 파일입니다 ({type_name}): {source}\n"
            "  `python -m finetune export` 로 F16 파일을 만들어 그것을 양자화하세요 (give an unquantised file)."
        )
    model = open_gguf(source, context=512)
    try:
        template = model.metadata.get("tokenizer.chat_template")
        if template not in {one.text for one in TEMPLATES}:
            raise GateError(f"GGUF 에 우리 채팅 템플릿이 없습니다 (chat template missing): {source}")
        rendered = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(template)
        stops = {model.token_eos(), int(model.metadata["tokenizer.ggml.eot_token_id"])}
        examples = []
        for question in questions:
            # <bos> comes from the template where it has one; the tokenizer must not add a second.
            text = rendered.render(
                messages=[{"role": "user", "content": question}], add_generation_prompt=True, bos_token="<bos>"
            )
            prompt = as_read(model.tokenize(text.encode(), add_bos=False, special=True), parts_of_gguf(model))
            answer = []
            for token in model.generate(prompt, temp=0.0):
                answer.append(token)
                if token in stops or len(answer) == tokens:
                    break
            examples.append(Encoded((*prompt, *answer), len(prompt)))
    finally:
        model.close()
    return type_name, examples


def _adapter(run_folder: Path) -> Path:
    adapter = run_folder / "adapter"
    if not (adapter / "adapter_config.json").is_file():
        raise InputError(f"실행 폴더에 어댑터가 없습니다 (no adapter): {adapter}")
    return adapter


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"파일이 없습니다 (no such file): {path}")


def _require_gguf_name(path: Path) -> None:
    if path.suffix != ".gguf":
        raise InputError(f"--out 은 .gguf 로 끝나야 합니다 (must end in .gguf): {path}")


def _require_free(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise InputError(f"이미 있습니다: {path}\n  다른 이름을 주거나 --force 로 덮어쓰세요 (exists already).")


@contextmanager
def _file_or_nothing(target: Path):
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.stem}.partial-{os.getpid()}.gguf")
    try:
        yield partial
        shutil.move(partial, target)
    finally:
        partial.unlink(missing_ok=True)
