"""Tensors: the variables of the graph, and the states and parameters that outlive it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from amigrad.graph import recording
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


class Tensor:
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
        """The gradient that the last `backward` left here."""
        trace = recording.active_trace()
        if trace is not None and id(self) in trace.gradients:
            found: Tensor = trace.gradients[id(self)]
            return found
        return self._grad

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
        return self._known("DLPack").__dlpack__(**options)

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

    # Operators: all of them are functions of the array namespace

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
        return recording.namespace().permute_dims(self, (1, 0))

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """The transpose of the last two axes."""
        return recording.namespace().matrix_transpose(self)

    def __add__(self, other: TensorLike) -> Tensor:
        return recording.namespace().add(self, other)

    def __radd__(self, other: TensorLike) -> Tensor:
        return recording.namespace().add(other, self)

    def __sub__(self, other: TensorLike) -> Tensor:
        return recording.namespace().subtract(self, other)

    def __rsub__(self, other: TensorLike) -> Tensor:
        return recording.namespace().subtract(other, self)

    def __mul__(self, other: TensorLike) -> Tensor:
        return recording.namespace().multiply(self, other)

    def __rmul__(self, other: TensorLike) -> Tensor:
        return recording.namespace().multiply(other, self)

    def __truediv__(self, other: TensorLike) -> Tensor:
        return recording.namespace().divide(self, other)

    def __rtruediv__(self, other: TensorLike) -> Tensor:
        return recording.namespace().divide(other, self)

    def __floordiv__(self, other: TensorLike) -> Tensor:
        return recording.namespace().floor_divide(self, other)

    def __rfloordiv__(self, other: TensorLike) -> Tensor:
        return recording.namespace().floor_divide(other, self)

    def __mod__(self, other: TensorLike) -> Tensor:
        return recording.namespace().remainder(self, other)

    def __rmod__(self, other: TensorLike) -> Tensor:
        return recording.namespace().remainder(other, self)

    def __pow__(self, other: TensorLike) -> Tensor:
        return recording.namespace().pow(self, other)

    def __rpow__(self, other: TensorLike) -> Tensor:
        return recording.namespace().pow(other, self)

    def __matmul__(self, other: TensorLike) -> Tensor:
        return recording.namespace().matmul(self, other)

    def __rmatmul__(self, other: TensorLike) -> Tensor:
        return recording.namespace().matmul(other, self)

    def __neg__(self) -> Tensor:
        return recording.namespace().negative(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return recording.namespace().abs(self)

    def __invert__(self) -> Tensor:
        return recording.namespace().logical_not(self)

    def __and__(self, other: TensorLike) -> Tensor:
        return recording.namespace().logical_and(self, other)

    def __rand__(self, other: TensorLike) -> Tensor:
        return recording.namespace().logical_and(other, self)

    def __or__(self, other: TensorLike) -> Tensor:
        return recording.namespace().logical_or(self, other)

    def __ror__(self, other: TensorLike) -> Tensor:
        return recording.namespace().logical_or(other, self)

    def __xor__(self, other: TensorLike) -> Tensor:
        return recording.namespace().logical_xor(self, other)

    def __rxor__(self, other: TensorLike) -> Tensor:
        return recording.namespace().logical_xor(other, self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return recording.namespace().equal(self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return recording.namespace().not_equal(self, other)

    def __lt__(self, other: TensorLike) -> Tensor:
        return recording.namespace().less(self, other)

    def __le__(self, other: TensorLike) -> Tensor:
        return recording.namespace().less_equal(self, other)

    def __gt__(self, other: TensorLike) -> Tensor:
        return recording.namespace().greater(self, other)

    def __ge__(self, other: TensorLike) -> Tensor:
        return recording.namespace().greater_equal(self, other)

    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Tensor:
        return recording.namespace().getitem(self, key)


class State(Tensor):
    """A tensor that owns its buffer, outlives graphs and can be assigned: running sums, counters, generators."""

    __slots__ = ()

    def __init__(self, value: Array, *, name: str | None = None) -> None:
        buffer = np.array(value, copy=True, order="C")
        super().__init__(Spec(buffer.shape, as_dtype(buffer.dtype)), buffer, tracked=False, name=name)

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
