"""Calls that native code makes by itself: the results are the same, nothing is kept or lost, and threads take turns."""

from __future__ import annotations

import dataclasses
import functools
import gc
import inspect
import os
import subprocess
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import amigrad as ag
from amigrad.backends.native import objects
from amigrad.backends.native.fastcall import method

Array = npt.NDArray[Any]

off = os.environ.get("AMIGRAD_FASTCALL") == "0" or not objects.layout_is_known()
pytestmark = pytest.mark.skipif(off, reason="calls are made in Python here")


def random(*shape: int, dtype: str = "float32", seed: int = 0) -> Array:
    """Numbers of a normal distribution."""
    return (10 * np.random.default_rng([seed, *shape]).normal(size=shape)).astype(dtype)


def learned(step: Any, *arguments: Any) -> Any:
    """The function, after native code was told of calls like this one."""
    step(*arguments)
    step(*arguments)
    return step


@contextmanager
def in_python(step: Any) -> Iterator[list[Any]]:
    """The arguments of the calls that are made in Python meanwhile."""
    calls: list[Any] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append((args, kwargs))
        return ag.Compiled._call(step, *args, **kwargs)

    step._call = call
    yield calls
    del step._call


def leaves(result: Any) -> list[Any]:
    """The tensors of a result, and what is not one."""
    if isinstance(result, dict):
        return [leaf for value in result.values() for leaf in leaves(value)]
    if isinstance(result, list | tuple):
        return [leaf for value in result for leaf in leaves(value)]
    return [result]


def same(one: Any, other: Any) -> None:
    """Equal in structure, types and bits."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
    for a, b in zip(leaves(one), leaves(other), strict=True):
        assert type(a) is type(b)
        if isinstance(a, ag.Tensor):
            assert a.spec == b.spec
            assert a.numpy().tobytes() == b.numpy().tobytes()
            assert (a.operation, a.name, a.grad, a.tracked) == (None, None, None, False)
        else:
            assert a == b


x, y = random(3, 4), random(3, 4, seed=1)
words = np.array([3, 0, 7, 7])
CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "one": (lambda a, b: ag.sum(a * b), (x, y)),
    "tensors": (lambda a, b: a * b, (ag.tensor(x), y)),
    "tuple": (lambda a, b: (a * b, a + b), (x, y)),
    "tuple of one": (lambda a: (a * 2,), (x,)),
    "list and dict": (lambda a: [a, {"twice": a * 2, "more": (a + 1, None, "text")}], (x,)),
    "nothing": (lambda a: ag.state(y).assign(a), (x,)),
    "no arguments": (lambda: ag.tensor(x) * 2, ()),
    "nested": (lambda a, b: a[0] * b[0][1] + a[1], ([x, y], ((x, y), x))),
    "empty list": (lambda a, b: b * 2 + len(a), ([], x)),
    "constants": (lambda a, b, c, d: a * 2 if b else a + len(d), (x, None, True, "text")),
    "numbers": (lambda a, b, c, d: (a * b, a + c, a[0] + d[0] - d[1]), (x, 2.5, -3, [1e-40, 2])),
    "numbers only": (lambda a, b: a * b, (float("inf"), 2**63 - 1)),
    "axes 0": (lambda a: a * 2, (np.full((), 2.0, np.float32),)),
    "axes 5": (lambda a: ag.sum(a, axis=2), (random(2, 3, 4, 2, 3),)),
    "no elements": (lambda a: a * 2, (random(0, 4),)),
    "types": (
        lambda a, b, c, d: (a * 2, b + 1, c * 3, d),
        (random(3, dtype="float64"), random(3, dtype="int32"), random(3, dtype="int64"), np.array([True, False])),
    ),
    "lookup": (lambda a, index: a[index], (random(8, 3), words)),
    "long": (lambda a, b: a @ b, (random(300, 200), random(200, 300))),
    "many": (lambda *a: functools.reduce(ag.add, a), tuple(random(2, seed=i) for i in range(64))),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_give_what_they_give_in_python(name: str) -> None:
    function, arguments = CALLS[name]
    step, other = ag.compile(function), ag.compile(function)
    learned(step, *arguments)
    with in_python(step) as calls:
        for _ in range(3):
            same(step(*arguments), other._call(*arguments))
    assert not calls


def test_other_calls_are_made_in_python() -> None:
    step = learned(ag.compile(lambda a, b=None: a * 2 if b is None else a * b), x)
    others: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((x, y), {}),
        ((x[:2],), {}),
        ((x[0],), {}),
        ((x.astype(np.float64),), {}),
        ((x.view(np.int32),), {}),
        ((np.asfortranarray(x),), {}),
        ((np.concatenate([x, x])[::2],), {}),
        ((x.astype(x.dtype.newbyteorder()),), {}),
        ((np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(3, 4),), {}),
        ((x.view(np.recarray),), {}),
        ((ag.parameter(x),), {}),
        ((3.0,), {}),
        ((np.float32(3.0),), {}),
        ((x, 2.0), {}),
        ((), {"a": x}),
        ((x,), {"b": y}),
    ]
    for args, kwargs in others:
        reference = ag.compile(lambda a, b=None: a * 2 if b is None else a * b, backend="reference")
        with in_python(step) as calls:
            result = step(*args, **kwargs)
        assert len(calls) == 1
        same(result, reference(*args, **kwargs))
    with in_python(step) as calls, pytest.raises(TypeError):
        step()
    with in_python(step) as calls:
        step(x)
    assert not calls


def test_numbers_are_read_at_each_call() -> None:
    step = learned(ag.compile(lambda a, b: (a * 2, b + 1)), 1.5, 7)
    with in_python(step) as calls:
        for real, whole in ((0.1, 3), (-1e-50, -(2**63)), (float("nan"), 0), (float("-inf"), 2**62), (3.4e38, -1)):
            same(step(real, whole), ag.Compiled._call(step, real, whole))
    assert not calls
    with in_python(step) as calls:
        with pytest.warns(RuntimeWarning, match="overflow"):
            assert np.isinf(step(1e39, 1)[0].item())
        with pytest.raises((TypeError, OverflowError)):
            step(1.0, 2**63)
        step(True, 1)
        step(np.float32(1), 1)
        step(1, 1)
    assert len(calls) == 5


def test_arguments_by_name() -> None:
    step = ag.compile(lambda a, b=2.0, *, c: a * b - c)
    calls_made: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((x,), {"c": y}),
        ((x, y), {"c": x}),
        ((x,), {"b": y, "c": x}),
        ((x,), {"c": x, "b": y}),
        ((), {"c": x, "b": 3.0, "a": y}),
        ((x,), {"c": 4.0}),
    ]
    for args, kwargs in calls_made * 2:
        step(*args, **kwargs)
    with in_python(step) as calls:
        for args, kwargs in calls_made:
            same(step(*args, **kwargs), ag.Compiled._call(step, *args, **kwargs))
        assert not calls
        same(step(y, c=y, b=x), ag.Compiled._call(step, y, x, c=y))
        assert not calls
        with pytest.raises(TypeError):
            step(y, b=x)
        with pytest.raises(TypeError):
            step(y, x, y)
        with pytest.raises(TypeError):
            step(x, c=x, d=y)
    assert len(calls) == 3


def test_sizes_are_learned_one_by_one() -> None:
    step = ag.compile(lambda a: ag.sum(a * a))
    for size in (3, 100_000, 4, 1, 0, 50):
        learned(step, random(size))
    with in_python(step) as calls:
        for size in (50, 1, 100_000, 3, 0, 4):
            same(step(random(size)), ag.compile(lambda a: ag.sum(a * a))(random(size)))
        assert not calls
        for size in range(200, 300):
            learned(step, random(size))
            step(random(size))
    assert len(calls) < 300
    assert step.compilations == 1


def test_each_result_has_memory_of_its_own() -> None:
    step = learned(ag.compile(lambda a: (a * 2, a * 2)), x)
    results = [tensor for _ in range(100) for tensor in step(x)]
    assert len({tensor.value.ctypes.data for tensor in results}) == 200
    step(x + 1)
    assert all((tensor.numpy() == 2 * x).all() for tensor in results)
    results[0].value[0, 0] = 7
    assert step(x)[0].numpy()[0, 0] == 2 * x[0, 0]


def test_a_result_is_a_tensor_like_any_other() -> None:
    step = learned(ag.compile(lambda a: a * 2), x)
    result = step(x)
    gone = weakref.ref(result)
    assert gc.is_tracked(result)
    result.name = "result"
    assert (result + 1).shape == (3, 4)
    assert result.value.flags.owndata
    assert result.value.flags.carray
    del result
    assert gone() is None
    assert step(x).name is None


def test_nothing_is_kept_and_nothing_freed_too_often() -> None:
    tensor, mark, index, bad = ag.tensor(y), object(), np.array([2, 0, 1]), np.array([2, 0, 3])
    listed = [y, tensor]
    step = learned(ag.compile(lambda i, a, b, c: (a[i] * b[0], b[1] + a, None)), index, x, listed, mark)
    result = step(index, x, listed, mark)[0]
    things: list[Any] = [x, y, tensor, tensor.value, mark, index, bad, listed, x.dtype, index.dtype]
    things += [result.shape, None, False, ag.Tensor, np.ndarray, step, step._card, step._call, step._lock]
    gc.collect()
    counts = [sys.getrefcount(thing) for thing in things]
    for _ in range(1000):
        step(index, x, listed, mark)
        with pytest.raises(IndexError):
            step(bad, x, listed, mark)
    now = [sys.getrefcount(thing) for thing in things]
    for thing, before, after in zip(things, counts, now, strict=True):
        # Some are everywhere, so others may come and go meanwhile.
        everywhere = thing is None or thing is False or isinstance(thing, np.dtype | type)
        assert abs(after - before) <= (500 if everywhere else 0), thing


def test_memory_stays_as_it_is() -> None:
    table = ag.parameter(random(8, 3))
    step = learned(ag.compile(lambda i, a: (table[i] * a, a)), words, random(4, 3))
    arguments = words, random(4, 3)
    bad = np.array([3, 0, 7, 8])

    def work(times: int) -> None:
        for _ in range(times):
            step(*arguments)
        for _ in range(times // 100):
            with pytest.raises(IndexError):
                step(bad, arguments[1])

    work(1000)
    gc.collect()
    tracemalloc.start()
    work(1000)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    work(20_000)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 20_000


def test_a_wrong_index_is_an_error_and_changes_no_state() -> None:
    table, count = ag.parameter(random(8, 3)), ag.state(0)
    optimizer = ag.optim.SGD([table], 0.1)

    def train(index: ag.Tensor) -> ag.Tensor:
        count.assign(count + 1)
        cost = ag.sum(table[index] ** 2)
        optimizer.minimize(cost)
        return cost

    step = learned(ag.compile(train), words)
    before = table.numpy()
    with in_python(step) as calls, pytest.raises(IndexError, match=r"8"):
        step(np.array([3, 0, 8, 7]))
    assert len(calls) == 1
    assert (table.numpy() == before).all()
    assert count.item() == 2
    with in_python(step) as calls:
        step(words)
    assert not calls
    assert count.item() == 3


@pytest.mark.parametrize("sizes", [(2,), (120,), (2, 120), (120, 4, 300)], ids=str)
def test_threads_take_turns(sizes: tuple[int, ...]) -> None:
    count = ag.state(np.zeros(50, dtype=np.int64))

    @ag.compile
    def step(matrix: ag.Tensor, more: ag.Tensor) -> ag.Tensor:
        count.assign(count + more)
        return ag.sum(matrix @ matrix) + more

    interval, calls, failures = sys.getswitchinterval(), 300, []
    matrices = [random(size, size) for size in sizes]
    wanted = [ag.compile(lambda m: ag.sum(m @ m))(matrix).numpy() + 1 for matrix in matrices]

    def work(number: int) -> None:
        one = np.ones((), dtype=np.int64)
        for call in range(calls):
            place = (call + number) % len(sizes)
            found = step(matrices[place], one).numpy()
            if found != wanted[place]:
                failures.append((found, wanted[place]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not failures
    assert count.numpy().tolist() == [4 * calls] * 50


def test_calls_and_loops_of_batches_take_turns() -> None:
    count = ag.state(0)

    @ag.compile
    def step(a: ag.Tensor) -> ag.Tensor:
        count.assign(count + 1)
        return ag.sum(a @ a)

    batches = random(200, 40, 40)
    learned(step, batches[0])
    done = threading.Event()

    def loop() -> None:
        for _ in range(20):
            step.for_each(batches)
        done.set()

    thread = threading.Thread(target=loop)
    thread.start()
    wanted, calls = step(batches[3]).numpy(), 3
    while not done.is_set():
        assert step(batches[3]).numpy() == wanted
        calls += 1
    thread.join()
    assert count.item() == 20 * 200 + calls


def test_garbage_collection_may_call_the_function() -> None:
    count = ag.state(0)

    @ag.compile
    def step(a: ag.Tensor, number: ag.Tensor) -> tuple[ag.Tensor, ...]:
        count.assign(count + 1)
        return tuple(a * k + number for k in range(4))

    one, other = np.round(x), np.round(y)  # So that nothing is rounded below.
    learned(step, one, 0.5)
    inner: list[Any] = []

    class Cycle:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            inner.append(step(other, 7.0))

    before, threshold = count.item(), gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(300):
            Cycle()
            results = step(one, 0.5)
            for k, result in enumerate(results):
                assert (result.numpy() == k * one + np.float32(0.5)).all()
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    assert len(inner) == 300
    assert all((result.numpy() == k * other + 7).all() for results in inner for k, result in enumerate(results))
    assert count.item() == before + 600


def test_inside_of_another_compiled_function_it_is_a_part_of_it() -> None:
    inner = learned(ag.compile(lambda a: a * 2), x)
    outer = ag.compile(lambda a: inner(a) + inner(ag.tensor(x)))
    same(outer(x), ag.tensor(x * 4))
    assert outer.executors[0].graph.inputs
    assert inner.compilations == 1
    with in_python(inner) as calls:
        inner(x)
    assert not calls


def test_a_method_is_learned_for_its_object() -> None:
    class Model:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        @ag.compile
        def scaled(self, a: ag.Tensor) -> ag.Tensor:
            return a * self.factor

    two, three = Model(2.0), Model(3.0)
    for model in (two, three):
        learned(model.scaled, x)
    with in_python(Model.scaled) as calls:
        same(two.scaled(x), ag.tensor(x * 2))
        same(three.scaled(x), ag.tensor(x * 3))
    assert not calls


def test_an_argument_that_can_become_unequal_to_itself_is_not_learned() -> None:
    @dataclasses.dataclass(unsafe_hash=True)
    class Options:
        factor: float

    step, options = ag.compile(lambda a, o: a * o.factor), Options(2.0)
    learned(step, x, options)
    options.factor = 3.0
    same(step(x, options), ag.tensor(x * 3))


def test_a_state_that_is_given_is_copied() -> None:
    state = ag.state(x)
    step = learned(ag.compile(lambda a: a * 2), x)
    with in_python(step) as calls:
        step(state)
    assert len(calls) == 1


def test_a_function_looks_as_before() -> None:
    def double(a: ag.Tensor) -> ag.Tensor:
        """Twice as much."""
        return a * 2

    step = learned(ag.compile(double), x)
    assert callable(step)
    assert inspect.signature(step) == inspect.signature(double)
    assert step.__doc__ == double.__doc__
    assert step.__name__ == "double"
    assert step.compilations == 1
    assert functools.partial(step)(x).shape == (3, 4)
    assert list(map(step, [x, x]))[1].shape == (3, 4)
    assert type(step).__call__.__doc__ == ag.Compiled._call.__doc__
    same(step.__call__(x), step(x))
    with pytest.raises(TypeError):
        type(step).__call__(object(), x)


def test_a_function_that_is_not_needed_any_more_goes_at_once() -> None:
    parameter = ag.parameter(x)
    step = learned(ag.compile(lambda a: a * parameter), x)
    gone, executor = weakref.ref(step), weakref.ref(step.executors[0])
    gc.disable()
    try:
        del step
        assert gone() is None
        assert executor() is None
    finally:
        gc.enable()


def test_an_error_in_python_comes_through() -> None:
    step = learned(ag.compile(lambda a: a * 2), x)

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("in Python")

    step._call = fail
    with pytest.raises(RuntimeError, match="in Python"):
        step(x, x)
    same(step(x), ag.tensor(x * 2))


def test_the_reference_backend_is_left_to_python() -> None:
    step = learned(ag.compile(lambda a: a * 2, backend="reference"), x)
    with in_python(step) as calls:
        step(x)
    assert len(calls) == (type(step).__call__ is not type(step)._call)


def test_it_can_be_switched_off() -> None:
    program = """
import numpy as np, amigrad as ag
step = ag.compile(lambda a: a * 2)
for _ in range(3):
    assert step(np.ones(3, np.float32)).numpy().tolist() == [2.0, 2.0, 2.0]
assert ag.Compiled.__call__ is ag.Compiled._call
"""
    environment = {**os.environ, "AMIGRAD_FASTCALL": "0"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


# The layout of objects


def test_slots_are_found() -> None:
    class Two:
        __slots__ = ("__weakref__", "first", "second")

    class More(Two):
        __slots__ = ("third",)

    class Free:
        __slots__ = ("__dict__", "only")

    assert len(set(objects.slots_of(Two).values())) == 2
    assert set(objects.slots_of(More)) == {"third"}
    assert not set(objects.slots_of(More).values()) & set(objects.slots_of(Two).values())
    assert set(objects.slots_of(Free)) == {"only"}
    assert objects.is_all_slots(Two)
    assert objects.is_all_slots(ag.Tensor)
    assert not objects.is_all_slots(Free)


def test_there_is_one_method_for_all() -> None:
    assert method(ag.Compiled, "_words", "_call") is not None
    assert method(ag.Compiled, "_words", "_call") is method(ag.Compiled, "_words", "_call")
