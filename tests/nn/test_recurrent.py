"""Recurrent layers compute their equations, for sequences of any lengths, and learn."""

from __future__ import annotations

import numpy as np
import pytest

import amigrad as ag
from amigrad import nn

LENGTHS = np.array([4, 1, 6])
X = np.random.default_rng(1).normal(size=(int(LENGTHS.sum()), 3))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def by_hand(layer: nn.Recurrent, x: np.ndarray) -> np.ndarray:
    """The outputs for one sequence, from the equations."""
    w, u, b = (p.numpy() for p in (layer.weight, layer.hidden_weight, layer.bias))
    h = c = np.zeros(layer.size)
    found = np.empty((len(x), layer.size))
    for t in reversed(range(len(x))) if layer.reverse else range(len(x)):
        z, r = x[t] @ w + b, h @ u
        if isinstance(layer, nn.Elman):
            h = np.tanh(z + r)
        elif isinstance(layer, nn.GRU):
            (zr, zu, zn), (rr, ru, rn) = np.split(z, 3), np.split(r, 3)
            gate, update = sigmoid(zr + rr), sigmoid(zu + ru)
            n = np.tanh(zn + gate * (rn + layer.hidden_bias.numpy()))
            h = (1 - update) * n + update * h
        else:
            i, f, g, o = np.split(z + r, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        found[t] = h
    return found


@pytest.mark.parametrize("kind", [nn.Elman, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("reverse", [False, True])
def test_outputs_are_the_equations(kind: type[nn.Recurrent], reverse: bool) -> None:
    layer = kind(3, 5, generator=ag.Generator(2), reverse=reverse, dtype=ag.float64)
    if isinstance(layer, nn.GRU):
        layer.hidden_bias.assign(ag.tensor(np.linspace(-1, 1, 5)))
    np.testing.assert_allclose(layer(X).numpy(), by_hand(layer, X), rtol=1e-10)
    outputs, ends = layer(X, LENGTHS).numpy(), np.cumsum(LENGTHS)
    for end, length in zip(ends, LENGTHS, strict=True):
        part = slice(end - length, end)
        np.testing.assert_allclose(outputs[part], by_hand(layer, X[part]), rtol=1e-10)
    batch = np.stack([X[:4], X[4:8]], axis=1)
    np.testing.assert_allclose(layer(batch).numpy()[:, 1], by_hand(layer, X[4:8]), rtol=1e-10)
    products = X @ layer.weight + layer.bias
    np.testing.assert_allclose(layer.from_products(products, LENGTHS).numpy(), outputs, rtol=1e-10)


def test_states_go_on_from_where_they_were() -> None:
    layer = nn.LSTM(3, 5, generator=ag.Generator(2), dtype=ag.float64)
    whole = layer(X).numpy()
    last, first_half = layer.run(X[:5])
    _, second_half = layer.run(X[5:], initial=last)
    np.testing.assert_allclose(np.concatenate([first_half.numpy(), second_half.numpy()]), whole, rtol=1e-12)
    with pytest.raises(ValueError, match="LSTM has 2 states, not 1"):
        layer.run(X, initial=last[:1])


def test_a_pair_goes_both_ways() -> None:
    generator = ag.Generator(3)
    pair = nn.Bidirectional(nn.GRU(3, 5, generator=generator), nn.GRU(3, 4, generator=generator, reverse=True))
    x = X.astype(np.float32)
    outputs = pair(x, LENGTHS).numpy()
    assert outputs.shape == (len(X), 9)
    np.testing.assert_array_equal(outputs[:, 5:], pair.backward(x, LENGTHS).numpy())
    assert len(pair.parameters()) == 8
    with pytest.raises(ValueError, match="the second is made with reverse=True"):
        nn.Bidirectional(pair.forward, pair.forward)


def test_shapes_that_do_not_fit_are_named() -> None:
    layer = nn.Elman(3, 5, generator=ag.Generator(1))
    with pytest.raises(ValueError, match=r"Elman takes x of shape \(rows, inputs\), not \(2, 2, 3\)"):
        layer(np.zeros((2, 2, 3), np.float32), np.array([2, 2]))
    with pytest.raises(ValueError, match=r"\(steps, inputs\) or \(steps, batch, inputs\), not \(3,\)"):
        layer(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="both must be at least 1"):
        nn.LSTM(0, 5, generator=ag.Generator(1))


@pytest.mark.parametrize("kind", [nn.Elman, nn.GRU, nn.LSTM])
def test_it_learns_what_needs_memory(kind: type[nn.Recurrent]) -> None:
    """Say at each step what the input was two steps before: impossible without a state."""
    generator, random = ag.Generator(4), np.random.default_rng(5)
    layer, out = kind(4, 24, generator=generator), nn.Linear(24, 4, generator=generator)
    optimizer = ag.optim.Adam([*layer.parameters(), *out.parameters()], 0.01)

    @ag.compile
    def step(ids: ag.Tensor, lengths: ag.Tensor, targets: ag.Tensor) -> ag.Tensor:
        x = ag.astype(ag.one_hot(ids, 4), ag.float32)
        cost = ag.cross_entropy(out(layer(x, lengths)), targets)
        optimizer.minimize(cost)
        return cost

    for _ in range(500):
        lengths = random.integers(1, 12, 16)
        ids = [random.integers(0, 4, n) for n in lengths]
        targets = [np.concatenate([np.zeros(min(2, len(i)), i.dtype), i[:-2]]) for i in ids]
        cost = step(np.concatenate(ids), lengths, np.concatenate(targets))
    assert step.compilations == 1
    assert float(cost) < 0.1, "guessing costs 1.39"
