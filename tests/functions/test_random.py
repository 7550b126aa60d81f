"""Generators: the same numbers for the same seed, of the distributions they are said to have."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

import amigrad as ag
from amigrad.operators.random import BLOCK

MANY = 40_000
"""So many draws have means within 5 standard errors, which a right generator leaves about once in two million."""


def assert_moments(x: np.ndarray, mean: float, variance: float, kurtosis: float) -> None:
    """Mean and variance within five standard errors, given the fourth central moment over the squared variance."""
    n = x.size
    assert x.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / n))
    assert x.var() == pytest.approx(variance, abs=5 * variance * math.sqrt((kurtosis - 1) / n))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments(dtype: str) -> None:
    generator = ag.Generator(seed=3)
    assert_moments(generator.uniform(MANY, dtype=dtype).numpy().astype(float), 1 / 2, 1 / 12, 1.8)
    assert_moments(generator.uniform((MANY,), -1, 3, dtype=dtype).numpy().astype(float), 1, 16 / 12, 1.8)
    assert_moments(generator.normal(MANY, dtype=dtype).numpy().astype(float), 0, 1, 3)
    assert_moments(generator.normal((200, 200), 5, 0.1, dtype=dtype).numpy().astype(float), 5, 0.01, 3)


def test_moments_of_truth_values_and_integers() -> None:
    generator = ag.Generator(seed=4)
    truth = generator.bernoulli(0.2, MANY).numpy()
    assert truth.dtype == np.bool_
    assert truth.mean() == pytest.approx(0.2, abs=5 * math.sqrt(0.16 / MANY))
    each = generator.bernoulli(np.array([0.0, 0.5, 1.0]), (MANY, 3)).numpy().mean(0)
    assert (each[0], each[2]) == (0, 1)
    assert each[1] == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(MANY))
    dice = generator.integers(1, 7, MANY).numpy()
    counts = np.bincount(dice, minlength=8)
    assert dice.dtype == np.int64
    assert (counts[0], counts[7]) == (0, 0)
    np.testing.assert_allclose(counts[1:7], MANY / 6, atol=5 * math.sqrt(MANY * 5 / 36))


def test_numbers_are_not_related_to_their_neighbours_or_to_other_draws() -> None:
    generator = ag.Generator(seed=5)
    one, other = generator.normal(MANY).numpy(), generator.normal(MANY).numpy()
    limit = 5 / math.sqrt(MANY)
    assert abs(np.mean(one * other)) < limit
    assert abs(np.mean(one[1:] * one[:-1])) < limit
    assert abs(np.mean(one * ag.Generator(seed=6).normal(MANY).numpy())) < limit


DRAWS: list[Callable[[ag.Generator], ag.Tensor]] = [
    lambda g: g.uniform((3, 2)),
    lambda g: g.normal(5, dtype="float64"),
    lambda g: g.bernoulli(0.5, 20),
    lambda g: g.integers(-3, 1000, (4,)),
    lambda g: g.permutation(10),
    lambda g: ag.dropout(ag.ones(30), 0.5, g),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_a_seed_gives_the_same_numbers_again_and_each_draw_others(draw: Callable[[ag.Generator], ag.Tensor]) -> None:
    one, other, different = ag.Generator(7), ag.Generator(7), ag.Generator(8)
    first, second = draw(one).numpy(), draw(one).numpy()
    np.testing.assert_array_equal(first, draw(other).numpy())
    np.testing.assert_array_equal(second, draw(other).numpy())
    assert (first != second).any()
    assert (first != draw(different).numpy()).any()


@pytest.mark.parametrize("draw", DRAWS)
def test_a_saved_state_goes_on_where_it_was(draw: Callable[[ag.Generator], ag.Tensor]) -> None:
    generator = ag.Generator(7)
    draw(generator)
    saved = generator.state.numpy()
    expected = draw(generator).numpy()
    restored = ag.Generator(0)
    restored.state.assign(saved)
    np.testing.assert_array_equal(draw(restored).numpy(), expected)


def test_the_first_numbers_of_a_seed_stay_what_they_are() -> None:
    # Philox of counter 0 and key 0 begins with 6627e8d5 e169c58d.
    assert float(ag.Generator(0).uniform()) == (0x6627E8D5 >> 8) / 2**24
    assert float(ag.Generator(0).uniform(dtype="float64")) == ((0x6627E8D5 << 21) ^ (0xE169C58D >> 11)) / 2**53


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_depends_on_its_place_only(dtype: str) -> None:
    sizes = (1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7)
    draws = [ag.Generator(9).uniform(size, dtype=dtype).numpy() for size in sizes]
    for size, draw in zip(sizes, draws, strict=True):
        np.testing.assert_array_equal(draw, draws[-1][:size])
    assert len(np.unique(draws[-1])) > 0.99 * sizes[-1]
    square = ag.Generator(9).uniform((2, BLOCK), dtype=dtype).numpy()
    np.testing.assert_array_equal(square.ravel(), draws[-1][: 2 * BLOCK])


def test_drawing_needs_little_memory_beside_its_numbers() -> None:
    generator = ag.Generator(1)
    tracemalloc.start()
    try:
        numbers = generator.uniform((20_000, 50)).numpy()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A block of 16,384 needs a dozen arrays of 8 bytes a number.
    assert peak < numbers.nbytes + 4_000_000


def test_shapes_and_permutations() -> None:
    generator = ag.Generator(1)
    assert generator.uniform().shape == ()
    assert generator.normal((0, 3)).shape == (0, 3)
    assert generator.integers(5, 6, 3).numpy().tolist() == [5, 5, 5]
    assert sorted(generator.permutation(100).numpy().tolist()) == list(range(100))
    assert generator.permutation(0).shape == (0,)


def test_dropout() -> None:
    x = ag.tensor(np.full(MANY, 3.0), tracked=True)
    y = ag.dropout(x, 0.25, ag.Generator(2))
    kept = y.numpy() != 0
    np.testing.assert_array_equal(y.numpy()[kept], 4.0)
    assert kept.mean() == pytest.approx(0.75, abs=5 * math.sqrt(0.1875 / MANY))
    (slope,) = ag.gradients(ag.sum(y), [x])
    np.testing.assert_allclose(slope.numpy(), np.where(kept, 1 / 0.75, 0))
    assert ag.dropout(x, 0.0, ag.Generator(2)) is x
    assert ag.dropout(ag.tensor([1, 2]), 0.5, ag.Generator(2)).dtype == ag.float32


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: ag.Generator(-1), "a seed is an integer from 0"),
        (lambda: ag.Generator(2**63), "a seed is an integer from 0"),
        (lambda: ag.Generator(1).integers(3, 3), "integers from 3 on below 3"),
        (lambda: ag.Generator(1).integers(0, 2**54), "from 1 to 2\\^53"),
        (lambda: ag.dropout(ag.ones(2), 1.0, ag.Generator(1)), r"dropout's probability is in \[0, 1\), not 1.0"),
    ],
)
def test_arguments_out_of_range(use: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        use()


def test_no_numbers_that_are_not_real() -> None:
    with pytest.raises(TypeError, match="uniform draws real numbers, not int64"):
        ag.Generator(1).uniform(3, dtype="int64")
