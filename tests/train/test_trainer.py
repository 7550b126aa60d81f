"""The trainer trains, stops early, keeps the best model, and says what is wrong."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from regression import trainer

import amigrad as ag
from amigrad.train import CheckpointError, Interrupted, TrainingError


def records(folder: Path) -> list[dict[str, Any]]:
    """The log without its times, the only thing in it that differs from run to run."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_cost_falls_and_the_log_tells_every_epoch(tmp_path: Path) -> None:
    result = trainer(tmp_path, epochs=6, log_steps=None).run()
    start, *epochs = records(tmp_path)
    assert start["event"] == "start"
    assert start["settings"]["batch_size"] == 7
    assert [e["epoch"] for e in epochs] == [1, 2, 3, 4, 5, 6]
    assert epochs[-1]["cost"] < 0.8 * epochs[0]["cost"]
    assert result.cost == epochs[-1]["cost"]
    assert result.best_score == max(e["score"] for e in epochs)
    assert epochs[-1]["step"] == 6 * math.ceil(90 / 7)


def test_best_model_is_what_remains(tmp_path: Path) -> None:
    scores = [0.1, 0.9, 0.5, 0.9, math.nan]
    for folder in (None, tmp_path):
        seen: list[np.ndarray[Any, Any]] = []
        run = trainer(folder, epochs=5)

        def evaluate(run: ag.Trainer = run, seen: list[Any] = seen) -> float:
            seen.append(run.model.arrays())
            return scores[len(seen) - 1]

        run.evaluate = evaluate
        result = run.run()
        assert (result.best_score, result.best_epoch, result.epochs) == (0.9, 2, 5)
        for name, array in run.model.arrays().items():
            np.testing.assert_array_equal(array, seen[1][name])


def test_training_stops_when_patience_is_at_its_end() -> None:
    scores = iter([0.1, 0.5, 0.4, 0.5, 0.3, 0.9])
    result = trainer(epochs=50, patience=3, evaluate=lambda: next(scores)).run()
    assert (result.epochs, result.best_epoch) == (5, 2)


def test_without_evaluation_the_last_parameters_remain() -> None:
    result = trainer(evaluate=None, epochs=2).run()
    assert (result.epochs, result.best_score) == (2, None)


def test_model_is_in_training_mode_during_steps_only() -> None:
    run = trainer(epochs=1)
    modes = []
    step = run.step
    run.step = lambda *batch: (modes.append(run.model.training), step(*batch))[1]
    run.evaluate = lambda: float(modes.append(run.model.training) is None)
    run.run()
    assert modes == [True] * 13 + [False]
    assert not run.model.training


def test_finished_training_goes_on_only_for_more_epochs(tmp_path: Path) -> None:
    first = trainer(tmp_path, epochs=3).run()
    log = (tmp_path / "log.jsonl").read_bytes()
    again = trainer(tmp_path, epochs=3)
    assert again.run() == first
    assert (tmp_path / "log.jsonl").read_bytes() == log
    longer = trainer(tmp_path, epochs=5)
    longer.run()
    whole = trainer(epochs=5)
    whole.run()
    for name, state in longer.states.items():
        np.testing.assert_array_equal(state.numpy(), whole.states[name].numpy(), err_msg=name)


def test_of_many_other_settings_some_are_named(tmp_path: Path) -> None:
    first, second = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"2").hexdigest()
    trainer(tmp_path, epochs=1, settings={"data": first}).run()
    with pytest.raises(CheckpointError, match=r"settings: data is other data\. Give"):
        trainer(tmp_path, settings={"data": second}).run()
    with pytest.raises(CheckpointError, match=r"a3 was null, is 3; a4 was null, is 4; a5 was null, is 5 and 5 more"):
        trainer(tmp_path, settings={"data": second, **{f"a{number}": number for number in range(10)}}).run()


def test_other_settings_are_named(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=1, settings={"features": {"suffix": 2}}).run()
    with pytest.raises(CheckpointError, match=r"batch_size was 7, is 8; features.suffix was 2, is 3; seed was 5"):
        trainer(tmp_path, batch_size=8, seed=6, settings={"features": {"suffix": 3}}).run()
    result = trainer(tmp_path, epochs=1, batch_size=8, resume=False).run()
    assert result.epochs == 1
    assert records(tmp_path)[0]["settings"]["batch_size"] == 8


def test_other_model_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=1).run()
    with pytest.raises(CheckpointError, match=r"of another model: .*states.extra is missing"):
        trainer(tmp_path, epochs=1, states={"extra": ag.state(0)}).run()


def test_cost_that_is_not_finite_stops_the_training_and_the_last_checkpoint_stays(tmp_path: Path) -> None:
    run = trainer(tmp_path, epochs=1)
    step = run.step
    run.step = lambda *batch: step(*batch) if int(run.optimizer.steps) < 5 else math.nan
    with pytest.raises(TrainingError, match=r"the cost is nan at step 6 \(epoch 1\)"):
        run.run()
    assert trainer(tmp_path, epochs=1).run() == trainer(epochs=1).run()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_says_how_to_go_on_and_exits_with_130(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trainer(tmp_path, progress=True)
    step = run.step

    def interrupted(*batch: Any) -> Any:
        if int(run.optimizer.steps) == 7:
            os.kill(os.getpid(), number)
        return step(*batch)

    run.step = interrupted
    handler = signal.getsignal(number)
    with pytest.raises(Interrupted, match=r"stopped and saved in .*; the same command goes on from here") as caught:
        run.run()
    assert caught.value.code == 128 + number
    assert signal.getsignal(number) is handler
    assert "the same command goes on from here" in capsys.readouterr().err
    assert (tmp_path / "checkpoint-000000000008.safetensors").exists(), "the step at hand was ended first"
    resumed, whole = trainer(tmp_path), trainer()
    assert resumed.run() == whole.run()


def test_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    run.step = lambda *batch: [os.kill(os.getpid(), signal.SIGINT) for _ in range(2)] and 0.0
    with pytest.raises(Interrupted, match="stopped at once"):
        run.run()


def test_folder_has_one_run_at_a_time(tmp_path: Path) -> None:
    run = trainer(tmp_path, epochs=1)

    def evaluate() -> float:
        with pytest.raises(TrainingError, match="another run is training in"):
            trainer(tmp_path, epochs=1).run()
        return 1.0

    run.evaluate = evaluate
    assert run.run().best_score == 1.0


def test_full_disk_stops_the_training_and_it_goes_on_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trainer(tmp_path)
    step, sync = run.step, os.fsync

    def full(descriptor: int) -> None:
        if int(run.optimizer.steps) >= 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    run.step = step
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="the disk is full"):
        run.run()
    monkeypatch.undo()
    resumed, whole = trainer(tmp_path), trainer()
    assert resumed.run() == whole.run()


def test_folder_that_cannot_be_written_is_an_error_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = trainer(tmp_path / "file" / "folder")
    with pytest.raises(CheckpointError, match="part of the path is not a folder"):
        run.run()
    assert int(run.optimizer.steps) == 0


def test_progress_is_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    trainer(epochs=2, progress=True).run()
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = captured.err.splitlines()
    assert first.startswith("epoch 1/2  cost ")
    assert second.endswith(" examples/s")
    assert "score" in first


def test_progress_is_a_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    trainer(epochs=2, progress=True, pause=0.03).run()
    shown = capsys.readouterr().err
    assert "epoch 2/2" in shown
    assert "examples/s" in shown
    assert "left, cost" in shown


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="epochs must be at least 1, not 0"):
        trainer(epochs=0)
    with pytest.raises(ValueError, match="patience must be at least 1"):
        trainer(patience=0)
    with pytest.raises(ValueError, match='no "score" among them'):
        trainer(epochs=1, evaluate=lambda: {"accuracy": 1.0}).run()
