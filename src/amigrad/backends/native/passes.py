"""One pass over a matrix W for two kernels: the product with its transpose, and its update, for one example.

In a training step x W is followed, on the way back, by dx = dh Wᵀ and by W' = f(W, xᵀ dh). Each reads all of W; with
many examples that is little beside the multiplications, with one it is all there is to do. So where the two kernels
can run one after the other, and the step turns out to have one row, W is read once, multiplied, updated and written.
"""

from __future__ import annotations

from collections.abc import Callable

from amigrad.backends.native.inner_products import sums_across
from amigrad.backends.native.ir import Function, literal, register
from amigrad.backends.native.kernels import Kernel, Store
from amigrad.backends.native.loops import Pointer
from amigrad.backends.native.panels import EPILOGUE, given, named
from amigrad.backends.native.products import Product
from amigrad.backends.native.reductions import multiply_add
from amigrad.backends.native.simplify import Node, dim_key
from amigrad.backends.native.target import Target
from amigrad.backends.native.tiles import Tiles
from amigrad.backends.native.values import Access, constant, lower, read, write
from amigrad.backends.native.views import View, is_unit
from amigrad.graph import Dim, DType, State

_ROWS = 8
"""Rows of W at a time."""
_ARGUMENTS = (
    *("ptr x", "i64 x_along", "ptr gradient", "ptr matrix", "i64 down", "i64 rows", "i64 columns"),
    *("ptr epilogue", "ptr context"),
)
_Finish = Callable[[str, str, str, str | None], None]
"""What is done with a vector of xᵀ dh: the vector, its row and first column, its mask."""


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

    def __init__(
        self, f: Function, product: Kernel, update: Kernel, target: Target, pointer: Pointer, tiles: Tiles
    ) -> None:
        self.f, self.update, self.target, self.pointer, self.tiles = f, update, target, pointer, tiles
        self.product, self.addition = (Product(f, kernel, target, pointer, tiles) for kernel in (product, update))
        matrix = matrix_of(product)
        assert matrix is not None
        self.matrix = matrix
        self.dtype = product.body[0].dtype
        self.gradient = product.loads[product.body[0].inputs[0]]
        self.example, self.outer = (update.loads[operand] for operand in update.body[0].inputs)

    def emit(self) -> None:
        """All rows of W. Where a multiple of xᵀ dh is added to W, and that is all, all matrices share the loops."""
        f, dtype = self.f, self.dtype
        height, width = self.matrix.shape
        self.product.locate()
        self.addition.locate()
        epilogue, context = self.product.follow()
        values = {
            **{"x": self._at(self.example), "x_along": f.size(self.example.strides[0])},
            **{"gradient": self._at(self.gradient), "outer": self._at(self.outer)},
            **{"matrix": self._at(self.matrix), "down": f.size(self.matrix.strides[0])},
            **{"rows": f.size(height), "columns": f.size(width), "epilogue": epilogue, "context": context},
        }
        scale = self.addition.scale()
        if scale is None or values["outer"] != values["gradient"]:
            _over_rows(f, self.target, dtype, values, scale, self._finish)
            return

        def write(f: Function) -> None:
            _over_rows(f, self.target, dtype, {name: f"%{name}" for name in values} | {"outer": "%gradient"}, "%scale")

        scalar = register(dtype)
        shared = self.tiles.function("pass", dtype, f"{named(_ARGUMENTS)}, {scalar} %scale", write)
        f.invoke(shared, f"{given(_ARGUMENTS, values)}, {scalar} {scale}")

    def _at(self, view: View) -> str:
        return self.f.at(self.pointer(self.f, view.base), self.dtype, self.f.size(view.offset))

    def _finish(self, value: str, row: str, column: str, mask: str | None) -> None:
        _finish(self.f, self.update, self.pointer, value, (row, column), self.target.lanes(self.dtype), mask)


def _over_rows(
    f: Function, target: Target, dtype: DType, o: dict[str, str], scale: str | None, finish: _Finish | None = None
) -> None:
    """The loops over rows of W. What follows the product is called for as many as a vector has elements; the matrix is
    read some rows at a time, those left over one by one. The last ones go first: they were read last, and the next step
    begins with the first ones, which a cache has then. scale: of xᵀ dh where it is added to W; if there is none, it is
    given to `finish`.
    """
    lanes = target.lanes(dtype)
    type_ = register(dtype, lanes)
    dots = f.room(lanes, dtype)
    several = min(_ROWS, lanes)

    def rows_of(row: str, first: str, count: int) -> None:
        """Some rows of W: their products with dh, and their updates."""
        numbers = [f.add(row, f.add(first, str(r))) for r in range(count)]
        xs = [f.load(f.at(o["x"], dtype, f.mul(number, o["x_along"])), dtype) for number in numbers]
        if scale is not None:
            xs = [f.emit(f"fmul {register(dtype)} {x}, {scale}") for x in xs]
        xs = [f.splat(x, dtype, lanes) for x in xs]
        sums = [f.variable(type_, f.splat(literal(0, dtype), dtype, lanes)) for _ in numbers]

        def part(column: str, mask: str | None) -> None:
            gradient = outer = f.load(f.at(o["gradient"], dtype, column), dtype, lanes, mask)
            if o["outer"] != o["gradient"]:
                outer = f.load(f.at(o["outer"], dtype, column), dtype, lanes, mask)
            for number, x, total in zip(numbers, xs, sums, strict=True):
                place = f.at(o["matrix"], dtype, f.add(f.mul(number, o["down"]), column))
                weights = f.load(place, dtype, lanes, mask)
                f.set(total, type_, multiply_add(f, dtype, lanes, weights, gradient, f.get(total, type_)))
                if scale is not None:
                    f.store(multiply_add(f, dtype, lanes, x, outer, weights), place, dtype, lanes, mask)
                elif finish is not None:
                    product = f.emit(f"{'fmul' if dtype.kind == 'f' else 'mul'} {type_} {x}, {outer}")
                    finish(product, number, column, mask)

        columns = o["columns"]
        if target.vector_bytes == 64:  # A mask each, so that it is written once.
            last = f.mul(f.quotient(f.sub(columns, "1"), lanes), str(lanes))
            with f.looping("0", columns, lanes) as before:
                column = f.sub(last, before)
                part(column, f.mask(f.least(f.sub(columns, column), str(lanes)), lanes))
        else:
            rest = f.emit(f"urem i64 {columns}, {lanes}")
            whole = f.sub(columns, rest)
            with f.looping("0", whole, lanes) as column:
                part(column, None)
            with f.when(f.compare("ne", rest, "0")):
                part(whole, f.mask(rest, lanes))
        found = sums_across(f, [f.get(total, type_) for total in sums], dtype, lanes)
        f.store(found, f.at(dots, dtype, first), dtype, count)

    last = f.mul(f.quotient(f.sub(o["rows"], "1"), lanes), str(lanes))
    with f.looping("0", o["rows"], lanes) as before:
        row = f.sub(last, before)
        left = f.least(f.sub(o["rows"], row), str(lanes))
        whole = f.compare("eq", left, str(lanes))
        with f.when(whole), f.looping("0", str(lanes), several) as number:
            rows_of(row, number, several)
        with f.looping(f.select(whole, left, "0"), left, 1) as number:
            rows_of(row, number, 1)
        part_of = {"row": "0", "rows": "1", "column": row, "columns": left, "sums": dots, "line": "0"}
        f.invoke(o["epilogue"], given(EPILOGUE, {"context": o["context"], **part_of}))


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
