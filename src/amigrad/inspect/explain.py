"""A graph as a table in the terminal: a row for each variable, in topological order."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amigrad.backends import Compiled
from amigrad.graph import Graph, Tensor
from amigrad.inspect.summary import attributes_of, gradient_of, graph_of, kind_of, named, spec_of, value_of

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Row:
    """What is said of one variable; `made_by` is its operator with the numbers of the rows that it takes."""

    number: int
    name: str
    made_by: str
    spec: str
    value: str
    gradient: str
    line: str


@dataclass(frozen=True)
class Explanation:
    """The rows of a graph's table. It shows itself at a prompt and in notebooks; in a program, print it."""

    rows: tuple[Row, ...]

    def __rich__(self) -> Table:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("", justify="right", style="dim")
        for title, style in (
            ("variable", "bold"),
            ("made by", "cyan"),
            ("type", "dim"),
            ("value", ""),
            ("gradient", "red"),
            ("line", "dim"),
        ):
            table.add_column(title, style=style, overflow="fold")
        for row in self.rows:
            cells = (str(row.number), row.name, row.made_by, row.spec, row.value, row.gradient, row.line)
            table.add_row(*map(Text, cells))
        return table

    def __str__(self) -> str:
        from rich.console import Console

        width = max(60, shutil.get_terminal_size((120, 40)).columns)
        console = Console(file=io.StringIO(), width=width, color_system=None)
        with console.capture() as captured:
            console.print(self)
        return "\n".join(line.rstrip() for line in captured.get().splitlines())

    __repr__ = __str__


def explain(*what: Tensor | Graph | Compiled, names: Mapping[str, object] | None = None) -> Explanation:
    """The variables that lead to some tensors, or all of a compiled function, in topological order, as a table.

    A row has the variable's name, the operator that made it and the rows it was made from, type and shape, value,
    gradient (what `cost.backward()` left at parameters, or `ag.graph(cost).backward()` everywhere) and the line of
    the program. names: variables by name, before the names of their own; `names=locals()` takes the program's.
    """
    given = named(names, what)
    numbers: dict[int, int] = {}
    rows: list[Row] = []
    for tensor in graph_of(what).order():
        numbers[id(tensor)] = len(rows) + 1
        rows.append(_row(tensor, numbers, given))
    return Explanation(tuple(rows))


def _row(tensor: Tensor, numbers: Mapping[int, int], names: Mapping[int, str]) -> Row:
    operation = tensor.operation
    kind = kind_of(tensor)
    name = names.get(id(tensor)) or tensor.name or ("" if kind == "variable" else kind)
    made_by = line = ""
    if operation is not None:
        inputs = ", ".join(str(numbers[id(i)]) for i in operation.inputs)
        made_by = " ".join(filter(None, (f"{operation.name}({inputs})", attributes_of(operation))))
        if operation.place is not None:
            line = f"{os.path.basename(operation.place.file)}:{operation.place.line}"
    return Row(numbers[id(tensor)], name, made_by, spec_of(tensor), value_of(tensor), gradient_of(tensor), line)
