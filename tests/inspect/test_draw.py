import xml.etree.ElementTree as ElementTree
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import amigrad as ag

SVG = "{http://www.w3.org/2000/svg}"


def line() -> ag.Tensor:
    x = ag.tensor([1.0, 5.0, 6.0], name="x")
    data = ag.tensor([0.0, 16.0, 20.0], name="ŷ")
    w, b = ag.parameter(2.0, name="w"), ag.parameter(2.0, name="b")
    difference = w * x + b - data
    cost = ag.sum(difference * difference)
    cost.name = "C"
    return cost


def tagger() -> ag.Tensor:
    table = ag.parameter(np.linspace(-1, 1, 60).reshape(12, 5), name="table")
    weight = ag.parameter(np.linspace(-1, 1, 15).reshape(5, 3))
    hidden = ag.hardtanh(ag.take(table, ag.tensor([3, 7, 7, 0]), axis=0))
    return ag.cross_entropy(hidden @ weight, ag.tensor([0, 1, 2, 1]))


def parsed(drawing: ag.Drawing) -> ElementTree.Element:
    return ElementTree.fromstring(drawing.svg)


def texts(drawing: ag.Drawing) -> list[str]:
    return [element.text or "" for element in parsed(drawing).iter(f"{SVG}text")]


def test_every_operator_and_shape_is_in_the_picture() -> None:
    for cost in (line(), tagger()):
        found = texts(ag.draw(cost, fold=False))
        for variable in ag.graph(cost).order():
            shape = "" if not variable.shape else str(variable.shape)
            if variable.operation is not None:
                assert any(text.split()[0] == variable.operation.name for text in found)
                assert f"{variable.dtype.name}{shape}" in found


def test_changes_of_form_are_labels_unless_asked_for() -> None:
    assert "broadcast_to (3,)" in texts(ag.draw(line()))
    folded = ag.draw(line()).svg.count('<rect class="card"')
    assert ag.draw(line(), fold=False).svg.count('<rect class="card"') == folded + 2


def test_values_and_gradients_are_shown() -> None:
    cost = line()
    assert "68" in texts(ag.draw(cost))
    cost.backward()
    assert {"∂C/∂w = -104", "∂C/∂b = -12"} <= set(texts(ag.draw(cost)))
    ag.graph(cost).backward()
    assert "gradient [8, -8, -12]" in texts(ag.draw(cost))


def test_bigger_values_are_summed_up() -> None:
    x = ag.parameter(np.arange(100.0, dtype=np.float32))
    found = texts(ag.draw(ag.sum(x * x)))
    assert "mean 49.5, 0 … 99" in found
    assert "mean 3.28e+03, 0 … 9.8e+03" in found
    assert "1 NaN and 2 infinite of 5" in texts(ag.draw(ag.parameter([1.0, np.nan, np.inf, -np.inf, 0.0]) * 1.0))


def test_the_programs_own_names_and_lines() -> None:
    w = ag.parameter(3.0)
    doubled = w * 2.0
    drawing = ag.draw(doubled + 1.0, names=locals())
    assert {"w", "doubled"} <= set(texts(drawing))
    titles = [element.text or "" for element in parsed(drawing).iter(f"{SVG}title")]
    assert any("test_draw.py" in title and "doubled = w * 2.0" in title for title in titles)


def test_labels_are_escaped() -> None:
    w = ag.parameter(1.0, name='<w & "v">')
    assert '<w & "v">' in texts(ag.draw(w * 2.0))


def rectangles(drawing: ag.Drawing) -> list[tuple[float, float, float, float]]:
    found = []
    for element in parsed(drawing).iter(f"{SVG}rect"):
        if element.get("class") in ("card", "form"):
            x, y, width, height = (float(element.get(key, "")) for key in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


@pytest.mark.parametrize("fold", [True, False])
def test_boxes_do_not_overlap(fold: bool) -> None:
    for cost in (line(), tagger()):
        cost.backward()
        boxes = rectangles(ag.draw(cost, fold=fold))
        assert len(boxes) == len(ag.graph(cost))
        for a, b in combinations(boxes, 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_long_texts_are_cut() -> None:
    found = texts(ag.draw(ag.parameter(1.0, name="w" * 200) * 2.0))
    assert max(map(len, found)) < 40


def test_a_graph_too_big_to_read_says_what_to_do() -> None:
    total = ag.parameter(1.0)
    for _ in range(401):
        total = total * 1.01
    with pytest.raises(ValueError, match=r"401 operations.*explain.*max_operations=401"):
        ag.draw(total)
    assert ag.draw(total, max_operations=401).svg.count('class="operator"') == 401


def test_traced_tensors_have_no_values_to_show() -> None:
    pictures = []

    @ag.compile
    def twice(x: ag.Tensor) -> ag.Tensor:
        result = x * 2.0
        pictures.append(ag.draw(result))
        return result

    twice(ag.tensor([1.0, 2.0]))
    assert any("multiply" in text for text in texts(pictures[0]))


def test_a_compiled_function_is_drawn_with_its_updates() -> None:
    w = ag.parameter(2.0, name="w")
    optimizer = ag.optim.SGD([w], learning_rate=0.01)

    @ag.compile
    def step(x: ag.Tensor) -> ag.Tensor:
        cost = ag.sum((w * x - 1.0) ** 2)
        optimizer.minimize(cost)
        return cost

    with pytest.raises(ValueError, match="step was not called yet"):
        ag.draw(step)
    step(ag.tensor([1.0, 2.0]))
    assert {"w", "learning_rate", "new w", "sum", "subtract"} <= set(texts(ag.draw(step)))


def test_what_is_no_graph_is_a_clear_error() -> None:
    with pytest.raises(TypeError, match="a tensor, a graph or a compiled function can be looked at, not float"):
        ag.draw(1.0)  # type: ignore[arg-type]


def test_notebooks_and_files_get_the_same_text(tmp_path: Path) -> None:
    drawing = ag.draw(line())
    written = drawing.save(tmp_path / "line.svg")
    assert written.read_text(encoding="utf-8") == drawing._repr_svg_() == drawing.svg
    assert [path.name for path in tmp_path.iterdir()] == ["line.svg"]
    with pytest.raises(FileNotFoundError):
        drawing.save(tmp_path / "missing" / "line.svg")
