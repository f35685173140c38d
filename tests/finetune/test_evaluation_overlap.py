"""ROUGE-L and BLEU on cases worked out by hand."""

import pytest
import sacrebleu

from finetune.evaluation.overlap import bleu_statistics, corpus_bleu, morphemes, rouge_l

TEXT = "증여재산공제는 「상속세 및 증여세법」 제53조에 따라 5,000만원입니다."


def test_particles_are_morphemes_of_their_own():
    assert morphemes("증여세는") == ("증여세", "는")
    assert morphemes("  ") == ()
    assert not any(" " in form for form in morphemes(TEXT))


def test_rouge_l_is_the_f1_of_the_longest_common_subsequence():
    """a c d is common to both: recall 3/4, precision 3/4; then 3 of 3 against 3 of 5."""
    assert rouge_l("abcd", "acde") == 0.75
    assert rouge_l("acd", "abcde") == pytest.approx(2 * 3 / 8)
    assert rouge_l("abc", "cba") == pytest.approx(1 / 3)  # order counts
    assert rouge_l("abc", "abc") == 1 and rouge_l("", "abc") == 0 and rouge_l("", "") == 0


def test_bleu_of_equal_texts_is_100():
    words = morphemes(TEXT)
    assert corpus_bleu(bleu_statistics(words, words)) == pytest.approx(100)


def test_bleu_of_one_wrong_word_at_the_end():
    """Precisions 3/4, 2/3, 1/2 and 0 of 1, smoothed to 1/2: the fourth root of 1/8."""
    assert bleu_statistics("abcd", "abce") == (4, 4, 3, 2, 1, 0, 4, 3, 2, 1)
    assert corpus_bleu(bleu_statistics("abcd", "abce")) == pytest.approx(100 * 0.125**0.25)


def test_added_up_statistics_give_sacrebleus_corpus_score():
    candidates = [morphemes("세액은 6억 140만원입니다."), morphemes("공제는 5,000만원까지 됩니다.")]
    references = [morphemes("납부할 세액은 6억 140만원입니다."), morphemes("공제는 6억원까지만 됩니다.")]
    rows = [bleu_statistics(*pair) for pair in zip(candidates, references, strict=True)]
    whole = sacrebleu.corpus_bleu(
        [" ".join(one) for one in candidates], [[" ".join(one) for one in references]], tokenize="none", force=True
    )
    assert corpus_bleu([sum(column) for column in zip(*rows, strict=True)]) == pytest.approx(whole.score)
