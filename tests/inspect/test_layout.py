import random
from itertools import combinations, pairwise

import pytest

from amigrad.inspect.layout import Point, lay_out


def random_graph(seed: int, nodes: int) -> tuple[list[Point], list[tuple[int, int]]]:
    source = random.Random(seed)
    sizes = [(source.uniform(20, 200), source.uniform(20, 80)) for _ in range(nodes)]
    edges = []
    for target in range(1, nodes):
        for _ in range(source.randint(0, 3)):
            edges.append((source.randint(max(0, target - 20), target - 1), target))
    return sizes, edges


def rectangles(sizes: list[Point], places: list[Point]) -> list[tuple[float, float, float, float]]:
    return [(x - w / 2, y, x + w / 2, y + h) for (w, h), (x, y) in zip(sizes, places, strict=True)]


@pytest.mark.parametrize("seed", range(8))
def test_boxes_do_not_overlap_and_stay_inside(seed: int) -> None:
    sizes, edges = random_graph(seed, 60)
    layout = lay_out(sizes, edges)
    boxes = rectangles(sizes, layout.places)
    for a, b in combinations(boxes, 2):
        assert a[2] <= b[0] + 1e-6 or b[2] <= a[0] + 1e-6 or a[3] <= b[1] or b[3] <= a[1]
    for left, top, right, bottom in boxes:
        assert left >= -1e-6
        assert top >= 0
        assert right <= layout.width + 1e-6
        assert bottom <= layout.height + 1e-6


@pytest.mark.parametrize("seed", range(8))
def test_edges_go_down_and_pass_beside_the_other_boxes(seed: int) -> None:
    sizes, edges = random_graph(seed, 60)
    layout = lay_out(sizes, edges)
    boxes = rectangles(sizes, layout.places)
    for (source, target), route in zip(edges, layout.routes, strict=True):
        assert boxes[source][3] < boxes[target][1]
        assert all(a[1] <= b[1] for a, b in pairwise(route))
        for (x, top), (_, bottom) in zip(route[::2], route[1::2], strict=True):
            for i, (left, upper, right, lower) in enumerate(boxes):
                passes = left < x < right and top < lower and upper < bottom
                assert not passes or i in (source, target)


def test_inputs_of_one_node_arrive_in_their_order() -> None:
    layout = lay_out([(50, 20)] * 4, [(2, 3), (0, 3), (1, 3)])
    assert layout.routes[0][-1][0] < layout.routes[1][-1][0] < layout.routes[2][-1][0]


def test_a_chain_is_a_straight_line() -> None:
    layout = lay_out([(50, 20), (90, 20), (20, 20)], [(0, 1), (1, 2)])
    assert len({round(x, 3) for x, _ in layout.places}) == 1


def test_a_tree_is_drawn_without_crossings() -> None:
    edges = [(0, 6), (1, 7), (2, 6), (3, 7), (4, 6), (5, 7), (6, 8), (7, 8)]
    layout = lay_out([(40, 20)] * 9, edges)
    x = [place[0] for place in layout.places]
    assert max(x[0], x[2], x[4]) < min(x[1], x[3], x[5])


def test_the_empty_graph_has_a_layout() -> None:
    assert lay_out([], []).places == []
