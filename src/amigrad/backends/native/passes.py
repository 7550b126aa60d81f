"""One pass over a matrix W for two kernels: the product with its transpose, and its update, for one example.

In a training step x W is followed, on the way back, by dx = dh Wᵀ and by W' = f(W, xᵀ dh). Each reads all of W; with
many examples that is little beside the multiplications, with one it is all there is to do. So where the two kernels
can run one after the other, and the step turns out to have one row, W is read once, multiplied, updated and written.
"""

from __future__ import annotations

from amigrad.backends.native.inner_products import sums_across
from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.kernels import Kernel, Store
from amigrad.backends.native.loops import Pointer
from amigrad.backends.native.reductions import multiply_add
from amigrad.backends.native.simplify import Node, dim_key
from amigrad.backends.native.target import Target
from amigrad.backends.native.updates import addition
from amigrad.backends.native.values import Access, constant, lower, read, write
from amigrad.backends.native.views import View, is_unit
from amigrad.graph import Dim, State

_ROWS = 8
"""Rows of W at a time."""


def matrix_of(product: Kernel) -> View | None:
    """The matrix, a state, whose transpose a product takes as its second operand as it lies; None if it does not."""
    if product.kind != "product" or len(product.domain) != 2 or product.fills:
        return None
    left, right = (product.loads[operand] for operand in product.body[0].inputs)
    along, across_ = right.strides
    whole = View(right.base, tuple(reversed(right.shape)), (across_, along), right.offset)
    unit = is_unit(along) and is_unit(left.strides[-1])
    return whole if unit and isinstance(right.base.source, State) and whole.is_whole() else None


def updates(product: Kernel, matrix: View, rows: Dim) -> bool:
    """Whether a product's kernel overwrites a matrix, and sums over so many rows, along which its operands lie."""
    if product.kind != "product" or len(product.domain) != 2 or product.fills:
        return False
    left, right = (product.loads[operand] for operand in product.body[0].inputs)
    stores = any(isinstance(s, Store) and s.target.key == matrix.key for s in product.sinks)
    return stores and dim_key(left.shape[-1]) == dim_key(rows) and is_unit(right.strides[-1])


class Pass:
    """Emits both kernels, for one row, into a function."""

    def __init__(self, f: Function, product: Kernel, update: Kernel, target: Target, pointer: Pointer) -> None:
        self.f, self.product, self.update, self.target, self.pointer = f, product, update, target, pointer
        matrix = matrix_of(product)
        assert matrix is not None
        self.matrix = matrix
        self.dtype = product.body[0].dtype
        self.lanes = target.lanes(self.dtype)
        self.gradient = product.loads[product.body[0].inputs[0]]
        self.example, self.outer = (update.loads[operand] for operand in update.body[0].inputs)
        self.addition = addition(update)

    def emit(self) -> None:
        """All rows of W: as many as a vector has elements, some of them at a time; the last ones one by one."""
        f, lanes = self.f, self.lanes
        height, width = self.matrix.shape
        rows, self.columns = f.size(height), f.size(width)
        self.dots = f.room(lanes, self.dtype)
        self.scale = None if self.addition is None else self._scale(*self.addition)
        several = min(_ROWS, lanes)
        with f.looping("0", rows, lanes) as row:
            left = f.least(f.sub(rows, row), str(lanes))
            whole = f.compare("eq", left, str(lanes))
            with f.when(whole), f.looping("0", str(lanes), several) as number:
                self._rows(row, number, several)
            with f.looping(f.select(whole, left, "0"), left, 1) as number:
                self._rows(row, number, 1)
            mask = f.mask(left, lanes)
            value = f.load(self.dots, self.dtype, lanes, mask)
            _finish(f, self.product, self.pointer, value, ("0", row), lanes, mask)

    def _rows(self, row: str, first: str, count: int) -> None:
        """Some rows of W: their products with dh, and their updates."""
        f, lanes, dtype = self.f, self.lanes, self.dtype
        type_ = register(dtype, lanes)
        numbers = [f.add(row, f.add(first, str(r))) for r in range(count)]
        xs = [self._element(self.example, number, 0) for number in numbers]
        if self.scale is not None:
            xs = [f.emit(f"fmul {register(dtype)} {x}, {self.scale}") for x in xs]
        xs = [f.splat(x, dtype, lanes) for x in xs]
        sums = [f.variable(type_, f.splat(literal(0, dtype), dtype, lanes)) for _ in numbers]

        def part(column: str, mask: str | None) -> None:
            gradient = outer = self._vector(self.gradient, column, mask)
            if self.outer.key != self.gradient.key:
                outer = self._vector(self.outer, column, mask)
            for number, x, total in zip(numbers, xs, sums, strict=True):
                line = f.add(f.size(self.matrix.offset), f.mul(number, f.size(self.matrix.strides[0])))
                place = f.at(self.pointer(f, self.matrix.base), dtype, f.add(line, column))
                weights = f.load(place, dtype, lanes, mask)
                f.set(total, type_, multiply_add(f, dtype, lanes, weights, gradient, f.get(total, type_)))
                if self.scale is not None:
                    f.store(multiply_add(f, dtype, lanes, x, outer, weights), place, dtype, lanes, mask)
                    continue
                product = f.emit(f"{'fmul' if dtype.kind == 'f' else 'mul'} {type_} {x}, {outer}")
                _finish(f, self.update, self.pointer, product, (number, column), lanes, mask)

        if self.target.vector_bytes == 64:  # A mask each, so that it is written once.
            with f.looping("0", self.columns, lanes) as column:
                part(column, f.mask(f.least(f.sub(self.columns, column), str(lanes)), lanes))
        else:
            rest = f.emit(f"urem i64 {self.columns}, {lanes}")
            whole = f.sub(self.columns, rest)
            with f.looping("0", whole, lanes) as column:
                part(column, None)
            with f.when(f.compare("ne", rest, "0")):
                part(whole, f.mask(rest, lanes))
        found = sums_across(f, [f.get(total, type_) for total in sums], dtype, lanes)
        f.store(found, f.at(self.dots, dtype, first), dtype, count)

    def _scale(self, factor: Node | None, subtracted: bool) -> str:
        """What the outer product is multiplied with before it is added to W, if that is all."""
        f, type_ = self.f, register(self.dtype)
        value = literal(1, self.dtype)
        if factor is not None:
            view = self.update.loads.get(factor)
            value = constant(f, factor, 1) if view is None else self._load(view, f.size(view.offset), 1, None)
        return f.emit(f"fneg {type_} {value}") if subtracted else value

    def _element(self, view: View, index: str, axis: int) -> str:
        offset = self.f.add(self.f.size(view.offset), self.f.mul(index, self.f.size(view.strides[axis])))
        return self._load(view, offset, 1, None)

    def _vector(self, view: View, column: str, mask: str | None) -> str:
        return self._load(view, self.f.add(self.f.size(view.offset), column), self.lanes, mask)

    def _load(self, view: View, offset: str, lanes: int, mask: str | None) -> str:
        pointer = self.pointer(self.f, view.base)
        return self.f.load(self.f.at(pointer, self.dtype, offset), self.dtype, lanes, mask)


def _finish(
    f: Function,
    kernel: Kernel,
    pointer: Pointer,
    value: str,
    place: tuple[str, str],
    lanes: int,
    mask: str | None,
) -> None:
    """The body after the product for a vector of the result, from (row, column) on, and its stores."""
    values: dict[Node, str] = {kernel.body[0]: value}

    def at(view: View) -> tuple[Access, str, str]:
        strides: list[Dim] = [0 if is_unit(d) else s for d, s in zip(view.shape, view.strides, strict=True)]
        offset = f.size(view.offset)
        for index, stride in zip(place, strides, strict=True):
            offset = f.add(offset, f.mul(index, f.size(stride)))
        return Access(view.base, view.base.dtype, strides, view.offset), offset, f.size(strides[-1])

    def find(node: Node) -> str:
        if node not in values:
            values[node] = constant(f, node, lanes) if node.is_constant else load(kernel.loads[node])
        return values[node]

    def load(view: View) -> str:
        access, offset, stride = at(view)
        if stride == "0":
            one = read(f, pointer(f, view.base), access, offset, "0", 1, None)
            return f.splat(one, access.dtype, lanes)
        return read(f, pointer(f, view.base), access, offset, stride, lanes, mask)

    for node in kernel.body[1:]:
        values[node] = lower(f, node, [find(i) for i in node.inputs], lanes)
    for sink in kernel.sinks:
        assert isinstance(sink, Store)
        access, offset, stride = at(sink.target)
        write(f, find(sink.value), pointer(f, sink.target.base), access, offset, stride, lanes, mask)
