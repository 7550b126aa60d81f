"""The sentence-level log-likelihood against all paths one by one, and against logarithms where powers could fail."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

import amigrad as ag
from amigrad.nn import CRF, Legal

TAGS = 4
LENGTHS = np.array([3, 1, 5, 2])
WORDS = int(LENGTHS.sum())
RNG = np.random.default_rng(5)
SCORES, TARGETS = RNG.normal(size=(WORDS, TAGS)) * 3, RNG.integers(0, TAGS, WORDS)


def crf_of(transitions: np.ndarray, start: np.ndarray) -> CRF:
    crf = CRF(len(start), dtype=transitions.dtype)
    crf.transitions.assign(transitions)
    crf.start.assign(start)
    return crf


CHAIN = crf_of(RNG.normal(size=(TAGS, TAGS)) * 2, RNG.normal(size=TAGS) * 2)


def paths(crf: CRF, scores: np.ndarray, lengths: np.ndarray) -> list[tuple[list[tuple[int, ...]], np.ndarray]]:
    """All tag sequences of each sentence, and the score of each."""
    moves, first, found, start = crf.transitions.numpy(), crf.start.numpy(), [], 0
    for length in lengths:
        part, every = scores[start : start + length], list(product(range(crf.tags), repeat=int(length)))
        totals = [first[p[0]] + part[range(length), p].sum() + sum(moves[a, b] for a, b in pairwise(p)) for p in every]
        found.append((every, np.array(totals)))
        start += length
    return found


def expected_cost(crf: CRF, scores: np.ndarray, tags: np.ndarray, lengths: np.ndarray) -> float:
    total, start = 0.0, 0
    for (every, totals), length in zip(paths(crf, scores, lengths), lengths, strict=True):
        total += np.logaddexp.reduce(totals) - totals[every.index(tuple(tags[start : start + length]))]
        start += length
    return float(total / lengths.sum())


def with_gradients(crf: CRF) -> Any:
    def function(scores: ag.Tensor, tags: ag.Tensor, lengths: ag.Tensor) -> tuple[ag.Tensor, ...]:
        cost = crf.cost(scores, tags, lengths)
        return cost, *ag.gradients(cost, [crf.transitions, crf.start, scores])

    return function


def test_the_cost_and_its_gradients_are_those_of_all_paths() -> None:
    cost, *gradients = with_gradients(CHAIN)(ag.tensor(SCORES, tracked=True), TARGETS, LENGTHS)
    assert float(cost) == pytest.approx(expected_cost(CHAIN, SCORES, TARGETS, LENGTHS), rel=1e-12)
    scores = SCORES.copy()
    arrays = (CHAIN.transitions.value, CHAIN.start.value, scores)
    for gradient, array in zip(gradients, arrays, strict=True):
        for place in np.ndindex(*array.shape):
            before, values = array[place], []
            for step in (1e-6, -1e-6):
                array[place] = before + step
                values.append(expected_cost(CHAIN, scores, TARGETS, LENGTHS))
            array[place] = before
            assert gradient.numpy()[place] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-8)


def test_second_gradients() -> None:
    def slope(x: ag.Tensor) -> ag.Tensor:
        (gradient,) = ag.gradients(CHAIN.cost(x, TARGETS, LENGTHS), [x])
        return ag.sum(gradient * gradient)

    assert ag.check_gradients(slope, [SCORES]).error < 1e-4


FOLLOWING = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1]], bool)
ENDS = np.array([True, False, True, False])


@pytest.mark.parametrize("legal", [None, Legal(ENDS, FOLLOWING, ENDS)])
def test_the_best_path_is_the_best_of_all_that_are_legal(legal: Legal | None) -> None:
    found = CHAIN.decode(SCORES, LENGTHS, legal).numpy()
    expected: list[int] = []
    for every, totals in paths(CHAIN, SCORES, LENGTHS):
        ranked = [every[i] for i in np.argsort(-totals)]
        if legal is not None:
            ranked = [p for p in ranked if legal.first[p[0]] and legal.last[p[-1]]]
            ranked = [p for p in ranked if all(legal.following[a, b] for a, b in pairwise(p))]
        expected += ranked[0]
    np.testing.assert_array_equal(found, expected)


def test_where_nothing_is_legal_there_are_tags_all_the_same() -> None:
    never = Legal(np.zeros(TAGS, bool), np.zeros((TAGS, TAGS), bool), np.zeros(TAGS, bool))
    found = CHAIN.decode(SCORES, LENGTHS, never).numpy()
    assert found.min() >= 0
    assert found.max() < TAGS


def test_compiled_once_for_all_sentences() -> None:
    step, decode = ag.compile(with_gradients(CHAIN)), ag.compile(CHAIN.decode)
    for lengths in (LENGTHS, np.array([1]), np.array([7, 7]), np.arange(1, 15)):
        scores = RNG.normal(size=(lengths.sum(), TAGS))
        tags = RNG.integers(0, TAGS, lengths.sum())
        expected = with_gradients(CHAIN)(ag.tensor(scores, tracked=True), tags, lengths)
        for a, b in zip(step(scores, tags, lengths), expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-13)
        np.testing.assert_array_equal(decode(scores, lengths).numpy(), CHAIN.decode(scores, lengths).numpy())
    for function in (step, decode):
        assert function.compilations == 1
        assert all(k.kind != "python" for k in function.executors[0].schedule.kernels)  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [1.0, 30.0, 300.0])
def test_in_float32_large_scores_give_what_logarithms_give_in_float64(size: float) -> None:
    tags, lengths = 9, np.array([60, 1, 25])
    words = int(lengths.sum())
    rng = np.random.default_rng(11)
    scores = rng.normal(size=(words, tags)) * size
    moves, start = rng.uniform(-9, 9, (tags, tags)), rng.uniform(-9, 9, tags)
    targets = rng.integers(0, tags, words)

    def by_logarithms(x: ag.Tensor, moves: ag.Tensor, start: ag.Tensor) -> ag.Tensor:
        total, begin = ag.zeros((), dtype="float64"), 0
        for length in lengths.tolist():
            alpha = start + x[begin]
            path = start[targets[begin]] + x[begin, targets[begin]]
            for t in range(begin + 1, begin + length):
                alpha = ag.logsumexp(ag.expand_dims(alpha, 1) + moves, axis=0) + x[t]
                path = path + moves[targets[t - 1], targets[t]] + x[t, targets[t]]
            total, begin = total + ag.logsumexp(alpha) - path, begin + length
        return total / float(words)

    inputs = [ag.tensor(a, tracked=True) for a in (scores, moves, start)]
    expected = by_logarithms(*inputs)
    gradients = ag.gradients(expected, inputs)
    crf = crf_of(moves.astype("f"), start.astype("f"))
    cost, *found = ag.compile(with_gradients(crf))(scores.astype("f"), targets, lengths)
    # float32's rounding of scores of this size is what is left of the difference.
    assert float(cost) == pytest.approx(float(expected), rel=1e-5)
    for a, b in zip([found[2], *found[:2]], gradients, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6 * max(size, 1))


def test_forbidden_transitions_take_no_share_and_break_nothing() -> None:
    moves = np.where(np.eye(3, dtype=bool), -np.inf, 0.0)
    crf = crf_of(moves.astype("f"), np.zeros(3, "f"))
    lengths, scores = np.array([4]), np.zeros((4, 3), "f")
    cost, *gradients = with_gradients(crf)(ag.tensor(scores, tracked=True), np.array([0, 1, 0, 2]), lengths)
    assert float(cost) == pytest.approx(np.log(3 * 2 * 2 * 2) / 4, rel=1e-6)
    assert all(np.isfinite(g.numpy()).all() for g in gradients)
    # Words that leave no legal way: a cost that is large, not infinite, with gradients that lead out.
    scores = np.full((4, 3), -500.0, "f")
    scores[:, 1] = 0
    cost, *gradients = with_gradients(crf)(ag.tensor(scores, tracked=True), np.array([0, 1, 0, 2]), lengths)
    assert np.isfinite(float(cost))
    assert all(np.isfinite(g.numpy()).all() for g in gradients)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="at least 1 is needed"):
        CRF(0)
    with pytest.raises(ValueError, match=r"a CRF of 4 tags takes scores \(N, 4\), not \(11, 5\)"):
        CHAIN.cost(np.zeros((WORDS, 5)), TARGETS, LENGTHS)
    with pytest.raises(ValueError, match="add up to the number of rows, 11"):
        CHAIN.decode(SCORES, LENGTHS[:3])
    with pytest.raises(IndexError):
        CHAIN.cost(SCORES, TARGETS + TAGS, LENGTHS)
