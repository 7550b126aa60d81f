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
PEERS = ("jax", "torch", "tensorflow", "pytensor", "dynet", "tinygrad")
OURS, MACHINE = "amigrad compile", "machine"
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
    pythons = {name: Path(sys.executable) for name in ("blas", MACHINE)}
    pythons |= {peer: python for peer in peers if (python := environment(peer))}
    for name, python in pythons.items():
        found[name] = [str(python), str(ROOT / "benchmarks" / "peers" / f"{name}_peer.py")]
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
    programs: dict[str, Program],
    path: Path,
    runs: int,
    seconds: float,
    lock: Callable[[], AbstractContextManager[Any]],
) -> dict[str, Any]:
    """A row. path: where the data of this case lie. What fails or computes something else is named in it."""
    tasks: dict[str, tuple[Program, int]] = {}
    checks: dict[str, list[float]] = {}
    first: dict[str, float] = {}
    faults: dict[str, str] = {}
    for program_name, program in list(programs.items()):
        for form in program.report["forms"].get(case.workload, []):
            if program_name not in programs:
                break
            name = f"{program_name} {form}"
            request = {"workload": case.workload, "form": form, "data": str(path), "settings": dict(case.settings)}
            try:
                answer = json.loads(program.ask(f"open {json.dumps(request)}"))
            except SystemExit as error:  # it died: the comparison goes on without it
                answer = {"error": str(error)}
                del programs[program_name]
                tasks = {other: found for other, found in tasks.items() if found[0] is not program}
            if "error" in answer:
                faults[name] = answer["error"]
            if "task" not in answer:
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
    figures = {name: spread([1e6 * taken / case.steps for taken in found]) for name, found in times.items()}
    return {
        "case": case.name,
        "workload": case.workload,
        "settings": dict(case.settings),
        "unit": "µs",
        "figures": figures,
        "examples": case.examples,
        "first_call_seconds": first,
        "checks": checks,
        "faults": faults,
        "comparisons": comparisons(figures, case.goal, case.limits),
    }


def comparisons(
    figures: Mapping[str, Mapping[str, Any]], goal: float | None, limits: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """How many times less amigrad takes than the best peer, and than what the machine allows: by medians, which count,
    and by the best runs.
    """
    ours = figures.get(OURS)
    if ours is None:
        return []
    peers = [name for name in figures if name != OURS and not name.startswith(MACHINE)]
    groups = [(peers, goal)]
    for of, part in (limits or {}).items():
        groups.append(([name for name in figures if name.startswith(f"{MACHINE} {of}")], part))
    found = []
    for names, wanted in groups:
        if names:
            best = min(names, key=lambda name: figures[name]["median"])
            ratios = {
                "ratio": figures[best]["median"] / ours["median"],
                "ratio_of_best_runs": min(figures[name]["least"] for name in names) / ours["least"],
            }
            found.append({"with": best, **ratios, "goal": wanted})
    return found
