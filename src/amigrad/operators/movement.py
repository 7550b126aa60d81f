"""Movement: the same elements in another shape or order, parts of them, or several tensors joined."""

from __future__ import annotations

from typing import Any

import numpy as np

from amigrad.graph import Dim, Operator, Shape, Spec, Tensor, apply
from amigrad.graph.sizes import format_shape, is_one, product, same
from amigrad.graph.tensor import Array


class Reshape(Operator):
    """The elements in C order in another shape with as many. x: any -> shape"""

    shape: Shape
    name = "reshape"

    def infer(self, x: Spec) -> Spec:
        if any(isinstance(d, int) and d < 0 for d in self.shape) or not same(product(x.shape), product(self.shape)):
            raise ValueError(f"cannot reshape {format_shape(x.shape)} to {format_shape(self.shape)}")
        return Spec(self.shape, x.dtype)

    def forward(self, x: Array) -> Array:
        return x.reshape(self.shape)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (apply(Reshape(x.shape), dz),)


class PermuteDims(Operator):
    """The axes in another order: axis i of the result is axis `axes[i]` of x."""

    axes: tuple[int, ...]
    name = "permute_dims"

    def infer(self, x: Spec) -> Spec:
        if sorted(self.axes) != list(range(len(x.shape))):
            raise ValueError(f"permute_dims: {self.axes} is no order of the axes of shape {format_shape(x.shape)}")
        return Spec(tuple(x.shape[a] for a in self.axes), x.dtype)

    def forward(self, x: Array) -> Array:
        return np.transpose(x, self.axes)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        inverse = tuple(self.axes.index(i) for i in range(len(self.axes)))
        return (apply(PermuteDims(inverse), dz),)


class BroadcastTo(Operator):
    """x repeated along new leading axes and along axes of size 1. x broadcasts to shape -> shape"""

    shape: Shape
    name = "broadcast_to"

    def infer(self, x: Spec) -> Spec:
        missing = len(self.shape) - len(x.shape)
        fits = missing >= 0 and all(
            (isinstance(dim, int) and dim == 1) or same(dim, wanted) or is_one(dim)
            for dim, wanted in zip(x.shape, self.shape[missing:], strict=True)
        )
        if not fits:
            raise ValueError(f"shape {format_shape(x.shape)} does not broadcast to {format_shape(self.shape)}")
        return Spec(self.shape, x.dtype)

    def forward(self, x: Array) -> Array:
        return np.broadcast_to(x, self.shape)  # type: ignore[arg-type]

    def repeated(self, x: Shape) -> tuple[int, ...]:
        """The axes of the result along which x repeats."""
        missing = len(self.shape) - len(x)
        return tuple(
            axis
            for axis in range(len(self.shape))
            if axis < missing or not _unrepeated(x[axis - missing], self.shape[axis])
        )

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        from amigrad.operators.reduce import Sum

        axes = self.repeated(x.shape)
        total = apply(Sum(axes), dz) if axes else dz
        return (apply(Reshape(x.shape), total) if total.ndim != x.ndim else total,)


def _unrepeated(dim: Dim, wanted: Dim) -> bool:
    return not (isinstance(dim, int) and dim == 1 and not (isinstance(wanted, int) and wanted == 1)) and same(
        dim, wanted
    )


class Concat(Operator):
    """Tensors joined along an axis; their other sizes are equal."""

    axis: int
    name = "concat"

    def infer(self, *inputs: Spec) -> Spec:
        first = inputs[0]
        total: Dim = first.shape[self.axis]
        for other in inputs[1:]:
            fits = len(other.shape) == len(first.shape) and all(
                same(a, b) for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True)) if i != self.axis
            )
            if not fits:
                raise ValueError(
                    f"concat along axis {self.axis}: shape {format_shape(other.shape)} does not fit"
                    f" {format_shape(first.shape)}"
                )
            if other.dtype != first.dtype:
                raise TypeError(f"concat needs one type, not {first.dtype.name} and {other.dtype.name}")
            total = total + other.shape[self.axis]
        return Spec((*first.shape[: self.axis], total, *first.shape[self.axis + 1 :]), first.dtype)

    def forward(self, *inputs: Array) -> Array:
        return np.concatenate(inputs, axis=self.axis)

    def backward(self, *inputs_output_gradient: Any) -> tuple[Tensor, ...]:
        *inputs, _, dz = inputs_output_gradient
        parts, start = [], 0
        for x in inputs:
            starts = tuple(start if a == self.axis else 0 for a in range(x.ndim))
            parts.append(apply(Slice(starts, (1,) * x.ndim, x.shape), dz))
            start = start + x.shape[self.axis]
        return tuple(parts)


class Slice(Operator):
    """A part of each axis: `sizes` elements from `starts` on, every `steps`-th (steps positive).

    ValueError if a part is not within its axis, as far as its sizes are not known at run time only.
    """

    starts: Shape
    steps: tuple[int, ...]
    sizes: Shape
    name = "slice"

    def infer(self, x: Spec) -> Spec:
        _require_within("slice", self.starts, self.steps, self.sizes, x.shape)
        return Spec(self.sizes, x.dtype)

    def forward(self, x: Array) -> Array:
        return x[_slices(self.starts, self.steps, self.sizes)]

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (apply(Pad(self.starts, self.steps, x.shape), dz),)


class Pad(Operator):
    """Zeros of `shape` with x in them, from `starts` on, every `steps`-th: what undoes a slice."""

    starts: Shape
    steps: tuple[int, ...]
    shape: Shape
    name = "pad"

    def infer(self, x: Spec) -> Spec:
        _require_within("pad", self.starts, self.steps, x.shape, self.shape)
        return Spec(self.shape, x.dtype)

    def forward(self, x: Array) -> Array:
        result = np.zeros(self.shape, dtype=x.dtype)
        result[_slices(self.starts, self.steps, x.shape)] = x
        return result

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (apply(Slice(self.starts, self.steps, x.shape), dz),)


def _require_within(name: str, starts: Shape, steps: tuple[int, ...], sizes: Shape, whole: Shape) -> None:
    fits = len(starts) == len(steps) == len(sizes) == len(whole)
    for start, step, size, dim in zip(starts, steps, sizes, whole, strict=False):
        if isinstance(start, int) and isinstance(size, int) and isinstance(dim, int):
            fits &= start >= 0 and step > 0 and size >= 0 and (size == 0 or start + (size - 1) * step < dim)
    if not fits:
        raise ValueError(
            f"{name}: a part of shape {format_shape(sizes)} from {format_shape(starts)} on, steps"
            f" {format_shape(steps)}, is not within shape {format_shape(whole)}"
        )


def _slices(starts: Shape, steps: tuple[int, ...], sizes: Shape) -> tuple[slice, ...]:
    return tuple(
        slice(int(start), int(start) + int(size) * step, step)
        for start, step, size in zip(starts, steps, sizes, strict=True)
    )


class Flip(Operator):
    """The elements in reverse order along these axes."""

    axes: tuple[int, ...]
    name = "flip"

    def infer(self, x: Spec) -> Spec:
        return x

    def forward(self, x: Array) -> Array:
        return np.flip(x, self.axes)

    def backward(self, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor]:
        return (apply(Flip(self.axes), dz),)
