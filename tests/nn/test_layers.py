"""Layers compute what they say, in shapes and in values."""

from __future__ import annotations

import numpy as np
import pytest

import amigrad as ag
from amigrad import nn


def test_linear_is_x_times_weight_plus_bias() -> None:
    layer = nn.Linear(3, 2, generator=ag.Generator(1), dtype=ag.float64)
    layer.bias.assign(ag.tensor(np.array([1.0, -1.0])))  # type: ignore[union-attr]
    x = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_allclose(layer(x).numpy(), x @ layer.weight.numpy() + [1.0, -1.0], rtol=1e-14)
    bare = nn.Linear(3, 2, generator=ag.Generator(1), bias=False)
    assert bare.bias is None
    assert bare(np.ones((5, 3), np.float32)).shape == (5, 2)


def test_lookup_table_takes_rows_of_any_index_shape() -> None:
    table = nn.LookupTable(5, 3, generator=ag.Generator(1))
    rows = table(np.array([[4, 0], [1, 1]]))
    assert rows.shape == (2, 2, 3)
    np.testing.assert_array_equal(rows.numpy()[0, 0], table.table.numpy()[4])
    with pytest.raises(IndexError, match="index 5 is outside a table of 5 rows"):
        table(np.array([5]))


def test_dropout_is_the_identity_until_training() -> None:
    dropout = nn.Dropout(0.25, generator=ag.Generator(3))
    x = np.ones((100, 100), np.float32)
    np.testing.assert_array_equal(dropout(x).numpy(), x)
    assert int(dropout.generator.state[1]) == 0, "nothing was drawn"
    first = dropout.train()(x).numpy()
    assert set(np.unique(first)) == {np.float32(0), np.float32(1 / 0.75)}
    # 10,000 draws: the share that is kept lies within five standard deviations (0.0043 each).
    assert abs((first > 0).mean() - 0.75) < 0.022
    assert (first != dropout(x).numpy()).any(), "each call draws anew"


def test_perceptron_is_its_layers_in_turn() -> None:
    model = nn.MLP([3, 4, 4, 2], generator=ag.Generator(1), activation=ag.tanh, dtype=ag.float64)
    x = np.random.default_rng(0).normal(size=(5, 3))
    h = x
    for layer in model.layers[:-1]:
        h = np.tanh(h @ layer.weight.numpy() + layer.bias.numpy())  # type: ignore[union-attr]
    last = model.layers[-1]
    np.testing.assert_allclose(model(x).numpy(), h @ last.weight.numpy(), rtol=1e-12)


def test_sequential_takes_modules_and_functions() -> None:
    generator = ag.Generator(2)
    model = nn.Sequential(nn.Linear(2, 3, generator=generator), ag.relu, nn.Dropout(0.5, generator=generator))
    assert list(model.states()) == ["layers.0.weight", "layers.0.bias", "layers.2.generator.state"]
    assert model(np.ones((4, 2), np.float32)).shape == (4, 3)


def test_nothing_is_drawn_for_parameters_that_will_be_loaded() -> None:
    generator = ag.Generator(1)
    with nn.initializers.skipped():
        layers = nn.Sequential(nn.Linear(2, 3, generator=generator), nn.LSTM(3, 2, generator=generator))
        table = nn.LookupTable(5, 3, generator=generator)
    assert generator.state.numpy().tolist() == [1, 0]
    assert not table.table.numpy().any()
    assert not layers.layers[0].weight.numpy().any()
    table.table.assign(np.ones((5, 3), np.float32))
    assert table(np.array([4])).numpy().tolist() == [[1, 1, 1]]
    assert nn.LookupTable(5, 3, generator=generator).table.numpy().all(), "afterwards all is as before"


def test_same_seed_gives_the_same_parameters() -> None:
    first, second = (nn.MLP([3, 4, 2], generator=ag.Generator(9)).arrays() for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_impossible_sizes_are_refused() -> None:
    generator = ag.Generator(1)
    with pytest.raises(ValueError, match="0 inputs and 2 outputs"):
        nn.Linear(0, 2, generator=generator)
    with pytest.raises(ValueError, match="0 rows"):
        nn.LookupTable(0, 2, generator=generator)
    with pytest.raises(ValueError, match="sizes of inputs and outputs"):
        nn.MLP([3], generator=generator)
    with pytest.raises(ValueError, match=r"in \[0, 1\)"):
        nn.Dropout(1.0, generator=generator)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (nn.initializers.glorot, 2 / (200 + 300)),
        (nn.initializers.he, 2 / 200),
        (nn.initializers.fan_in, 1 / 200),
    ],
)
def test_weights_are_drawn_with_their_variance(initializer: object, variance: float, distribution: str) -> None:
    draw = initializer(distribution=distribution)  # type: ignore[operator]
    weight = draw(ag.Generator(5), (200, 300), ag.float64).numpy()
    # 60,000 draws: a normal's variance is known to 0.6 percent, its mean to 0.004 deviations; four times that.
    assert weight.var() == pytest.approx(variance, rel=0.025)
    assert abs(weight.mean()) < 0.017 * variance**0.5
    if distribution == "uniform":
        assert abs(weight).max() <= (3 * variance) ** 0.5


def test_fans_count_the_places_of_a_filter() -> None:
    assert nn.initializers.fans((5, 4, 3)) == (20, 15)
    assert nn.initializers.fans((7,)) == (7, 1)
    with pytest.raises(ValueError, match='"uniform" or "normal"'):
        nn.initializers.he(distribution="cauchy")
