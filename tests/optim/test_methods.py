"""Every method does what its paper says: eagerly and compiled, on whole parameters and on rows of lookup tables."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy_rules import Rule, adagrad, adam, adamw, clipped, rmsprop, sgd

import amigrad as ag
from amigrad import optim
from amigrad.operators.lookup import ScatterRows

CASES: list[tuple[str, Any, Rule, dict[str, Any]]] = [
    ("sgd", optim.SGD, sgd, {"learning_rate": 0.1}),
    ("sgd with decay", optim.SGD, sgd, {"learning_rate": 0.1, "weight_decay": 0.05}),
    ("momentum", optim.SGD, sgd, {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    ("nesterov", optim.SGD, sgd, {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}),
    ("clipped", optim.SGD, sgd, {"learning_rate": 0.1, "clip_norm": 0.2}),
    ("clipped in vain", optim.SGD, sgd, {"learning_rate": 0.1, "clip_norm": 1e6}),
    ("adagrad", optim.Adagrad, adagrad, {"learning_rate": 0.1}),
    ("adagrad with decay", optim.Adagrad, adagrad, {"learning_rate": 0.1, "weight_decay": 0.05}),
    ("adagrad from 0.1", optim.Adagrad, adagrad, {"learning_rate": 0.1, "initial_squares": 0.1, "clip_norm": 0.3}),
    ("rmsprop", optim.RMSprop, rmsprop, {"learning_rate": 0.01, "decay": 0.8, "weight_decay": 0.05}),
    ("adam", optim.Adam, adam, {"learning_rate": 0.01}),
    ("adam with decay", optim.Adam, adam, {"learning_rate": 0.01, "betas": (0.5, 0.7), "weight_decay": 0.05}),
    ("adamw", optim.AdamW, adamw, {"learning_rate": 0.01, "weight_decay": 0.1, "clip_norm": 0.3}),
]
NATIVE = find_spec("amigrad.backends.native.executor") is not None
WAYS = ["minimize", "backward and step", "reference", "reference: backward and step"]
WAYS += ["native", "native: backward and step"] if NATIVE else []
LAZY = [partial(method, lookup="lazy") for method in (optim.RMSprop, optim.Adam, optim.AdamW)]
STEPS = 6
ROWS = 9
each_case = pytest.mark.parametrize(("method", "rule", "options"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])


class Net:
    """A table looked up twice, with repeated indices and rows that are never met, and a weight: float64."""

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        self.table = ag.parameter(random.normal(size=(ROWS, 3)), name="table")
        self.weight = ag.parameter(random.normal(size=(6, 2)), name="weight")
        self.batches = [(random.integers(0, 7, (4, 2)), random.normal(size=(4, 2))) for _ in range(STEPS)]
        self.parameters = {"table": self.table, "weight": self.weight}

    def cost(self, index: Any, target: Any) -> ag.Tensor:
        rows = ag.concat([self.table[index[:, 0]], self.table[index[:, 1]]], axis=1)
        return ag.square_loss(ag.tanh(rows @ self.weight), target)

    def reference(self, rule: Rule, options: dict[str, Any]) -> dict[str, Any]:
        """The parameters after all steps, by dense gradients and plain NumPy."""
        w = {name: p.numpy() for name, p in self.parameters.items()}
        memory: dict[str, dict[str, Any]] = {name: {} for name in w}
        for t, (index, target) in enumerate(self.batches, 1):
            rows = w["table"][index].reshape(4, 6)
            y = np.tanh(rows @ w["weight"])
            dh = 2 * (y - target) / y.size * (1 - y**2)
            dtable = np.zeros_like(w["table"])
            np.add.at(dtable, index, (dh @ w["weight"].T).reshape(4, 2, 3))
            found = clipped([dtable, rows.T @ dh], options.get("clip_norm"))
            for name, g in zip(w, found, strict=True):
                w[name] = rule(t, w[name], g, memory[name], options)
        return w


def assert_close(net: Net, expected: dict[str, Any]) -> None:
    # Sums in another order: a few units in the last place of float64, through six steps.
    for name, parameter in net.parameters.items():
        np.testing.assert_allclose(parameter.numpy(), expected[name], rtol=1e-11, atol=1e-13, err_msg=name)


@each_case
@pytest.mark.parametrize("how", WAYS)
def test_method_is_that_of_its_paper(method: Any, rule: Rule, options: dict[str, Any], how: str) -> None:
    net = Net()
    expected = net.reference(rule, options)
    optimizer = method(net.parameters, **options)

    def step(index: Any, target: Any) -> ag.Tensor:
        cost = net.cost(index, target)
        if "backward" in how:
            cost.backward()
            optimizer.step()
        else:
            optimizer.minimize(cost)
        return cost

    backend = how.partition(":")[0]
    run = ag.compile(step, backend=backend) if backend in ("reference", "native") else step
    for index, target in net.batches:
        run(ag.tensor(index), ag.tensor(target))
    assert_close(net, expected)
    assert int(optimizer.steps) == STEPS


@each_case
def test_lazy_updates_are_dense_ones_of_the_touched_rows(method: Any, rule: Rule, options: dict[str, Any]) -> None:
    """Each touched row gets the rule with its own memory; the others stay, with their moments, bit for bit."""
    net = Net()
    optimizer = method({"table": net.table}, **{**options, "lookup": "lazy"})
    memory: dict[int, dict[str, Any]] = {row: {} for row in range(ROWS)}
    expected = net.table.numpy()
    for t, (index, target) in enumerate(net.batches, 1):
        (dense,) = ag.gradients(net.cost(ag.tensor(index), ag.tensor(target)), [net.table])
        (gradient,) = clipped([dense.numpy()], options.get("clip_norm"))
        for row in np.unique(index):
            expected[row] = rule(t, expected[row], gradient[row], memory[row], options)
        before = optimizer.states()
        kept = {name: state.numpy()[7:] for name, state in before.items() if state.ndim == 2}
        optimizer.minimize(net.cost(ag.tensor(index), ag.tensor(target)))
        np.testing.assert_allclose(net.table.numpy(), expected, rtol=1e-11, atol=1e-13)
        for name, values in kept.items():
            np.testing.assert_array_equal(optimizer.states()[name].numpy()[7:], values)


def test_float32_parameters_stay_float32() -> None:
    weight = ag.parameter([1.0, 2.0])
    for method in (optim.SGD, optim.Adagrad, optim.RMSprop, optim.Adam, optim.AdamW):
        optimizer = method([weight], learning_rate=0.1, clip_norm=1.0, weight_decay=0.1)
        optimizer.minimize(ag.sum(weight * weight))
        assert weight.dtype == ag.float32
        assert all(s.dtype == ag.float32 for s in optimizer.states().values() if s.ndim)


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_mean_of_gradients_that_stay_zero_ends_at_zero_without_subnormal_numbers(backend: str) -> None:
    weight = ag.parameter(np.ones(40, "f"), name="weight")
    optimizer = optim.Adam({"weight": weight}, learning_rate=0.1)
    step = ag.compile(lambda x: optimizer.minimize(ag.sum(weight * x)), backend=backend)
    mean = optimizer.states()["mean.weight"]
    step(np.ones(40, "f"))
    nothing = np.zeros(40, "f")
    for _ in range(500):
        step(nothing)
    np.testing.assert_allclose(mean.numpy(), 0.1 * 0.9**500, rtol=1e-3)
    for _ in range(150):
        step(nothing)
    np.testing.assert_array_equal(mean.numpy(), 0.0)
    assert np.isfinite(weight.numpy()).all()


@pytest.mark.parametrize("method", [optim.SGD, optim.Adagrad, *LAZY])
def test_step_touches_only_the_rows_that_were_looked_up(method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the step has the table's size but the table and its moments, which change in place."""

    def fail(*_: Any) -> None:
        raise AssertionError("a dense gradient was computed")

    monkeypatch.setattr(ScatterRows, "forward", fail)
    net = Net()
    optimizer = method(net.parameters, learning_rate=0.1, clip_norm=1.0)
    step = ag.compile(lambda index, target: optimizer.minimize(net.cost(index, target)), backend="reference")
    index, target = map(ag.tensor, net.batches[0])
    optimizer.minimize(net.cost(index, target))
    step(index, target)
    large = [t for t in step.programs[0].order if t.shape == net.table.shape and t.operation is not None]
    assert large
    assert {t.operation.name for t in large} <= {"add_rows", "set_rows"}  # type: ignore[union-attr]


def test_settings_out_of_range_are_refused() -> None:
    weight = ag.parameter([1.0])
    with pytest.raises(ValueError, match="learning_rate cannot be -1"):
        optim.SGD([weight], -1.0)
    with pytest.raises(ValueError, match="momentum cannot be 1"):
        optim.SGD([weight], 0.1, momentum=1.0)
    with pytest.raises(ValueError, match="nesterov without momentum"):
        optim.SGD([weight], 0.1, nesterov=True)
    with pytest.raises(ValueError, match="betas"):
        optim.Adam([weight], betas=(0.9, 1.0))
    with pytest.raises(ValueError, match='"exact" or "lazy"'):
        optim.SGD([weight], 0.1, lookup="fast")
    with pytest.raises(ValueError, match="at least one parameter"):
        optim.SGD([], 0.1)
    with pytest.raises(TypeError, match="parameters, not State"):
        optim.SGD([ag.state([1.0])], 0.1)  # type: ignore[list-item]


def test_parameter_that_does_not_lead_to_the_cost_is_left_alone() -> None:
    used, unused = ag.parameter([1.0]), ag.parameter([1.0])
    optimizer = optim.Adam([used, unused], learning_rate=0.1, weight_decay=0.1)
    optimizer.minimize(ag.sum(used * used))
    assert unused.item() == 1.0
    assert used.item() != 1.0
    with pytest.raises(ValueError, match="no parameter of this optimizer leads to the cost"):
        optimizer.minimize(ag.sum(ag.parameter([1.0]) * 2.0))


def test_shared_parameter_is_updated_once() -> None:
    weight = ag.parameter([1.0])
    optim.SGD([weight, weight], 0.25).minimize(ag.sum(weight * weight))
    assert weight.item() == 0.5


def test_learning_rate_can_be_set_between_steps_without_compiling_again() -> None:
    weight = ag.parameter(1.0)
    optimizer = optim.SGD([weight], 0.5)

    @ag.compile(backend="reference")
    def step(x: ag.Tensor) -> ag.Tensor:
        cost = weight * x
        optimizer.minimize(cost)
        return cost

    step(np.float32(1.0))
    assert weight.item() == 0.5
    optimizer.learning_rate = 0.25
    step(np.float32(1.0))
    assert weight.item() == 0.25
    assert step.compilations == 1


def test_two_updates_in_one_compiled_step_are_those_of_two_steps() -> None:
    results = []
    for compiled in (False, True):
        net = Net()
        optimizer = optim.Adagrad(net.parameters, 0.1)

        def twice(index: Any, target: Any, net: Net = net, optimizer: Any = optimizer) -> ag.Tensor:
            optimizer.minimize(net.cost(index, target))
            cost = net.cost(index, target)
            optimizer.minimize(cost)
            return cost

        run = ag.compile(twice, backend="reference") if compiled else twice
        for index, target in net.batches:
            run(ag.tensor(index), ag.tensor(target))
        results.append({name: p.numpy() for name, p in net.parameters.items()})
    for name in results[0]:
        np.testing.assert_allclose(results[1][name], results[0][name], rtol=1e-12)
