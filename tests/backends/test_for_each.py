"""`for_each` gives what a loop of calls gives, bit by bit, and can be stopped between two steps."""

from __future__ import annotations

import importlib
import signal
import threading
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import amigrad as ag
from amigrad.graph import TraceError, apply
from amigrad.operators.elementwise import Unary

Array = npt.NDArray[Any]
ROWS, CLASSES = 30, 4


class Half(Unary):
    """An operator without native code."""

    name = "half"

    def forward(self, x: Array) -> Array:
        return x / 2

    def backward(self, x: ag.Tensor, z: ag.Tensor, dz: ag.Tensor) -> Any:
        return (dz / 2,)


def training(backend: str = "native", *, python: bool = False) -> tuple[ag.Compiled, list[ag.State]]:
    """A step that returns its cost and scores, and the states that it changes."""
    generator = ag.Generator(seed=3)
    table = ag.nn.LookupTable(ROWS, 5, generator=generator)
    output = ag.nn.Linear(15, CLASSES, generator=generator)
    optimizer = ag.optim.Adam([*table.parameters(), *output.parameters()], learning_rate=0.1)

    @ag.compile(backend=backend)
    def step(data: dict[str, ag.Tensor], rate: ag.Tensor) -> dict[str, Any]:
        x = ag.reshape(table(data["words"]), (data["words"].shape[0], 15))
        x = ag.dropout(apply(Half(), x) if python else x, 0.2, generator)
        scores = output(x)
        cost = ag.cross_entropy(scores, data["classes"]) * rate
        optimizer.minimize(cost)
        return {"cost": cost, "more": [scores, "a constant"]}

    states = [*table.parameters(), *output.parameters(), *optimizer.states().values()]
    return step, states


def batches(count: int, size: int = 7, seed: int = 1) -> dict[str, Array]:
    random = np.random.default_rng([seed, count, size])
    return {
        "words": random.integers(0, ROWS, (count, size, 3)),
        "classes": random.integers(0, CLASSES, (count, size)).astype(np.int32),
    }


def bits(states: list[ag.State]) -> list[bytes]:
    return [state.value.tobytes() for state in states]


@pytest.mark.parametrize("python", [False, True], ids=["native", "operators of Python"])
@pytest.mark.parametrize("backend", ["native", "reference"])
def test_what_a_loop_of_calls_gives(backend: str, python: bool) -> None:
    (step, states), (other, others) = training(backend, python=python), training(backend, python=python)
    for count, size in [(5, 7), (1, 7), (3, 1), (2, 40)]:
        data = batches(count, size)
        result = step.for_each(data, 0.5)
        expected = [other({name: array[i] for name, array in data.items()}, 0.5) for i in range(count)]
        assert result["more"][1] == "a constant"
        for one, parts in [
            (result["cost"], [e["cost"] for e in expected]),
            (result["more"][0], [e["more"][0] for e in expected]),
        ]:
            np.testing.assert_array_equal(one.numpy(), np.stack([p.numpy() for p in parts]))
            assert one.shape == (count, *parts[0].shape)
            assert one.dtype == parts[0].dtype
        assert bits(states) == bits(others)
    assert step.compilations == other.compilations


def test_calls_and_loops_share_a_compilation() -> None:
    step, _ = training()
    data = batches(6)
    step.for_each(data, 0.5)
    step({name: array[0] for name, array in data.items()}, 0.5)
    step.for_each(batches(2, size=9), 0.5)
    assert step.compilations == 1


def test_guards_hold_for_the_sizes_of_a_batch() -> None:
    @ag.compile
    def shorter(x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        return x if x.shape[0] < y.shape[0] else y

    small, large = np.zeros((9, 2), dtype=np.float32), np.ones((9, 3), dtype=np.float32)
    assert shorter.for_each(small, large).shape == (9, 2)
    assert shorter.for_each(large, small).shape == (9, 2)
    assert shorter.compilations == 2


def test_tensors_lists_keywords_views_and_numbers() -> None:
    total = ag.state(np.zeros(3, dtype=np.float32))

    @ag.compile
    def step(pair: list[ag.Tensor], *, scale: ag.Tensor) -> ag.Tensor:
        total.assign(total + pair[0] * scale)
        return total + pair[1]

    x = np.arange(24, dtype=np.float64)[::2].reshape(4, 3)[::-1].astype(np.float32)
    y = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(4, 3))
    sums = np.cumsum(x * np.float32(2), axis=0)
    for scale in (2.0, np.float32(2)):
        total.assign(np.zeros(3, dtype=np.float32))
        result = step.for_each([ag.tensor(x), y], scale=scale)
        np.testing.assert_array_equal(result.numpy(), sums + y)


def test_a_state_among_the_arguments_is_taken_as_it_was() -> None:
    w = ag.state(np.arange(6.0).reshape(2, 3))

    @ag.compile
    def step(row: ag.Tensor) -> ag.Tensor:
        w.assign(w * 2.0 + row)
        return row

    np.testing.assert_array_equal(step.for_each(w).numpy(), np.arange(6.0).reshape(2, 3))


def test_methods_are_compiled_functions_too() -> None:
    class Counter:
        def __init__(self) -> None:
            self.count = ag.state(np.float32(0))

        @ag.compile
        def add(self, x: ag.Tensor) -> ag.Tensor:
            self.count.assign(self.count + x)
            return self.count + 0.0

    counter = Counter()
    counter.add(1.0)
    assert counter.add.for_each(np.ones(3, dtype=np.float32)).numpy().tolist() == [2, 3, 4]


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_no_batches_no_steps(backend: str) -> None:
    step, states = training(backend)
    before = bits(states)
    result = step.for_each(batches(0), 0.5)
    assert result["cost"].shape == (0,)
    assert result["more"][0].shape == (0, 7, CLASSES)
    assert bits(states) == before


def test_wrong_arguments_are_errors() -> None:
    @ag.compile
    def add(x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        return x + y

    with pytest.raises(ValueError, match=r"different numbers of batches along their first axes: \[2, 3\]"):
        add.for_each(np.zeros((2, 4)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"one has shape \(\)"):
        add.for_each(np.zeros((2, 4)), ag.tensor(1.0))
    with pytest.raises(ValueError, match="takes a tensor or an array at least"):
        add.for_each(1.0, 2.0)
    with pytest.raises(TraceError, match="cannot be a part of one"):
        ag.compile(lambda x: add.for_each(x, x))(np.zeros((2, 4)))


@pytest.mark.parametrize("python", [False, True], ids=["native", "operators of Python"])
@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("bad", [0, 3])
def test_an_index_error_says_in_which_batch_and_ends_the_loop_there(backend: str, python: bool, bad: int) -> None:
    (step, states), (other, others) = training(backend, python=python), training(backend, python=python)
    data = batches(6)
    data["words"][bad, 4, 1] = ROWS
    with pytest.raises(IndexError, match=f"^batch {bad}: .*index {ROWS} is outside a table of {ROWS} rows"):
        step.for_each(data, 0.5)
    for i in range(bad):
        other({name: array[i] for name, array in data.items()}, 0.5)
    assert bits(states) == bits(others)
    step({name: array[5] for name, array in data.items()}, 0.5)  # and calls go on as before
    other({name: array[5] for name, array in data.items()}, 0.5)
    assert bits(states) == bits(others)


def counting() -> tuple[ag.Compiled, ag.State]:
    count = ag.state(np.zeros(20_000))

    @ag.compile
    def step(x: ag.Tensor) -> ag.Tensor:
        count.assign(count + x)
        return x

    step(np.float64(1))
    count.assign(np.zeros(20_000))
    return step, count


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of Unix")
def test_ctrl_c_ends_a_long_loop_after_a_whole_step() -> None:
    step, count = counting()
    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            step.for_each(np.ones(2_000_000))  # many seconds
        assert time.monotonic() - start < 5
    finally:
        signal.signal(signal.SIGINT, before)
    value = count.value
    assert value[0] > 0
    assert (value == value[0]).all()


def test_other_threads_call_meanwhile() -> None:
    step, count = counting()
    done = threading.Event()

    def run() -> None:
        step.for_each(np.ones(100_000))
        done.set()

    runner = threading.Thread(target=run)
    runner.start()
    calls = 0
    while not done.is_set():
        step(np.float64(1))
        calls += 1
    runner.join()
    assert calls > 1
    assert (count.value == 100_000 + calls).all()


def test_long_loops_are_cut_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    step, count = counting()
    monkeypatch.setattr(importlib.import_module("amigrad.backends.compile"), "_PATIENCE", 1e-4)
    np.testing.assert_array_equal(step.for_each(np.arange(1000.0)).numpy(), np.arange(1000.0))
    assert (count.value == 1000 * 999 / 2).all()
