"""Modules name what they hold, switch their mode, and go to arrays and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import amigrad as ag
from amigrad import nn


@dataclass(eq=False)
class Tagger(nn.Module):
    words: nn.LookupTable
    layers: list[nn.Linear]
    by_name: dict[str, nn.Module]
    seen: ag.State
    window: int = 5


@pytest.fixture
def tagger() -> Tagger:
    generator = ag.Generator(7)
    words = nn.LookupTable(4, 2, generator=generator)
    layers = [nn.Linear(2, 3, generator=generator), nn.Linear(3, 2, generator=generator, bias=False)]
    return Tagger(words, layers, {"noise": nn.Dropout(0.5, generator=generator), "again": words}, ag.state(0))


def test_names_are_paths_and_shared_things_count_once(tagger: Tagger) -> None:
    parameters = ["words.table", "layers.0.weight", "layers.0.bias", "layers.1.weight"]
    assert list(tagger.named_parameters()) == parameters
    assert tagger.parameters()[0] is tagger.words.table
    assert list(tagger.states()) == [*parameters, "by_name.noise.generator.state", "seen"]
    assert list(tagger.modules()) == ["", "words", "layers.0", "layers.1", "by_name.noise"]
    assert "  weight: float32(2, 3)\n" in repr(tagger.layers[0])


def test_mode_reaches_every_module_and_is_put_back(tagger: Tagger) -> None:
    dropout = tagger.by_name["noise"]
    assert not dropout.training
    with tagger.training_mode():
        assert dropout.training
        assert tagger.training
    assert not dropout.training
    assert tagger.train() is tagger
    with tagger.evaluate().training_mode():
        pass
    assert not dropout.training


def test_arrays_bring_a_module_back(tagger: Tagger) -> None:
    saved = tagger.arrays()
    for parameter in tagger.parameters():
        parameter.assign(ag.zeros(parameter.shape))
    tagger.by_name["noise"].generator.uniform((3,))  # type: ignore[attr-defined]
    tagger.load(saved)
    for name, array in tagger.arrays().items():
        np.testing.assert_array_equal(array, saved[name])


def test_arrays_that_do_not_fit_are_refused_and_change_nothing(tagger: Tagger) -> None:
    before = tagger.arrays()
    wrong = {**{name: array + 1 for name, array in before.items()}, "layers.0.bias": np.zeros(4, np.float32)}
    with pytest.raises(ValueError, match=r"layers.0.bias is float32\(4,\), expected float32\(3,\)"):
        tagger.load(wrong)
    wrong.pop("layers.0.bias")
    wrong["other"] = np.zeros(1)
    with pytest.raises(ValueError, match=r"layers.0.bias is missing; other is not known"):
        tagger.load(wrong)
    for name, array in tagger.arrays().items():
        np.testing.assert_array_equal(array, before[name])
