"""`x[key]` is NumPy's, except that an index outside its axis is an error and never wraps around in a lookup."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import amigrad as ag

X = np.arange(60.0).reshape(3, 4, 5)

KEYS: list[Any] = [
    0,
    -1,
    np.int64(2),
    (1, 2),
    (1, -2, 3),
    slice(None),
    slice(1, None),
    slice(None, None, -1),
    (slice(None), slice(3, 0, -2)),
    (slice(5, 10), 0),
    (slice(0, 0), slice(None), slice(1, 4, 2)),
    ...,
    (..., 1),
    (..., slice(-2, None)),
    (0, ..., -1),
    (..., None),
    None,
    (None, 1, None, slice(2), None, 0),
    (slice(None), None, ..., None),
    (),
    [2, 0, 0],
    np.array([[1, 2], [0, 1]]),
    (slice(None), [3, 1]),
    (..., [4, 0, 2]),
    (slice(1), [0, 3], slice(None, None, 2)),
    (None, [1, 2]),
    (slice(None), None, [1, 2]),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing_is_numpys(key: Any) -> None:
    np.testing.assert_array_equal(ag.tensor(X)[key].numpy(), X[key])
    ag.check_gradients(lambda x: x[key] * x[key], [X / 60])


SLICES = st.builds(
    slice,
    st.one_of(st.none(), st.integers(-6, 6)),
    st.one_of(st.none(), st.integers(-6, 6)),
    st.one_of(st.none(), st.sampled_from([1, 2, 3, -1, -2, -3])),
)
ENTRIES = st.one_of(SLICES, st.integers(-3, 2), st.none())


@given(st.lists(ENTRIES, max_size=5), st.integers(0, 5))
def test_all_basic_indexing_is_numpys(entries: list[Any], place: int) -> None:
    axes = [e for e in entries if e is not None]
    key = (*entries[:place], ..., *entries[place:])
    if len(axes) > X.ndim:
        with pytest.raises(IndexError, match=f"{len(axes)} indices for a tensor of 3 axes"):
            ag.tensor(X)[key]
        return
    np.testing.assert_array_equal(ag.tensor(X)[key].numpy(), X[key])


def test_indices_that_are_tensors() -> None:
    x = ag.tensor(X)
    i = ag.tensor([2, 0])
    np.testing.assert_array_equal(x[i].numpy(), X[[2, 0]])
    np.testing.assert_array_equal(x[:, i].numpy(), X[:, [2, 0]])
    np.testing.assert_array_equal(x[ag.tensor(1)].numpy(), X[1])
    np.testing.assert_array_equal(x[0, 1:][..., i].numpy(), X[0, 1:][..., [2, 0]])
    np.testing.assert_array_equal(x[ag.tensor(1) : ag.tensor(3)].numpy(), X[1:3])


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (3, IndexError, "index 3 is outside axis 0 of size 3"),
        (-4, IndexError, "index -4 is outside axis 0 of size 3"),
        ((0, 0, 5), IndexError, "index 5 is outside axis 2 of size 5"),
        ((0, 0, 0, 0), IndexError, "4 indices for a tensor of 3 axes"),
        ([0, 3], IndexError, "take: index 3 is outside a table of 3 rows (0 to 2)"),
        ([-1], IndexError, "take: index -1 is outside a table of 3 rows (0 to 2)"),
        (1.0, TypeError, "an index is an integer, a slice, `...`, None or an integer tensor, not 1.0"),
        (True, TypeError, "not True"),
        ("a", TypeError, "not 'a'"),
        ([0.5], TypeError, "the index of take is for integers, not float32"),
        ([True, False, True], TypeError, "x[mask] has a size that depends on values; use where(mask, x, 0)"),
        (([0], [1]), TypeError, "index in two steps"),
        ((0, [1]), TypeError, "index in two steps"),
        (slice(None, None, 0), ValueError, "a slice's step cannot be 0"),
    ],
    ids=str,
)
def test_indices_outside(key: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        ag.tensor(X)[key]
