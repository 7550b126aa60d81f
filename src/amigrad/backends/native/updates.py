"""Updates of a matrix by products alone, which are added to it where they are computed.

W' = W - a X dH takes no epilogue. Where W is used several times its gradient is a sum, W' = W - a (X dH + Y dG): the
scheduler makes a kernel of each product, and the last reads what the others stored. Instead each subtracts its own, one
after another: nothing is stored in between.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from itertools import pairwise

from amigrad.backends.native.kernels import Kernel, Store
from amigrad.backends.native.simplify import Node, shape_key
from amigrad.backends.native.views import View, is_unit, whole
from amigrad.operators import elementwise

Reaches = Callable[[Kernel, Kernel], bool]


def addition(kernel: Kernel) -> tuple[Node | None, bool] | None:
    """If all that a kernel does is to add a multiple of the product to a matrix in place: the number by which it is
    multiplied (None: 1), and whether it is subtracted. That takes no epilogue.
    """
    product, *body = kernel.body
    if product.dtype.kind != "f" or len(kernel.sinks) != 1 or not 1 <= len(body) <= 2:
        return None
    term, factor = product, None
    if len(body) == 2:
        if not isinstance(body[0].operator, elementwise.Multiply) or product not in body[0].inputs:
            return None
        term = body[0]
        factor = next((i for i in term.inputs if i is not product), product)
        if not (factor.is_constant or (factor in kernel.loads and _is_number(kernel.loads[factor]))):
            return None
    last, (sink,) = body[-1], kernel.sinks
    subtracted = isinstance(last.operator, elementwise.Subtract)
    if not (subtracted or isinstance(last.operator, elementwise.Add)) or not isinstance(sink, Store):
        return None
    matrix = next((i for i in last.inputs if i is not term), term)
    if (subtracted and last.inputs[1] is not term) or sink.value is not last or matrix not in kernel.loads:
        return None
    return (factor, subtracted) if kernel.loads[matrix].key == sink.target.key else None


def split_updates(kernels: list[Kernel], home: dict[Node, Kernel], taken: Container[Node], reaches: Reaches) -> None:
    """Let kernels update a matrix by themselves whose product is only a term of its update.

    home: the kernel that computes a node; taken: nodes whose buffers are results; reaches: whether a kernel waits for
    another.
    """
    waiting = [kernel for kernel in kernels if kernel.kind == "product"]
    while waiting:
        kernel = waiting.pop()
        product = kernel.body[0]
        terms, total, rest = _terms(kernel)
        others = [home[term] for term in terms if term in home and term not in taken and _is_all_of(home[term], term)]
        sink = kernel.sinks[0] if len(kernel.sinks) == 1 else None
        if not terms or len(others) < len(terms) or not isinstance(sink, Store) or kernel.fills:
            continue
        body = [product, *_of(rest, total, product)]
        loads = {node: view for node, view in kernel.loads.items() if node not in terms}
        update = Kernel(kernel.domain, "product", body, [Store(body[-1], sink.target)], loads)
        read = {view.base for k in kernels if k is not kernel for view in k.reads()}
        factors = {view.base for other in others for view in other.loads.values()}
        waits = any(reaches(k, other) for other in others for k in kernel.needs if k not in others)
        if addition(update) is None or waits or sink.target.base in factors or not read.isdisjoint(terms):
            continue
        needs = kernel.needs.difference(others)
        kernel.body, kernel.sinks, kernel.loads = update.body, update.sinks, loads
        for term, other in zip(terms, others, strict=True):
            made = _of(rest, total, term)
            other.body += made
            other.sinks = [Store(made[-1], sink.target)]
            other.loads |= {node: loads[node] for last in made for node in last.inputs if node in loads}
            other.needs |= needs
        before = [kernel.continues] if kernel.continues is not None else []
        for later, earlier in pairwise([kernel, *others, *before]):
            later.continues = earlier
            later.needs.add(earlier)
        waiting.extend(others)


def _terms(kernel: Kernel) -> tuple[list[Node], Node, list[Node]]:
    """What a product is added to before anything else, read from buffers as they lie; the sum, and what follows it."""
    total, *rest = kernel.body
    terms: list[Node] = []
    while rest and isinstance(rest[0].operator, elementwise.Add) and total in rest[0].inputs:
        term = next((node for node in rest[0].inputs if node is not total), total)
        view = kernel.loads.get(term)
        if view is None or view.key != whole(term).key or shape_key(term.shape) != shape_key(kernel.domain):
            break
        if any(total in node.inputs or term in node.inputs for node in rest[1:]):
            break
        terms.append(term)
        total, *rest = rest
    return terms, total, rest


def _is_all_of(kernel: Kernel, term: Node) -> bool:
    """Whether all that a product's kernel does is to store this."""
    stores = [sink.target.key for sink in kernel.sinks if isinstance(sink, Store) and sink.value is term]
    return kernel.kind == "product" and not kernel.fills and stores == [whole(term).key] and len(kernel.sinks) == 1


def _of(body: Sequence[Node], old: Node, new: Node) -> list[Node]:
    """The nodes of a body once more, of one node in the place of another."""
    made: dict[Node, Node] = {old: new}
    for node in body:
        inputs = tuple(made.get(i, i) for i in node.inputs)
        made[node] = Node(node.shape, node.dtype, node.operator, inputs, place=node.place, number=-1)
    return [made[node] for node in body]


def _is_number(view: View) -> bool:
    """Whether a view has the same element everywhere."""
    return all(is_unit(d) or (isinstance(s, int) and s == 0) for d, s in zip(view.shape, view.strides, strict=True))
