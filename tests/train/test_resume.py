"""A training that is killed at any moment, again and again, ends with the same bits as one that never was."""

from __future__ import annotations

import contextlib
import importlib
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from regression import trainer
from test_trainer import records

from amigrad.train.checkpoint import Checkpoints, load_checkpoint

PROGRAM = Path(__file__).with_name("regression.py")


def state_of(folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """All bits of the last checkpoint, and what else it holds but times and places in the log."""
    kept = Checkpoints(folder)
    found = load_checkpoint(kept.path(kept.numbers()[-1]))
    document = found.document
    document.pop("log")
    document["standing"].pop("seconds")
    return {name: array.tobytes() for name, array in found.arrays.items()}, document


def assert_same_end(folder: Path, whole: Path) -> None:
    assert state_of(folder) == state_of(whole)
    assert records(folder) == records(whole)
    best = state_of(whole)[1]["best"]
    expected = load_checkpoint(whole / best).arrays
    for name, array in load_checkpoint(folder / best).arrays.items():
        np.testing.assert_array_equal(array, expected[name])
    assert len(list(folder.glob("best-*"))) <= 2


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    trainer(folder).run()
    return folder


def test_killed_at_random_moments(whole: Path, tmp_path: Path) -> None:
    moments = random.Random(1)
    kills = 0
    for _ in range(40):
        process = subprocess.Popen(
            [sys.executable, PROGRAM, tmp_path, "0.03"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        before = list((tmp_path).glob("checkpoint-*"))
        while process.poll() is None and list(tmp_path.glob("checkpoint-*")) == before:
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.4))
        if process.poll() is None and kills < 5:
            process.kill()
            kills += 1
        out, err = process.communicate(timeout=60)
        if process.returncode == 0:
            assert "Result(epochs=3" in out
            break
        assert process.returncode == -9, err
    assert kills >= 3, "the program was too quick to be killed in the middle"
    assert_same_end(tmp_path, whole)
    assert not list(tmp_path.glob("*.partial")) + list(tmp_path.glob(".tmp*"))


class Killed(BaseException):
    """Stands for `kill -9` at an exact place: nothing in the package catches it."""


@pytest.mark.parametrize("place", ["write", "rename", "folder sync", "log", "evaluate", "step"])
def test_killed_at_each_kind_of_place(place: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = {
        "write": "amigrad.train.checkpoint.save_file",
        "rename": "os.replace",
        "folder sync": "os.fsync",
        "log": "amigrad.train.folder.Log.write",
    }
    for stop in (1, 3, 12):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        run = trainer(tmp_path / "run")
        calls = 0

        def failing(original: object) -> object:
            def call(*args: object, **kwargs: object) -> object:
                nonlocal calls
                calls += 1
                if calls == stop:  # noqa: B023
                    raise Killed
                return original(*args, **kwargs)  # type: ignore[operator]

            return call

        with monkeypatch.context() as patch:
            if place in targets:
                path, _, name = targets[place].rpartition(".")
                module, _, owner = path.rpartition(".") if path.endswith("Log") else (path, "", "")
                holder = getattr(importlib.import_module(module), owner) if owner else importlib.import_module(module)
                patch.setattr(holder, name, failing(getattr(holder, name)))
            else:
                setattr(run, place, failing(getattr(run, place)))
            with contextlib.suppress(Killed):
                run.run()
        assert calls >= min(stop, 3)
        trainer(tmp_path / "run").run()
        assert_same_end(tmp_path / "run", whole)


def test_damaged_newest_checkpoint_costs_steps_but_not_the_outcome(whole: Path, tmp_path: Path) -> None:
    run = trainer(tmp_path)
    step = run.step

    def stop_at_31(*batch: object) -> object:
        if int(run.optimizer.steps) == 31:
            raise Killed
        return step(*batch)

    run.step = stop_at_31  # type: ignore[assignment]
    with pytest.raises(Killed):
        run.run()
    kept = Checkpoints(tmp_path)
    assert kept.numbers() == [27, 30]
    kept.path(30).write_bytes(kept.path(30).read_bytes()[:1000])
    trainer(tmp_path).run()
    assert_same_end(tmp_path, whole)
