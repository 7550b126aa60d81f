"""Run-time sizes: their arithmetic, what is guarded, and how shapes broadcast."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amigrad.graph.sizes import (
    Dim,
    Scope,
    Size,
    broadcast_shapes,
    divide,
    evaluate,
    format_shape,
    hint,
    is_one,
    map_sizes,
    product,
    same,
)


def symbols(*hints: int) -> tuple[Scope, list[Size]]:
    scope = Scope()
    return scope, [scope.symbol(h) for h in hints]


def guards(scope: Scope) -> list[str]:
    return [str(g) for g in scope.guards]


# Arithmetic

Expression = Callable[[Dim, Dim], Dim]


def expressions() -> st.SearchStrategy[Expression]:
    """Polynomials, and quotients by constants, of two sizes."""
    leaves = st.one_of(
        st.just(lambda a, b: a),
        st.just(lambda a, b: b),
        st.integers(-4, 4).map(lambda n: lambda a, b: n),
    )

    def extend(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        pair = st.tuples(inner, inner)
        return st.one_of(
            pair.map(lambda p: lambda a, b: p[0](a, b) + p[1](a, b)),
            pair.map(lambda p: lambda a, b: p[0](a, b) - p[1](a, b)),
            pair.map(lambda p: lambda a, b: p[0](a, b) * p[1](a, b)),
            inner.map(lambda e: lambda a, b: -e(a, b)),
            st.tuples(inner, st.integers(1, 4)).map(lambda p: lambda a, b: p[0](a, b) // p[1]),
            st.tuples(inner, st.integers(1, 4)).map(lambda p: lambda a, b: p[0](a, b) % p[1]),
        )

    return st.recursive(leaves, extend, max_leaves=8)


@given(expressions(), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_size_is_for_all_sizes_what_integers_would_be(e: Expression, a: int, b: int, c: int, d: int) -> None:
    scope, (x, y) = symbols(a, b)
    size = e(x, y)
    assert hint(size) == e(a, b)
    assert evaluate(size, {"s0": c, "s1": d}) == e(c, d)
    assert scope.guards == []


@given(expressions(), expressions(), st.integers(0, 5), st.integers(0, 5))
def test_comparisons_are_answered_by_the_example_and_guarded(e: Expression, f: Expression, a: int, b: int) -> None:
    scope, (x, y) = symbols(a, b)
    left, right = e(x, y), f(x, y)
    answers = [left == right, left != right, left < right, left <= right, left > right, left >= right]
    one, other = e(a, b), f(a, b)
    assert answers == [one == other, one != other, one < other, one <= other, one > other, one >= other]
    assert all(g.check({"s0": a, "s1": b}) for g in scope.guards)
    # A trace whose guards hold for other sizes would have been answered the same with them.
    for c, d in [(0, 0), (1, 1), (2, 5), (5, 2), (3, 3)]:
        if all(g.check({"s0": c, "s1": d}) for g in scope.guards):
            one, other = e(c, d), f(c, d)
            assert answers == [one == other, one != other, one < other, one <= other, one > other, one >= other]


def test_equal_expressions_are_one() -> None:
    scope, (x, y) = symbols(2, 3)
    assert x + y == y + x
    assert (x + 1) * (x - 1) == x * x - 1
    assert x - x == 0
    assert isinstance(x - x, int)
    assert hash(x * y) == hash(y * x)
    assert scope.guards == []


def test_text_of_sizes() -> None:
    _, (x, y) = symbols(2, 3)
    texts = {x: "s0", x + 1: "s0 + 1", 2 * x * y - 3: "2*s0*s1 + -3", (x + 1) // 2: "((s0 + 1) // 2)"}
    assert [str(size) for size in texts] == list(texts.values())
    assert format_shape((x, 4)) == "(s0, 4)"
    assert format_shape((3,)) == "(3,)"
    assert format_shape(()) == "()"


def test_asking_for_the_number_makes_it_a_constant() -> None:
    scope, (x, y) = symbols(4, 3)
    assert list(range(x)) == [0, 1, 2, 3]
    assert guards(scope) == ["s0 + -4 == 0"]
    assert hint(x + 1) == 5
    assert isinstance(x + 1, int)
    assert isinstance(y + 1, Size)


def test_a_guard_on_equality_simplifies_what_follows() -> None:
    scope, (x, y, z) = symbols(4, 4, 2)
    assert x == y
    assert str(x + y) in ("2*s0", "2*s1")
    assert x + 1 == y + 1
    assert y == z * 2
    assert x == 2 * z
    assert len(scope.guards) == 2
    assert not all(g.check({"s0": 6, "s1": 6, "s2": 2}) for g in scope.guards)
    assert all(g.check({"s0": 6, "s1": 6, "s2": 3}) for g in scope.guards)


def test_a_question_asked_twice_is_one_guard() -> None:
    scope, (x,) = symbols(4)
    for _ in range(3):
        assert x > 3
        assert x != 0
    assert guards(scope) == ["s0 + -3 > 0", "s0 != 0"]


# Division


@pytest.mark.parametrize(
    ("numerator", "divisor", "quotient"),
    [
        (lambda x, y: 12, lambda x, y: 4, "3"),
        (lambda x, y: 13, lambda x, y: 4, "None"),
        (lambda x, y: 12, lambda x, y: 0, "None"),
        (lambda x, y: 6 * x, lambda x, y: 3, "2*s0"),
        (lambda x, y: 6 * x + 1, lambda x, y: 3, "None"),
        (lambda x, y: 6 * x * y, lambda x, y: 2 * y, "3*s0"),
        (lambda x, y: x * y + 3 * y, lambda x, y: y, "s0 + 3"),
        (lambda x, y: x * x, lambda x, y: x, "s0"),
        (lambda x, y: x, lambda x, y: y, "None"),
        (lambda x, y: x + y, lambda x, y: x + y, "1"),
        (lambda x, y: x * (x + y), lambda x, y: x + y, "None"),
        (lambda x, y: 0, lambda x, y: x, "0"),
        (lambda x, y: 5, lambda x, y: x, "None"),
    ],
)
def test_exact_division(numerator: Expression, divisor: Expression, quotient: str) -> None:
    scope, (x, y) = symbols(4, 6)
    assert str(divide(numerator(x, y), divisor(x, y))) == quotient
    assert scope.guards == []


# Equal sizes and broadcasting: a hint of 1 becomes a constant only where it broadcast


def test_sizes_that_must_be_equal_are_guarded_only_if_they_are() -> None:
    scope, (x, y, z) = symbols(4, 4, 5)
    assert not same(x, z)
    assert not same(x, 3)
    assert scope.guards == []
    assert same(x, y)
    assert all(g.check({"s0": 7, "s1": 7, "s2": 5}) for g in scope.guards)
    assert not all(g.check({"s0": 7, "s1": 6, "s2": 5}) for g in scope.guards)
    assert same(3, 3)
    assert not same(3, 4)


def test_a_size_of_one_that_did_not_broadcast_stays_a_run_time_size() -> None:
    scope, (batch, other) = symbols(1, 1)
    assert broadcast_shapes((batch, 3), (3,)) == (batch, 3)
    assert broadcast_shapes((batch, 3), (1, 3)) == (batch, 3)
    assert broadcast_shapes((batch, 1), (3,)) == (batch, 3)
    assert scope.guards == []
    assert broadcast_shapes((batch,), (other,))[0] is batch
    assert all(g.check({"s0": 7, "s1": 7}) for g in scope.guards)


def test_a_size_of_one_that_broadcast_is_guarded() -> None:
    scope, (batch, width) = symbols(1, 5)
    assert broadcast_shapes((batch,), (width,))[0] is width
    assert all(g.check({"s0": 1, "s1": 9}) for g in scope.guards)
    assert not all(g.check({"s0": 9, "s1": 9}) for g in scope.guards)
    assert is_one(batch)
    assert not is_one(width)


@given(st.lists(st.lists(st.sampled_from([1, 2, 3]), max_size=3).map(tuple), min_size=1, max_size=3))
def test_broadcasting_of_run_time_sizes_is_numpys(shapes: list[tuple[int, ...]]) -> None:
    scope = Scope()
    traced = [tuple(scope.symbol(d) for d in shape) for shape in shapes]
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ValueError, match="do not broadcast"):
            broadcast_shapes(*traced)
        return
    found = broadcast_shapes(*traced)
    assert tuple(map(hint, found)) == expected
    # Where the guards hold for other sizes, the result is right for them too.
    names = [dim for shape in traced for dim in shape]
    for other in (1, 2, 5):
        sizes = {f"s{i}": other if d.hint != 1 else 1 for i, d in enumerate(names)}
        if all(g.check(sizes) for g in scope.guards):
            changed = [tuple(evaluate(d, sizes) for d in shape) for shape in traced]
            assert tuple(evaluate(d, sizes) for d in found) == np.broadcast_shapes(*changed)


def test_shapes_that_do_not_broadcast_are_named() -> None:
    _, (x, y) = symbols(2, 3)
    with pytest.raises(ValueError, match=r"\(s0, 4\) and \(s1, 4\) do not broadcast: sizes 2 and 3 of axis -2 differ"):
        broadcast_shapes((x, 4), (y, 4))


def test_product_and_mapping_of_shapes() -> None:
    _, (x, y) = symbols(2, 3)
    assert str(product((x, 4, y))) == "4*s0*s1"
    assert product(()) == 1
    shape = (1, (x, "text"), y + 1)
    assert map_sizes(shape, lambda size: size.hint) == (1, (2, "text"), 4)
    assert map_sizes(3.5, lambda size: size.hint) == 3.5
