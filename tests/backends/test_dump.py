"""The stages of a compilation, written down."""

from pathlib import Path

import numpy as np
import pytest

import amigrad as ag

STAGES = ["1-graph.txt", "2-simplified.txt", "3-schedule.txt", "4-plan.txt", "5-code.ll", "6-code.s"]


def classifier() -> ag.Compiled:
    generator = ag.Generator(seed=1)
    table, model = ag.nn.LookupTable(9, 4, generator=generator), ag.nn.Linear(4, 3, generator=generator)
    optimizer = ag.optim.Adagrad([*table.parameters(), *model.parameters()], 0.1)

    @ag.compile
    def step(words: ag.Tensor, classes: ag.Tensor) -> ag.Tensor:
        cost = ag.cross_entropy(model(table(words)), classes)
        optimizer.minimize(cost)
        return cost

    return step


def test_a_file_for_each_stage(tmp_path: Path) -> None:
    step = classifier()
    step(np.array([1, 5, 5]), np.array([0, 2, 1]))
    (folder,) = step.dump(tmp_path / "new")
    assert folder == tmp_path / "new" / "step-1"
    assert sorted(path.name for path in folder.iterdir()) == STAGES
    texts = {name: (folder / name).read_text() for name in STAGES}
    assert "matmul(" in texts["1-graph.txt"]
    assert "guard " in texts["1-graph.txt"]
    assert "assign table = " in texts["1-graph.txt"]
    assert "test_dump.py:" in texts["2-simplified.txt"]
    for kernel in step.executors[0].schedule.kernels:  # type: ignore[attr-defined]
        assert f"kernel {kernel.number}: {kernel.kind} over " in texts["3-schedule.txt"]
    for part in ("check that %0 is in [0, 9)", "  after kernel ", "reduce ", "add to ", "store "):
        assert part in texts["3-schedule.txt"]
    assert "buffer 0 (input): %0" in texts["4-plan.txt"]
    assert "(slot)" in texts["4-plan.txt"]
    assert texts["5-code.ll"] == step.executors[0].code.text  # type: ignore[attr-defined]
    assert "run0:" in texts["6-code.s"]
    assert [path.name for path in step.dump(tmp_path / "new")] == ["step-2"]


def test_the_environment_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMIGRAD_DUMP", str(tmp_path))
    double = ag.compile(lambda x: x * 2.0)
    double(np.ones(3))
    double(np.ones((3, 1), np.float32))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lambda-1", "lambda-2"]


def test_loops_over_time(tmp_path: Path) -> None:
    model = ag.nn.LSTM(3, 4, generator=ag.Generator(seed=1))
    run = ag.compile(lambda x, lengths: model(x, lengths))
    run(np.ones((5, 3), np.float32), np.array([2, 3]))
    (folder,) = run.dump(tmp_path)
    schedule = (folder / "3-schedule.txt").read_text()
    assert "    kernel 0: product over " in schedule
    assert "are at least 1 and add up to " in schedule


def test_the_reference_has_no_stages(tmp_path: Path) -> None:
    double = ag.compile(lambda x: x * 2.0, backend="reference")
    double(np.ones(3))
    with pytest.raises(NotImplementedError, match="no stages"):
        double.dump(tmp_path)
