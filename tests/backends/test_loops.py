"""Loops over rows of every length: whole vectors, and what is left over."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import amigrad as ag
from amigrad.backends.native.target import host


@pytest.fixture(params=["", "avx2", "generic"])
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AMIGRAD_CACHE", "off")
    monkeypatch.setenv("AMIGRAD_CPU", request.param)
    host.cache_clear()
    yield request.param
    host.cache_clear()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_a_table_are_read_and_changed_alone(dtype: type, target: str) -> None:
    random = np.random.default_rng(1)
    index, later = np.array([3, 0, 3, 5]), np.array([1, 2, 4])
    for length in (1, 2, 3, 5, 15, 18, 23, 33):
        table = ag.parameter(random.normal(size=(6, length)).astype(dtype))
        before, weights = table.numpy().copy(), random.normal(size=(4, length)).astype(dtype)
        optimizer = ag.optim.SGD([table], 0.5)

        @ag.compile
        def step(
            weights: ag.Tensor, table: ag.Tensor = table, optimizer: ag.optim.Optimizer = optimizer
        ) -> tuple[ag.Tensor, ag.Tensor]:
            rows = ag.take(table, ag.tensor(index))
            optimizer.minimize(ag.sum(rows * weights))
            return rows + 0.0, ag.sum(rows, axis=1)

        rows, sums = step(weights)
        np.testing.assert_array_equal(rows.numpy(), before[index])
        np.testing.assert_allclose(sums.numpy(), before[index].sum(axis=1), rtol=0, atol=length * 1e-6)
        expected = before.copy()
        np.subtract.at(expected, index, (dtype(0.5) * weights).astype(dtype))
        np.testing.assert_allclose(table.numpy(), expected, rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(table.numpy()[later], before[later])
