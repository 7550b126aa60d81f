"""Rows of the comparison: each program does a case in turn, and all have to compute the same thing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import Program, Run, alternate, spread
from benchmarks.workloads.case import Case

ROOT = Path(__file__).parents[1]
PEERS = ("jax", "torch", "tensorflow", "pytensor", "tinygrad", "dynet")
OURS = "amigrad compile"
TOLERANCE = 1e-4


def environment(peer: str) -> Path | None:
    """The Python of a peer's environment, as `make peers` set it up; None where there is none."""
    for place in ("bin/python", "Scripts/python.exe"):
        if (python := ROOT / f".venv-{peer}" / place).exists():
            return python
    return None


def commands(peers: Sequence[str], threads: int) -> dict[str, list[str]]:
    """How to start amigrad's program and those of the peers that are there."""
    found = {"amigrad": [sys.executable, "-m", "benchmarks.peers.amigrad_peer"]}
    for peer in peers:
        if python := environment(peer):
            found[peer] = [str(python), str(ROOT / "benchmarks" / "peers" / f"{peer}_peer.py")]
    return {name: [*command, "--threads", str(threads)] for name, command in found.items()}


@contextmanager
def programs(peers: Sequence[str], threads: int) -> Iterator[dict[str, Program]]:
    """The programs, started; one that does not start is reported and left out."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    with ExitStack() as stack:
        started = {}
        for name, command in commands(peers, threads).items():
            try:
                started[name] = stack.enter_context(Program(command))
            except SystemExit as error:
                print(f"Left out: {error}", file=sys.stderr)
        yield started


def measure(
    case: Case,
    programs: Mapping[str, Program],
    path: Path,
    *,
    runs: int,
    seconds: float,
    lock: Callable[[], AbstractContextManager[Any]],
) -> dict[str, Any]:
    """A row. path: where the data of this case lie. What fails or computes something else is named in it."""
    tasks: dict[str, tuple[Program, int]] = {}
    checks: dict[str, list[float]] = {}
    first: dict[str, float] = {}
    faults: dict[str, str] = {}
    for program_name, program in programs.items():
        for form in program.report["forms"].get(case.workload, []):
            name = f"{program_name} {form}"
            request = {"workload": case.workload, "form": form, "data": str(path), "settings": dict(case.settings)}
            answer = json.loads(program.ask(f"open {json.dumps(request)}"))
            if "error" in answer:
                faults[name] = answer["error"]
                continue
            tasks[name] = program, answer["task"]
            checks[name], first[name] = answer["checks"], answer["seconds"]
    for name, found in checks.items():
        if name != OURS and OURS in checks and found and not np.allclose(found, checks[OURS], rtol=TOLERANCE, atol=0.0):
            faults[name] = f"computes something else: {found}, not {checks[OURS]}"
    agreeing: dict[str, Run] = {
        name: (lambda calls, program=program, task=task: float(program.ask(f"run {task} {calls}")))
        for name, (program, task) in tasks.items()
        if name not in faults
    }
    with lock():
        times = alternate(agreeing, runs, seconds)
    for program, task in tasks.values():
        program.ask(f"close {task}")
    row: dict[str, Any] = {
        "case": case.name,
        "workload": case.workload,
        "settings": dict(case.settings),
        "goal": case.goal,
        "microseconds": {name: spread([1e6 * taken / case.steps for taken in found]) for name, found in times.items()},
        "examples": case.examples,
        "first_call_seconds": first,
        "checks": checks,
        "faults": faults,
    }
    return row | _ratio(row["microseconds"])


def _ratio(times: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The fastest peer by its median, and how many times as fast amigrad is."""
    medians = {name: found["median"] for name, found in times.items() if name != OURS}
    if not medians or OURS not in times:
        return {"fastest": None, "ratio": None}
    fastest = min(medians, key=lambda name: medians[name])
    return {"fastest": fastest, "ratio": medians[fastest] / times[OURS]["median"]}
