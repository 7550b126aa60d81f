"""What holds for every operator of the table, at every sample of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import amigrad as ag
from amigrad.graph import Operator, Spec, apply
from amigrad.operators import OPERATORS
from samples import SAMPLES, Sample, samples


def test_every_operator_has_samples_of_every_kind_of_shape() -> None:
    assert set(SAMPLES) == set(OPERATORS)
    for name in OPERATORS:
        found = list(samples(name))
        assert {s.name for s in found} == {name}
        assert {type(s.operator) for s in found} == {OPERATORS[name]}
    shapes = {x.shape for s in samples("add") for x in s.inputs}
    assert {(), (0,), (1,), (67, 129)} <= shapes
    assert any(not x.flags.c_contiguous for s in samples("add") for x in s.inputs)


def test_operators_are_values() -> None:
    for sample in samples():
        attributes = {name: getattr(sample.operator, name) for name in sample.operator.attributes}
        again = type(sample.operator)(**attributes)
        assert again == sample.operator
        assert hash(again) == hash(sample.operator)
        for attribute, value in attributes.items():
            with pytest.raises(AttributeError, match="does not change"):
                setattr(again, attribute, value)


@pytest.mark.parametrize(("values", "named"), [((), {}), ((0, 1), {}), ((0,), {"axis": 0}), ((0,), {"axes": 0})])
def test_operators_take_each_attribute_once(values: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="Concat takes axis, each once"):
        OPERATORS["concat"](*values, **named)


def test_operators_may_have_attributes_with_defaults_and_be_dataclasses() -> None:
    class Power(Operator):
        exponent: int
        scale: float = 2.0
        name = "power_of_the_test"

    @dataclass(frozen=True)
    class Root(Operator):
        exponent: int
        scale: float = 2.0
        name = "root_of_the_test"

    assert (Power(3).exponent, Power(3).scale, Power(3)) == (3, 2.0, Power(3, 2.0))
    assert Power.attributes == Root.attributes == ("exponent", "scale")
    assert Root(3) == Root(3, 2.0) != Root(3, 1.0)
    for operator in (Power(3), Root(3)):
        assert operator.attribute_values()[:2] == (3, 2.0)
        with pytest.raises(NotImplementedError, match=r"has no `infer`"):
            operator.infer()


def test_operators_of_two_kinds_or_with_other_attributes_differ() -> None:
    assert OPERATORS["sum"]((0,)) != OPERATORS["prod"]((0,))
    assert OPERATORS["sum"]((0,)) != OPERATORS["sum"]((1,))
    assert OPERATORS["exp"]() != OPERATORS["log"]()
    assert repr(OPERATORS["sum"]((0,))) == "Sum(axes=(0,))"


@pytest.mark.parametrize("name", OPERATORS)
def test_inferred_shape_and_dtype_are_those_of_the_value(name: str) -> None:
    for sample in samples(name):
        spec = sample.operator.infer(*[Spec(x.shape, x.dtype) for x in sample.inputs])
        with np.errstate(all="ignore"):
            value = np.asarray(sample.operator.forward(*sample.inputs))
        assert (spec.shape, spec.dtype) == (value.shape, value.dtype), sample


@pytest.mark.parametrize("name", OPERATORS)
def test_layout_of_inputs_does_not_matter(name: str) -> None:
    for sample in samples(name):
        if all(x.flags.c_contiguous for x in sample.inputs):
            continue
        contiguous = [np.ascontiguousarray(x) for x in sample.inputs]
        # NumPy adds in another order along other strides: sums may differ in their last bits.
        tolerance = {4: 1e-5, 8: 1e-12}[max(4, sample.dtype.itemsize)] if sample.dtype.kind == "f" else 0
        with np.errstate(all="ignore"):
            one, other = sample.operator.forward(*sample.inputs), sample.operator.forward(*contiguous)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance, err_msg=str(sample))


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operation_is_recorded_where_it_has_a_gradient(name: str) -> None:
    def result(sample: Sample) -> ag.Tensor:
        return apply(sample.operator, *[ag.tensor(x, tracked=True) for x in sample.inputs])

    for sample in list(samples(name))[:3]:
        operation = result(sample).operation
        if sample.operator.differentiable and sample.inputs:
            assert operation is not None
            assert operation.name == name
            assert operation.place is not None
            assert operation.place.file == __file__
        else:
            assert operation is None
        with ag.no_gradients():
            assert result(sample).operation is None


@pytest.mark.parametrize("name", [n for n, kind in OPERATORS.items() if not kind.differentiable])
def test_an_operator_without_a_gradient_says_so(name: str) -> None:
    sample = next(samples(name))
    with pytest.raises(TypeError, match=f"{name} has no gradient"):
        sample.operator.backward()
