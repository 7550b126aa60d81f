from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amigrad.data import Batches


def take(batches: Batches, epochs: int) -> list[list[int]]:
    return [batch.tolist() for _ in range(epochs) for batch in batches]


@given(st.integers(1, 50), st.integers(1, 60), st.integers(0, 2**32))
def test_an_epoch_has_every_example_once(size, batch_size, seed):
    batches = Batches(size, batch_size, seed)
    epoch = list(batches)
    assert sorted(np.concatenate(epoch).tolist()) == list(range(size))
    assert len(epoch) == len(batches)
    assert all(len(batch) == batch_size for batch in epoch[:-1])
    assert (batches.epoch, batches.position) == (1, 0)


def test_a_smaller_last_batch_can_be_dropped():
    batches = Batches(10, 4, 0, drop_last=True)
    assert [len(batch) for batch in batches] == [4, 4]
    assert len(batches) == 2
    assert len(list(Batches(8, 4, 0, drop_last=True))) == 2


def test_the_order_depends_on_seed_and_epoch_only():
    first, second = Batches(100, 100, 7), Batches(100, 10, 7)
    assert list(chain(*take(first, 2))) == list(chain(*take(second, 2)))
    epochs = take(Batches(100, 100, 7), 2) + take(Batches(100, 100, 8), 1)
    assert len(set(map(tuple, epochs))) == 3


def test_the_order_is_the_same_in_every_version():
    assert take(Batches(8, 8, 42), 2) == [[0, 1, 4, 2, 6, 5, 7, 3], [7, 3, 4, 2, 5, 6, 0, 1]]


@given(st.integers(1, 20), st.integers(1, 8), st.booleans(), st.integers(0, 40))
def test_a_loaded_cursor_goes_on_exactly(size, batch_size, drop_last, stop):
    drop_last = drop_last and size >= batch_size
    whole = take(Batches(size, batch_size, 3, drop_last=drop_last), 41)
    batches = Batches(size, batch_size, 3, drop_last=drop_last)
    state = batches.state()
    done = 0
    while done < stop:
        for _ in batches:
            done += 1
            state = batches.state()
            if done == stop:
                break
    resumed = Batches(size, batch_size, 3, drop_last=drop_last)
    resumed.load(state)
    rest = take(resumed, 41)
    assert rest[: len(whole) - stop] == whole[stop:]


def test_a_state_saved_behind_the_last_batch_is_still_in_its_epoch():
    batches = Batches(4, 2, 0)
    states = [batches.state() for _ in batches]
    resumed = Batches(4, 2, 0)
    resumed.load(states[-1])
    assert resumed.epoch == 0
    assert list(resumed) == []
    assert resumed.epoch == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"size": 11}, "size 11, but these batches have 10"),
        ({"batch_size": 5}, "batch_size 5"),
        ({"seed": 1}, "seed 1"),
        ({"drop_last": 1}, "drop_last 1"),
        ({"position": 3}, "at no batch"),
        ({"position": 12}, "at no batch"),
        ({"position": -4}, "at no batch"),
        ({"epoch": -1}, "at no batch"),
    ],
)
def test_a_state_of_other_batches_is_refused(change, problem):
    batches = Batches(10, 4, 0)
    with pytest.raises(ValueError, match=problem):
        batches.load({**batches.state(), **change})


def test_an_incomplete_state_is_refused():
    with pytest.raises(ValueError, match="size None"):
        Batches(10, 4, 0).load({})


def test_moving_the_cursor_to_another_epoch_inside_a_loop_is_an_error():
    batches = Batches(10, 4, 0)
    loop = iter(batches)
    next(loop)
    batches.load({**batches.state(), "epoch": 5, "position": 0})
    with pytest.raises(RuntimeError, match="another epoch"):
        next(loop)


@pytest.mark.parametrize(("size", "batch_size", "seed"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_impossible_batches_are_refused(size, batch_size, seed):
    with pytest.raises(ValueError, match="must"):
        Batches(size, batch_size, seed)
    with pytest.raises(ValueError, match="do not fill"):
        Batches(3, 4, 0, drop_last=True)
