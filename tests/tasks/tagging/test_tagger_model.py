"""The scores of the taggers' networks, in the two ways that they are computed, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest

import amigrad as ag
from amigrad.tasks.tagging.examples import Windows
from amigrad.tasks.tagging.features import Column
from amigrad.tasks.tagging.model import RecurrentTagger, TaggerNetwork, WindowTagger
from amigrad.tasks.tagging.predict import Predictor

COLUMNS = [Column("word", str, 7, 1), Column("suffix2", str, 3, 1)]
ENTRIES = (50, 9)


def make_model(
    window: int = 3, dropout: float = 0.0, kind: type[TaggerNetwork] = WindowTagger, layers: int = 1
) -> TaggerNetwork:
    return kind(
        COLUMNS,
        ENTRIES,
        4,
        window=window,
        hidden_size=11,
        layers=layers,
        dropout=dropout,
        generator=ag.Generator(seed=2),
    )


@pytest.fixture
def table() -> np.ndarray:
    """The entries of 40 word types in both columns."""
    rng = np.random.default_rng(0)
    return np.stack([rng.integers(0, rows, 40) for rows in ENTRIES]).astype(np.int32)


def test_scores_are_those_of_the_paper() -> None:
    """Section 3.3.1, equations 2 to 5, word by word."""
    model = make_model()
    windows = [np.array([[3, 1, 4], [1, 5, 9]]), np.array([[2, 6, 5], [3, 5, 8]])]
    expected = []
    for example in range(2):
        x = [
            model.tables[column.name].table.numpy()[entry]
            for column, entries in zip(COLUMNS, windows, strict=True)
            for entry in entries[example]
        ]
        hidden = np.clip(np.concatenate(x) @ model.hidden.weight.numpy(), -1, 1)
        expected.append(hidden @ model.output.weight.numpy())
    assert np.allclose(model(windows), expected, atol=1e-6)


@pytest.mark.parametrize("window", [1, 3, 5])
def test_scores_of_parts_are_those_of_the_model(window: int, table: np.ndarray) -> None:
    model = make_model(window)
    rng = np.random.default_rng(1)
    for parameter in model.parameters():
        parameter.assign(rng.normal(size=parameter.shape).astype(np.float32))
    types = rng.integers(0, 40, (20, window))
    scores = model([ag.tensor(column) for column in table[:, types]])
    index = ag.tensor(types * window + np.arange(window))
    by_parts = model.scores_of_parts(model.parts([ag.tensor(column) for column in table]), index)
    # Sums of at most 50 products of numbers around 1, in another order.
    assert np.allclose(scores, by_parts, atol=1e-4)


LENGTHS = np.array([4, 1, 9, 6], np.int32)


def random_model(window: int, layers: int, table: np.ndarray) -> tuple[RecurrentTagger, np.ndarray, np.ndarray]:
    """A network of random parameters; the windows of random sentences of these lengths as types, and their scores."""
    model = make_model(window, kind=RecurrentTagger, layers=layers)
    assert isinstance(model, RecurrentTagger)
    rng = np.random.default_rng(1)
    for parameter in model.parameters():
        parameter.assign(rng.normal(size=parameter.shape).astype(np.float32))
    windows = Windows(rng.integers(1, 40, LENGTHS.sum()).astype(np.int32), LENGTHS.tolist(), window)
    types = windows.cut(slice(None))
    scores = model([ag.tensor(column) for column in table[:, types]], lengths=LENGTHS)
    return model, types, scores.numpy()


@pytest.mark.parametrize(("window", "layers"), [(1, 1), (3, 2)])
def test_scores_of_a_recurrent_network_in_both_ways(window: int, layers: int, table: np.ndarray) -> None:
    model, types, scores = random_model(window, layers, table)
    index = ag.tensor(types * window + np.arange(window))
    parts = model.parts([ag.tensor(column) for column in table])
    assert np.allclose(scores, model.scores_of_parts(parts, index, LENGTHS), atol=1e-4)


def test_each_sentence_is_read_by_itself_and_from_both_ends(table: np.ndarray) -> None:
    model, types, scores = random_model(1, 2, table)
    second, third = slice(4, 5), slice(5, 14)
    alone = model([ag.tensor(column) for column in table[:, types[third]]], lengths=LENGTHS[2:3])
    assert np.allclose(scores[third], alone, atol=1e-4)
    changed = types.copy()
    changed[5] = changed[5] % 39 + 1
    others = model([ag.tensor(column) for column in table[:, changed]], lengths=LENGTHS).numpy()
    assert np.array_equal(scores[second], others[second])
    assert (scores[third] != others[third]).any(axis=1).all()


@pytest.mark.parametrize("lengths", [[], [1], [0, 2], [130, 5, 0, 300, 7, 64, 1]])
def test_the_predictor_takes_whole_sentences(
    lengths: list[int], table: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amigrad.tasks.tagging.predict._PART_TOKENS", 150)
    monkeypatch.setattr("amigrad.tasks.tagging.predict._STEP_TOKENS", 64)
    model, _, _ = random_model(1, 1, table)
    types = np.random.default_rng(3).integers(1, 40, sum(lengths)).astype(np.int32)
    windows = Windows(types, lengths, 1)
    found = Predictor(model)(windows, table, lengths)
    columns = [ag.tensor(column) for column in table[:, windows.cut(slice(None))]]
    scores = model(columns, lengths=np.array([length for length in lengths if length], np.int32)).numpy()
    assert np.array_equal(found, scores.argmax(1))


@pytest.mark.parametrize("tokens", [0, 1, 2, 700])
def test_the_predictor_gives_the_best_tags(tokens: int, table: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amigrad.tasks.tagging.predict._PART_TOKENS", 300)
    monkeypatch.setattr("amigrad.tasks.tagging.predict._STEP_TYPES", 7)
    monkeypatch.setattr("amigrad.tasks.tagging.predict._STEP_TOKENS", 64)
    model = make_model()
    types = np.random.default_rng(3).integers(1, 40, tokens).astype(np.int32)
    windows = Windows(types, [tokens], 3)
    found = Predictor(model)(windows, table, [tokens])
    scores = model([ag.tensor(column) for column in table[:, windows.cut(slice(None))]])
    assert np.array_equal(found, scores.numpy().argmax(1))


def test_the_predictor_follows_the_model(table: np.ndarray) -> None:
    model = make_model()
    predict = Predictor(model)
    windows = Windows(np.arange(1, 40, dtype=np.int32), [39], 3)
    before = predict(windows, table, [39])
    model.output.weight.assign(-model.output.weight)
    assert not np.array_equal(predict(windows, table, [39]), before)


def test_the_cost_goes_down_along_its_gradient() -> None:
    """To first order, by the squared norm of the gradient times the step."""
    model = make_model()
    windows = [np.array([[3, 1, 4], [1, 5, 9]]), np.array([[2, 6, 5], [3, 5, 8]])]
    targets = np.array([0, 3])
    before = model.cost(windows, targets)
    before.backward()
    rate = 1e-2
    expected = 0.0
    for parameter in model.parameters():
        assert parameter.grad is not None
        gradient = parameter.grad.numpy()
        expected -= rate * float((gradient.astype(float) ** 2).sum())
        parameter.assign(parameter.numpy() - np.float32(rate) * gradient)
    change = float(model.cost(windows, targets)) - float(before)
    # The second-order term is half a hundredth at this step.
    assert change == pytest.approx(expected, rel=0.01)


def test_dropout_only_happens_in_training() -> None:
    model = make_model(dropout=0.5)
    windows = [np.array([[3, 1, 4]]), np.array([[2, 6, 5]])]
    assert np.array_equal(model(windows), model(windows))
    with model.training_mode():
        assert not np.array_equal(model(windows), model(windows))
