"""The benchmarks' frame runs by itself, and notices a program that computes something else."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]

PEER = """
import sys
sys.path.insert(0, {folder!r})
from serve import Task, serve, stepping
forms = {{
    "right": lambda arrays, settings: Task(stepping(lambda x, y: {cost!r}), [(0, 0)]),
    "wrong": lambda arrays, settings: Task(stepping(lambda x, y: 1.001 * {cost!r}), [(0, 0)]),
    "failing": lambda arrays, settings: 1 / 0,
}}
serve("peer", "1", 1, {{"line": forms}})
"""


def test_a_workload_runs_without_peers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "line", "--runs", "2", "--seconds", "0.01", "--peers"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))["rows"]
    assert row["case"] == "line"
    assert row["figures"]["amigrad compile"]["least"] > 0
    assert len(row["checks"]["amigrad compile"]) == 10
    assert "| line |" in (tmp_path / "comparison.md").read_text(encoding="utf-8")
    assert (tmp_path / "comparison.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_program_that_computes_something_else_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.common import Program
    from benchmarks.compare import measure
    from benchmarks.workloads import line

    (case,) = line.cases()
    data = tmp_path / "data.npz"
    np.savez(data, **line.data(case.settings))
    peer = tmp_path / "peer.py"
    peer.write_text(PEER.format(folder=str(ROOT / "benchmarks" / "peers"), cost=1.5), encoding="utf-8")
    ours = tmp_path / "ours.py"
    ours.write_text(peer.read_text(encoding="utf-8").replace('"right"', '"compile"'), encoding="utf-8")
    with Program([sys.executable, str(ours)]) as first, Program([sys.executable, str(peer)]) as second:
        first.report["forms"] = {"line": ["compile"]}
        row = measure(case, {"amigrad": first, "peer": second}, data, 2, 0.001, nullcontext)
    assert set(row["figures"]) == {"amigrad compile", "peer right"}
    assert "something else" in row["faults"]["peer wrong"]
    assert "ZeroDivisionError" in row["faults"]["peer failing"]
    assert row["comparisons"][0]["with"] == "peer right"


def test_embeddings_are_measured_without_a_peer(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat and the dog sat on the cat .\n" * 200, encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.embedding", "--text", str(text), "--words", "2000", "--runs", "1"]
    done = subprocess.run(
        [*command, "--only", "skipgram", "ranking", "--output", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "embedding.json").read_text(encoding="utf-8"))["rows"]
    assert [(row["objective"], row["words"]) for row in rows] == [("skipgram", 2002), ("ranking", 2002)]
    assert all(row["speed"]["least"] > 0 for row in rows)
