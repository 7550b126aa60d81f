"""Tensors: the variables of the graph, and the states and parameters that outlive it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from amigrad.graph import recording
from amigrad.graph.arithmetic import Arithmetic
from amigrad.graph.dtypes import DType, as_dtype, float32, int64, is_floating, nearest
from amigrad.graph.errors import TraceError
from amigrad.graph.sizes import Dim, Shape, Size, format_shape

if TYPE_CHECKING:
    from amigrad.graph.operation import Operation

Array: TypeAlias = npt.NDArray[Any]
TensorLike: TypeAlias = "Tensor | Array | float | int | bool | Size | list[Any] | tuple[Any, ...]"


class Spec(NamedTuple):
    """What is known of a tensor without its value."""

    shape: Shape
    dtype: DType

    def __str__(self) -> str:
        return f"{self.dtype.name}{format_shape(self.shape)}"


class Tensor(Arithmetic):
    """A variable of the graph: shape, dtype, value, and the operation that made it if there is one.

    The value of a traced tensor (inside a function that `compile` traces) is not known yet.
    """

    __slots__ = ("__weakref__", "_grad", "_tracked", "_value", "dtype", "name", "operation", "shape")
    __array_priority__ = 1000

    def __init__(
        self,
        spec: Spec,
        value: Array | None,
        operation: Operation | None = None,
        *,
        tracked: bool = False,
        name: str | None = None,
    ) -> None:
        self.shape, self.dtype = spec
        self._value = value
        self.operation = operation
        self._tracked = tracked
        self._grad: Tensor | None = None
        self.name = name

    # What it is

    @property
    def spec(self) -> Spec:
        """Shape and dtype."""
        return Spec(self.shape, self.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Dim:
        """The number of elements."""
        total: Dim = 1
        for dim in self.shape:
            total = total * dim
        return total

    @property
    def tracked(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self._tracked or self.operation is not None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that the last `backward` left here (while a function is compiled: its own last one)."""
        trace = recording.active_trace()
        return self._grad if trace is None else trace.gradients.get(id(self))

    @grad.setter
    def grad(self, gradient: Tensor | None) -> None:
        trace = recording.active_trace()
        if trace is not None:
            trace.set_gradient(self, gradient)
        else:
            self._grad = gradient

    @property
    def value(self) -> Array:
        """The value, shared and writable: for amigrad's own rooms; users take `numpy()`."""
        if self._value is None:
            raise TraceError("a traced tensor has no value yet: its function is being compiled")
        return self._value

    def set_value(self, value: Array) -> None:
        """Put a value that was computed again here (a step of `Graph.forward`)."""
        self._value = value

    @property
    def traced(self) -> bool:
        """Whether this tensor stands for a value that only a call of the compiled function knows."""
        return self._value is None

    # Its value

    def _known(self, use: str) -> Array:
        if self._value is None:
            raise TraceError(
                f"{use} needs the value of a tensor, but inside a compiled function it has none yet. Use `where` "
                "instead of `if`, and take values from what the function returns"
            )
        return self._value

    def numpy(self) -> Array:
        """The value as a NumPy array: a read-only view of it (a copy if this is a parameter or a state)."""
        array = self._known("numpy()").view()
        array.flags.writeable = False
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self._known("a NumPy array")
        if dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                raise ValueError(f"a {array.dtype} tensor cannot become {np.dtype(dtype)} without a copy")
            return array.astype(dtype)
        if copy is False and isinstance(self, State):
            raise ValueError("a parameter or a state becomes an array only as a copy")
        return array.copy() if copy else self.numpy()

    def item(self) -> float | int | bool:
        """The value of a tensor of one element as a Python number."""
        result: float | int | bool = self._known("item()").item()
        return result

    def __float__(self) -> float:
        return float(self._known("float()").item())

    def __int__(self) -> int:
        return int(self._known("int()").item())

    def __index__(self) -> int:
        value = self._known("an index")
        if value.ndim or value.dtype.kind != "i":
            raise TypeError(f"only an integer tensor of shape () is an index, not {self.spec}")
        return int(value)

    def __bool__(self) -> bool:
        value = self._known("`if`, `while`, `and`, `or`, `not` or bool()")
        if value.size != 1:
            raise ValueError(f"a tensor of shape {self.shape} has no one truth value: use any() or all()")
        return bool(value)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor of shape () has no len()")
        return int(self.shape[0])

    def __iter__(self) -> Any:
        if not self.shape:
            raise TypeError("a tensor of shape () cannot be iterated")
        if isinstance(self.shape[0], Size):
            raise TraceError(
                "a loop over an axis whose size is only known at run time cannot be compiled; use operators on "
                "the whole axis"
            )
        return (self[i] for i in range(self.shape[0]))

    def __dlpack__(self, **options: Any) -> Any:
        array = self._known("DLPack")
        if not array.flags.writeable and options.get("copy") is not False:
            array = array.copy()
        return array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._known("DLPack").__dlpack_device__()

    def __repr__(self) -> str:
        kind = type(self).__name__.lower()
        label = f"{self.name}, " if self.name else ""
        made = f", from {self.operation.name}" if self.operation is not None else ""
        if self._value is None:
            return f"{kind}({label}traced {self.spec}{made})"
        prefix = f"{kind}({label}"
        text = np.array2string(self._value, separator=", ", prefix=prefix, threshold=100, precision=6)
        shape = f", shape={self.shape}" if self._value.size > 1 or 0 in self.shape else ""
        return f"{prefix}{text}{shape}, {self.dtype.name}{made})"

    # The graph

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return recording.namespace()

    def backward(self) -> None:
        """Fill `.grad` of every parameter (and tracked input) that leads to this cost, a tensor of shape ()."""
        from amigrad.graph.gradients import backward

        backward(self)

    @property
    def T(self) -> Tensor:  # noqa: N802
        """The transpose of a matrix."""
        if self.ndim != 2:
            raise ValueError(f"T is for matrices; this tensor has shape {self.shape}: use permute_dims")
        return self.mT

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """The transpose of the last two axes."""
        result: Tensor = recording.namespace().matrix_transpose(self)
        return result

    __hash__ = object.__hash__


_LINE = 64
"""Bytes of a line of the caches."""


def _aligned(value: Array) -> Array:
    """A copy in C order that begins with a line of the caches: no vector of a matrix whose rows are whole lines lies in
    two of them.
    """
    room = np.empty(value.nbytes + _LINE, np.uint8)
    start = -room.ctypes.data % _LINE
    buffer: Array = room[start : start + value.nbytes].view(value.dtype).reshape(value.shape)
    np.copyto(buffer, value)
    return buffer


class State(Tensor):
    """A tensor that owns its buffer, outlives graphs and can be assigned: running sums, counters, generators."""

    __slots__ = ()

    def __init__(self, value: Array, *, name: str | None = None) -> None:
        buffer = _aligned(value)
        super().__init__(Spec(buffer.shape, as_dtype(buffer.dtype)), buffer, tracked=False, name=name)

    def _known(self, use: str) -> Array:
        if recording.active_trace() is not None:
            kind = "parameter" if isinstance(self, Parameter) else "state"
            label = f" {self.name}" if self.name else ""
            raise TraceError(
                f"{use} needs the value of the {kind}{label}, but inside a compiled function it is not known: it may "
                "be another at each call. Use the functions of tensors, `where` instead of `if`, and take values from "
                "what the function returns"
            )
        return super()._known(use)

    def numpy(self) -> Array:
        """A copy of the value."""
        return self._known("numpy()").copy()

    def assign(self, value: TensorLike) -> None:
        """Set the value, in place; shape and dtype must be the state's. Inside a compiled function: at its end."""
        trace = recording.active_trace()
        new = value if isinstance(value, Tensor) else tensor(value, dtype=self.dtype)
        if new.ndim != self.ndim or new.shape != self.shape or new.dtype != self.dtype:
            raise ValueError(f"cannot assign {new.spec} to {self.name or 'a state'} of {self.spec}")
        if trace is not None:
            trace.assign(self, new)
        else:
            np.copyto(self.value, new.value)


class Parameter(State):
    """A tensor to be estimated: it outlives graphs, owns its buffer, and operations on it are recorded."""

    __slots__ = ()

    def __init__(self, value: Array, *, name: str | None = None) -> None:
        super().__init__(value, name=name)
        if not is_floating(self.dtype):
            raise TypeError(f"a parameter holds real numbers, not {self.dtype.name}")
        self._tracked = True


def as_array(value: Any, dtype: object | None = None) -> Array:
    """A new C-ordered array of an element type of amigrad; floats become float32 unless they are arrays."""
    first = value
    while isinstance(first, list | tuple) and first:
        first = first[0]
    if isinstance(first, Tensor) and first is not value:
        raise TypeError("a list of tensors is not a tensor: join them with stack or concat")
    array = np.asarray(value)
    if dtype is not None:
        wanted = as_dtype(dtype)
    elif isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        wanted = nearest(array.dtype)
    elif array.dtype.kind == "f" or array.size == 0:
        wanted = float32
    elif array.dtype.kind in "iu":
        wanted = int64
    else:
        wanted = nearest(array.dtype)
    if wanted.kind == "i" and array.dtype.kind in "iu" and array.size:
        limits = np.iinfo(wanted)
        if array.max() > limits.max or array.min() < limits.min:
            raise OverflowError(f"integers from {array.min()} to {array.max()} do not fit {wanted.name}")
    return np.array(array, dtype=wanted, order="C", copy=True)


def tensor(value: TensorLike, dtype: object | None = None, *, tracked: bool = False, name: str | None = None) -> Tensor:
    """A tensor with this value (copied).

    Python floats become float32 and Python integers int64; arrays keep their type. A `tracked` tensor is an
    input whose operations are recorded, so that gradients with respect to it can be asked for and its graph
    can be looked at.
    """
    if isinstance(value, Tensor):
        value = value.numpy()
    array = as_array(value, dtype)
    return Tensor(Spec(array.shape, array.dtype), array, tracked=tracked, name=name)


def parameter(value: TensorLike, dtype: object | None = None, *, name: str | None = None) -> Parameter:
    """A parameter with this initial value (copied)."""
    return Parameter(as_array(value, dtype), name=name)


def state(value: TensorLike, dtype: object | None = None, *, name: str | None = None) -> State:
    """A state with this initial value (copied)."""
    return State(as_array(value, dtype), name=name)


def from_dlpack(source: Any) -> Tensor:
    """A tensor that shares the memory of another library's array through DLPack, where its type allows."""
    array = np.from_dlpack(source)
    dtype = nearest(array.dtype)
    if array.dtype != dtype or not array.flags.c_contiguous:
        array = np.array(array, dtype=dtype, order="C")
    return Tensor(Spec(array.shape, dtype), array)
