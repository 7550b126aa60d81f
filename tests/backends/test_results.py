"""Large outputs: memory is used again, but never while somebody has it; what is stored past the caches is all there."""

import numpy as np
import pytest

import amigrad as ag
from amigrad.backends.native.results import LARGE, Results

COUNT = LARGE // 4


def test_memory_is_used_again_once_nobody_has_it() -> None:
    results = Results()
    first = results.array((COUNT,), np.dtype(np.float32))
    second = results.array((COUNT,), np.dtype(np.float32))
    assert not np.shares_memory(first, second)
    place = first.ctypes.data
    assert place % 64 == 0
    del first
    third = results.array((COUNT,), np.dtype(np.float32))
    assert third.ctypes.data == place
    del second, third
    assert results.array((COUNT // 2, 2), np.dtype(np.float32)).shape == (COUNT // 2, 2)


def test_memory_is_used_again_for_fewer_numbers_and_given_back_for_more() -> None:
    results = Results()
    first = results.array((COUNT,), np.dtype(np.float32))
    place, rest = first.ctypes.data, results.array((COUNT,), np.dtype(np.float32))
    rest[:] = 3.0
    del first
    fewer = results.array((COUNT - 5,), np.dtype(np.float32))
    fewer[:] = 2.0
    assert fewer.ctypes.data == place
    assert (rest == 3.0).all()
    del fewer, rest
    assert results.array((COUNT - 7,), np.dtype(np.float32)).shape == (COUNT - 7,)
    more = results.array((4 * COUNT,), np.dtype(np.float32))
    assert more.shape == (4 * COUNT,)
    assert sum(memory.size for memory, _ in results._pairs) < 16 * COUNT + 4 * COUNT + 16384


@pytest.mark.parametrize("keep", [lambda a: a, lambda a: a[5:9], lambda a: memoryview(a), lambda a: a.reshape(-1, 2).T])
def test_whoever_has_a_part_keeps_it(keep) -> None:
    results = Results()
    array = results.array((COUNT,), np.dtype(np.float32))
    array[:] = 1.0
    kept = keep(array)
    del array
    for _ in range(4):
        results.array((COUNT,), np.dtype(np.float32))[:] = 2.0
    assert (np.asarray(kept) == 1.0).all()


def test_outputs_stay_as_they_are() -> None:
    add = ag.compile(lambda x, y: (x + y, x - y))
    x = np.arange(COUNT, dtype=np.float32)
    kept = []
    for turn in range(6):
        plus, minus = add(x, np.float32(turn))
        kept.append((plus, minus.numpy()[3:7], turn))
    for plus, part, turn in kept:
        np.testing.assert_array_equal(plus.numpy(), x + np.float32(turn))
        np.testing.assert_array_equal(part, (x - np.float32(turn))[3:7])


def test_a_function_s_outputs_take_turns_in_memory() -> None:
    double = ag.compile(lambda x: x * 2.0)
    x = np.arange(COUNT, dtype=np.float32)
    places = set()
    for _ in range(8):
        places.add(double(x).numpy().ctypes.data)
    assert len(places) <= 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("rest", [0, 1, 13])
def test_results_too_long_for_the_caches(dtype: type, rest: int) -> None:
    chain = ag.compile(lambda x: (ag.maximum(x * 2 - 7, 3), x > 5, ag.sum(x)))
    x = (np.arange((1 << 22) + rest) % 11).astype(dtype)
    for _ in range(3):
        y, more, total = chain(x)
        np.testing.assert_array_equal(y.numpy(), np.maximum(x * 2 - 7, 3))
        np.testing.assert_array_equal(more.numpy(), x > 5)
        assert total.item() == x.sum()


def test_long_results_of_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMIGRAD_THREADS", "3")
    x = np.random.default_rng(1).normal(size=(1 << 22) + 5).astype(np.float32)
    shared = ag.compile(lambda x: ag.tanh(x) * 2.0)(x)
    monkeypatch.setenv("AMIGRAD_THREADS", "1")
    alone = ag.compile(lambda x: ag.tanh(x) * 2.0)(x)
    assert shared.numpy().tobytes() == alone.numpy().tobytes()


def test_the_larger_of_a_number_and_nan() -> None:
    values = np.array([np.nan, 1.0, -0.0, 0.0, np.inf, -np.inf, 5.0], np.float32)
    for function in (ag.maximum, ag.minimum):
        for number in (2.0, 0.0, -0.0, float("inf"), float("nan")):
            for first in (False, True):

                def apply(x, number=number, first=first, function=function):
                    return function(number, x) if first else function(x, number)

                found = ag.compile(apply)(values).numpy()
                np.testing.assert_array_equal(found, apply(ag.tensor(values)).numpy())
