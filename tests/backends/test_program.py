"""Programs: the graph of a function, and what its parts are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import amigrad as ag


def names(function: Callable[..., Any], *arguments: Any, **by_name: Any) -> list[str | None]:
    """What the inputs of a compiled function are called after a call of it."""
    compiled = ag.compile(function, backend="reference")
    compiled(*arguments, **by_name)
    (program,) = compiled.programs
    return [tensor.name for tensor in program.inputs]


ONE = np.ones(2)


@pytest.mark.parametrize(
    ("function", "arguments", "by_name", "expected"),
    [
        (lambda x, y: x + y, (ONE, ONE), {}, ["x", "y"]),
        (lambda x, y: x + y, (ONE,), {"y": ONE}, ["x", "y"]),
        (lambda x, y: x + y, (), {"y": ONE, "x": ONE}, ["y", "x"]),
        (lambda x: x[0] + x[1], ([ONE, 2.0],), {}, ["x[0]", "x[1]"]),
        (lambda x: x["a"] + x["b"][0], ({"a": ONE, "b": (ONE, None)},), {}, ["x.a", "x.b[0]"]),
        (lambda first, *rest: first + rest[0] + rest[1], (ONE, ONE, ONE), {}, ["first", "rest[0]", "rest[1]"]),
        (lambda **all: all["p"] + all["q"], (), {"p": ONE, "q": ONE}, ["p", "q"]),
        (lambda x, mode: x, (ONE, "fast"), {}, ["x"]),
        (lambda: ag.ones(2), (), {}, []),
    ],
)
def test_inputs_have_the_names_of_the_arguments(
    function: Callable[..., Any], arguments: tuple[Any, ...], by_name: dict[str, Any], expected: list[str]
) -> None:
    assert names(function, *arguments, **by_name) == expected


def test_methods_and_functions_without_a_signature() -> None:
    class Model:
        @ag.compile
        def __call__(self, x: ag.Tensor) -> ag.Tensor:
            return x * 2.0

    model = Model()
    assert model(ONE).numpy().tolist() == [2, 2]
    (program,) = Model.__call__.programs  # type: ignore[attr-defined]
    assert [tensor.name for tensor in program.inputs] == ["x"]

    class Odd:
        __signature__ = "none"

        def __call__(self, x: ag.Tensor) -> ag.Tensor:
            return x

    assert names(Odd(), ONE) == ["arguments[0]"]
