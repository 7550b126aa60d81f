"""`scan`: what it computes, its gradients, sequences of different lengths, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

import amigrad as ag
from amigrad.backends.native.scans import Loop
from amigrad.graph import TraceError
from amigrad.operators.packing import packed

INPUTS, SIZE = 3, 4
LENGTHS = np.array([3, 1, 5, 2])
BACKENDS = ("reference", "native")
RNG = np.random.default_rng(7)
U, W, B = (RNG.normal(size=shape) for shape in ((INPUTS, SIZE), (SIZE, SIZE), (SIZE,)))
ROWS = RNG.normal(size=(int(LENGTHS.sum()), INPUTS))
FIRST = RNG.normal(size=(len(LENGTHS), SIZE))


def loop(x: np.ndarray, h: np.ndarray, reverse: bool = False) -> np.ndarray:
    """The states of an Elman network at each row, by a loop."""
    found = np.empty((len(x), *h.shape))
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        h = found[t] = np.tanh(x[t] @ U + h @ W + B)
    return found


def elman(u: Any, w: Any, b: Any) -> Callable[[ag.Tensor, ag.Tensor], tuple[ag.Tensor, ag.Tensor]]:
    def body(h: ag.Tensor, x: ag.Tensor) -> tuple[ag.Tensor, ag.Tensor]:
        new = ag.tanh(x @ u + h @ w + b)
        return new, new

    return body


def cells(w: ag.Tensor) -> Callable[[Any, ag.Tensor], Any]:
    """A state of two parts, and an output that is neither."""

    def body(states: tuple[ag.Tensor, ag.Tensor], x: ag.Tensor) -> Any:
        h, c = states
        i, f, g, o = (z for z in ag.reshape(ag.concat([x, h], axis=-1) @ w, (4, SIZE)))
        c = ag.sigmoid(f) * c + ag.sigmoid(i) * ag.tanh(g)
        return (ag.sigmoid(o) * ag.tanh(c), c), ag.sum(c * g) + h

    return body


def numeric(cost: Callable[[], ag.Tensor], array: np.ndarray) -> np.ndarray:
    """The gradient of a cost with respect to an array that is changed in place, by central differences."""
    found = np.empty_like(array)
    for place in np.ndindex(*array.shape):
        before, values = array[place], []
        for step in (1e-6, -1e-6):
            array[place] = before + step
            values.append(float(cost()))
        array[place] = before
        found[place] = (values[0] - values[1]) / 2e-6
    return found


@pytest.mark.parametrize("reverse", [False, True])
def test_one_sequence_is_a_loop(reverse: bool) -> None:
    last, states = ag.scan(elman(U, W, B), FIRST[0], ROWS, reverse=reverse)
    expected = loop(ROWS, FIRST[0], reverse)
    np.testing.assert_allclose(states.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(last.numpy(), expected[0 if reverse else -1], rtol=1e-12)


def test_a_step_may_be_of_a_batch() -> None:
    x = RNG.normal(size=(6, len(FIRST), INPUTS))
    last, states = ag.scan(elman(U, W, B), FIRST, x)
    np.testing.assert_allclose(states.numpy(), loop(x, FIRST), rtol=1e-12)
    np.testing.assert_allclose(last.numpy(), loop(x, FIRST)[-1], rtol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
def test_sequences_of_different_lengths_are_loops_of_their_own(reverse: bool) -> None:
    last, states = ag.scan(elman(U, W, B), FIRST, ROWS, lengths=LENGTHS, reverse=reverse)
    ends = np.cumsum(LENGTHS)
    for number, (end, length) in enumerate(zip(ends, LENGTHS, strict=True)):
        expected = loop(ROWS[end - length : end], FIRST[number], reverse)
        np.testing.assert_allclose(states.numpy()[end - length : end], expected, rtol=1e-12)
        np.testing.assert_allclose(last.numpy()[number], expected[0 if reverse else -1], rtol=1e-12)


def test_no_row_is_there_for_padding() -> None:
    step = ag.compile(lambda x, n, h: ag.scan(elman(U, W, B), h, x, lengths=n))
    step(ROWS, LENGTHS, FIRST)
    scans = [t for t in step.programs[0].order if t.operation is not None and t.operation.name == "scan"]
    sizes = {f"s{i}": size for i, size in enumerate((*ROWS.shape, *LENGTHS.shape, *FIRST.shape))}
    assert [t.shape[0].evaluate(sizes) for t in scans] == [len(ROWS) + len(LENGTHS)]  # type: ignore[union-attr]
    assert (packed(LENGTHS, len(ROWS)).counts[:6] == [4, 3, 2, 1, 1, 0]).all()


def test_without_sequences_steps_say_how_many() -> None:
    start = ag.tensor(np.array(0.5))
    last, outputs = ag.scan(lambda s, _: (s * s + 0.1, s), start, steps=4)
    expected = [0.5]
    for _ in range(4):
        expected.append(expected[-1] ** 2 + 0.1)
    np.testing.assert_allclose(outputs.numpy(), expected[:-1], rtol=1e-14)
    assert float(last) == pytest.approx(expected[-1], rel=1e-14)
    last, outputs = ag.scan(lambda s, _: (s + 1, None), start, steps=0)
    assert float(last) == 0.5
    assert outputs is None


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_gradients(reverse: bool, lengths: np.ndarray | None) -> None:
    w = ag.parameter(RNG.normal(size=(INPUTS + SIZE, 4 * SIZE)))
    x, h = ROWS.copy(), (FIRST if lengths is not None else FIRST[0]).copy()
    weights = RNG.normal(size=(len(ROWS), SIZE))

    def cost(x: ag.Tensor, h: ag.Tensor) -> ag.Tensor:
        (last, cell), out = ag.scan(cells(w), (h, 2.0 * h), x, lengths=lengths, reverse=reverse)
        return ag.sum(out * weights) + ag.sum(last * cell)

    inputs = [ag.tensor(a, tracked=True) for a in (x, h)]
    found = ag.gradients(cost(*inputs), [w, *inputs])
    arrays = [w.value, x, h]
    for gradient, array in zip(found, arrays, strict=True):
        expected = numeric(lambda: cost(ag.tensor(x), ag.tensor(h)), array)
        np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-5, atol=1e-7)


def test_second_gradients() -> None:
    u, w, b = (ag.parameter(a) for a in (U, W, B))

    def cost() -> ag.Tensor:
        _, states = ag.scan(elman(u, w, b), FIRST, ROWS, lengths=LENGTHS)
        (gradient,) = ag.gradients(ag.sum(states * states), [w])
        return ag.sum(gradient * gradient)

    for gradient, parameter in zip(ag.gradients(cost(), [u, w, b]), (u, w, b), strict=True):
        np.testing.assert_allclose(gradient.numpy(), numeric(cost, parameter.value), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiled_once_for_all_lengths(backend: str) -> None:
    w = ag.parameter(RNG.normal(size=(INPUTS + SIZE, 4 * SIZE)))

    def step(x: ag.Tensor, n: ag.Tensor, h: ag.Tensor) -> Any:
        last, out = ag.scan(cells(w), (h, h), x, lengths=n)
        cost = ag.sum(out * out) + ag.sum(last[1])
        return cost, out, last, ag.gradients(cost, [w, x, h])

    compiled = ag.compile(step, backend=backend)
    for lengths in ([3, 1, 5, 2], [1], [2, 2], [4, 4, 4, 1, 9], list(range(1, 21))):
        n = np.array(lengths)
        x, h = RNG.normal(size=(n.sum(), INPUTS)), RNG.normal(size=(len(n), SIZE))
        expected = step(ag.tensor(x, tracked=True), ag.tensor(n), ag.tensor(h, tracked=True))
        actual = compiled(x, n, h)
        for a, b in zip(actual[2] + tuple(actual[3]), expected[2] + tuple(expected[3]), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(actual[1].numpy(), expected[1].numpy(), rtol=1e-10, atol=1e-12)
    assert compiled.compilations == 1
    if backend == "native":
        assert all(k.kind != "python" for k in compiled.executors[0].schedule.kernels)  # type: ignore[attr-defined]


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiled_for_any_number_of_steps(backend: str) -> None:
    w = ag.parameter(RNG.normal(size=(INPUTS + SIZE, 4 * SIZE)))

    def step(x: ag.Tensor, h: ag.Tensor) -> Any:
        _, out = ag.scan(cells(w), (h, h), x, reverse=True)
        cost = ag.sum(out * out)
        return cost, *ag.gradients(cost, [w, x, h])

    compiled = ag.compile(step, backend=backend)
    for steps in (5, 1, 2, 40):
        x = RNG.normal(size=(steps, INPUTS))
        expected = step(ag.tensor(x, tracked=True), ag.tensor(FIRST[0], tracked=True))
        for a, b in zip(compiled(x, FIRST[0]), expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)
    assert compiled.compilations == 1


@pytest.mark.parametrize("with_gradients", [False, True])
def test_a_loop_stores_what_is_read(with_gradients: bool) -> None:
    layer = ag.nn.LSTM(INPUTS, SIZE, generator=ag.Generator(1))

    @ag.compile
    def step(x: ag.Tensor, lengths: ag.Tensor) -> Any:
        cost = ag.sum(layer(x, lengths))
        return ag.gradients(cost, [layer.weight]) if with_gradients else cost

    lengths = np.array([3, 1, 5, 2])
    x = RNG.normal(size=(lengths.sum(), INPUTS)).astype(np.float32)
    step(x, lengths)
    nodes = step.executors[0].graph.nodes  # type: ignore[attr-defined]
    widths = [node.shape[1] for node in nodes if isinstance(node.operator, Loop)]
    # The states; for gradients also gates and tanh(c), and backward the gradients of states and gates.
    assert widths == ([7 * SIZE, 6 * SIZE] if with_gradients else [2 * SIZE])


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_whether_or_not_those_of_the_first_states_are_wanted(reverse: bool) -> None:
    """Where nobody wants them, the last step computes no state."""
    layer = ag.nn.LSTM(INPUTS, SIZE, generator=ag.Generator(1), reverse=reverse, dtype="float64")
    lengths = np.array([3, 1, 5, 2])
    x, h, c = (ag.parameter(RNG.normal(size=shape)) for shape in ((11, INPUTS), (4, SIZE), (4, SIZE)))
    every = [*layer.parameters(), x, h, c]

    def gradients(lengths: ag.Tensor, wanted: Sequence[int]) -> tuple[ag.Tensor, ...]:
        outputs = layer.run(x, lengths, (h, c))[1]
        return tuple(ag.gradients(ag.sum(outputs * outputs), [every[i] for i in wanted]))

    expected = gradients(ag.tensor(lengths), range(len(every)))
    for wanted in (range(len(every)), range(len(every) - 2), (0, len(every) - 1)):
        compiled = ag.compile(partial(gradients, wanted=wanted))
        for i, gradient in zip(wanted, compiled(lengths), strict=True):
            np.testing.assert_allclose(gradient.numpy(), expected[i].numpy(), rtol=1e-10, atol=1e-12)


def test_states_whose_size_is_known_when_a_step_runs() -> None:
    """And a part of nothing of what the loop keeps."""
    weight = ag.parameter([[0.7]], dtype="float64")

    def gradient(x: ag.Tensor, first: ag.Tensor) -> ag.Tensor:
        def body(h: ag.Tensor, x: ag.Tensor) -> tuple[ag.Tensor, ag.Tensor]:
            product = h @ weight
            return ag.tanh(product + x), ag.concat([h * 2.0, product[:0]])

        last, outputs = ag.scan(body, first, x)
        return ag.gradients(ag.sum(outputs * outputs) + ag.sum(last), weight)[0]

    x, first = ag.tensor(np.ones((5, 1))), ag.tensor(np.zeros(1))
    np.testing.assert_allclose(ag.compile(gradient)(x, first).numpy(), gradient(x, first).numpy(), rtol=1e-12)


def test_the_best_path_and_its_way_back() -> None:
    """Viterbi: a scan of scores with a maximum, then one backward through the choices (Viterbi 1967)."""
    tags, steps = 5, 12
    scores, moves = RNG.normal(size=(steps, tags)), RNG.normal(size=(tags, tags))

    @ag.compile
    def decode(scores: ag.Tensor, moves: ag.Tensor) -> ag.Tensor:
        def forward(best: ag.Tensor, score: ag.Tensor) -> Any:
            through = ag.expand_dims(best, 1) + moves
            return ag.max(through, axis=0) + score, ag.astype(ag.argmax(through, axis=0), ag.float64)

        def backward(tag: ag.Tensor, choices: ag.Tensor) -> Any:
            before = ag.take(choices, ag.astype(tag, ag.int64))
            return before, before

        best, choices = ag.scan(forward, scores[0], scores[1:])
        last = ag.astype(ag.argmax(best), ag.float64)
        _, path = ag.scan(backward, last, choices, reverse=True)
        return ag.concat([path, ag.reshape(last, (1,))])

    best, path = -np.inf, None
    for code in range(tags**6):  # all paths of the first half, to check the start of a longer one by its score
        tags_ = [code // tags**i % tags for i in range(6)]
        total = sum(scores[t, tag] for t, tag in enumerate(tags_)) + sum(moves[a, b] for a, b in zip(tags_, tags_[1:]))  # noqa: B905, RUF007
        if total > best:
            best, path = total, tags_
    np.testing.assert_array_equal(decode(scores[:6], moves).numpy(), path)
    assert decode(scores, moves).shape == (steps,)


@pytest.mark.parametrize("backend", BACKENDS)
def test_lengths_that_do_not_fit_change_nothing(backend: str) -> None:
    h = ag.state(np.zeros((2, SIZE)))

    @ag.compile(backend=backend)
    def step(x: ag.Tensor, lengths: ag.Tensor) -> ag.Tensor:
        last, states = ag.scan(elman(U, W, B), h, x, lengths=lengths)
        h.assign(last)
        return states

    step(ROWS, np.array([4, 7]))
    before = h.numpy()
    for lengths in ([4, 6], [12, -1], [11, 0], [2**31, 2**31]):
        with pytest.raises(ValueError, match="at least 1 each and add up to the number of rows, 11"):
            step(ROWS, np.array(lengths))
    np.testing.assert_array_equal(h.numpy(), before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_index_outside_in_a_body_changes_nothing(backend: str) -> None:
    table = ag.parameter(RNG.normal(size=(6, SIZE)))
    total = ag.state(np.zeros(SIZE))

    @ag.compile(backend=backend)
    def step(ids: ag.Tensor) -> ag.Tensor:
        last, _ = ag.scan(
            lambda s, i: (s * 0.5 + table[ag.astype(s[0] * 0, ag.int64) + i], None),
            ag.zeros(SIZE, dtype=ag.float64),
            ids,
        )
        total.assign(total + last)
        return last

    step(np.array([1, 5, 2]))
    before = total.numpy()
    with pytest.raises(IndexError, match="take: index 6 is outside a table of 6 rows"):
        step(np.array([1, 6, 2]))
    np.testing.assert_array_equal(total.numpy(), before)


def test_mistakes_are_named() -> None:
    body = elman(U, W, B)
    with pytest.raises(TypeError, match="the body returns two things"):
        ag.scan(lambda h, x: h, FIRST[0], ROWS)  # type: ignore[arg-type, return-value]
    with pytest.raises(ValueError, match="a state of 2 tensors; the initial one has 1"):
        ag.scan(lambda h, x: ((h, h), x), FIRST[0], ROWS)
    with pytest.raises(ValueError, match=r"the body makes a state float64\(3,\) of float64\(4,\)"):
        ag.scan(lambda h, x: (x, x), FIRST[0], ROWS)
    with pytest.raises(ValueError, match="`steps` says how many"):
        ag.scan(body, FIRST[0])
    with pytest.raises(ValueError, match=r"a sequence of shape \(11, 3\) has not 4 rows"):
        ag.scan(body, FIRST[0], ROWS, steps=4)
    with pytest.raises(ValueError, match=r"an initial state of shape \(4, 4\): its first size is .*, 3"):
        ag.scan(body, FIRST, ROWS, lengths=LENGTHS[:3])
    with pytest.raises(TypeError, match="the states have one type, not float64 and float32"):
        ag.scan(lambda s, x: (s, x), (FIRST[0], FIRST[0].astype("f")), ROWS)
    generator = ag.Generator(1)
    with pytest.raises(TraceError, match="cannot assign"):
        ag.scan(lambda h, x: (h * generator.uniform((4,)), x), FIRST[0].astype("f"), ROWS)
