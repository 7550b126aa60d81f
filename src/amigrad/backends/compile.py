"""`compile`: a Python function of tensors as one native function."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from amigrad.backends.executor import BUSY, Executor, new_words
from amigrad.backends.program import Program, trace
from amigrad.backends.structure import LEAF, flatten, unflatten
from amigrad.graph import Spec, State, Tensor, TraceError
from amigrad.graph.dtypes import DTYPES, float32, int64
from amigrad.graph.recording import active_trace
from amigrad.graph.sizes import evaluate
from amigrad.graph.tensor import Array, as_array

BACKENDS = ("native", "reference")
_READY_KEPT = 4096
_BY_NAME = object()
"""Stands in the key of a call before its arguments by name."""
_PATIENCE = 0.05
"""Seconds until a loop of steps looks whether somebody pressed Ctrl-C."""
_WELL = 0x101
"""The flags of an array in C order whose elements are aligned (NPY_ARRAY_CARRAY_RO of NumPy's C interface)."""


def executor(program: Program, backend: str) -> Executor:
    """A program made ready by the backend of this name."""
    if backend == "reference":
        from amigrad.backends.reference.run import ReferenceExecutor

        return ReferenceExecutor(program)
    from amigrad.backends.native.executor import NativeExecutor

    return NativeExecutor(program)


class Variant:
    """One compilation: a program and its executor."""

    def __init__(self, program: Program, backend: str) -> None:
        self.program = program
        self.executor = executor(program, backend)
        self.symbols = program.symbols()

    def sizes(self, inputs: list[Spec]) -> dict[str, int]:
        """The run-time sizes of these inputs."""
        return {name: inputs[position].shape[axis] for name, position, axis in self.symbols}  # type: ignore[misc]

    def ready(self, sizes: dict[str, int]) -> Ready:
        """What runs data of these sizes."""
        outputs = [Spec(tuple(evaluate(d, sizes) for d in t.shape), t.dtype) for t in self.program.outputs]
        return Ready(self.executor, self.executor.plan(sizes), outputs, self.program.structure)


@dataclass(slots=True)
class Ready:
    """All that a call on data of known sizes needs."""

    executor: Executor
    plan: Any
    outputs: list[Spec]
    structure: Hashable
    pace: int = 1
    """How many batches one native call of `for_each` takes."""

    def run(self, arrays: list[Array]) -> Any:
        """The function's result."""
        results = self.executor.run(self.plan, arrays)
        if self.structure == LEAF:
            return Tensor(self.outputs[0], results[0])
        return self.result(map(Tensor, self.outputs, results))

    def result(self, tensors: Iterable[Tensor]) -> Any:
        """The function's result made of its tensors."""
        remaining = iter(tensors)
        return unflatten(self.structure, lambda: next(remaining))


class Compiled:
    """A function that was compiled. It is traced at its first call, and again only if a later call has other
    dtypes, numbers of axes or constants, or sizes for which the first graph would not be the right one.
    """

    __slots__ = ("__dict__", "__weakref__", "_words")

    def __init__(self, function: Callable[..., Any], backend: str) -> None:
        if backend not in BACKENDS:
            raise ValueError(f"there are the backends {' and '.join(BACKENDS)}, not {backend!r}")
        self.function = function
        self.backend = backend
        self._variants: dict[Hashable, list[Variant]] = {}
        self._ready: dict[Hashable, Ready] = {}
        self._lock = threading.RLock()
        self._words = new_words()
        self._card: Any = None
        functools.update_wrapper(self, function)

    @property
    def compilations(self) -> int:
        """How many times the function was compiled."""
        return sum(map(len, self._variants.values()))

    @property
    def programs(self) -> list[Program]:
        """The traced programs, one for each compilation."""
        return [variant.program for variants in self._variants.values() for variant in variants]

    @property
    def executors(self) -> list[Executor]:
        """The executors, one for each compilation."""
        return [variant.executor for variants in self._variants.values() for variant in variants]

    def dump(self, folder: str | Path) -> list[Path]:
        """Write the compiler's stages into `folder`, for each compilation a folder of its own: the graph, simplified,
        scheduled, planned, as LLVM IR and as assembly. Gives these folders. The environment variable AMIGRAD_DUMP
        names a folder into which all programs are written when they are compiled.
        """
        return [executor.dump(folder) for executor in self.executors]

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function on tensors, arrays and numbers; gives tensors."""
        if active_trace() is not None:
            return self.function(*args, **kwargs)
        arrays: list[Array] = []
        quick = _quick_key((*args, _BY_NAME, kwargs) if kwargs else args, arrays)
        if quick is not None:
            with self._lock:
                try:
                    ready = self._ready.get(quick)
                except TypeError:  # Something has no hash: what follows says so.
                    ready = None
                if ready is not None:
                    return self._run(ready.run, arrays)
        leaves: list[Any] = []
        structure: Hashable = flatten((args, kwargs), leaves)
        inputs = [_as_input(leaf) for leaf in leaves]
        key = (structure, *[Spec(a.shape, a.dtype) for a in inputs])
        with self._lock:
            is_first = key not in self._ready
            ready = self._find(key)
            result = self._run(ready.run, inputs)
            if not is_first and quick is not None and all(map(_is_usable, arrays)):
                self._ready[quick] = ready
                self._learn(args, kwargs, inputs, ready)
        return result

    __call__ = _call

    def _run(self, run: Callable[..., Any], *arguments: Any) -> Any:
        """Call what runs the function, whose lock this thread has; meanwhile native code makes no calls by itself."""
        before = self._words[BUSY]
        try:
            self._words[BUSY] = 1
            return run(*arguments)
        finally:
            self._words[BUSY] = before

    def _learn(self, arguments: tuple[Any, ...], named: dict[str, Any], inputs: list[Array], ready: Ready) -> None:
        """Let native code make calls like this one, where it can: `native/fastcall.py`."""
        direct = ready.executor.direct(ready.plan)
        if direct is None:
            return
        from amigrad.backends.native.fastcall import Card, method

        if self._card is None:
            native = method(Compiled, "_words", "_call")
            if native is None:
                return
            Compiled.__call__ = native  # type: ignore[method-assign]
            self._card = Card(self._words, self._lock)
        self._card.learn(arguments, named, inputs, ready.outputs, ready.structure, direct, ready)

    def for_each(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function on many batches, one after the other: what a loop of calls gives, bit by bit, sooner.

        Arguments are those of a call, but each tensor or array has one axis more, the first, which goes over the
        batches; numbers are the same for all of them. The results are stacked along a new first axis. If all of the
        function is native code, so is the loop.

        ValueError if the arguments have not all the same number of batches (none at all is fine: no step is done).
        An error in a step, or Ctrl-C, ends the loop between two steps; the states are as the steps before left them.
        An IndexError says in which batch the index is.
        """
        if active_trace() is not None:
            raise TraceError("for_each runs a compiled function; it cannot be a part of one")
        leaves: list[Any] = []
        structure = flatten((args, kwargs), leaves)
        count = _batches(leaves)
        inputs = [_as_input(leaf) for leaf in leaves]
        inputs = [
            np.broadcast_to(array, count) if _is_number(leaf) else array
            for array, leaf in zip(inputs, leaves, strict=True)
        ]
        with self._lock:
            ready = self._find((structure, *[Spec(a.shape[1:], a.dtype) for a in inputs]))
        outputs = [np.empty((count, *spec.shape), spec.dtype) for spec in ready.outputs]
        done = 0
        while done < count:
            stop = min(done + ready.pace, count)
            start = time.perf_counter()
            with self._lock:
                self._run(ready.executor.run_batches, ready.plan, inputs, outputs, done, stop)
            share = _PATIENCE / max(time.perf_counter() - start, 1e-9)
            ready.pace = max(1, int(min((stop - done) * share, 8.0 * ready.pace)))
            done = stop
        return ready.result(Tensor(Spec(a.shape, a.dtype), a) for a in outputs)

    def _find(self, key: tuple[Any, ...]) -> Ready:
        """What runs arguments of this structure and these specs, compiled and planned now if need be."""
        ready = self._ready.get(key)
        if ready is None:
            structure, *inputs = key
            ready = self._prepare(structure, inputs)
            if len(self._ready) >= _READY_KEPT:
                self._ready.clear()
            self._ready[key] = ready
        return ready

    def _prepare(self, structure: Hashable, inputs: list[Spec]) -> Ready:
        signature = (structure, *[(spec.dtype.char, len(spec.shape)) for spec in inputs])
        variants = self._variants.setdefault(signature, [])
        for variant in variants:
            sizes = variant.sizes(inputs)
            if variant.program.guards_hold(sizes):
                return variant.ready(sizes)
        variant = Variant(trace(self.function, structure, inputs), self.backend)
        variants.append(variant)
        return variant.ready(variant.sizes(inputs))

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else _Method(self, instance)


class _Method(functools.partial[Any]):
    """A compiled function of a class, with the object that it is called on."""

    def for_each(self, *args: Any, **kwargs: Any) -> Any:
        """As `Compiled.for_each`."""
        compiled: Compiled = self.func  # type: ignore[assignment]
        return compiled.for_each(*self.args, *args, **kwargs)


def _quick_key(values: Iterable[Any], arrays: list[Array]) -> Hashable | None:
    """The key of a common call; appends its tensors to `arrays` as they are, and its numbers. None for other calls.

    It has all of an array's flags: that they tell a C order needs no look at a call whose key is known.
    """
    key: tuple[Any, ...] = ()
    for value in values:
        kind: Any = type(value)
        if kind is Tensor:
            value = value._value
            kind = type(value)
        if kind is np.ndarray:
            arrays.append(value)
            key += (value.dtype, value.shape, value.flags.num)
        elif kind is list or kind is tuple or kind is dict:
            inner = _quick_key(value.values() if kind is dict else value, arrays)
            if inner is None:
                return None
            key += (kind, inner, tuple(value)) if kind is dict else (kind, inner)
        elif kind is float or (kind is int and -(2**63) <= value < 2**63):
            arrays.append(np.array(value, float32 if kind is float else int64))
            key += (kind,)
        elif _is_constant(kind):
            key += (kind, value)
        else:
            return None
    return key


@functools.lru_cache(1024)
def _is_constant(kind: type) -> bool:
    """Whether the values of a type are constants of the compiled function."""
    others = (Tensor, np.ndarray, np.generic, int, float, list, tuple, dict)
    return kind is bool or not issubclass(kind, others)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.generic)


def _batches(leaves: list[Any]) -> int:
    """How many batches the arguments have along their first axes."""
    shapes = [leaf.shape for leaf in leaves if not _is_number(leaf)]
    if not shapes:
        raise ValueError("for_each takes a tensor or an array at least, whose first axis goes over the batches")
    if not all(shapes):
        raise ValueError("for_each takes tensors whose first axis goes over the batches; one has shape ()")
    counts = [shape[0] for shape in shapes]
    if len(set(counts)) > 1:
        raise ValueError(f"the arguments have different numbers of batches along their first axes: {counts}")
    return int(counts[0])


def _is_usable(array: Array) -> bool:
    """Whether native code can read an array as it lies: in C order, of one of the element types."""
    return array.flags.num & _WELL == _WELL and array.dtype in DTYPES


def _as_input(value: Any) -> Array:
    """A leaf as an array: its own where it is usable, a copy if it is a state, which may change meanwhile."""
    array = value.value if isinstance(value, Tensor) else value
    if type(array) is np.ndarray and _is_usable(array) and not isinstance(value, State):
        return array
    return as_array(array)


@overload
def compile(function: Callable[..., Any], *, backend: str = "native") -> Compiled: ...


@overload
def compile(function: None = None, *, backend: str = "native") -> Callable[[Callable[..., Any]], Compiled]: ...


def compile(function: Callable[..., Any] | None = None, *, backend: str = "native") -> Any:
    """Compile a function of tensors: forward, gradients and updates become one native function.

    >>> @ag.compile
    ... def step(x, y):
    ...     cost = ag.square_loss(model(x), y)
    ...     optimizer.minimize(cost)
    ...     return cost

    The function runs once in Python, with tensors that have no value, to get its graph. Sizes of parameters are
    constants of the compiled code, sizes of the arguments are run-time numbers: one compilation serves any batch
    size. `step.compilations` says how many there were. backend="reference" runs the same graph in NumPy.
    """
    if function is None:
        return lambda f: Compiled(f, backend)
    return Compiled(function, backend)
