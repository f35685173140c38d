"""The real llama.cpp on a model of a few kilobytes: refusals, one stream at a time, whole UTF-8, the context limit."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from serve.backends.llama import LlamaCppBackend, LlamaOptions, piece_tokens
from serve.backends.llama_native import library
from serve.backends.protocol import GenParams, Message
from serve.errors import Code, ServeError

OPTIONS = LlamaOptions(context_tokens=256, threads=1, gpu_layers=0)


@pytest.fixture(scope="module")
def backend(tiny_gguf: Path):
    loaded = LlamaCppBackend(tiny_gguf, OPTIONS)
    yield loaded
    loaded.close()


def ask(backend: LlamaCppBackend, question: str, tokens: int = 12, **params) -> list:
    return list(backend.stream([Message("user", question)], GenParams(tokens, **params)))


def said(deltas: list) -> str:
    return "".join(delta.text for delta in deltas)


def test_gguf_without_template_is_refused(write_model, tmp_path: Path) -> None:
    with pytest.raises(ServeError) as caught:
        LlamaCppBackend(write_model(tmp_path / "bare.gguf", template=None), OPTIONS)
    assert caught.value.code is Code.NO_TEMPLATE and caught.value.exit_code == 3
    assert "tokenizer.chat_template" in str(caught.value)


def test_a_format_written_in_the_settings_stands_in_for_the_template(write_model, tmp_path: Path) -> None:
    path = write_model(tmp_path / "bare.gguf", template=None)
    backend = LlamaCppBackend(
        path, LlamaOptions(256, 1, 0, prompt_template="{{ bos_token }}가{{ messages[-1].content }}나")
    )
    assert backend._tokens([Message("user", "세율")]) == backend._gguf.tokenise("<s>가세율나", True)
    backend.close()


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.gguf"
    path.write_text("이것은 모델이 아닙니다", encoding="utf-8")
    with pytest.raises(ServeError) as caught:
        LlamaCppBackend(path, OPTIONS)
    assert caught.value.code is Code.BAD_MODEL
    assert "magic" in caught.value.message, "llama.cpp's own reason is lost"


def test_missing_file_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="make demo"):
        LlamaCppBackend(tmp_path / "none.gguf", OPTIONS)


def test_greedy_answers_repeat(backend: LlamaCppBackend) -> None:
    first = ask(backend, "세율은?")
    ask(backend, "다른 질문")
    assert ask(backend, "세율은?") == first
    assert first[-1].new_tokens <= 12 and first[-1].finish in ("length", "stop")


def test_a_seed_repeats_an_answer_and_another_seed_does_not(backend: LlamaCppBackend) -> None:
    one = said(ask(backend, "세율은?", 40, temperature=1.5, seed=1))
    assert said(ask(backend, "세율은?", 40, temperature=1.5, seed=1)) == one
    assert said(ask(backend, "세율은?", 40, temperature=1.5, seed=2)) != one


def test_a_tiny_top_p_is_greedy(backend: LlamaCppBackend) -> None:
    assert said(ask(backend, "세율은?", 20, temperature=2.0, top_p=1e-6)) == said(ask(backend, "세율은?", 20))


def test_info_says_what_runs_where(tiny_gguf: Path) -> None:
    digest = "a" * 64
    for given, shown in ((True, "켜짐"), (False, "꺼짐"), (None, "자동")):
        backend = LlamaCppBackend(tiny_gguf, LlamaOptions(256, 1, 0, flash_attention=given, sha256=digest))
        info = backend.info()
        assert f"플래시 어텐션 {shown}" in info.detail or (given is None and shown in info.detail)
        assert (info.device, info.model_sha256, info.context_tokens) == ("cpu", digest, 256)
        assert info.template_sha256 == hashlib.sha256(backend._template.encode()).hexdigest()
        assert "CPU 1스레드" in info.detail and info.quantisation
        backend.close()


def test_threads_spin_shortly_and_then_sleep_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    library()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE", "two busy cores would write a token a second"
    assert 0 < int(os.environ["GOMP_SPINCOUNT"]) <= 30_000, "sleeping at once loses most of an idle machine's speed"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    library()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE" and "GOMP_SPINCOUNT" not in os.environ


def test_two_threads_share_one_model(backend: LlamaCppBackend) -> None:
    alone = [ask(backend, question, 8) for question in ("하나", "둘")]
    together: dict[int, list] = {}
    threads = [
        threading.Thread(target=lambda i=i, q=q: together.update({i: ask(backend, q, 8)}))
        for i, q in enumerate(("하나", "둘"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    # Who waits says so with empty deltas, which are no part of the answer.
    assert [[delta for delta in together[i] if delta.tokens or delta.finish] for i in (0, 1)] == alone


def test_closing_frees_the_model_for_the_next_question(backend: LlamaCppBackend) -> None:
    stream = backend.stream([Message("user", "긴 답")], GenParams(50))
    next(stream)
    stream.close()
    assert backend._turnstile._holder is None, "the model is still held after the answer was closed"
    assert ask(backend, "다음", 3)


def test_a_long_question_can_be_left_while_it_is_read(tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = LlamaCppBackend(tiny_gguf, OPTIONS)
    backend._gguf.batch = 16
    whole = said(ask(backend, "가" * 40))
    read: list[int] = []
    evaluate = backend._gguf.evaluate
    monkeypatch.setattr(backend._gguf, "evaluate", lambda ids, at: (read.append(len(ids)), evaluate(ids, at)))
    stream = backend.stream([Message("user", "가" * 40)], GenParams(5))
    assert next(stream).tokens == 0
    stream.close()
    assert read == [16], "the whole question was read before anybody could leave"
    assert said(ask(backend, "가" * 40)) == whole
    backend.close()


def test_larger_models_read_in_smaller_pieces() -> None:
    assert [piece_tokens(size) for size in (270_000_000, 2_800_000_000, 70_000_000_000)] == [128, 45, 16]


def test_closing_the_model_ends_the_answer_under_way(tiny_gguf: Path) -> None:
    backend = LlamaCppBackend(tiny_gguf, OPTIONS)
    stream = backend.stream([Message("user", "가")], GenParams(50))
    next(stream)
    backend.close()
    assert [delta.finish for delta in stream] == ["superseded"]
    with pytest.raises(ServeError) as caught:
        backend._turnstile.enter()
    assert caught.value.code is Code.BUSY


def test_too_long_question_is_a_context_error(backend: LlamaCppBackend) -> None:
    with pytest.raises(ServeError) as caught:
        ask(backend, "긁" * 200)
    assert caught.value.code is Code.CONTEXT and "256" in caught.value.message


def test_answer_stops_at_the_context_limit(write_model, byte_token, tmp_path: Path) -> None:
    backend = LlamaCppBackend(write_model(tmp_path / "a.gguf", favourite=byte_token(ord("a"))), OPTIONS)
    last = ask(backend, "가", 1_000)[-1]
    assert last.finish == "length" and last.prompt_tokens + last.new_tokens == 256
    backend.close()


@pytest.mark.parametrize("end", [4, 2], ids=["end of turn", "end of text"])
def test_every_end_token_ends_the_answer(write_model, tmp_path: Path, end: int) -> None:
    backend = LlamaCppBackend(write_model(tmp_path / "eot.gguf", favourite=end), OPTIONS)
    assert [token for token in range(backend._gguf.vocabulary) if backend._gguf.is_end(token)] == [2, 4]
    (last,) = ask(backend, "가")
    assert (last.text, last.finish, last.new_tokens) == ("", "stop", 0)
    backend.close()


def test_a_stop_text_ends_the_answer_and_is_not_shown(write_model, byte_token, tmp_path: Path) -> None:
    path = write_model(tmp_path / "a.gguf", favourite=byte_token(ord("a")))
    backend = LlamaCppBackend(path, LlamaOptions(256, 1, 0, stops=("aaaa",)))
    deltas = ask(backend, "가", 50)
    assert (said(deltas), deltas[-1].finish, deltas[-1].new_tokens) == ("", "stop", 4)
    backend.close()


def test_half_a_syllable_is_never_shown(write_model, byte_token, tmp_path: Path) -> None:
    # 0xEA begins a Hangul syllable that never comes: nothing until the end, then the mark for a broken character.
    backend = LlamaCppBackend(write_model(tmp_path / "half.gguf", favourite=byte_token(0xEA)), OPTIONS)
    *parts, last = ask(backend, "가", 1)
    assert [part.text for part in parts] == [""] and last.text == "\ufffd"
    backend.close()
