"""Runs one row with one seed through the public commands, or a peer; gives its figure, times and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amigrad.train.metrics import ChunkScores, TokenAccuracy
from experiments.collobert2011.rows import Row
from experiments.collobert2011.tasks import Task, read, write_lines

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
AMIGRAD = [sys.executable, "-c", "from amigrad.cli.main import main; main()"]


class Failed(SystemExit):
    """A program that did not end well."""


def run_row(
    row: Row, task: Task, seed: int, folder: Path, options: Sequence[str], vectors: Path | None
) -> dict[str, Any]:
    """Train with the command, score with the command, tag to take the time; the model stays in the folder."""
    model = folder / "models" / f"{row.name}-{seed}"
    group = "roles" if row.task == "srl" else "tagger"
    command = [group, "train", "--train", str(task.train), "--dev", str(task.dev), *row.options]
    if row.vectors:
        if vectors is None:
            raise Failed(f"{row.name} starts from word vectors: give --vectors DIR or FILE (amigrad embedding train)")
        command += ["--vectors", str(vectors)]
    training: dict[str, Any] = {"wall": 0.0, "cpu": 0.0, "peak_memory": 0}
    if row.cascade is not None:
        cascaded = folder / "models" / f"{row.name}-parts-of-speech-{seed}"
        parts = ["tagger", "train", "--train", str(task.train), "--dev", str(task.dev), "--column", "1", *row.cascade]
        parts += ["--vectors", str(vectors)] if row.vectors else []
        training = _measured([*parts, "--seed", str(seed), "--output", str(cascaded), "--quiet", *options])
        command += ["--feature", f"pos={cascaded}"]
    command += ["--seed", str(seed), "--output", str(model), "--quiet", *options]
    own = _measured(command)
    report: dict[str, Any] = {
        "command": "amigrad " + " ".join(command),
        "training": {name: training[name] + own[name] for name in ("wall", "cpu")},
        "peak_memory": max(training["peak_memory"], own["peak_memory"]),
        "score": _evaluate(group, model, task.dev, task),
    }
    if task.test is not None:
        report["test_score"] = _evaluate(group, model, task.test, task)
    if group == "tagger":
        report |= _tag(model, task)
    return report


def run_peer(row: Row, task: Task, seed: int, folder: Path, seconds: float) -> dict[str, Any]:
    """Have a peer train and tag, in its own environment (`make peers`), and count as for all others."""
    assert row.peer is not None
    python = ROOT / f".venv-{row.peer}" / "bin" / "python"
    if not python.exists():
        raise Failed(f"{row.name} needs {python.parent.parent}: run `make peers`")
    work = folder / "peers" / f"{row.name}-{seed}"
    work.mkdir(parents=True, exist_ok=True)
    gold = {"train": read(task.train), "dev": read(task.dev)}
    columns = bool(row.settings.get("columns"))
    for part, sentences in gold.items():
        write_lines(work / f"{part}.jsonl", sentences, chunks=task.chunks, columns=columns)
    settings = {} if row.peer == "crfsuite" else {"seed": seed, "chunks": task.chunks, "seconds": seconds}
    files = {"train": "train.jsonl", "dev": "dev.jsonl", "tags": "tags.jsonl", "report": "report.json"}
    described = {name: str(work / file) for name, file in files.items()} | {"settings": settings}
    (work / "task.json").write_text(json.dumps(described), encoding="utf-8")
    done = subprocess.run(
        [python, PEERS / f"{row.peer}_tagger.py", work / "task.json"],
        check=False,
        env={**os.environ, **_ONE_THREAD},
        stdout=subprocess.DEVNULL,
    )
    if done.returncode:
        raise Failed(f"{row.name}: {row.peer} ended with status {done.returncode}")
    report: dict[str, Any] = json.loads((work / "report.json").read_text(encoding="utf-8"))
    with (work / "tags.jsonl").open(encoding="utf-8") as file:
        tags = [json.loads(line) for line in file]
    chunks, tokens = ChunkScores(), TokenAccuracy()
    for sentence, found in zip(gold["dev"], tags, strict=True):
        if task.chunks:
            chunks.update(sentence.tags, found)
        tokens.update(sentence.tags, found)
    words = sum(map(len, gold["dev"]))
    report["score"] = chunks.overall.f1 if task.chunks else tokens.overall.value
    report["words_per_second"] = {name: words / value for name, value in report.pop("tagging").items()}
    report["budget"] = seconds if row.peer == "spacy" else None
    return report


def _measured(command: Sequence[str]) -> dict[str, Any]:
    """Run a command of amigrad; its seconds and its bytes of memory at most."""
    start = time.perf_counter()
    process = subprocess.Popen([*AMIGRAD, *command], stdout=subprocess.DEVNULL, env={**os.environ, **_ONE_THREAD})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"amigrad {' '.join(command)}\nended with status {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "wall": time.perf_counter() - start,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_memory": usage.ru_maxrss * unit,
    }


def _evaluate(group: str, model: Path, file: Path, task: Task) -> float:
    """F1 of all chunks or arguments, or accuracy, as the command has it."""
    command = [group, "evaluate", str(model), str(file), "--json"]
    done = subprocess.run([*AMIGRAD, *command], check=False, stdout=subprocess.PIPE)
    if done.returncode:
        raise Failed(f"amigrad {' '.join(command)}\nended with status {done.returncode}")
    figures = json.loads(done.stdout)
    return float(figures["labels"]["overall"]["f1"] if task.chunks else figures["accuracy"]["all"])


def _tag(model: Path, task: Task) -> dict[str, Any]:
    """Words a second: the least time of three, each with a model that was loaded anew and has seen no word."""
    command = [sys.executable, "-m", "experiments.collobert2011.tagging", str(model), str(task.dev)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, **_ONE_THREAD})
    return {"words_per_second": json.loads(done.stdout)}


_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
