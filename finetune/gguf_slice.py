"""Fits the vocabulary of a GGUF without touching its numbers: quantised rows of the embedding are copied byte by byte.

A row of a quantised matrix is a whole number of blocks, so choosing rows loses nothing; every other tensor is copied as
it is.  The tokenizer is written anew from the fitted Hugging Face one, after its pieces were found to be the file's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finetune.errors import GateError
from finetune.gguf_tokenizer import write_tokenizer

ROW_PER_PIECE = ("token_embd.weight", "output.weight")
_BY_WRITER = ("general.architecture",)  # written by GGUFWriter itself


def slice_gguf(source: Path, target: Path, kept: Sequence[int], tokenizer) -> None:
    """Write ``source`` with only the pieces ``kept`` (ids, ascending) to ``target``; ``tokenizer``: the fitted one.

    Raises GateError when the pieces of ``source`` are not those ``tokenizer`` was fitted from.
    """
    import gguf
    import numpy as np

    reader = gguf.GGUFReader(source)
    _require_same_pieces(reader, kept, tokenizer, source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith(("tokenizer.", "GGUF.")) or name in _BY_WRITER:
            continue
        element = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], sub_type=element)
    write_tokenizer(writer, tokenizer, len(kept))
    rows = np.asarray(kept)
    for tensor in reader.tensors:
        data = tensor.data[rows] if tensor.name in ROW_PER_PIECE else tensor.data
        writer.add_tensor(tensor.name, data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_pieces(reader) -> list[str]:
    """Pieces of a GGUF by id, runs of spaces as Hugging Face writes them."""
    pieces = reader.fields["tokenizer.ggml.tokens"].contents()
    return ["▁" * len(piece) if piece and not piece.strip(" ") else piece for piece in pieces]


def _require_same_pieces(reader, kept: Sequence[int], tokenizer, source: Path) -> None:
    pieces = gguf_pieces(reader)
    rows = next(tensor.shape[1] for tensor in reader.tensors if tensor.name == ROW_PER_PIECE[0])
    wanted = tokenizer.convert_ids_to_tokens(list(range(len(kept))))
    if len(pieces) != rows or kept[-1] >= rows or [pieces[i] for i in kept] != wanted:
        raise GateError(
            f"GGUF 의 어휘가 base 의 것과 다릅니다 (another vocabulary): {source}\n"
            "  어휘를 줄일 base 와 같은 모델의 GGUF 를 주세요."
        )
