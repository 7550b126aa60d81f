"""Step search walks the lecture's path, with its arithmetic put right."""

from __future__ import annotations

import pytest

import amigrad as ag
from amigrad.optim import StepSearch


@pytest.fixture
def line() -> tuple[ag.Parameter, ag.Parameter]:
    return ag.parameter(2.0, name="w"), ag.parameter(2.0, name="b")


def cost(w: ag.Tensor, b: ag.Tensor) -> ag.Tensor:
    x, target = ag.tensor([1.0, 5.0, 6.0]), ag.tensor([0.0, 16.0, 20.0])
    return ag.square_loss(w * x + b, target, reduction="sum")


def test_path_of_the_lecture(line: tuple[ag.Parameter, ag.Parameter]) -> None:
    w, b = line
    search = StepSearch([w, b], step=1.0)
    assert float(cost(w, b)) == 68.0
    path = []
    while (trials := search.step(lambda: cost(w, b)))[-1].kept:
        path.append((w.item(), b.item(), trials[-1].cost))
    assert path == [(3, 2, 26), (3, 1, 17), (3, 0, 14)]
    assert [t.cost for t in trials] == [48, 17, 104, 17], "stuck: (4, 0), (3, 1), (2, 0), (3, -1)"
    assert (w.item(), b.item()) == (3, 0)


def test_smaller_step_goes_on_where_a_large_one_is_stuck(line: tuple[ag.Parameter, ag.Parameter]) -> None:
    w, b = line
    StepSearch([w, b], step=1.0).run(lambda: cost(w, b))
    trials = StepSearch([w, b], step=0.01).step(lambda: cost(w, b))
    assert trials[-1].kept
    assert trials[-1].parameter is w
    assert trials[-1].cost == pytest.approx(13.7262, abs=1e-5)
    StepSearch([w, b], step=0.01).run(lambda: cost(w, b))
    assert float(cost(w, b)) < 0.1


def test_cost_of_nan_is_never_kept() -> None:
    w = ag.parameter([1.0])
    trials = StepSearch([w]).step(lambda: ag.sum(ag.where(w == 1.0, w, float("nan"))))
    assert not any(t.kept for t in trials)
    assert w.item() == 1.0


def test_parameter_is_put_back_when_the_cost_fails() -> None:
    w = ag.parameter([1.0])

    def failing() -> float:
        if w.item() != 1.0:
            raise ArithmeticError
        return 1.0

    with pytest.raises(ArithmeticError):
        StepSearch([w]).step(failing)
    assert w.item() == 1.0


def test_step_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        StepSearch([ag.parameter(1.0)], step=0.0)
