"""A picture of a graph: its variables as cards under the operators that made them, values and gradients on them."""

from __future__ import annotations

import linecache
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amigrad.backends import Compiled
from amigrad.graph import Graph, Operation, Tensor
from amigrad.inspect.layout import lay_out, port
from amigrad.inspect.summary import (
    attributes_of,
    gradient_of,
    graph_of,
    kind_of,
    named,
    number,
    spec_of,
    uniform,
    value_of,
)
from amigrad.inspect.svg import box, curve, group, label, shortened, text_width

MARGIN = 14.0
SMALL = 11.0
SIZES = {"name": 13.0, "spec": SMALL, "value": 13.0, "gradient": 12.0}
LINE = 17.0
PILL = 20.0
PILL_OVERLAP = 8.0
LONGEST = 34
SHORT = 8

FOLDED = ("broadcast_to", "reshape", "cast", "stop_gradient")
"""Operators that only change the form of a variable: drawn as a small label on the edge."""

STYLE = """
.amigrad-graph text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;text-anchor:middle}
.amigrad-graph .name{font-size:13px;font-weight:600;fill:#1c2733}
.amigrad-graph .spec{font-size:11px;fill:#5a6978}
.amigrad-graph .value{font-size:13px;fill:#1c2733}
.amigrad-graph .gradient{font-size:12px;fill:#b3261e}
.amigrad-graph .operator{fill:#3d4f63}
.amigrad-graph .operator-name{font-size:11px;font-weight:600;fill:#ffffff}
.amigrad-graph .form{fill:#e3e8ee;stroke:#b4bfca}
.amigrad-graph .form-name{font-size:11px;fill:#44525f}
.amigrad-graph .card{stroke-width:1.4}
.amigrad-graph .parameter .card{fill:#dcf3e3;stroke:#2f9e5b}
.amigrad-graph .input .card{fill:#dcebfb;stroke:#3b82c4}
.amigrad-graph .state .card{fill:#ece3f8;stroke:#8a5cc2}
.amigrad-graph .constant .card{fill:#eceff2;stroke:#98a4b0}
.amigrad-graph .variable .card{fill:#ffffff;stroke:#8797a8}
.amigrad-graph .result .card{fill:#fff0cc;stroke:#d08a0b}
.amigrad-graph .edge{fill:none;stroke:#8593a2;stroke-width:1.4}
.amigrad-graph .arrow{fill:#8593a2}
""".strip().replace("\n", "")


class Drawing:
    """A graph as SVG text. Notebooks show it by themselves; `save` writes it to a file."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        cards = self.svg.count('<rect class="card"')
        return f'drawing({cards} variables; .save("graph.svg") writes it)'

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the SVG to a file, aside and then renamed, so that a reader never sees half of it."""
        target = Path(path)
        handle, aside = tempfile.mkstemp(prefix=target.name, suffix=".tmp", dir=target.parent)
        try:
            with open(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(self.svg)
            os.chmod(aside, 0o644)
            os.replace(aside, target)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        return target


def draw(
    *what: Tensor | Graph | Compiled,
    names: Mapping[str, object] | None = None,
    fold: bool = True,
    max_operations: int = 400,
) -> Drawing:
    """A picture of the graph that leads to some tensors, or of all that a compiled function does.

    Each variable is a card with its name, type and shape, its value and its gradient (what `cost.backward()` left
    at parameters, or `ag.graph(cost).backward()` everywhere); above it is the operator that made it. The pointer on
    a card shows the line of the program.

    names: variables by name, before the names of their own; `names=locals()` takes the program's.
    fold: draw changes of form (broadcast_to, reshape, cast) as labels on the edges.
    max_operations: the largest graph to draw. ValueError if it has more operations.
    """
    graph = graph_of(what)
    operations = len(graph.operations)
    if operations > max_operations:
        raise ValueError(
            f"this graph has {operations} operations, more than the {max_operations} that make a legible picture:"
            f" draw a variable nearer to the inputs, list them all with explain(...), or say"
            f" max_operations={operations}"
        )
    return Drawing(_picture(_Cards(graph, named(names, what), fold).nodes))


@dataclass(frozen=True)
class _Node:
    """What is drawn for a variable, and where its inputs are among the nodes."""

    kind: str
    title: str
    inputs: tuple[int, ...]
    operator: str
    lines: tuple[tuple[str, str], ...]
    width: float
    height: float

    @property
    def folded(self) -> bool:
        return not self.lines


class _Cards:
    """The nodes of a drawing, in topological order."""

    def __init__(self, graph: Graph, names: Mapping[int, str], fold: bool) -> None:
        self.names = names
        self.fold = fold
        self.outputs = {id(t) for t in graph.outputs}
        self.cost = self._name(graph.outputs[0]) if len(graph.outputs) == 1 else ""
        self.nodes: list[_Node] = []
        number: dict[int, int] = {}
        for tensor in graph.order():
            inputs = tensor.operation.inputs if tensor.operation else ()
            number[id(tensor)] = len(self.nodes)
            self.nodes.append(self._node(tensor, tuple(number[id(i)] for i in inputs)))

    def _name(self, tensor: Tensor) -> str:
        return self.names.get(id(tensor)) or tensor.name or ""

    def _node(self, tensor: Tensor, inputs: tuple[int, ...]) -> _Node:
        name, kind, value = self._name(tensor), kind_of(tensor), value_of(tensor)
        if id(tensor) in self.outputs and tensor.operation is not None:
            kind = "result"
        title = _title(tensor, name)
        operator = _operator_label(tensor.operation)
        if self.fold and not name and kind != "result":
            small = self._folded(tensor, kind)
            if small:
                return _Node("form", title, inputs, small, (), text_width(small, SMALL) + 14, PILL)
        if not name and kind in ("parameter", "state", "constant", "input"):
            name = kind
        lines = [("name", shortened(name, LONGEST)), ("spec", spec_of(tensor)), ("value", shortened(value, LONGEST))]
        gradient = gradient_of(tensor)
        if gradient:
            short = self.cost and name and len(self.cost + name) <= SHORT
            sign = f"∂{self.cost}/∂{name} =" if short else "gradient"
            lines.append(("gradient", shortened(f"{sign} {gradient}", LONGEST)))
        shown = tuple((style, text) for style, text in lines if text)
        spread = port(len(inputs) - 1, len(inputs)) * 2 + 24 if inputs else 0.0
        widest = max(text_width(text, SIZES[style], bold=style == "name") for style, text in shown)
        pill = max(text_width(operator, SMALL, bold=True) + 18, spread) if operator else 0.0
        height = LINE * len(shown) + 13 + (PILL - PILL_OVERLAP + 4 if operator else 0.0)
        return _Node(kind, title, inputs, operator, shown, max(widest + 22, pill + 12, 60.0), height)

    def _folded(self, tensor: Tensor, kind: str) -> str:
        """The label that is enough for a change of form or for a constant of one number."""
        if tensor.operation is not None and tensor.operation.name in FOLDED:
            return _form_label(tensor)
        if kind == "constant" and not tensor.traced and uniform(tensor.value):
            return number(tensor.value.flat[0])
        return ""


def _form_label(tensor: Tensor) -> str:
    assert tensor.operation is not None
    name = tensor.operation.name
    if name == "cast":
        return f"cast {tensor.dtype.name}"
    if name == "stop_gradient":
        return name
    return f"{name} {spec_of(tensor)[len(tensor.dtype.name) :] or '()'}"


def _operator_label(operation: Operation | None) -> str:
    if operation is None:
        return ""
    attributes = attributes_of(operation)
    return shortened(f"{operation.name} {attributes}".strip(), LONGEST)


def _title(tensor: Tensor, name: str) -> str:
    """The tooltip: what the variable is, and the line of the program that made it."""
    lines = [f"{name or kind_of(tensor)}: {spec_of(tensor)}"]
    if tensor.operation is not None:
        lines.append(repr(tensor.operation.operator))
        place = tensor.operation.place
        if place is not None:
            source = linecache.getline(place.file, place.line).strip()
            lines += [f"{os.path.basename(place.file)}:{place.line} in {place.function}", source]
    return "\n".join(line for line in lines if line)


def _picture(nodes: list[_Node]) -> str:
    edges = [(source, target) for target, node in enumerate(nodes) for source in node.inputs]
    layout = lay_out([(node.width, node.height) for node in nodes], edges)
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    parts = [
        curve(route, "edge", arrow=not nodes[target].folded)
        for route, (_, target) in zip(layout.routes, edges, strict=True)
    ]
    parts += [_drawn(node, *place) for node, place in zip(nodes, layout.places, strict=True)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="amigrad-graph" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="{-MARGIN:.0f} {-MARGIN:.0f} {width:.0f} {height:.0f}" role="img">'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _drawn(node: _Node, x: float, y: float) -> str:
    if node.folded:
        parts = [
            box(x - node.width / 2, y, node.width, PILL, PILL / 2, "form"),
            label(x, y + PILL - 6, node.operator, "form-name"),
        ]
        return group(parts, node.title, "form-of")
    top = y + (PILL - PILL_OVERLAP if node.operator else 0.0)
    parts = [box(x - node.width / 2, top, node.width, y + node.height - top, 9, "card")]
    baseline = top + LINE + 2 + (4 if node.operator else 0)
    for style, text in node.lines:
        parts.append(label(x, baseline, text, style))
        baseline += LINE
    if node.operator:
        spread = port(len(node.inputs) - 1, len(node.inputs)) * 2 + 24
        pill = max(text_width(node.operator, SMALL, bold=True) + 18, spread)
        parts.append(box(x - pill / 2, y, pill, PILL, PILL / 2, "operator"))
        parts.append(label(x, y + PILL - 6, node.operator, "operator-name"))
    return group(parts, node.title, node.kind)
