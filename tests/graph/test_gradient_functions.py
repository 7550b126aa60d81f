"""`cost.backward()`, `ag.gradients` and `ag.check_gradients`."""

from __future__ import annotations

import numpy as np
import pytest

import amigrad as ag


def values(*tensors: ag.Tensor | None) -> list[object]:
    return [None if t is None else t.numpy().tolist() for t in tensors]


def test_backward_fills_parameters_and_tracked_inputs_only() -> None:
    w, x, data = ag.parameter([1.0, 2.0]), ag.tensor([3.0, 4.0], tracked=True), ag.tensor([5.0, 6.0])
    other = ag.parameter(1.0)
    middle = w * x
    ag.sum(middle * data).backward()
    assert values(w.grad, x.grad, data.grad, other.grad, middle.grad) == [[15, 24], [5, 12], None, None, None]


def test_backward_replaces_earlier_gradients() -> None:
    w = ag.parameter([1.0, 2.0])
    for _ in range(2):
        ag.sum(w * w).backward()
        assert values(w.grad) == [[2, 4]]


def test_backward_needs_something_to_differentiate() -> None:
    with pytest.raises(ValueError, match="no parameter leads to this cost"):
        ag.sum(ag.ones(3)).backward()
    with ag.no_gradients():
        cost = ag.sum(ag.parameter([1.0]))
    with pytest.raises(ValueError, match="no parameter leads to this cost"):
        cost.backward()


def test_gradients_need_one_real_number() -> None:
    w = ag.parameter([1.0, 2.0])
    with pytest.raises(ValueError, match=r"the cost has shape \(2,\): sum or mean it"):
        (w * 2.0).backward()
    with pytest.raises(TypeError, match="real numbers, not int64"):
        ag.gradients(ag.tensor(3), [w])
    with pytest.raises(TypeError, match="real numbers, not int64"):
        ag.gradients(ag.sum(w), [ag.tensor([1, 2])])
    with pytest.raises(ValueError, match=r"cost of float32\(2,\) is not float32\(3,\)"):
        ag.gradients(w * 2.0, [w], ag.ones(3))


def test_integer_inputs_have_no_gradient() -> None:
    index, table = ag.tensor([1, 1, 0], tracked=True), ag.parameter([[1.0], [2.0]])
    ag.sum(table[index]).backward()
    assert values(table.grad, index.grad) == [[[1], [2]], None]


def test_gradients_of_what_does_not_lead_to_the_cost_are_zeros() -> None:
    w, other = ag.parameter([1.0, 2.0]), ag.parameter(np.ones((2, 3)))
    found = ag.gradients(ag.sum(w * w), [other, w])
    assert values(*found) == [[[0, 0, 0], [0, 0, 0]], [2, 4]]
    assert found[0].dtype == ag.float64


def test_a_tracked_tensor_that_does_not_lead_to_the_cost_gets_zeros() -> None:
    w, x = ag.parameter([1.0, 2.0]), ag.tensor([3.0], tracked=True)
    assert values(*ag.gradients(ag.sum(w * w), [x, x * 2.0])) == [[0], [0]]


def test_there_is_no_gradient_with_respect_to_what_is_not_recorded() -> None:
    w, x = ag.parameter([1.0, 2.0]), ag.tensor([3.0, 4.0], name="x")
    cost = ag.sum(w * x + w * ag.exp(x))
    with pytest.raises(ValueError, match=r"tensor 'x' \(float32\(2,\)\).*Make it with tensor\(..., tracked=True\)"):
        ag.gradients(cost, x)
    with pytest.raises(ValueError, match=r"tensor number 1 \(float32\(2,\)\): operations on it are not recorded"):
        ag.gradients(cost, [w, ag.floor(w)])
    with ag.no_gradients():
        hidden = w * 2.0
    with pytest.raises(ValueError, match="number 0"):
        ag.gradients(ag.sum(hidden * w), hidden)


def test_gradients_of_intermediate_tensors_and_with_respect_to_one_twice() -> None:
    w = ag.parameter([1.0, 2.0])
    middle = w * 3.0
    cost = ag.sum(middle * middle)
    assert values(*ag.gradients(cost, [middle, w, middle])) == [[6, 12], [18, 36], [6, 12]]
    assert values(*ag.gradients(cost, middle)) == [[6, 12]]
    assert values(*ag.gradients(cost, cost)) == [1]


def test_a_given_gradient_of_the_cost_weights_it() -> None:
    w = ag.parameter([1.0, 2.0])
    assert values(*ag.gradients(w * w, [w], ag.tensor([10.0, 100.0]))) == [[20, 400]]


def test_gradients_of_gradients() -> None:
    x = ag.tensor(2.0, "float64", tracked=True)
    results = [x**5]
    for _ in range(5):
        results += ag.gradients(results[-1], x)
    assert [float(r) for r in results] == [32, 80, 160, 240, 240, 120]
    with ag.no_gradients():
        (constant,) = ag.gradients(x**5, x)
    assert constant.operation is None


def test_gradient_of_a_penalty_on_the_gradient() -> None:
    def penalty(x: ag.Tensor, w: ag.Tensor) -> ag.Tensor:
        (slope,) = ag.gradients(ag.sum(ag.tanh(x @ w)), x)
        return ag.sum(slope * slope)

    generator = np.random.default_rng(0)
    ag.check_gradients(penalty, [generator.normal(size=(2, 3)), generator.normal(size=(3, 2))])


def test_nothing_is_recorded_without_gradients() -> None:
    w = ag.parameter([1.0, 2.0])
    with ag.no_gradients():
        y = w * 2.0
        with ag.no_gradients():
            pass
        z = w * 3.0
    assert y.operation is None
    assert z.operation is None
    assert (w * 2.0).operation is not None
    cost = ag.sum(w * y)
    cost.backward()
    assert values(w.grad) == [[2, 4]]


def test_check_gradients_reports_the_worst_entry() -> None:
    def wrong(x: ag.Tensor, y: ag.Tensor) -> ag.Tensor:
        return ag.sum(x * x) + ag.sum(y * ag.stop_gradient(y))

    with pytest.raises(ValueError, match=r"worst at input 1 at \(1,\): gradient 3.*, finite difference 6"):
        ag.check_gradients(wrong, [[1.0, 2.0], [0.0, 3.0]])
    found = ag.check_gradients(lambda x: x * x, [[1.0, 2.0]])
    assert found.error < 1e-8
    assert "relative error" in str(found)
    assert ag.check_gradients(lambda i: ag.sum(ag.astype(i, "float64")), [[1, 2]]).error == 0


def test_check_gradients_does_not_overlook_nan() -> None:
    def half_broken(x: ag.Tensor) -> ag.Tensor:
        return ag.sum(ag.where(x > 0, x, ag.sqrt(x) * 0.0))

    with pytest.raises(ValueError, match=r"input 0 at \(0,\): gradient nan"):
        ag.check_gradients(half_broken, [[-1.0, 1.0, 2.0]])
