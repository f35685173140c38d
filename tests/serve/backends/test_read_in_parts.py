"""A model that writes some pieces and was not taught to read them: its prompts hold their parts, its answers may hold them."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve.backends.llama import LlamaCppBackend, LlamaOptions
from serve.backends.protocol import GenParams, Message
from serve.errors import Code, ServeError
from taxlaw.read_in_parts import KEY, parts_text

OPTIONS = LlamaOptions(context_tokens=256, threads=1, gpu_layers=0)
ASK = [Message("user", "세율"), Message("model", "세율"), Message("user", "가세율나")]


@pytest.fixture
def opened(write_model, tmp_path: Path):
    """``opened(said, **given)``: the backend of a file with ``said`` under KEY; closed when the test ends."""
    made = []

    def open_file(said: str | None, **given) -> LlamaCppBackend:
        path = write_model(tmp_path / f"{len(made)}.gguf", said={KEY: said} if said else None, **given)
        made.append(LlamaCppBackend(path, OPTIONS))
        return made[-1]

    yield open_file
    for backend in made:
        backend.close()


@pytest.fixture
def tokens(opened) -> dict[str, int]:
    """The tokens of some texts in that model."""
    gguf = opened(None)._gguf
    return {text: gguf.tokenise(text, False)[0] for text in ("세", "율", "세율")}


def test_a_prompt_holds_the_parts_and_nothing_else_changes(opened, tokens) -> None:
    plain, parted = (
        opened(said)._tokens(ASK) for said in (None, parts_text(tokens["세율"], [[tokens["세"], tokens["율"]]]))
    )
    assert plain.count(tokens["세율"]) == 3  # of earlier turns too, the model's own among them
    assert tokens["세율"] not in parted
    expected = []
    for token in plain:
        expected += [tokens["세"], tokens["율"]] if token == tokens["세율"] else [token]
    assert parted == expected


def test_the_parts_are_counted_and_answers_are_in_whole_pieces(opened, tokens) -> None:
    said = parts_text(tokens["세율"], [[tokens["세"], tokens["율"]]])
    plain, parted = opened(None, favourite=tokens["세율"]), opened(said, favourite=tokens["세율"])
    assert parted.count_tokens(ASK) == plain.count_tokens(ASK) + 3
    deltas = list(parted.stream(ASK, GenParams(3)))
    assert "".join(delta.text for delta in deltas) == "세율" * 3
    assert deltas[-1].new_tokens == 3 and deltas[-1].prompt_tokens == parted.count_tokens(ASK)


def test_a_file_that_says_it_badly_is_refused(write_model, tmp_path: Path) -> None:
    path = write_model(tmp_path / "torn.gguf", said={KEY: '{"first":3'})
    with pytest.raises(ServeError) as caught:
        LlamaCppBackend(path, OPTIONS)
    assert caught.value.code is Code.BAD_MODEL
    assert "torn.gguf" in str(caught.value) and "finetune run" in str(caught.value)
