"""`compile`: a Python function of tensors as one native function."""

from __future__ import annotations

import functools
import operator
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Protocol, overload

import numpy as np

from amigrad.backends.program import Program, trace
from amigrad.backends.structure import LEAF, flatten, unflatten
from amigrad.graph import Spec, Tensor
from amigrad.graph.dtypes import DTYPES
from amigrad.graph.recording import active_trace
from amigrad.graph.tensor import Array, as_array

BACKENDS = ("native", "reference")
_PLANS_KEPT = 4096


class Executor(Protocol):
    """A program made ready to run by a backend."""

    def plan(self, sizes: Mapping[str, int]) -> Any:
        """What depends on the sizes of the data only, computed once for each combination."""

    def run(self, plan: Any, arrays: list[Array]) -> list[Array]:
        """The outputs for these inputs, after the assignments to states were made."""


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

    def sizes(self, arrays: list[Array]) -> dict[str, int]:
        """The run-time sizes of these inputs."""
        return {name: arrays[position].shape[axis] for name, position, axis in self.symbols}


class Compiled:
    """A function that was compiled. It is traced at its first call, and again only if a later call has other
    dtypes, numbers of axes or constants, or sizes for which the first graph would not be the right one.
    """

    def __init__(self, function: Callable[..., Any], backend: str) -> None:
        if backend not in BACKENDS:
            raise ValueError(f"there are the backends {' and '.join(BACKENDS)}, not {backend!r}")
        self.function = function
        self.backend = backend
        self._variants: dict[Hashable, list[Variant]] = {}
        self._plans: dict[Hashable, tuple[Variant, Any]] = {}
        self._lock = threading.RLock()
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

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function on tensors, arrays and numbers; gives tensors."""
        if active_trace() is not None:
            return self.function(*args, **kwargs)
        quick = None if kwargs else _quick_key(args)
        if quick is not None:
            with self._lock:
                found = self._plans.get(quick[0])
                if found is not None:
                    return self._run(*found, quick[1])
        leaves: list[Any] = []
        structure: Hashable = flatten((args, kwargs), leaves)
        arrays = [_as_input(leaf) for leaf in leaves]
        key = (structure, *[(a.dtype, a.shape) for a in arrays])
        with self._lock:
            found = self._plans.get(key)
            if found is None:
                found = self._prepare(structure, arrays)
                if len(self._plans) >= _PLANS_KEPT:
                    self._plans.clear()
                self._plans[key] = found
            if quick is not None and all(map(operator.is_, quick[1], arrays)):
                self._plans[quick[0]] = found
            return self._run(*found, arrays)

    def _run(self, variant: Variant, plan: Any, arrays: list[Array]) -> Any:
        outputs = variant.executor.run(plan, arrays)
        structure = variant.program.structure
        if structure == LEAF:
            (array,) = outputs
            return Tensor(Spec(array.shape, array.dtype), array)
        results = iter([Tensor(Spec(a.shape, a.dtype), a) for a in outputs])
        return unflatten(structure, lambda: next(results))

    def _prepare(self, structure: Hashable, arrays: list[Array]) -> tuple[Variant, Any]:
        signature = (structure, *[(a.dtype.char, a.ndim) for a in arrays])
        variants = self._variants.setdefault(signature, [])
        for variant in variants:
            sizes = variant.sizes(arrays)
            if variant.program.guards_hold(sizes):
                return variant, variant.executor.plan(sizes)
        program = trace(self.function, structure, [Spec(a.shape, a.dtype) for a in arrays])
        variant = Variant(program, self.backend)
        variants.append(variant)
        return variant, variant.executor.plan(variant.sizes(arrays))

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


def _quick_key(values: Iterable[Any]) -> tuple[Hashable, list[Array]] | None:
    """The common call, of tensors and arrays as they are and lists of them: its key and its arrays. None for others."""
    key: list[Hashable] = []
    arrays: list[Array] = []
    for value in values:
        if isinstance(value, Tensor):
            value = value._value
        if type(value) is np.ndarray:
            flags = value.flags
            if not (flags.c_contiguous and flags.aligned):
                return None
            key.append((value.dtype, value.shape))
            arrays.append(value)
        elif type(value) is list or type(value) is tuple:
            inner = _quick_key(value)
            if inner is None:
                return None
            key.append((type(value), inner[0]))
            arrays += inner[1]
        else:
            return None
    return tuple(key), arrays


def _lies_well(array: Array) -> bool:
    flags = array.flags
    return flags.c_contiguous and flags.aligned


def _as_input(value: Any) -> Array:
    array = value.value if isinstance(value, Tensor) else value
    if type(array) is np.ndarray and array.dtype in DTYPES and _lies_well(array):
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
