"""Layered layout of a directed graph (Sugiyama, Tagawa and Toda 1981): layers, then order, then places.

Every node gets a layer above all that it leads to; edges over several layers are cut by bends, one a layer;
sweeps of barycentres order the layers so that few edges cross; places across are the least-squares solution of
"be near your neighbours, keep your distance".
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

NODE_GAP = 26.0
BEND_GAP = 12.0
LAYER_GAP = 30.0
PORT_GAP = 16.0
_ORDER_SWEEPS = 24
_PLACE_SWEEPS = (60, 500)
_PLACEMENTS = 60_000

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where things are: the middle of the upper side of each node, and the stations of each edge.

    An edge's stations come in pairs, the ends of straight vertical pieces; curves join one pair to the next.
    """

    width: float
    height: float
    places: list[Point]
    routes: list[list[Point]]


def port(index: int, count: int) -> float:
    """How far right of its target's middle an edge ends that is number `index` of `count`."""
    return (index - (count - 1) / 2) * PORT_GAP


def lay_out(sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> Layout:
    """Places for nodes of these sizes (width, height) and routes for these edges (source, target), top to bottom.

    Nodes are numbered in a topological order. The edges into one node end side by side in the order given.
    """
    net = _Net(sizes, edges)
    order = _ordered(net)
    across = _placed(net, order)
    return _finished(net, order, across)


class _Net:
    """The graph with its long edges cut: nodes first, then bends."""

    def __init__(self, sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> None:
        self.nodes = len(sizes)
        self.sizes = list(sizes)
        self.layer = _layers(len(sizes), edges)
        self.chains: list[list[int]] = []
        self.above: list[list[tuple[int, float]]] = [[] for _ in sizes]
        self.below: list[list[tuple[int, float]]] = [[] for _ in sizes]
        counts, used = [0] * len(sizes), [0] * len(sizes)
        for _, target in edges:
            counts[target] += 1
        for source, target in edges:
            offset = port(used[target], counts[target])
            used[target] += 1
            chain = [source]
            for layer in range(self.layer[source] + 1, self.layer[target]):
                chain.append(self._bend(layer))
            chain.append(target)
            self.chains.append(chain)
            for upper, lower in pairwise(chain):
                at = offset if lower == target else 0.0
                self.below[upper].append((lower, at))
                self.above[lower].append((upper, at))

        self.is_input = [not inputs for inputs in self.above]
        for node in range(self.nodes):
            if len(self.above[node]) == 1:
                self.is_input[node] = self.is_input[self._source(node)]

    def _source(self, node: int) -> int:
        """The node, not a bend, that the one edge into this node comes from."""
        ((upper, _),) = self.above[node]
        while self.is_bend(upper):
            ((upper, _),) = self.above[upper]
        return upper

    def _bend(self, layer: int) -> int:
        self.sizes.append((0.0, 0.0))
        self.layer.append(layer)
        self.above.append([])
        self.below.append([])
        return len(self.sizes) - 1

    def is_bend(self, node: int) -> bool:
        return node >= self.nodes

    def weight(self, a: int, b: int) -> float:
        """How much an edge from a to b wants to be straight: more within a long edge or a chain, less from an input."""
        if self.is_input[a] and len(self.above[b]) > 1:
            return 0.2
        if len(self.below[a]) == len(self.above[b]) == 1:
            return 8.0
        return 2.0 if self.is_bend(a) or self.is_bend(b) else 1.0

    def distance(self, left: int, right: int) -> float:
        """How far apart the middles of neighbours in a layer have to be."""
        gap = BEND_GAP if self.is_bend(left) or self.is_bend(right) else NODE_GAP
        return (self.sizes[left][0] + self.sizes[right][0]) / 2 + gap


def _layers(nodes: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The layer of each node: as low as what it leads to allows, so that inputs stand beside their use."""
    below: list[list[int]] = [[] for _ in range(nodes)]
    for source, target in edges:
        below[source].append(target)
    height = [0] * nodes
    for node in reversed(range(nodes)):
        height[node] = max((height[b] + 1 for b in below[node]), default=0)
    top = max(height, default=0)
    return [top - h for h in height]


def _ordered(net: _Net) -> list[list[int]]:
    """The layers from top to bottom, each from left to right, with few crossings."""
    order: list[list[int]] = [[] for _ in range(max(net.layer, default=-1) + 1)]
    for node in _depth_first(net):
        order[net.layer[node]].append(node)
    best, fewest = [list(row) for row in order], _crossings(net, order)
    for sweep in range(_ORDER_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        neighbours = net.above if downwards else net.below
        for row in order if downwards else reversed(order):
            _sort_row(net, row, neighbours, _ranks(order), downwards)
        count = _crossings(net, order)
        if count < fewest:
            best, fewest = [list(row) for row in order], count
    return best


def _depth_first(net: _Net) -> list[int]:
    """All nodes and bends, walking up from the results and taking inputs from left to right."""
    seen: set[int] = set()
    found: list[int] = []
    for root in (n for n in range(net.nodes) if not net.below[n]):
        stack = [root]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            found.append(node)
            stack.extend(upper for upper, _ in reversed(net.above[node]))
    return found


def _ranks(order: list[list[int]]) -> dict[int, float]:
    return {node: float(i) for row in order for i, node in enumerate(row)}


def _sort_row(
    net: _Net,
    row: list[int],
    neighbours: list[list[tuple[int, float]]],
    rank: dict[int, float],
    downwards: bool,
) -> None:
    """Sort a row by the barycentres of its neighbours; nodes without any stay where they are."""

    def seen_at(neighbour: int, offset: float) -> float:
        return rank[neighbour] + (0.0 if downwards else offset / (net.sizes[neighbour][0] + NODE_GAP))

    centre = {
        node: sum(seen_at(n, at) for n, at in neighbours[node]) / len(neighbours[node])
        for node in row
        if neighbours[node]
    }
    movable = iter(sorted(centre, key=lambda node: (centre[node], rank[node])))
    row[:] = [next(movable) if node in centre else node for node in row]


def _crossings(net: _Net, order: list[list[int]]) -> int:
    """How many pairs of edges cross between neighbouring layers."""
    rank, total = _ranks(order), 0
    for row in order:
        ends: list[Point] = []
        for node in row:
            lows = [(rank[lower], at) for lower, at in net.below[node]]
            total += sum(len(ends) - bisect_right(ends, end) for end in lows)
            for end in lows:
                insort(ends, end)
    return total


def _placed(net: _Net, order: list[list[int]]) -> list[float]:
    """The place of each node across, by repeated least squares, one layer after the other."""
    x = [0.0] * len(net.sizes)
    for row in order:
        at = 0.0
        for i, node in enumerate(row):
            at += net.distance(row[i - 1], node) if i else 0.0
            x[node] = at
        for node in row:
            x[node] -= at / 2
    fewest, most = _PLACE_SWEEPS
    sweeps = max(fewest, min(most, _PLACEMENTS // max(1, len(x))))
    for sweep in range(sweeps):
        early, late = sweep < sweeps // 6, sweep > sweeps // 3
        for row in order if sweep % 2 == 0 else reversed(order):
            _place_row(net, row, x, up=not early or sweep % 2 == 0, down=not early or sweep % 2 == 1, straight=late)
    return x


def _place_row(net: _Net, row: list[int], x: list[float], up: bool, down: bool, straight: bool) -> None:
    """Move a row to where its neighbours above (below) want it, as near as the distances allow.

    straight: weigh an edge less the further it leans, which ends in few leaning edges instead of many.
    """
    wanted, weights, shift = [], [], 0.0
    for i, node in enumerate(row):
        shift += net.distance(row[i - 1], node) if i else 0.0
        pulls = [(x[n] + at, net.weight(node, n)) for n, at in net.below[node]] if down else []
        pulls += [(x[n] - at, net.weight(n, node)) for n, at in net.above[node]] if up else []
        if straight:
            pulls = [(p, w / (abs(p - x[node]) + 1.0)) for p, w in pulls]
        weight = sum(w for _, w in pulls)
        place = sum(p * w for p, w in pulls) / weight if weight else x[node]
        wanted.append(place - shift)
        weights.append(weight or 0.01)
    shift = 0.0
    for i, (node, place) in enumerate(zip(row, _increasing(wanted, weights), strict=True)):
        shift += net.distance(row[i - 1], node) if i else 0.0
        x[node] = place + shift


def _increasing(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The non-decreasing sequence nearest to `values` in weighted squares (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            before = pools.pop()
            total = before[1] + pool[1]
            pool = ((before[0] * before[1] + pool[0] * pool[1]) / total, total, before[2] + pool[2])
        pools.append(pool)
    return [value for value, _, count in pools for _ in range(count)]


def _finished(net: _Net, order: list[list[int]], x: list[float]) -> Layout:
    tops, y = [], 0.0
    heights = [max((net.sizes[n][1] for n in row), default=0.0) for row in order]
    for height in heights:
        tops.append(y)
        y += height + LAYER_GAP
    left = min((x[n] - net.sizes[n][0] / 2 for n in range(len(x))), default=0.0)
    right = max((x[n] + net.sizes[n][0] / 2 for n in range(len(x))), default=0.0)
    places = []
    for node in range(net.nodes):
        layer = net.layer[node]
        places.append((x[node] - left, tops[layer] + (heights[layer] - net.sizes[node][1]) / 2))
    routes = []
    used = [0] * net.nodes
    for chain in net.chains:
        source, target = chain[0], chain[-1]
        at = x[target] - left + net.above[target][used[target]][1]
        used[target] += 1
        start = places[source][1] + net.sizes[source][1]
        route = [(x[source] - left, start), (x[source] - left, tops[net.layer[source]] + heights[net.layer[source]])]
        for bend in chain[1:-1]:
            top = tops[net.layer[bend]]
            route += [(x[bend] - left, top), (x[bend] - left, top + heights[net.layer[bend]])]
        route += [(at, tops[net.layer[target]]), (at, places[target][1])]
        routes.append(route)
    return Layout(right - left, max(0.0, y - LAYER_GAP), places, routes)
