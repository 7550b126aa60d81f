"""Values in a loop nest: nodes computed, for one element or for a vector of them along the innermost axis."""

from __future__ import annotations

from amigrad.backends.native.accesses import Accesses
from amigrad.backends.native.ir import register
from amigrad.backends.native.kernels import Scatter
from amigrad.backends.native.randoms import uniform
from amigrad.backends.native.simplify import Node, dim_key
from amigrad.backends.native.values import Access, constant, fetch_row, gather, lower, read
from amigrad.backends.native.views import contiguous_strides
from amigrad.graph import Dim, DType, int64
from amigrad.graph.sizes import product
from amigrad.operators import create, lookup, random

_ROWS_AHEAD = 16
"""So many iterations before it is read or changed, a row of a large table is asked for."""
_LARGE = 1 << 18


class Elements(Accesses):
    """Computes nodes at the place that the loops have come to (`offsets`)."""

    def _value(self, node: Node, lanes: int, mask: str | None, inner: str, cache: dict[Node, str]) -> str:
        if node in cache:
            return cache[node]
        if node.is_constant:
            value = constant(self.f, node, lanes)
        elif node in self.scalars and self.domain:
            value = self.f.splat(self.scalars[node], node.dtype, lanes)
        elif node in self.loads and node not in self.body:
            access = self.loads[node]
            if lanes > 1 and access.depth() < len(self.domain):
                value = self.f.splat(self._read(access, 1, None, inner), node.dtype, lanes)
            else:
                value = self._read(access, lanes, mask, inner)
        else:
            value = self._compute(node, lanes, mask, inner, cache)
        cache[node] = value
        return value

    def _compute(self, node: Node, lanes: int, mask: str | None, inner: str, cache: dict[Node, str]) -> str:
        f = self.f
        match node.operator:
            case lookup.Take():
                return self._take(node, lanes, mask, inner)
            case lookup.OneHot():
                return self._one_hot(node, lanes, mask, inner)
            case create.Arange():
                return self._as_number(self._positions(self.rows[node], lanes, inner), node.dtype, lanes)
            case random.Uniform():
                return self._uniform(node, lanes, inner)
        arguments = [self._value(i, lanes, mask, inner, cache) for i in node.inputs]
        if getattr(node.operator, "name", "") == "copy":
            return arguments[0]
        return lower(f, node, arguments, lanes)

    def _take(self, node: Node, lanes: int, mask: str | None, inner: str) -> str:
        f, row = self.f, self.rows[node]
        index_node = node.inputs[1]
        assert row.base is not None
        pointer = self.pointer(f, row.base)
        if node not in self.indices:
            step = f.mul(str(int(index_node.constant or 0)), f.size(self.row_strides[node]))
            offset = f.add(self._place(row, inner), step)
            return self._splat_or_read(row, pointer, offset, lanes, mask)
        index = self.indices[node]
        if not self.domain or index.depth() < len(self.domain):
            return self._splat_or_read(row, pointer, self._place(row, inner), lanes, mask)
        # The index changes along the innermost axis: the table has no row axis there.
        numbers = self._read(index, lanes, mask, inner)
        if index.dtype != int64:
            numbers = f.emit(f"sext {register(index.dtype, lanes)} {numbers} to {register(int64, lanes)}")
        step = f.size(self.row_strides[node])
        if lanes == 1:
            offset = f.add(self._place(row, inner), f.mul(numbers, step))
            return f.load(f.at(pointer, row.dtype, offset), row.dtype)
        offsets = f.emit(f"mul nsw <{lanes} x i64> {numbers}, {f.splat(step, int64, lanes)}")
        offsets = f.emit(f"add nsw <{lanes} x i64> {offsets}, {f.splat(self._place(row, inner), int64, lanes)}")
        return gather(f, pointer, row.dtype, offsets, lanes, mask)

    def _splat_or_read(self, row: Access, pointer: str, offset: str, lanes: int, mask: str | None) -> str:
        if lanes > 1 and row.depth() < len(self.domain):
            return self.f.splat(read(self.f, pointer, row, offset, "0", 1, None), row.dtype, lanes)
        return read(self.f, pointer, row, offset, self._stride(row), lanes, mask)

    def _positions(self, access: Access, lanes: int, inner: str) -> str:
        """The value of an access without a buffer in each lane, i64."""
        first = self.f.splat(self._place(access, inner), int64, lanes)
        stride = self._stride(access)
        if lanes == 1 or stride == "0":
            return first
        f, steps = self.f, self.f.lane_numbers(lanes)
        if stride != "1":
            steps = f.emit(f"mul nsw <{lanes} x i64> {steps}, {f.splat(stride, int64, lanes)}")
        return f.emit(f"add nsw <{lanes} x i64> {first}, {steps}")

    def _as_number(self, value: str, dtype: DType, lanes: int) -> str:
        if dtype == int64:
            return value
        how = "sitofp" if dtype.kind == "f" else "trunc"
        return self.f.emit(f"{how} {register(int64, lanes)} {value} to {register(dtype, lanes)}")

    def _one_hot(self, node: Node, lanes: int, mask: str | None, inner: str) -> str:
        f, (index_node,) = self.f, node.inputs
        positions = self._positions(self.rows[node], lanes, inner)
        if index_node.is_constant:
            wanted = constant(f, index_node, 1)
            chosen = f.splat(wanted, int64, lanes)
        else:
            access = self.indices[node]
            known = self.classes.get(node)
            if known is not None:
                chosen = f.splat(known, int64, lanes)
            elif not self.domain or access.depth() < len(self.domain):
                chosen = f.splat(self._load_index(access, self.offsets[access]), int64, lanes)
            else:
                # Only where the axis of classes has size 1: the index then runs along the innermost axis.
                chosen = self._read(access, lanes, mask, inner)
                if access.dtype != int64:
                    chosen = f.emit(f"sext {register(access.dtype, lanes)} {chosen} to {register(int64, lanes)}")
        return f.emit(f"icmp eq {register(int64, lanes)} {positions}, {chosen}")

    def _uniform(self, node: Node, lanes: int, inner: str) -> str:
        f = self.f
        view = self.kernel.loads[node.inputs[0]]
        state = f.at(self.pointer(f, view.base), int64, f.size(view.offset))
        seed, draws = f.load(state, int64), f.load(f.at(state, int64, f.size(view.strides[0])), int64)
        return uniform(f, self._positions(self.rows[node], lanes, inner), seed, draws, node.dtype, lanes)

    # Where

    def _enter_row(self, key: object, access: Access) -> None:
        index = self._load_index(access, self.offsets[access])
        if isinstance(key, Node) and isinstance(key.operator, lookup.OneHot):
            self.classes[key] = index
            return
        row = self.outputs[key] if isinstance(key, Scatter) else self.rows[key]
        step = self.f.mul(index, self.f.size(self.row_strides[key]))
        self.offsets[row] = self.f.add(self.offsets[row], step)

    def _fetch_rows(self, axis: int, index: str) -> None:
        """Let rows of large tables come that are needed some iterations of this loop and those around it later, where
        indices lie one after another.
        """
        f, domain = self.f, self.domain[: axis + 1]
        rows: dict[tuple[Node, Access], tuple[Access, Dim]] = {}
        for key, access in self.indices.items():
            row = self.outputs[key] if isinstance(key, Scatter) else self.rows[key]
            in_order = all(
                dim_key(a) == dim_key(b)
                for a, b in zip(access.strides, contiguous_strides(tuple(domain)), strict=False)
            )
            if row.base is not None and in_order and access.depth() == axis + 1 and _is_large(row.base):
                rows.setdefault((row.base, access), (row, self.row_strides[key]))
        for (base, access), (row, stride) in rows.items():
            last = f.add(f.size(access.offset), f.sub(f.size(product(domain)), "1"))
            later = f.add(f.add(self.offsets[access], index), str(_ROWS_AHEAD))
            number = self._load_index(access, f.least(later, last))
            place = f.add(self.offsets[row], f.mul(number, f.size(stride)))
            fetch_row(f, f.at(self.pointer(f, base), row.dtype, place), stride, row.dtype)

    def _load_index(self, access: Access, offset: str) -> str:
        assert access.base is not None
        value = self.f.load(self.f.at(self.pointer(self.f, access.base), access.dtype, offset), access.dtype)
        return value if access.dtype == int64 else self.f.emit(f"sext i32 {value} to i64")

    def _depth(self, node: Node) -> int:
        """How many loops must be open before a node's value is known. Asked in the order of the body."""
        if node.is_constant:
            return 0
        if node not in self.depths:
            match node.operator if node in self.body else None:
                case lookup.Take() | lookup.OneHot() | create.Arange() | random.Uniform():
                    index = self.indices[node].depth() if node in self.indices else 0
                    self.depths[node] = max(index, self.rows[node].depth())
                case _ if node in self.body:
                    self.depths[node] = max((self._depth(i) for i in node.inputs), default=0)
                case _:
                    self.depths[node] = self.loads[node].depth()
        return self.depths[node]

    def _stride(self, access: Access) -> str:
        return self.f.size(access.strides[-1]) if access.strides else "0"

    def _place(self, access: Access, inner: str) -> str:
        """The offset of the first lane."""
        return self.f.add(self.offsets[access], self.f.mul(inner, self._stride(access)))

    def _read(self, access: Access, lanes: int, mask: str | None, inner: str) -> str:
        assert access.base is not None
        pointer = self.pointer(self.f, access.base)
        return read(self.f, pointer, access, self._place(access, inner), self._stride(access), lanes, mask)


def _is_large(table: Node) -> bool:
    """Whether the caches near a core do not hold a table."""
    count = product(table.shape)
    return isinstance(count, int) and count * table.dtype.itemsize >= _LARGE
