"""`amigrad tagger train --task`: one model of several tasks from the shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from amigrad.cli.joint import parse_tasks
from amigrad.cli.main import run
from amigrad.data.demo import write_demo
from amigrad.tasks.tagging import OptionsError

SMALL = ["--epochs", "1", "--hidden-size", "8", "--word-size", "8", "--affix-size", "4", "--cost", "word", "--quiet"]


def test_tasks_are_understood() -> None:
    found = parse_tasks(["a:x.txt", "b:dir:with/y.txt:2", "c:z.conllu.gz:UPOS", "d:w.txt:-1"], ["b:dev.txt"])
    assert {name: (str(task.train), task.column) for name, task in found.items()} == {
        "a": ("x.txt", None),
        "b": ("dir:with/y.txt", "2"),
        "c": ("z.conllu.gz", "UPOS"),
        "d": ("w.txt", "-1"),
    }
    assert found["b"].dev == Path("dev.txt")
    assert found["a"].dev is None
    for tasks, devs in ((["a"], []), (["a:"], []), (["a:x", "a:y"], []), (["a:x"], ["b:y"]), (["a:x"], ["a"])):
        with pytest.raises(OptionsError, match="--task"):
            parse_tasks(tasks, devs)


def test_one_model_of_several_tasks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files = write_demo(tmp_path, sentences=60)
    train, dev, model = str(files["train"]), str(files["dev"]), str(tmp_path / "model")
    tasks = ["--task", f"pos:{train}:1", "--task", f"chunk:{train}:2", "--task-dev", f"pos:{dev}"]
    assert run(["tagger", "train", *tasks, "--output", model, *SMALL]) == 0
    out = capfd.readouterr().out
    assert "pos:\n" in out
    assert "chunk:\n" in out
    (tmp_path / "text").write_text("The cat sleeps.")
    assert run(["tagger", "tag", model, str(tmp_path / "text"), "--tokenizer", "rules"]) == 0
    assert [len(line.split("\t")) for line in capfd.readouterr().out.splitlines() if line] == [3, 3, 3, 3]
    assert run(["tagger", "evaluate", model, dev, "--column", "1", "--task", "pos"]) == 0
    assert run(["tagger", "errors", model, dev, "--task", "chunk"]) == 0
    capfd.readouterr()
    assert run(["tagger", "evaluate", model, dev]) == 2
    assert "has the tasks pos, chunk: choose one with --task" in capfd.readouterr().err
    assert run(["tagger", "train", *tasks, "--output", model, *SMALL, "--column", "1"]) == 2
    assert run(["tagger", "train", "--output", model, *SMALL]) == 2
    assert "--train FILE, or --task NAME:FILE" in " ".join(capfd.readouterr().err.split())
