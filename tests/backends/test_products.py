"""Matrix products of all sizes, orders and element types, on every kind of processor this machine can stand in for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

import numpy as np
import pytest

import amigrad as ag
from amigrad.backends import workers
from amigrad.backends.native import panels, products
from amigrad.backends.native import target as processors
from amigrad.backends.native.target import host
from amigrad.graph.tensor import Array

ORDERS = {
    "a b": lambda a, b: a @ b,
    "aᵀ b": lambda a, b: a.mT @ b,
    "a bᵀ": lambda a, b: a @ b.mT,
    "aᵀ bᵀ": lambda a, b: a.mT @ b.mT,
}
# Rows, inner dimension, columns: around the sizes of tiles and vectors, few and many rows.
SIZES = [
    (1, 1, 1), (1, 40, 33), (1, 7, 150), (2, 3, 1), (3, 70, 47), (4, 33, 97), (5, 16, 49), (7, 65, 16), (8, 90, 48),
    (9, 20, 130), (17, 70, 90), (29, 26, 50), (31, 300, 64), (50, 1, 19), (50, 130, 1), (60, 30, 100), (66, 35, 20),
    (70, 17, 103), (129, 40, 50), (6, 140, 51), (8, 129, 30), (0, 3, 4), (3, 0, 4), (3, 4, 0),
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept on disk knows neither other blocks nor another processor within a process."""
    monkeypatch.setenv("AMIGRAD_CACHE", "off")


@pytest.fixture(params=["", "avx2", "generic", "register blocks of Arm"])
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    level = request.param
    if level.endswith("Arm"):
        monkeypatch.setattr(processors, "_FEW_REGISTERS", processors._MANY_REGISTERS)
        level = "generic"
    monkeypatch.setenv("AMIGRAD_CPU", level)
    host.cache_clear()
    yield level
    host.cache_clear()


@pytest.fixture(params=["as set", "small blocks"])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With small blocks, small products are cut as large ones are."""
    if request.param == "small blocks":
        for name, value in {"STRETCH": 13, "BLOCK": 48, "PACKED_ROWS": 9, "HELD": 0, "SPAN": 8192}.items():
            monkeypatch.setattr(panels if hasattr(panels, name) else products, name, value)


@cache
def operands(order: str, sizes: tuple[int, int, int], dtype: str = "float32") -> tuple[Array, Array, Array, float]:
    """Both operands, their product in float64, and how far a sum of this length may be from it."""
    rows, inner, columns = sizes
    random = np.random.default_rng(sum(sizes))
    shapes = [(rows, inner), (inner, columns)]
    a, b = (
        random.normal(size=shape[:: -1 if part.endswith("ᵀ") else 1])
        for shape, part in zip(shapes, order.split(), strict=True)
    )
    if not dtype.startswith("float"):
        a, b = np.round(a * 9), np.round(b * 9)
    a, b = a.astype(dtype), b.astype(dtype)
    wide = ORDERS[order](a.astype(np.float64), b.astype(np.float64))
    sizes_of_terms = ORDERS[order](np.abs(a).astype(np.float64), np.abs(b).astype(np.float64))
    # Each of `inner` additions rounds once, by at most half a unit of a partial sum.
    accuracy = np.finfo(a.dtype).eps if a.dtype.kind == "f" else 0.0
    return a, b, wide, inner * accuracy * float(sizes_of_terms.max(initial=0.0))


@pytest.mark.parametrize("order", ORDERS)
def test_every_size_by_one_compilation(order: str, target: str, blocks: None) -> None:
    product = ag.compile(ORDERS[order])
    for sizes in SIZES:
        a, b, expected, error = operands(order, sizes)
        result = product(ag.tensor(a), ag.tensor(b)).numpy()
        assert result.shape == expected.shape
        np.testing.assert_allclose(result, expected, rtol=0, atol=error, err_msg=str(sizes))


@pytest.mark.parametrize("order", ORDERS)
def test_sizes_that_are_constants(order: str, target: str, blocks: None) -> None:
    def product(a: Array, weights: ag.Tensor) -> Array:
        return ag.compile(lambda a: ORDERS[order](a, weights))(ag.tensor(a)).numpy()

    for sizes in SIZES:
        a, b, expected, error = operands(order, sizes)
        result = product(a, ag.parameter(b))
        np.testing.assert_allclose(result, expected, rtol=0, atol=error, err_msg=str(sizes))


@pytest.mark.parametrize("rows", [7, 12, 31])
def test_a_result_beside_others_stays_in_its_place(rows: int, target: str) -> None:
    """Where the transposed result is computed, a block of it is turned at a time: the last ones are narrower."""
    for columns in (41, 49, 96, 103):
        a, b, expected, error = operands("a bᵀ", (rows, 30, columns))
        beside = np.arange(rows * 5, dtype=np.float32).reshape(rows, 5)
        weights = ag.parameter(b)
        both = ag.compile(lambda a, beside, w=weights: ag.concat([beside * 2.0, a @ w.mT, beside], axis=1))
        result = both(a, beside).numpy()
        np.testing.assert_allclose(result[:, 5:-5], expected, rtol=0, atol=error, err_msg=str(columns))
        np.testing.assert_array_equal(result[:, :5], beside * 2)
        np.testing.assert_array_equal(result[:, -5:], beside)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_row_whether_or_not_its_sums_fit_into_registers(dtype: str, target: str) -> None:
    most = host().row_vectors * host().lanes(np.dtype(dtype))
    for columns in (most - 1, most, most + 1):
        _, b, _, _ = operands("a b", (1, 21, columns), dtype)
        product = ag.compile(partial(ag.matmul, y=ag.parameter(b)))
        for rows in (1, 9):
            a, _, _, error = operands("a b", (rows, 21, columns), dtype)
            expected = a.astype(np.float64) @ b.astype(np.float64)
            np.testing.assert_allclose(product(ag.tensor(a)).numpy(), expected, rtol=0, atol=2 * error)


@pytest.mark.parametrize("dtype", ["float64", "int32", "int64"])
@pytest.mark.parametrize("order", ORDERS)
def test_other_element_types(order: str, dtype: str, target: str, blocks: None) -> None:
    product = ag.compile(ORDERS[order])
    for sizes in SIZES:
        a, b, expected, error = operands(order, sizes, dtype)
        np.testing.assert_allclose(product(ag.tensor(a), ag.tensor(b)).numpy(), expected, rtol=0, atol=error)


@pytest.mark.parametrize("order", ORDERS)
def test_what_follows_a_product_is_done_once_for_each_element(order: str, target: str, blocks: None) -> None:
    """An update in place that reads what it overwrites, and a result with a bias for rows and one for columns."""

    def check(sizes: tuple[int, int, int]) -> None:
        a, b, product, error = operands(order, sizes)
        rows, _, columns = sizes
        random = np.random.default_rng(4)
        before, down, along = (random.normal(size=s).astype("f") for s in ((rows, columns), (rows, 1), (columns,)))
        state = ag.parameter(before)

        @ag.compile
        def step(a, b, down, along):
            result = ORDERS[order](a, b)
            state.assign(state * 0.5 - result)
            return ag.tanh(result * 0.01 + down * along)

        found = step(*map(ag.tensor, (a, b, down, along))).numpy()
        np.testing.assert_allclose(found, np.tanh(product * 0.01 + down * along), rtol=0, atol=0.01 * error + 1e-6)
        np.testing.assert_allclose(state.numpy(), before * 0.5 - product, rtol=0, atol=error + 1e-6)

    for sizes in SIZES:
        if 0 not in sizes:
            check(sizes)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_that_is_added_to_each_row(dtype: str, target: str, blocks: None) -> None:
    """Alone, and before an activation; at last a product whose sums are read too."""
    for sizes in [(1, 7, 150), (1, 9, 600), (3, 70, 47), (8, 90, 48), (29, 26, 50), (129, 40, 100), (9, 0, 20)]:
        a, b, product, error = operands("a b", sizes, dtype)
        weights, bias = ag.parameter(b), ag.parameter(np.random.default_rng(2).normal(size=sizes[2]).astype(dtype))
        expected = product + bias.numpy()
        layer = ag.compile(lambda a, w=weights, c=bias: (a @ w + c, ag.hardtanh(a @ (w * 2.0) + c)))
        sums, bounded = layer(ag.tensor(a))
        np.testing.assert_allclose(sums.numpy(), expected, rtol=0, atol=error + 1e-6, err_msg=str(sizes))
        np.testing.assert_allclose(bounded.numpy(), np.clip(expected + product, -1, 1), rtol=0, atol=2 * error + 1e-6)
        both = ag.compile(lambda a, w=weights, c=bias: (p := a @ w, p + c))(ag.tensor(a))
        for found, wanted in zip(both, (product, expected), strict=True):
            np.testing.assert_allclose(found.numpy(), wanted, rtol=0, atol=error + 1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_update_by_a_product_of_any_inner_dimension(dtype: str, target: str) -> None:
    """A short one is held in registers as a whole; lines that do not exist change nothing."""
    random = np.random.default_rng(6)
    for columns in (1, 16, 45, 100):
        before = random.normal(size=(21, columns)).astype(dtype)
        state = ag.parameter(before)

        @ag.compile
        def step(a, b, state=state):
            state.assign(state - 0.5 * (a.mT @ b))

        for inner in range(11):
            a, b = random.normal(size=(inner, 21)).astype(dtype), random.normal(size=(inner, columns)).astype(dtype)
            state.assign(before)
            step(a, b)
            error = 8 * max(inner, 1) * np.finfo(dtype).eps
            np.testing.assert_allclose(state.numpy(), before - 0.5 * (a.T @ b), rtol=0, atol=error, err_msg=str(inner))
        assert step.compilations <= 3  # no rows, one, and any number


@pytest.mark.parametrize("order", ORDERS)
def test_stacks_and_other_strides(order: str, target: str, blocks: None) -> None:
    random = np.random.default_rng(3)
    parts = order.split()
    product = ag.compile(ORDERS[order])
    every_other = ag.compile(lambda a, b: ORDERS[order](a[:, ::2, ::2], b[:, ::2, ::2]))
    for stack, rows, inner, columns in ((3, 5, 30, 18), (2, 20, 40, 70), (4, 70, 6, 5)):
        shapes = [(stack, rows, inner), (stack, inner, columns)]
        a, b = (
            random.normal(size=(s, *shape[:: -1 if part.endswith("ᵀ") else 1])).astype("f")
            for (s, *shape), part in zip(shapes, parts, strict=True)
        )
        np.testing.assert_allclose(product(ag.tensor(a), ag.tensor(b)).numpy(), ORDERS[order](a, b), atol=1e-4)
        apart_a, apart_b = np.repeat(np.repeat(a, 2, 1), 2, 2), np.repeat(np.repeat(b, 2, 1), 2, 2)
        found = every_other(ag.tensor(apart_a), ag.tensor(apart_b)).numpy()
        np.testing.assert_allclose(found, ORDERS[order](a, b), atol=1e-4)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("columns", [220, 100])
def test_cut_in_any_way_the_bits_are_the_same(order: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By other blocks, and by threads."""
    sizes = (150, 300, columns)
    a, b, _, _ = operands(order, sizes)
    monkeypatch.setattr(workers, "_threads", None)

    def run() -> bytes:
        return ag.compile(lambda a, b: ORDERS[order](a, b) * 2.0)(ag.tensor(a), ag.tensor(b)).numpy().tobytes()

    whole = run()
    for count in (2, 3, 16):
        ag.set_threads(count)
        assert run() == whole
    monkeypatch.setattr(panels, "BLOCK", 48)
    monkeypatch.setattr(panels, "SPAN", 0)
    monkeypatch.setattr(products, "PACKED_ROWS", 1000)
    assert run() == whole


@pytest.mark.parametrize("size", [34, 52])
def test_rows_that_become_fewer_in_a_loop(size: int, target: str) -> None:
    """From 23 sequences down to one, a row fewer at each step, with a tile for each small number of rows."""
    layer = ag.nn.Elman(6, size, generator=ag.Generator(3))
    lengths = np.arange(1, 24, dtype=np.int32)
    x = np.random.default_rng(6).normal(size=(int(lengths.sum()), 6)).astype("f")

    def states(x, lengths):
        after = layer(x, lengths)
        return after, *ag.gradients(ag.sum(after * after), list(layer.parameters()))

    expected = states(ag.tensor(x), ag.tensor(lengths))
    for found, wanted in zip(ag.compile(states)(x, lengths), expected, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-4)


def test_a_gradient_through_a_single_output(target: str) -> None:
    """Its rows have one element: as a matrix they lie adjacent both ways, and no packed copy is made of them."""
    random = np.random.default_rng(1)
    a, b = random.normal(size=(70, 1)).astype(np.float32), ag.parameter(random.normal(size=(200, 1)))
    product = ag.compile(lambda a: (ag.exp(a) @ b.mT, a))
    np.testing.assert_allclose(product(ag.tensor(a))[0].numpy(), np.exp(a) @ b.numpy().T, rtol=1e-5)


def test_what_is_left_of_the_columns_is_the_same_for_all_tiles(target: str) -> None:
    tiles = host().tiles
    assert all(vectors % tiles[0][1] == 0 for _, vectors in tiles)
