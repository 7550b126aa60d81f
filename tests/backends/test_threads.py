"""Threads share a large step, and the bits do not depend on how many there are."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import amigrad as ag
from amigrad.backends import workers as settings
from amigrad.backends.native import executor as native
from amigrad.backends.native.pool import Pool, pool

ROWS, WIDTH, HIDDEN, CLASSES = 500, 40, 250, 30


pytestmark = pytest.mark.skipif(os.name != "posix", reason="threads of POSIX")


@pytest.fixture(autouse=True)
def setting_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_threads", None)
    monkeypatch.setattr(native, "cores", lambda: 8)


def the_pool() -> Pool:
    found = pool()
    assert found is not None
    return found


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
    alone, _ = train(1)
    for count in (2, 3, 5):
        before = the_pool().jobs
        shared, _ = train(count)
        assert the_pool().jobs > before
        assert shared == alone


def test_a_small_step_stays_on_one_thread() -> None:
    _, step = train(2, steps=1)
    before = the_pool().jobs
    step(np.zeros((8, 3), dtype=np.int64), np.zeros(8, dtype=np.int64))
    assert the_pool().jobs == before


def test_no_more_threads_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "cores", lambda: 1)
    before = the_pool().jobs
    train(4, steps=1)
    assert the_pool().jobs == before


SIZES = [(700, 900), (1, 700_001), (700_001, 1), (3, 200_003), (200_003, 3)]


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: ag.tanh(x) * y + x,
        lambda x, y: ag.softmax(x + y),
        lambda x, y: ag.argmax(x * y, axis=-1),
        lambda x, y: ag.sum(x * y, axis=0) + ag.max(y, axis=0),
        lambda x, y: ag.sum(x * y),
        lambda x, y: ag.flip(x) + ag.permute_dims(ag.permute_dims(y, (1, 0)) * 2.0, (1, 0)),
        lambda x, y: ag.concat([x, y, ag.exp(x)], axis=1),
        lambda x, y: x > y,
    ],
    ids=["elements", "softmax", "argmax", "columns", "all", "views", "joined", "truth values"],
)
def test_loops_give_the_same_bits(function: Callable[..., ag.Tensor]) -> None:
    steps = {}
    for count in (1, 3):
        ag.set_threads(count)
        steps[count] = ag.compile(function)
        for size in SIZES:  # from here on the setting is the functions' own
            x = np.random.default_rng(size).normal(size=size).astype(np.float32)
            result = steps[count](x, x[::-1].copy())
            if count == 1:
                steps[size] = result
            else:
                np.testing.assert_array_equal(result.numpy(), steps[size].numpy())


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that fork")
def test_a_forked_process_goes_on(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        """
import os
import numpy as np
import amigrad as ag
from amigrad.backends.native import executor
executor.cores = lambda: 8
ag.set_threads(3)
step = ag.compile(lambda x: ag.exp(x) * 2.0)
x = np.ones((1000, 1000), dtype=np.float32)
before = step(x).numpy()
child = os.fork()
if child == 0:
    same = all((step(x).numpy() == before).all() for _ in range(5))  # without workers
    same = same and (step(x[:500]).numpy() == before[:500]).all()  # with new ones
    os._exit(0 if same else 1)
assert os.waitpid(child, 0)[1] == 0
assert (step(x).numpy() == before).all()
print("fine")
""",
        encoding="utf-8",
    )
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def test_workers_sleep_after_a_while_and_wake_again() -> None:
    _, step = train(3, steps=1)
    words, classes = np.zeros((700, 3), dtype=np.int64), np.zeros(700, dtype=np.int64)
    for _ in range(3):
        step(words, classes)
        deadline = time.monotonic() + 10
        while the_pool().sleeping < len(the_pool().workers) and time.monotonic() < deadline:
            time.sleep(0.005)
        assert the_pool().sleeping == len(the_pool().workers) >= 2


def test_batches_of_a_loop_are_shared_too() -> None:
    results = []
    for count in (1, 3):
        _, step = train(count, steps=1)
        random = np.random.default_rng(2)
        words, classes = random.integers(0, ROWS, (6, 700, 3)), random.integers(0, CLASSES, (6, 700))
        results.append(step.for_each(words, classes).numpy().tobytes())
    assert results[0] == results[1]


def test_a_wrong_number_of_threads_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="from 1 on"):
        ag.set_threads(0)
    monkeypatch.setenv("AMIGRAD_THREADS", "many")
    with pytest.raises(ValueError, match="AMIGRAD_THREADS"):
        ag.threads()


def test_threads_are_used_only_where_they_help() -> None:
    """Whether they do is tried: after the trial a step goes on in the quicker way."""
    _, step = train(2, steps=1)
    words, classes = np.zeros((700, 3), dtype=np.int64), np.zeros(700, dtype=np.int64)
    for _ in range(20):
        step(words, classes)
    helped = {ready.plan.frame.threads_help for ready in step._ready.values() if ready.plan.sizes["s0"] == 700}
    before = the_pool().jobs
    for _ in range(10):
        step(words, classes)
    assert helped == {the_pool().jobs > before}
