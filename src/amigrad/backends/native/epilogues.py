"""What follows a matrix product: the kernel's body for a part of the result whose sums are in memory.

It is a function of its own, which the loops of all products (`panels.py`) call where a part is complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amigrad.backends.native.ir import Function, argument_type
from amigrad.backends.native.kernels import Store
from amigrad.backends.native.loops import Pointer
from amigrad.backends.native.panels import EPILOGUE, named
from amigrad.backends.native.simplify import Node
from amigrad.backends.native.target import Target
from amigrad.backends.native.values import Access, constant, lower, read, write
from amigrad.backends.native.views import is_number
from amigrad.graph import int64


class Inner(Function):
    """A function that is called through its address, with a pointer to what it needs of another one's values."""

    def __init__(self, outer: Function, name: str, arguments: tuple[str, ...]) -> None:
        super().__init__(name, outer.sizes, named(arguments), internal=True)
        self.outer = outer
        self.estimates, self.scales = outer.estimates, outer.scales
        self._taken: dict[str, tuple[str, str]] = {}

    def argument(self, kind: str, place: int = 0) -> str:
        return self.taken(argument_type(kind), self.outer.argument(kind, place))

    def taken(self, type_: str, value: str) -> str:
        """A value of the other function."""
        if not value.startswith("%"):
            return value
        if value not in self._taken:
            name = "%" + self.fresh("taken")
            self.entry.append(f"  {name}.place = getelementptr i64, ptr %context, i64 {len(self._taken)}")
            self.entry.append(f"  {name} = load {type_}, ptr {name}.place, align 8")
            self._taken[value] = name, type_
        return self._taken[value][0]

    def context(self) -> str:
        """A pointer to the values, stored where the other function now is."""
        f = self.outer
        room = f.room(max(len(self._taken), 1), int64)
        for place, (value, (_, type_)) in enumerate(self._taken.items()):
            f.do(f"store {type_} {value}, ptr {f.at(room, int64, str(place))}, align 8")
        return room


class Epilogue:
    """Writes the function of one kernel of kind "product"."""

    def __init__(
        self,
        outer: Function,
        node: Node,
        body: Sequence[Node],
        target: Target,
        pointer: Pointer,
        loads: Mapping[Node, Access],
        outputs: Mapping[Store, Access],
        offsets: Mapping[Access, str],
    ) -> None:
        """node: what the sums in memory are; body: what is computed from it; offsets: where in their buffers matrices
        begin that are read and written, as values of the outer function.
        """
        self.f = Inner(outer, "epilogue", EPILOGUE)
        self.node, self.body, self.target, self.pointer = node, body, target, pointer
        self.dtype = node.dtype
        self.lanes = target.lanes(self.dtype)
        self.loads, self.outputs, self.offsets = loads, outputs, offsets

    def write(self) -> Inner:
        """The body after the product, and its stores."""
        f, lanes = self.f, self.lanes
        if self.target.vector_bytes == 64:  # Written once, with a mask for each vector of columns.
            with f.looping("0", "%columns", lanes) as column:
                mask = f.mask(f.sub("%columns", column), lanes)
                with f.looping("0", "%rows", 1) as row:
                    self._vector(row, column, mask)
        else:
            rest = f.emit(f"urem i64 %columns, {lanes}")
            whole = f.sub("%columns", rest)
            mask = f.mask(rest, lanes)
            ragged = f.compare("ne", rest, "0")
            with f.looping("0", "%rows", 1) as row:
                with f.looping("0", whole, lanes) as column:
                    self._vector(row, column, None)
                with f.when(ragged):
                    self._vector(row, whole, mask)
        f.do("ret i32 0")
        return f

    def _vector(self, row: str, column: str, mask: str | None) -> None:
        f, lanes = self.f, self.lanes
        place = f.at("%sums", self.dtype, f.add(f.mul(row, "%line"), column))
        values: dict[Node, str] = {self.node: f.load(place, self.dtype, lanes, mask)}
        row, column = f.add("%row", row), f.add("%column", column)

        def find(node: Node) -> str:
            if node not in values:
                values[node] = constant(f, node, lanes) if node.is_constant else self._read(node, row, column, mask)
            return values[node]

        for node in self.body:
            values[node] = lower(f, node, [find(i) for i in node.inputs], lanes)
        for sink, access in self.outputs.items():
            assert access.base is not None
            pointer, offset = self.pointer(f, access.base), self._offset(access, row, column)
            write(f, find(sink.value), pointer, access, offset, f.size(access.strides[-1]), lanes, mask)

    def _read(self, node: Node, row: str, column: str, mask: str | None) -> str:
        f, access = self.f, self.loads[node]
        assert access.base is not None
        pointer, offset = self.pointer(f, access.base), self._offset(access, row, column)
        if is_number(access.strides[-1], 0):
            return f.splat(read(f, pointer, access, offset, "0", 1, None), access.dtype, self.lanes)
        return read(f, pointer, access, offset, f.size(access.strides[-1]), self.lanes, mask)

    def _offset(self, access: Access, row: str, column: str) -> str:
        f = self.f
        offset = f.add(f.taken("i64", self.offsets[access]), f.mul(row, f.size(access.strides[-2])))
        return f.add(offset, f.mul(column, f.size(access.strides[-1])))
