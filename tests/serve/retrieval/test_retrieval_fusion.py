"""Dense ranking and reranking: optional, told clearly when missing, and never over what the question names."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from serve.errors import Code, ServeError
from serve.retrieval.dense import Dense, open_dense
from serve.retrieval.fusion import fuse
from serve.retrieval.opening import Retrieval, folders_of, open_retrieval
from serve.retrieval.rerank import Reranker, open_reranker
from serve.settings import DenseConfig, RetrievalConfig, read_config
from taxlaw.search import Hit, Passage, Search, open_search, sources

DAY = date(2025, 3, 1)
TEXTS = {
    "소득세법 제55조": ("세율", "① 종합소득 과세표준에 세율을 적용한다."),
    "소득세법 제89조": ("비과세 양도소득", "① 주택을 양도하면 비과세한다."),
    "소득세법 제95조": ("장기보유 특별공제액", "① 오래 보유한 주택을 양도하면 공제한다."),
}


def _hit(name: str, rank: int) -> Hit:
    return Hit(Passage(name, "article", name, "", "", None, None, "", ""), 1 / rank, rank, (f"순위 {rank}",))


@pytest.fixture
def search(tmp_path, monkeypatch) -> Search:
    monkeypatch.setattr(sources, "indexed_articles", lambda: ())
    monkeypatch.setattr(sources, "load_digest", lambda: ())
    monkeypatch.setattr(sources, "_casebook_file", lambda: ())
    body = "\n\n".join(f"##### {name.split()[1]} ({head})\n\n{text}" for name, (head, text) in TEXTS.items())
    facts = "제목: 소득세법\n공포일자: 2023-12-31\n시행일자: 2024-01-01\n공포번호: '1'"
    (tmp_path / "laws").mkdir()
    (tmp_path / "laws" / "법률.md").write_text(f"---\n{facts}\n---\n\n# 소득세법\n\n{body}\n", encoding="utf-8")
    return open_search([tmp_path / "laws"], cache=tmp_path / "cache")


def _dense(search: Search, nearest: str) -> Dense:
    """A double of a model for which every question means ``nearest``."""
    titles = [search.index.passage(row).title for row in range(search.index.count)]
    vectors = np.asarray([[1.0, 0.0] if title == nearest else [0.0, 1.0] for title in titles], dtype=np.float32)
    return Dense(search, lambda texts: np.asarray([[1.0, 0.0]] * len(texts), dtype=np.float32), vectors, "")


def test_what_both_rankings_have_comes_before_what_one_has():
    fused = fuse([_hit("a", 1), _hit("b", 2), _hit("c", 3)], [_hit("c", 1), _hit("d", 2)])
    assert [hit.passage.id for hit in fused] == ["c", "a", "b", "d"]
    assert [hit.rank for hit in fused] == [1, 2, 3, 4]
    assert fused[0].score == pytest.approx(1 / 63 + 1 / 61)
    assert fused[0].why == ("순위 3", "순위 1")


def test_a_tie_goes_to_the_words():
    assert [hit.passage.id for hit in fuse([_hit("a", 1)], [_hit("b", 1)])] == ["a", "b"]


def test_dense_ranking_brings_what_no_word_would(search):
    question = "zzzz"
    assert search.find(question, DAY) == ()
    hits = Retrieval(search, _dense(search, "소득세법 제89조")).find(question, DAY, 3)
    assert hits[0].passage.title == "소득세법 제89조"
    assert [hit.rank for hit in hits] == [1, 2, 3]


def test_what_the_question_names_stays_first_whatever_the_models_say(search):
    turned = Reranker(lambda question, passages: [float(at) for at in range(len(passages))])
    found = Retrieval(search, _dense(search, "소득세법 제89조"), turned).find("소득세법 제55조와 주택 양도", DAY, 3)
    assert found[0].passage.title == "소득세법 제55조"
    assert len({hit.passage.id for hit in found}) == 3


def test_dense_ranking_keeps_to_the_law_of_the_day_and_to_what_is_hidden(search):
    row = search.index.articles["소득세법 제89조"][0]
    hidden = replace(search, hidden=frozenset([row]))
    titles = [hit.passage.title for hit in _dense(hidden, "소득세법 제89조").find("아무 질문", DAY, 5)]
    assert titles and "소득세법 제89조" not in titles


def test_the_reranker_decides_the_order(search):
    def judge(question, passages):
        return [float("장기보유" in passage) for passage in passages]

    (first, *_) = Retrieval(search, None, Reranker(judge)).find("주택을 양도하면", DAY, 2)
    assert first.passage.title == "소득세법 제95조"


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> tuple[Path, Path]:
    """A random two-layer encoder and a random cross-encoder, with a tokenizer of single syllables."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    letters = sorted({letter for name, parts in TEXTS.items() for text in (name, *parts) for letter in text} - {" "})
    vocabulary = {piece: at for at, piece in enumerate(["[PAD]", "[UNK]", *letters])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=len(vocabulary), num_labels=1, **sizes)
    folders = (tmp_path_factory.mktemp("encoder"), tmp_path_factory.mktemp("cross"))
    for folder, model in zip(folders, (BertModel(config), BertForSequenceClassification(config)), strict=True):
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folders


def test_an_embedding_model_from_a_folder_ranks_and_its_vectors_are_kept(search, models):
    config = DenseConfig(model=str(models[0]), query_prefix="query: ", passage_prefix="passage: ")
    said: list[str] = []
    dense = open_dense(config, search, said.append)
    assert said
    assert np.allclose(np.linalg.norm(dense.vectors, axis=1), 1, atol=1e-5)
    assert len(dense.find("주택을 양도하면", DAY, 2)) == 2
    said.clear()
    again = open_dense(config, search, said.append)
    assert said == []
    assert np.array_equal(again.vectors, dense.vectors)
    # Another prefix gives other vectors: they are not taken from the file.
    open_dense(config.model_copy(update={"passage_prefix": ""}), search, said.append)
    assert said


def test_padding_does_not_change_a_vector(models):
    from serve.retrieval.dense import open_encoder

    encode = open_encoder(str(models[0]))
    alone, padded = encode(["주택 양도"])[0], encode(["주택 양도", "종합소득 과세표준에 세율을 적용한다."])[0]
    assert np.allclose(alone, padded, atol=1e-5)


def test_a_cross_encoder_from_a_folder_orders_all_it_was_given(search, models):
    hits = search.find("주택을 양도하면 비과세", DAY)
    ordered = open_reranker(str(models[1])).order("주택을 양도하면 비과세", hits)
    assert {hit.passage.id for hit in ordered} == {hit.passage.id for hit in hits}
    assert [hit.score for hit in ordered] == sorted((hit.score for hit in ordered), reverse=True)


def test_a_missing_model_is_told_with_what_to_do(search, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    config = DenseConfig(model=str(tmp_path / "none"), query_prefix="", passage_prefix="")
    for opening in (lambda: open_dense(config, search), lambda: open_reranker(str(tmp_path / "none"))):
        with pytest.raises(ServeError, match=r"retrieval\.dense") as told:
            opening()
        assert told.value.code is Code.NO_MODEL
        assert str(tmp_path / "none") in told.value.message


def test_the_default_config_searches_words_only(search, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    config = read_config(None).retrieval
    assert (config.dense, config.rerank, config.folders) == (None, None, None)
    found = open_retrieval(RetrievalConfig(folders=(tmp_path / "laws",), limit=3, dense=None, rerank=None), tmp_path)
    assert isinstance(found, Search)
    assert folders_of(config, tmp_path / "elsewhere" / "nowhere") == ()
