"""Threads share a large step, and the bits do not depend on how many there are."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import amigrad as ag
from amigrad.backends import workers as settings

ROWS, WIDTH, HIDDEN, CLASSES = 500, 40, 250, 30


@pytest.fixture(autouse=True)
def setting_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_threads", None)


def train(count: int, steps: int = 4, batch: int = 700) -> tuple[list[bytes], ag.Compiled]:
    """The parameters' bytes after some steps, compiled for so many threads, and the step."""
    ag.set_threads(count)
    generator = ag.Generator(seed=3)
    table = ag.nn.LookupTable(ROWS, WIDTH, generator=generator)
    hidden = ag.nn.Linear(3 * WIDTH, HIDDEN, generator=generator)
    output = ag.nn.Linear(HIDDEN, CLASSES, generator=generator)
    parameters = [p for module in (table, hidden, output) for p in module.parameters()]
    optimizer = ag.optim.Adagrad(parameters, learning_rate=0.1)

    @ag.compile
    def step(words, classes):
        inputs = ag.dropout(ag.reshape(table(words), (words.shape[0], 3 * WIDTH)), 0.2, generator)
        cost = ag.cross_entropy(output(ag.tanh(hidden(inputs))), classes)
        optimizer.minimize(cost)
        return cost

    random = np.random.default_rng(5)
    for size in [batch, 1, 37, batch + 3][:steps]:
        step(random.integers(0, ROWS, (size, 3)), random.integers(0, CLASSES, size))
    return [p.numpy().tobytes() for p in parameters], step


def test_any_number_of_threads_gives_the_same_bits() -> None:
    alone, step = train(1)
    assert step.executors[0].plan({"s0": 700, "s1": 3, "s2": 700}).threads == 1
    for count in (2, 3):
        shared, step = train(count)
        assert step.executors[0].plan({"s0": 700, "s1": 3, "s2": 700}).threads == count
        assert shared == alone


def test_a_small_step_stays_on_one_thread() -> None:
    _, step = train(2)
    assert step.executors[0].plan({"s0": 8, "s1": 3, "s2": 8}).threads == 1


def test_an_index_outside_its_table_ends_all_threads_and_changes_nothing() -> None:
    _, step = train(2, steps=1)
    before = [state.value.tobytes() for state, _ in step.programs[0].assignments]
    words = np.zeros((700, 3), dtype=np.int64)
    words[-1, -1] = ROWS
    with pytest.raises(IndexError, match=f"index {ROWS} is outside a table of {ROWS} rows"):
        step(words, np.zeros(700, dtype=np.int64))
    assert [state.value.tobytes() for state, _ in step.programs[0].assignments] == before
    step(words * 0, np.zeros(700, dtype=np.int64))  # and the next step runs


def test_two_steps_at_once_share_the_workers_or_go_on_alone() -> None:
    results: dict[int, list[bytes]] = {}
    steps = [train(2, steps=1)[1] for _ in range(2)]
    random = np.random.default_rng(6)
    words, classes = random.integers(0, ROWS, (700, 3)), random.integers(0, CLASSES, 700)

    def run(number: int) -> None:
        for _ in range(20):
            steps[number](words, classes)
        results[number] = [state.value.tobytes() for state, _ in steps[number].programs[0].assignments]

    runners = [threading.Thread(target=run, args=(i,)) for i in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join(timeout=60)
    assert results[0] == results[1]


def test_a_wrong_number_of_threads_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="from 1 on"):
        ag.set_threads(0)
    monkeypatch.setenv("AMIGRAD_THREADS", "many")
    with pytest.raises(ValueError, match="AMIGRAD_THREADS"):
        ag.threads()
