"""What `ag.compile` promises: one compilation for all sizes, updates that nothing sees too early, clear errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import amigrad as ag
from amigrad.graph import Operator, Spec, TraceError, apply
from amigrad.operators.elementwise import Unary
from amigrad.optim.rows import add_rows, set_rows

Array = npt.NDArray[Any]
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def random(*shape: int, dtype: str = "float32", seed: int = 0) -> Array:
    """Numbers of a normal distribution."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def close(actual: Any, expected: Any) -> None:
    """Equal within the tolerance of the type."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    tolerance = TOLERANCE.get(actual.dtype.name, 0.0)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def on_both(make: Callable[[str], list[Any]]) -> list[Any]:
    """What `make` gives natively, after a comparison with the reference."""
    native, reference = make("native"), make("reference")
    assert len(native) == len(reference)
    for one, other in zip(native, reference, strict=True):
        close(one, other)
    return native


# One compilation


def tagger(backend: str = "native") -> tuple[Any, list[ag.Parameter]]:
    """A training step of a window model: tables, a hidden layer, a softmax, SGD."""
    table = ag.parameter(random(50, 6))
    hidden, bias = ag.parameter(random(18, 8) * 0.3), ag.parameter(np.zeros(8, dtype=np.float32))
    out = ag.parameter(random(8, 4) * 0.3)
    optimizer = ag.optim.SGD([table, hidden, bias, out], 0.05)

    @ag.compile(backend=backend)
    def step(words: ag.Tensor, tags: ag.Tensor) -> ag.Tensor:
        x = ag.reshape(table[words], (words.shape[0], -1))
        scores = ag.tanh(x @ hidden + bias) @ out
        cost = ag.cross_entropy(scores, tags)
        optimizer.minimize(cost)
        return cost

    return step, [table, hidden, bias, out]


def batch(size: int) -> tuple[Array, Array]:
    generator = np.random.default_rng(size)
    return generator.integers(0, 50, (size, 3)), generator.integers(0, 4, size)


@pytest.mark.parametrize("sizes", [(32, 1, 2, 7, 1000, 10_000), (1, 2, 32, 10_000, 1)], ids=["large first", "1 first"])
def test_one_compilation_serves_every_batch_size(sizes: tuple[int, ...]) -> None:
    (step, parameters), (reference, others) = tagger(), tagger("reference")
    for size in sizes:
        close(step(*batch(size)), reference(*batch(size)))
        for one, other in zip(parameters, others, strict=True):
            close(one, other)
    assert step.compilations == 1


def test_one_compilation_serves_any_sentence_length() -> None:
    table, weights = ag.parameter(random(20, 4)), ag.parameter(random(12, 3))

    def windows(words: ag.Tensor) -> ag.Tensor:
        x = ag.pad(table[words], ((1, 1), (0, 0)))
        n = words.shape[0]
        return ag.softmax(ag.concat([x[:n], x[1 : n + 1], x[2:]], axis=1) @ weights, axis=-1)

    step = ag.compile(windows)
    for length in (7, 1, 2, 300, 45):
        words = np.arange(length) % 20
        close(step(words), windows(ag.tensor(words)))
    assert step.compilations == 1


def test_other_dtypes_ranks_and_sizes_that_broadcast_compile_anew() -> None:
    step = ag.compile(lambda x, y: x + y)
    calls = [
        (random(3, 4), random(3, 4)),
        (random(3, 4, dtype="float64"), random(3, 4, dtype="float64")),
        (random(3, 4), random(4)),
        (random(3, 4), random(3, 1)),
        (random(1, 4), random(3, 4)),
    ]
    for count, (x, y) in enumerate(calls, 1):
        close(step(x, y), x + y)
        assert step.compilations == count
    for x, y in [(random(7, 2), random(7, 2)), (random(5, 6), random(5, 1)), (random(1, 9), random(2, 9))]:
        close(step(x, y), x + y)
    assert step.compilations == len(calls)


def test_a_size_that_is_1_only_in_the_example_still_broadcasts() -> None:
    def function(x: ag.Tensor, y: ag.Tensor) -> tuple[ag.Tensor, ...]:
        flat = ag.reshape(x[:, :1], (-1,))
        return y + x[0, 2::2], y * flat, ag.where(y > 1, y, x[0, 2::2])

    step = ag.compile(function)
    for x, y in [
        (random(1, 4), random(6)),
        (random(1, 3), random(2)),
        (random(5, 4), random(5)),
        (random(3, 8), random(3)),
    ]:
        try:
            expected = function(ag.tensor(x), ag.tensor(y))
        except ValueError:
            continue
        for actual, wanted in zip(step(x, y), expected, strict=True):
            close(actual, wanted)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 1), (1, 4, 1), (3, 4, 1), (1, 4, 5), (3, 4, 5)])
def test_the_largest_along_axes_of_size_1(shape: tuple[int, ...], axis: int) -> None:
    weights = ag.tensor(random(*shape))
    for keepdims in (False, True):
        find = ag.compile(
            lambda x, k=keepdims: (ag.argmax(x + weights, axis=axis, keepdims=k), ag.argmin(weights, axis=axis)[::-1])
        )
        largest, smallest = find(random(*shape, seed=1))
        total = random(*shape, seed=1) + random(*shape)
        close(largest, np.argmax(total, axis=axis, keepdims=keepdims))
        close(smallest, np.argmin(random(*shape), axis=axis)[::-1])


def test_numbers_are_data() -> None:
    step = ag.compile(lambda x, rate, count: x * rate + ag.astype(count, "float32"))
    for rate in (0.5, 2.0, -1e-3):
        for count in (0, 1, 7):
            close(step(random(3), rate, count), random(3) * np.float32(rate) + np.float32(count))
    assert step.compilations == 1


def test_nested_arguments_keywords_and_results() -> None:
    @ag.compile
    def step(pair: Any, options: Any, *rest: Any, scale: Any = 1.0, mode: str = "sum") -> Any:
        total = pair[0] + pair[1]["b"] + options["c"][0]
        for part in rest:
            total = total + part
        total = total * scale
        return {"total": total, "parts": [total * 2.0, (ag.sum(total), None)], "mode": mode}

    one = np.ones(3, dtype=np.float32)
    found = step((one, {"b": one * 2}), {"c": [one * 3]}, one, one, scale=2.0, mode="mean")
    assert found["mode"] == "mean"
    assert found["total"].numpy().tolist() == [16, 16, 16]
    assert found["parts"][0].numpy().tolist() == [32, 32, 32]
    assert (float(found["parts"][1][0]), found["parts"][1][1]) == (48, None)
    step((one, {"b": one * 2}), {"c": [one * 3]}, one, one, scale=4.0, mode="mean")
    assert step.compilations == 1
    step((one, {"b": one}), {"c": [one]}, one)
    assert step.compilations == 2


def test_arrays_of_the_closure_are_constants() -> None:
    ramp, three, fixed = np.arange(4.0), ag.tensor(3.0), ag.tensor(random(4, 4, dtype="float64"))
    transposed = ag.permute_dims(fixed, (1, 0))
    step = ag.compile(lambda x: ((x + ag.tensor(ramp)) * ag.astype(three, "float64")) @ transposed + fixed[1])
    x = random(5, 4, dtype="float64")
    close(step(x), ((x + ramp) * 3.0) @ fixed.numpy().T + fixed.numpy()[1])


def test_zeros_of_a_constant_keep_their_signs() -> None:
    zeros = ag.tensor(np.array([0.0, -0.0]))
    assert ag.compile(lambda x: ag.divide(x, zeros))(np.ones(2)).numpy().tolist() == [np.inf, -np.inf]


def test_inputs_that_are_views_or_not_writeable() -> None:
    step = ag.compile(lambda x: x * 2.0 + 1.0)
    x = random(6, 8)
    x.flags.writeable = False
    for view in (x, x.T, x[::2, ::-3], np.broadcast_to(x[:1], (5, 8)), x[:0], x.astype(">f4")):
        close(step(view), (view * 2 + 1).astype(np.float32))


# Errors


def test_control_flow_on_a_traced_value_names_the_line() -> None:
    def function(x: ag.Tensor) -> ag.Tensor:
        if ag.sum(x) > 0:
            return x
        return -x

    line = function.__code__.co_firstlineno + 1
    with pytest.raises(TraceError, match=re.escape(f"{__file__}:{line}")):
        ag.compile(function)(random(3))


@pytest.mark.parametrize("method", ["SGD", "Adagrad", "Adam"])
@pytest.mark.parametrize("bad", [-1, 50, 2**40, -(2**63)])
def test_an_index_outside_changes_nothing(method: str, bad: int) -> None:
    table, weights = ag.parameter(random(50, 4)), ag.parameter(random(4, 3))
    optimizer = getattr(ag.optim, method)([table, weights], 0.1, lookup="lazy")
    generator = ag.Generator(3)

    @ag.compile
    def step(words: ag.Tensor, scale: ag.Tensor) -> ag.Tensor:
        x = ag.dropout(table[words], 0.2, generator)
        cost = ag.mean((x @ weights * scale) ** 2)
        optimizer.minimize(cost)
        return cost

    words = np.arange(8)
    step(words, 1.0)
    states = [table, weights, generator.state, *optimizer.states().values()]
    before = [s.numpy().tobytes() for s in states]
    words[5] = bad
    with pytest.raises(IndexError, match=rf"take: index {bad} is outside a table of 50 rows \(0 to 49\)") as raised:
        step(words, 2.0)
    assert any(f"{__file__}:" in note for note in raised.value.__notes__)
    assert [s.numpy().tobytes() for s in states] == before
    words[5] = 5
    step(words, 1.0)
    assert step.compilations == 1
    assert states[0].numpy().tobytes() != before[0]


@pytest.mark.parametrize("place", [0, 6, 99])
def test_a_wrong_index_of_an_update_changes_no_row(place: int) -> None:
    table = ag.parameter(random(10, 3))
    other = ag.state(np.zeros(3, dtype=np.float32))

    @ag.compile
    def step(index: ag.Tensor, rows: ag.Tensor) -> None:
        other.assign(other + 1.0)
        add_rows(table, index, rows)

    before = table.numpy().tobytes()
    index = np.arange(100) % 10
    index[place] = 10
    with pytest.raises(IndexError, match="add_rows: index 10 is outside a table of 10 rows"):
        step(index, random(100, 3))
    assert table.numpy().tobytes() == before
    assert other.numpy().tolist() == [0, 0, 0]


# What is updated in place, and what reads it


@pytest.mark.parametrize("size", [0, 1, 5, 1000])
def test_two_states_swap_their_values(size: int) -> None:
    a, b = ag.state(random(size, seed=1)), ag.state(random(size, seed=2))

    @ag.compile
    def swap() -> None:
        old = a * 1.0
        a.assign(b)
        b.assign(old)

    swap()
    np.testing.assert_array_equal(a.numpy(), random(size, seed=2))
    np.testing.assert_array_equal(b.numpy(), random(size, seed=1))


def test_three_states_in_a_ring_and_sums_of_each_other() -> None:
    def run(backend: str) -> list[Any]:
        a, b, c = (ag.state(random(4, 4, seed=s)) for s in range(3))

        @ag.compile(backend=backend)
        def step(x: ag.Tensor) -> Any:
            new = [b + x, ag.tanh(c @ a), ag.permute_dims(a, (1, 0)) - b]
            for state, value in zip((a, b, c), new, strict=True):
                state.assign(value)
            return a, b + c

        results = [r for _ in range(3) for r in step(random(4))]
        return [*results, a, b, c]

    on_both(run)


def test_the_old_value_and_the_new() -> None:
    w = ag.state(np.array([1.0, 2.0, 3.0]))

    @ag.compile
    def step(x: ag.Tensor) -> tuple[ag.Tensor, ...]:
        old = w * 1.0
        total = ag.sum(w)
        w.assign(w * x + 1.0)
        return old, total, w, ag.sum(w), ag.flip(w), old[::-1]

    old, total, new, after, flipped, reverse = step(10.0)
    assert (old.numpy().tolist(), float(total)) == ([1, 2, 3], 6)
    assert (new.numpy().tolist(), float(after)) == ([11, 21, 31], 63)
    assert (flipped.numpy().tolist(), reverse.numpy().tolist()) == ([31, 21, 11], [3, 2, 1])
    assert w.numpy().tolist() == [11, 21, 31]
    step(0.0)
    assert new.numpy().tolist() == [11, 21, 31]


@pytest.mark.parametrize(
    "change",
    [
        lambda w: ag.flip(w),
        lambda w: ag.permute_dims(w, (1, 0)),
        lambda w: w + ag.permute_dims(w, (1, 0)),
        lambda w: w - ag.sum(w, axis=0),
        lambda w: w / ag.sum(w, axis=1, keepdims=True),
        lambda w: w @ w,
        lambda w: w + w @ w,
        lambda w: ag.concat([w[1:], w[:1]]),
        lambda w: ag.pad(w[1:], ((0, 1), (0, 0))),
        lambda w: w * w[0],
        lambda w: w * w[::-1],
        lambda w: w[ag.tensor(np.arange(64)[::-1].copy())],
        lambda w: ag.softmax(w, axis=-1) * ag.max(w),
        lambda w: ag.reshape(ag.reshape(w, (-1,))[::-1], (64, 64)),
        lambda w: ag.broadcast_to(w[3], (64, 64)),
        lambda w: ag.where(w > 0, ag.flip(w, axis=1), w),
    ],
)
def test_a_state_changed_by_what_reads_other_places_of_it(change: Callable[[ag.Tensor], ag.Tensor]) -> None:
    def run(backend: str) -> list[Any]:
        w = ag.state(random(64, 64, dtype="float64") * 0.2)
        ag.compile(lambda: w.assign(change(w)), backend=backend)()
        return [w]

    (found,) = on_both(run)
    close(found, change(ag.tensor(random(64, 64, dtype="float64") * 0.2)))


def test_rows_read_before_and_after_their_update() -> None:
    def run(backend: str) -> list[Any]:
        table, other = ag.state(random(9, 5)), ag.state(random(9, 5, seed=1))

        @ag.compile(backend=backend)
        def step(index: ag.Tensor, rows: ag.Tensor) -> Any:
            before, whole = table[index], ag.sum(table, axis=0)
            add_rows(table, index, rows + before)
            between = table[index]
            set_rows(other, index[:2], between[:2] * 2.0 + other[index[2:4]])
            add_rows(table, index, other[index])
            return before, whole, between, table[index], other, ag.sum(table)

        index = np.array([3, 8, 0, 3, 5, 3])
        found = [r for _ in range(3) for r in step(index, random(6, 5))]
        return [*found, table, other]

    on_both(run)


def test_rows_of_a_table_that_one_number_fills() -> None:
    step = ag.compile(lambda x, index: (ag.take(ag.full_like(x, 0.5), index, axis=0), ag.ones((4, 3))[index] + x[0]))
    x = random(5, 3)
    for index in (np.array([0, 3, 3]), np.array([2])):
        halves, ones = step(x, index)
        close(halves, np.full((len(index), 3), 0.5, dtype=np.float32))
        close(ones, np.ones((len(index), 3), dtype=np.float32) + x[0])
    with pytest.raises(IndexError, match="take: index 4 is outside a table of 4 rows"):
        step(x, np.array([4]))


def test_rows_moved_within_a_table() -> None:
    def run(backend: str) -> list[Any]:
        table = ag.state(random(40, 8))

        @ag.compile(backend=backend)
        def step(target: ag.Tensor, source: ag.Tensor) -> ag.Tensor:
            rows = table[source]
            set_rows(table, target, rows)
            return ag.sum(rows)

        order = np.random.default_rng(0).permutation(40)
        return [step(np.arange(40), order), step(order, np.arange(40)), step(np.arange(39), np.arange(1, 40)), table]

    on_both(run)


@pytest.mark.parametrize("shape", [(0,), (1,), (40,), (9, 5), (3, 0), (2000, 2)])
def test_rows_of_a_table_that_no_cache_holds(shape: tuple[int, ...]) -> None:
    """Rows are asked for before they are read or changed, also where a row of the result is followed by something."""
    index = np.random.default_rng(1).permutation(6000)[: int(np.prod(shape))].reshape(shape)
    x = random(*shape, 3)

    def run(backend: str) -> list[Any]:
        table = ag.state(random(6000, 50))

        @ag.compile(backend=backend)
        def step(index: ag.Tensor, x: ag.Tensor) -> ag.Tensor:
            found = table[index]
            add_rows(table, index, found * 0.5 + x[..., :1])
            return ag.concat([found, x], axis=-1)

        return [step(index, x), table]

    on_both(run)


def test_rows_of_a_table_added_to_itself() -> None:
    def run(backend: str) -> list[Any]:
        table = ag.state(random(10, 3, dtype="float64"))

        @ag.compile(backend=backend)
        def step(target: ag.Tensor, source: ag.Tensor) -> None:
            add_rows(table, target, table[source])

        step(np.array([0, 1, 1, 2, 9]), np.array([9, 0, 1, 1, 0]))
        return [table]

    on_both(run)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lookup", ["exact", "lazy"])
@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("SGD", {}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("SGD", {"weight_decay": 0.1, "clip_norm": 0.5}),
        ("Adagrad", {}),
        ("Adagrad", {"clip_norm": 0.3}),
        ("Adam", {}),
        ("AdamW", {"weight_decay": 0.1}),
        ("RMSprop", {}),
    ],
)
def test_training_of_tables_is_that_of_the_reference(
    method: str, settings: dict[str, Any], lookup: str, dtype: str
) -> None:
    def run(backend: str) -> list[Any]:
        table, tags = ag.parameter(random(12, 4, dtype=dtype)), ag.parameter(random(5, 2, dtype=dtype))
        weights = ag.parameter(random(6, 3, dtype=dtype))
        optimizer = getattr(ag.optim, method)([table, tags, weights], 0.05, lookup=lookup, **settings)

        @ag.compile(backend=backend)
        def step(words: ag.Tensor, left: ag.Tensor, target: ag.Tensor) -> ag.Tensor:
            features = ag.concat([table[words] + table[left] * 0.5, tags[target]], axis=1)
            cost = ag.mean((ag.tanh(features @ weights) - 0.3) ** 2)
            optimizer.minimize(cost)
            return cost

        costs = []
        for size in (5, 1, 8, 3):
            generator = np.random.default_rng(size)
            indices = [generator.integers(0, n, size) for n in (12, 12, 5)]
            costs.append(step(*indices))
        assert step.compilations == 1
        return [*costs, table, tags, weights, *optimizer.states().values()]

    on_both(run)


def test_random_draws_have_the_bits_of_the_reference() -> None:
    def run(backend: str) -> list[Any]:
        generator = ag.Generator(7)

        @ag.compile(backend=backend)
        def draw(x: ag.Tensor) -> Any:
            return (
                generator.uniform(x.shape),
                generator.uniform((5, x.shape[0]), dtype="float64"),
                generator.bernoulli(0.3, x.shape),
                generator.integers(0, 10, (x.shape[1],)),
                ag.dropout(x, 0.5, generator),
                ag.flip(generator.uniform((3, 7))),
            )

        results = [r for size in ((3, 5), (1, 17), (64, 33), (0, 2)) for r in draw(np.ones(size, dtype=np.float32))]
        assert draw.compilations <= 2
        return [*results, generator.state]

    native, reference = run("native"), run("reference")
    for one, other in zip(native, reference, strict=True):
        assert one.numpy().tobytes() == other.numpy().tobytes()


def test_repeated_runs_have_the_same_bits() -> None:
    def run() -> list[bytes]:
        step, parameters = tagger()
        costs = [step(*batch(size)).numpy().tobytes() for size in (32, 7, 100, 1)]
        return [*costs, *(p.numpy().tobytes() for p in parameters)]

    assert run() == run()


def test_states_without_elements() -> None:
    empty, table = ag.state(np.zeros((0, 3), dtype=np.float32)), ag.parameter(np.zeros((4, 0), dtype=np.float32))

    @ag.compile
    def step(x: ag.Tensor, index: ag.Tensor) -> Any:
        empty.assign(empty * 2.0 + x)
        add_rows(table, index, ag.exp(table[index]))
        return empty, ag.sum(empty), table[index], ag.concat([empty, ag.broadcast_to(x, (2, 3))])

    for count in (3, 0):
        all_, total, rows, joined = step(np.ones(3, dtype=np.float32), np.zeros(count, dtype=np.int64))
        assert (all_.shape, float(total), rows.shape) == ((0, 3), 0, (count, 0))
        assert joined.numpy().tolist() == [[1, 1, 1]] * 2


def test_a_state_may_also_be_an_argument() -> None:
    w = ag.state(np.arange(6.0).reshape(2, 3))

    @ag.compile
    def step(x: ag.Tensor) -> ag.Tensor:
        w.assign(ag.flip(x) * 2.0)
        return x + w

    expected = np.arange(6.0).reshape(2, 3)
    new = expected[::-1, ::-1] * 2
    np.testing.assert_array_equal(step(w).numpy(), expected + new)
    np.testing.assert_array_equal(w.numpy(), new)


def test_results_own_their_memory() -> None:
    w = ag.state(np.ones(4))
    step = ag.compile(lambda x: (x, x * 2.0, w, x[::-1], ag.ones(3)))
    x = np.arange(4.0)
    first = step(x)
    copies = [r.numpy().copy() for r in first]
    x[:] = 9
    w.assign(np.zeros(4))
    step(np.zeros(4))
    for result, copy in zip(first, copies, strict=True):
        np.testing.assert_array_equal(result.numpy(), copy)


# Operators that only Python knows


class Sorted(Operator):
    """The elements of each row in order."""

    name = "sorted"

    def infer(self, x: Spec) -> Spec:
        return x

    def forward(self, x: Array) -> Array:
        return np.sort(x, axis=-1)


class Arctan(Unary):
    """An elementwise operator with a gradient and without native code."""

    name = "arctan"

    def forward(self, x: Array) -> Array:
        return np.arctan(x)

    def backward(self, x: ag.Tensor, z: ag.Tensor, dz: ag.Tensor) -> tuple[ag.Tensor]:
        return (dz / (1.0 + x * x),)


def test_an_operator_without_native_code_runs_in_the_middle_of_a_step() -> None:
    def run(backend: str) -> list[Any]:
        weights, table = ag.parameter(random(4, 6)), ag.parameter(random(8, 4))
        optimizer = ag.optim.SGD([weights, table], 0.1)

        @ag.compile(backend=backend)
        def step(index: ag.Tensor) -> Any:
            hidden = apply(Arctan(), table[index] @ weights)
            ranked = apply(Sorted(), ag.permute_dims(hidden, (1, 0)) * 2.0 + 1.0)
            cost = ag.mean(hidden * hidden)
            optimizer.minimize(cost)
            return cost, ranked, apply(Sorted(), ag.ones((2, 3))), apply(Sorted(), weights), ag.sum(ranked, axis=0)

        results = [r for size in (5, 1, 30, 5) for r in step(np.arange(size) % 8)]
        assert step.compilations == 1
        return [*results, weights, table]

    with np.errstate(all="ignore"):
        on_both(run)


def test_an_index_is_checked_before_and_after_an_operator_of_python() -> None:
    table = ag.parameter(random(8, 3))

    @ag.compile
    def step(index: ag.Tensor) -> ag.Tensor:
        rows = apply(Sorted(), table[index])
        table.assign(table * 2.0)
        return ag.sum(rows)

    before = table.numpy().tobytes()
    with pytest.raises(IndexError, match="take: index 8"):
        step(np.array([0, 8]))
    assert table.numpy().tobytes() == before


class Fails(Sorted):
    """An operator that refuses its input."""

    name = "fails"

    def forward(self, x: Array) -> Array:
        raise ValueError("no such thing")


def test_an_operator_that_fails_leaves_the_states_as_they_were() -> None:
    count, other = ag.state(np.zeros(3)), ag.state(np.ones(3))

    @ag.compile
    def step(x: ag.Tensor) -> ag.Tensor:
        count.assign(count + 1.0)
        result = apply(Fails(), x * 2.0)
        other.assign(other + result)
        return result

    with pytest.raises(ValueError, match="no such thing"):
        step(np.ones(3))
    assert (count.numpy().tolist(), other.numpy().tolist()) == ([0, 0, 0], [1, 1, 1])


# Time, memory, threads, processes


@pytest.mark.parametrize("method", ["SGD", "Adagrad"])
def test_a_step_costs_what_it_touches_whatever_the_size_of_the_table(method: str) -> None:
    def measured(rows: int) -> tuple[float, int, list[int]]:
        table, weights = ag.parameter(np.zeros((rows, 16), dtype=np.float32)), ag.parameter(random(16, 4))
        optimizer = getattr(ag.optim, method)([table, weights], 0.1)

        @ag.compile
        def step(words: ag.Tensor) -> ag.Tensor:
            cost = ag.mean(ag.tanh(table[words] @ weights) ** 2)
            optimizer.minimize(cost)
            return cost

        words = np.random.default_rng(0).integers(0, 1000, 256)
        step(words)
        tracemalloc.start()
        step(words)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        times = []
        for _ in range(200):
            start = time.perf_counter()
            step(words)
            times.append(time.perf_counter() - start)
        (executor,) = step.executors
        return min(times), peak, executor.layout.slot_bytes({"s0": 256})

    small, large = measured(1_000), measured(2_000_000)
    assert large[2] == small[2]
    assert large[1] < small[1] + 10_000
    assert large[0] < 2 * small[0]


def test_two_threads_call_the_same_function() -> None:
    weights, total = ag.parameter(random(64, 64) * 0.1), ag.state(0.0)

    @ag.compile
    def step(x: ag.Tensor) -> ag.Tensor:
        total.assign(total + 1.0)
        return ag.tanh(x @ weights) @ weights

    inputs = [random(size, 64, seed=size) for size in (3, 200, 17, 64)]
    expected = [step(x).numpy() for x in inputs]
    wrong: list[int] = []

    def work(first: int) -> None:
        for n in range(200):
            place = (first + n) % 4
            if step(inputs[place]).numpy().tobytes() != expected[place].tobytes():
                wrong.append(place)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert float(total) == 404
    assert step.compilations == 1


def test_other_threads_go_on_during_a_call() -> None:
    step = ag.compile(lambda x: x @ x @ x @ x @ x @ x)
    x = random(900, 900) * 0.01
    step(x)
    finished, beats = threading.Event(), 0

    def work() -> None:
        for _ in range(4):
            step(x)
        finished.set()

    thread = threading.Thread(target=work)
    start = time.perf_counter()
    thread.start()
    while not finished.is_set():
        time.sleep(0.001)
        beats += 1
    thread.join()
    seconds = time.perf_counter() - start
    # If a call kept the interpreter to itself there would be a few beats between the calls.
    assert beats > max(8, seconds * 50)


TRAINING = """
import sys
import numpy as np
import amigrad as ag

generator = np.random.default_rng(0)
table = ag.parameter(generator.normal(size=(30, 8)).astype(np.float32))
weights = ag.parameter(generator.normal(size=(24, 5)).astype(np.float32))
wide = ag.parameter(generator.normal(size=(5, 5)))
optimizer = ag.optim.Adagrad([table, weights, wide], 0.1)
draws = ag.Generator(1)

@ag.compile
def step(words, tags):
    x = ag.dropout(ag.reshape(table[words], (words.shape[0], -1)), 0.1, draws)
    scores = ag.astype(ag.sigmoid(x @ weights), "float64") @ wide
    cost = ag.cross_entropy(scores, tags)
    optimizer.minimize(cost)
    return cost, ag.softmax(scores, axis=-1), ag.erf(x), ag.argmax(scores, axis=-1)

found = []
for size in (32, 1, 5, 300):
    found += step(generator.integers(0, 30, (size, 3)), generator.integers(0, 5, size))
found += [table, weights, wide]
(executor,) = step.executors
np.savez(sys.argv[1], *[np.asarray(f) for f in found])
print(executor.library.from_cache, executor.library.target.vector_bytes)
"""


def train(path: Path, **environment: str) -> tuple[str, int, list[Array]]:
    """The training in a process of its own: whether its code came from the cache, vector bytes, and all results."""
    said = subprocess.run(
        [sys.executable, "-c", TRAINING, str(path)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    cached, width = said.stdout.split()
    with np.load(path) as results:
        return cached, int(width), [results[name] for name in results.files]


def test_a_second_process_starts_without_compiling(tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    first = train(tmp_path / "1.npz", AMIGRAD_CACHE=cache)
    second = train(tmp_path / "2.npz", AMIGRAD_CACHE=cache)
    assert (first[0], second[0]) == ("False", "True")
    for one, other in zip(first[2], second[2], strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("level", ["avx2", "generic"])
def test_lesser_machines_train_the_same(level: str, tmp_path: Path) -> None:
    here = train(tmp_path / "here.npz")
    there = train(tmp_path / "there.npz", AMIGRAD_CPU=level)
    assert there[1] == {"avx2": min(here[1], 32), "generic": 16}[level]
    for one, other in zip(here[2], there[2], strict=True):
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_array_equal(one, other)


def test_arrays_that_must_be_converted_are_converted_at_every_call() -> None:
    total = ag.compile(lambda values: ag.sum(values * 2))
    for values in (
        np.arange(1, 200, dtype=np.uint8),
        np.arange(5, dtype=">f4"),
        np.arange(10.0)[::-2],
        np.frombuffer(b"x" + np.arange(3, dtype=np.float32).tobytes(), dtype=np.uint8)[1:].view(np.float32),
    ):
        for _ in range(3):
            assert total(values).item() == 2 * values.astype(np.float64).sum()
            assert total([values][0]).item() == 2 * values.astype(np.float64).sum()


def test_the_sign_of_zero_is_the_references() -> None:
    x = np.array([-0.0, 1.0])
    compiled = ag.compile(lambda x: (1.0 / (x + 0.0), 1.0 / (x - 0.0), 1.0 / (x + -0.0)))
    for found, expected in zip(compiled(x), ([np.inf, 1.0], [-np.inf, 1.0], [-np.inf, 1.0]), strict=True):
        np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_divisions_by_roots_are_multiplications(dtype: str) -> None:
    x, y = random(7, 40, dtype=dtype), np.abs(random(7, 40, dtype=dtype, seed=1))
    x[:3, :3], y[:3, :3] = [[0.0], [np.inf], [-1.0]], [0.0, np.inf, -0.0]

    def function(x: ag.Tensor, y: ag.Tensor) -> tuple[ag.Tensor, ...]:
        norms = ag.sqrt(ag.sum(y, axis=1, keepdims=True))
        return x / ag.sqrt(y), x / -ag.sqrt(y), 1.0 / -ag.sqrt(y), x / norms

    compiled = ag.compile(function)
    with np.errstate(all="ignore"):
        for got, wanted in zip(compiled(x, y), function(ag.tensor(x), ag.tensor(y)), strict=True):
            close(got, wanted)
            np.testing.assert_array_equal(np.signbit(got)[got == 0], np.signbit(wanted)[got == 0])
    assert "divide" not in "".join(map(repr, compiled.executors[0].graph.nodes))


def test_a_call_known_by_its_key_is_that_of_its_arguments() -> None:
    @ag.compile
    def step(x: Any, *more: Any, **named: Any) -> Any:
        leaves: list[Any] = []

        def gather(value: Any) -> str:
            if isinstance(value, dict):
                return f"{{{', '.join(f'{k}: {gather(v)}' for k, v in value.items())}}}"
            if isinstance(value, list | tuple):
                return f"{type(value).__name__}({', '.join(map(gather, value))})"
            if isinstance(value, ag.Tensor):
                leaves.append(value)
                return value.dtype.name
            return repr(value)

        return [gather([x, more, named]), *[leaf + leaf for leaf in leaves]]

    x, y = np.ones(3, dtype=np.float32), np.arange(3)
    calls: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((x, y), {}, "list(float32, tuple(int64), {})"),
        (([x, y],), {}, "list(list(float32, int64), tuple(), {})"),
        (((x, y),), {}, "list(tuple(float32, int64), tuple(), {})"),
        ((x,), {"y": y}, "list(float32, tuple(), {y: int64})"),
        ((x, {"y": y}), {}, "list(float32, tuple({y: int64}), {})"),
        ((x, {"z": y}), {}, "list(float32, tuple({z: int64}), {})"),
        ((x, 1, 2.0), {}, "list(float32, tuple(int64, float32), {})"),
        ((x, True, None), {}, "list(float32, tuple(True, None), {})"),
        ((x, False, "a"), {}, "list(float32, tuple(False, 'a'), {})"),
        ((ag.tensor(x), x[::2], y.astype(">i4")), {}, "list(float32, tuple(float32, int32), {})"),
        ((ag.state(x), np.float64(2), np.array(3, dtype=np.uint8)), {}, "list(float32, tuple(float64, int32), {})"),
    ]
    for _ in range(3):
        for args, named, expected in calls:
            text, *results = step(*args, **named)
            assert text == expected
            leaves = [v for v in [*args, *named.values()] if isinstance(v, np.ndarray | ag.Tensor | np.generic)]
            for leaf in leaves:
                assert any(r.shape == leaf.shape and (r.numpy() == np.asarray(leaf) * 2).all() for r in results)
    with pytest.raises(TypeError, match="a compiled function takes tensors"):
        step(x, {1, 2})
    with pytest.raises(OverflowError):
        step(x, 2**63)


def test_a_large_state_as_an_argument_is_read_before_it_changes() -> None:
    values = np.arange(600.0).reshape(20, 30)
    w = ag.state(values)

    @ag.compile
    def step(x: ag.Tensor) -> ag.Tensor:
        w.assign(ag.flip(x) * 2.0)
        return x + w

    np.testing.assert_array_equal(step(w).numpy(), values + values[::-1, ::-1] * 2)
    np.testing.assert_array_equal(w.numpy(), values[::-1, ::-1] * 2)
