"""Intervals that can be worked out by hand: a table whose intervals are wrong makes noise look like progress."""

import pytest

from finetune.evaluation.bootstrap import of_sums, ratio, wilson_interval


def test_half_of_a_hundred_has_the_interval_of_a_coin():
    """The 2.5 % and 97.5 % quantiles of Binomial(100, 1/2) are 40 and 60."""
    found = ratio([1, 0] * 50, share=True)
    assert found.value == 0.5 and found.rows == 100
    assert found.low == pytest.approx(0.40, abs=0.011) and found.high == pytest.approx(0.60, abs=0.011)


def test_two_values_give_the_three_means_they_can():
    found = ratio([1, 3])
    assert (found.value, found.low, found.high) == (2, 1, 3)


def test_a_ratio_weighs_rows_by_what_they_hold():
    """10 of 10 and 0 of 90 are a tenth, not a half; a row that holds nothing does not count as one."""
    found = ratio([10, 0, 0], [10, 90, 0])
    assert found.value == 0.1 and found.rows == 2
    assert (found.low, found.high) == (0, 1)
    many = ratio([1, 0] * 50, [1, 9] * 50)
    assert many.value == 0.1 and 0.05 < many.low < 0.08 < 0.13 < many.high < 0.16


def test_no_row_is_no_figure():
    assert ratio([]) is None and ratio([0, 0], [0, 0]) is None and of_sums([], sum) is None


def test_the_same_rows_give_the_same_interval_and_another_seed_another():
    values = [0.1, 0.4, 0.45, 0.7, 0.9, 0.2, 0.33]
    assert ratio(values) == ratio(values)
    assert ratio(values).low != ratio(values, seed=1).low


def test_all_right_is_not_certainty():
    found = ratio([1.0] * 16, share=True)
    assert (found.low, found.high) == wilson_interval(16, 16) and 0.79 < found.low < 0.81
    assert ratio([1.0] * 16).low == 1  # a mean that happens to be 1 is no share


def test_a_score_of_sums_is_resampled_row_by_row():
    found = of_sums([(1, 2), (3, 2)], lambda sums: sums[0] / sums[1])
    assert (found.value, found.low, found.high, found.rows) == (1.0, 0.5, 1.5, 2)
