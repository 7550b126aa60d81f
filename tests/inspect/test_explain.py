import pytest

import amigrad as ag


def test_a_row_for_each_variable_in_topological_order() -> None:
    w, x = ag.parameter(3.0, name="w"), ag.tensor([1.0, 2.0], name="x")
    cost = ag.sum(w * x)
    cost.backward()
    rows = ag.explain(cost, names={"cost": cost}).rows
    assert [row.name for row in rows] == ["w", "", "x", "", "cost"]
    assert [row.made_by for row in rows] == ["", "broadcast_to(1)", "", "multiply(2, 3)", "sum(4)"]
    assert rows[0].value == "3"
    assert rows[0].gradient == "3"
    assert rows[3].spec == "float32(2,)"
    assert rows[3].value == "[3, 6]"
    assert rows[4].line.startswith("test_explain.py:")


def test_the_table_shows_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    w = ag.parameter([1.0, 2.0], name="[bold]w")
    text = str(ag.explain(ag.graph(ag.sum(ag.exp(w), axis=0))))
    for part in ("[bold]w", "exp(1)", "sum(2)", "float32(2,)", "10.11", "test_explain.py"):
        assert part in text
