"""The families of steps of random graphs: each appends a step or two, or nothing where no value suits."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis.strategies as st
import numpy as np

import amigrad as ag
from amigrad.graph import DType, Tensor, float32, float64, int32, int64
from strategies.graph import MOST_ELEMENTS, Builder

SMOOTH: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": ag.tanh,
    "sigmoid": ag.sigmoid,
    "sin": ag.sin,
    "cos": ag.cos,
    "erf": ag.erf,
    "negative": ag.negative,
    "softplus": ag.softplus,
    "gelu": ag.gelu,
    "silu": ag.silu,
    "tanh_exp": lambda x: ag.tanh(ag.exp(x)),
    "tanh_expm1": lambda x: ag.tanh(ag.expm1(x)),
    "log": lambda x: ag.log(1.5 + x * x),
    "log1p": lambda x: ag.log1p(x * x),
    "sqrt": lambda x: ag.sqrt(0.5 + x * x),
    "cubed": lambda x: x**3 / 8,
    "reciprocal": lambda x: ag.reciprocal(1 + x * x),
}
KINKED: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": ag.abs,
    "relu": ag.relu,
    "hardtanh": ag.hardtanh,
    "clip": lambda x: ag.clip(x, -0.5, 1.25),
    "sign": ag.sign,
    "floor": ag.floor,
    "ceil": ag.ceil,
    "round": ag.round,
}
BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "average": lambda x, y: (x + y) * 0.5,
    "difference": lambda x, y: (x - y) * 0.5,
    "product": lambda x, y: x * y * 0.5,
    "quotient": lambda x, y: x / (1 + y * y),
    "pow": lambda x, y: (2 + ag.tanh(x)) ** ag.tanh(y),
    "logaddexp": ag.logaddexp,
}
CHOICES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"maximum": ag.maximum, "minimum": ag.minimum}
INTEGER: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": lambda x, y: (x + y) % 1001,
    "subtract": lambda x, y: (x - y) % 1001,
    "multiply": lambda x, y: x * y % 1001,
    "floor_divide": lambda x, y: x // (y * y + 1),
    "remainder": lambda x, y: x % (y - 30),
    **CHOICES,
}
COMPARISONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "equal": ag.equal,
    "not_equal": ag.not_equal,
    "less": ag.less,
    "less_equal": ag.less_equal,
    "greater": ag.greater,
}
LOGICAL: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "and": ag.logical_and,
    "or": ag.logical_or,
    "xor": ag.logical_xor,
}
REDUCTIONS: dict[str, Callable[..., Tensor]] = {
    "mean": ag.mean,
    "tanh_sum": lambda x, axis, keepdims: ag.tanh(ag.sum(x, axis, keepdims=keepdims) * 0.25),
    "tanh_var": lambda x, axis, keepdims: ag.tanh(ag.var(x, axis, keepdims=keepdims) * 0.25),
    "prod": lambda x, axis, keepdims: ag.prod(ag.tanh(x), axis, keepdims=keepdims),
    "logsumexp": ag.logsumexp,
}


def unary(b: Builder) -> None:
    i = b.bounded(b.pick())
    if i is not None:
        name = b.choose(list(SMOOTH))
        b.add(name, SMOOTH[name], i, exact=name == "negative")


def kinked(b: Builder) -> None:
    i = None if b.smooth else b.pick(exact=True)
    if i is not None:
        name = b.choose(list(KINKED))
        b.add(name, KINKED[name], i, exact=True)


def binary(b: Builder) -> None:
    i = b.bounded(b.pick())
    j = b.bounded(b.partner(i)) if i is not None else None
    if i is not None and j is not None:
        name = b.choose(list(BINARY))
        b.add(name, BINARY[name], i, j)


def chosen(b: Builder) -> None:
    i = None if b.smooth else b.pick(exact=True)
    j = b.partner(i, exact=True) if i is not None else None
    if i is not None and j is not None:
        name = b.choose(list(CHOICES))
        b.add(name, CHOICES[name], i, j, exact=True)


def integer(b: Builder) -> None:
    i = b.pick("i")
    j = b.partner(i, "i") if i is not None else None
    if i is not None and j is not None:
        name = b.choose(list(INTEGER))
        b.add(name, INTEGER[name], i, j)


def compare(b: Builder) -> None:
    kinds = "i" if b.smooth else "fi"
    i = b.pick(kinds, exact=True)
    j = b.partner(i, kinds, exact=True) if i is not None else None
    if i is not None and j is not None:
        name = b.choose(list(COMPARISONS))
        b.add(name, COMPARISONS[name], i, j)


def logical(b: Builder) -> None:
    i = b.pick("b")
    j = b.partner(i, "b") if i is not None else None
    if i is not None and j is not None:
        name = b.choose([*LOGICAL, "not"])
        if name == "not":
            b.add(name, ag.logical_not, i)
        else:
            b.add(name, LOGICAL[name], i, j)


def where(b: Builder) -> None:
    condition = b.pick("b")
    i = b.partner(condition, "fi") if condition is not None else None
    j = b.partner(i, b.values[i].kind) if i is not None else None
    if condition is None or i is None or j is None:
        return
    shapes = [b.values[k].tensor.shape for k in (condition, i, j)]
    try:
        size = int(np.prod(np.broadcast_shapes(*shapes)))
    except ValueError:
        return
    if size <= MOST_ELEMENTS:
        b.add("where", ag.where, condition, i, j, exact=True)


def cast(b: Builder) -> None:
    i = b.pick("fib")
    if i is None:
        return
    to_integer = b.values[i].exact and not b.special and not b.smooth
    options = [float64] if b.smooth else [float32, float64]
    if b.values[i].kind != "f" or to_integer:
        options += [int32, int64]
    dtype: DType = b.choose(options)
    b.add(f"astype_{dtype.name}", lambda x: ag.astype(x, dtype), i, exact=True)


def reduce(b: Builder) -> None:
    i = b.bounded(b.pick(fits=lambda t: 0 not in t.shape))
    if i is not None:
        name, axis, keep = b.choose(list(REDUCTIONS)), b.axes(i), b.choose([False, True])
        kind = REDUCTIONS[name]
        b.add(f"{name}[axis={axis}, keepdims={keep}]", lambda x: kind(x, axis, keepdims=keep), i)


def reduce_exactly(b: Builder) -> None:
    i = b.pick("i" if b.smooth else "fib", exact=True, fits=lambda t: 0 not in t.shape)
    if i is None:
        return
    name = b.choose(
        {"f": ["max", "min"], "i": ["sum", "max", "min", "prod"], "b": ["sum", "any", "all"]}[b.values[i].kind]
    )
    axis, keep = b.axes(i), b.choose([False, True])
    kind: Callable[..., Tensor] = getattr(ag, name)
    wrap = name in ("sum", "prod")

    def function(x: Tensor) -> Tensor:
        result = kind(x % 3 if name == "prod" else x, axis, keepdims=keep)
        return result % 1001 if wrap else result

    b.add(f"{name}[axis={axis}, keepdims={keep}]", function, i, exact=True)


def argmax(b: Builder) -> None:
    i = b.pick("i" if b.smooth else "fi", exact=True, fits=lambda t: t.ndim > 0 and 0 not in t.shape)
    if i is not None:
        axis = b.choose(range(b.values[i].tensor.ndim))
        kind = b.choose([ag.argmax, ag.argmin])
        b.add(f"{kind.__name__}[{axis}]", lambda x: kind(x, axis), i)


def normalise(b: Builder) -> None:
    i = b.bounded(b.pick(fits=lambda t: t.ndim > 0 and 0 not in t.shape))
    if i is not None:
        axis = b.choose(range(b.values[i].tensor.ndim))
        kind = b.choose([ag.softmax, ag.log_softmax])
        b.add(f"{kind.__name__}[{axis}]", lambda x: kind(x, axis), i)


def matmul(b: Builder) -> None:
    i = b.bounded(b.pick(fits=lambda t: t.ndim > 0))
    if i is None:
        return
    x = b.values[i].tensor
    form = b.choose(["weights", "transposed", "vector"] if x.ndim > 1 else ["weights", "vector"])
    if form == "transposed":
        b.add("tanh_gram", lambda v: ag.tanh(ag.matmul(v, v.mT) * 0.25), i)
        return
    shape = (x.shape[-1],) if form == "vector" else (x.shape[-1], b.choose([1, 2, 4]))
    seed = b.draw(st.integers(0, 9))
    values = np.random.default_rng(seed).uniform(-1, 1, shape).astype(x.dtype)
    weights = ag.parameter(values)
    b.add(f"tanh_matmul[{shape}]", lambda v: ag.tanh(ag.matmul(v, weights) * 0.5), i)


def move(b: Builder) -> None:
    i = b.pick("fib")
    if i is None:
        return
    ndim = b.values[i].tensor.ndim
    options = ["flatten", "expand", "pad", "twice", "with_sizes"]
    options += ["permute", "flip", "slice", "last", "merge", "spread"] if ndim else []
    name = b.choose(options)
    axis = b.choose(range(ndim)) if ndim else 0
    start, stop, step = (b.choose([None, -2, 1, 2]), b.choose([None, -1, 3]), b.choose([1, 2, -1, -2]))
    key = (*[slice(None)] * axis, slice(start, stop, step))
    kinds: dict[str, Callable[[Tensor], Tensor]] = {
        "flatten": lambda x: ag.reshape(x, -1),
        "expand": lambda x: ag.expand_dims(x, axis),
        "permute": lambda x: ag.permute_dims(x, (*range(axis, ndim), *range(axis))),
        "flip": lambda x: ag.flip(x, axis),
        "slice": lambda x: x[key],
        "last": lambda x: x[..., -1:],
        "pad": lambda x: ag.pad(x, [(1, 2)] * ndim),
        "twice": lambda x: ag.stack([x, x], axis),
        "with_sizes": lambda x: ag.broadcast_to(x, (2, *x.shape)),
        "merge": lambda x: ag.reshape(x, (-1, x.shape[-1])) if 0 not in x.shape else x,
        "spread": lambda x: ag.concat([x, ag.flip(x, axis)], axis),
    }
    size = int(np.prod([d + 3 for d in b.values[i].tensor.numpy().shape]))
    if size <= MOST_ELEMENTS:
        b.add(f"{name}[axis={axis}, {start}:{stop}:{step}]", kinds[name], i, exact=True)


def join(b: Builder) -> None:
    i = b.pick("fib", fits=lambda t: t.ndim > 0)
    if i is None:
        return
    shape, dtype = b.values[i].tensor.shape, b.values[i].tensor.dtype
    axis = b.choose(range(len(shape)))

    def fits(t: Tensor) -> bool:
        rest = [d for a, d in enumerate(t.shape) if a != axis]
        return t.ndim == len(shape) and rest == [d for a, d in enumerate(shape) if a != axis] and t.dtype == dtype

    j = b.pick("fib", fits=fits)
    if j is not None and b.values[i].tensor.numpy().size <= MOST_ELEMENTS // 2:
        b.add(f"concat[{axis}]", lambda x, y: ag.concat([x, y], axis), i, j, exact=True)


def lookup(b: Builder) -> None:
    index = b.pick("i", fits=lambda t: t.numpy().size <= 12)
    table = b.pick("fib", fits=lambda t: t.ndim > 0 and 0 not in t.shape and t.numpy().size <= 20)
    if index is None or table is None:
        return
    axis = b.choose(range(b.values[table].tensor.ndim))
    b.add(f"take[{axis}]", lambda t, i: ag.take(t, i % t.shape[axis], axis), table, index, exact=True)


def classes(b: Builder) -> None:
    index = b.pick("i", fits=lambda t: t.numpy().size <= 20)
    if index is not None:
        b.add("one_hot", lambda i: ag.one_hot(i % 4, 4), index)


def constant(b: Builder) -> None:
    i = b.pick("fi")
    if i is not None:
        number = b.choose([0, 1, 0.5, -2])
        b.add(f"full_like[{number}]", lambda x: ag.full(x.shape, number, dtype=float64), i, exact=True)


def count(b: Builder) -> None:
    i = b.pick("fib", fits=lambda t: t.ndim > 0)
    if i is not None:
        b.add("arange", lambda x: ag.arange(x.shape[-1]), i)


FAMILIES = (
    *(unary, unary, binary, binary, reduce, matmul, move, move),
    *(kinked, chosen, integer, compare, logical, where, cast, reduce_exactly, argmax, normalise),
    *(join, lookup, classes, constant, count),
)
