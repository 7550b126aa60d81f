"""What the measurements share: one core, programs to alternate with, tables and files of figures."""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


def stay_on_cores(count: int) -> None:
    """Run this process, and those that it starts from now on, on so many cores; only Linux can do it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-count:])


def stay_on_one_core() -> None:
    """Run this process, and those that it starts from now on, on one core; only Linux can do it."""
    stay_on_cores(1)


class Program(AbstractContextManager["Program"]):
    """A program that answers each line with a line, and says something of itself in JSON when it is ready."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self._process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.report: dict[str, Any] = json.loads(self._answer())

    def ask(self, line: str) -> str:
        """The answer to a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._answer()

    def run(self, steps: int) -> float:
        """The seconds that so many steps took."""
        return float(self.ask(f"run {steps}"))

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.command)} ended with status {self._process.wait()}")
        return line.rstrip("\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.communicate()


Run = Callable[[int], float]
"""Does so many steps and gives the seconds that they took."""


def alternate(programs: Mapping[str, Run], runs: int, seconds: float) -> dict[str, list[float]]:
    """Seconds a step of each program in each run. They take turns; a run takes about so many seconds."""
    steps = {name: _steps_of(run, seconds) for name, run in programs.items()}
    found: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(runs):
        for name, run in programs.items():
            found[name].append(run(steps[name]) / steps[name])
    return found


def _steps_of(run: Run, seconds: float) -> int:
    steps = 1
    while (taken := run(steps)) < seconds / 4:
        steps *= 2
    return max(1, round(steps * seconds / taken))


def spread(values: Sequence[float]) -> dict[str, Any]:
    """The median of some figures, their range, and all of them."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "all": list(values)}


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; all but its first column are figures."""
    table = Table(*header, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    print(title)
    Console(highlight=False, width=None if os.isatty(1) else 140).print(table)


def save(name: str, settings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], folder: Path = RESULTS) -> None:
    """Write figures, with where and when they were measured, into the folder of results."""
    content = {
        "measured": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "settings": dict(settings),
        "rows": list(rows),
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=1, default=str) + "\n")
    print(f"All figures: {os.path.relpath(path)}")


def machine() -> dict[str, Any]:
    """The processor, the system and the versions."""
    from importlib.metadata import version

    processor = platform.processor() or platform.machine()
    if (cpuinfo := Path("/proc/cpuinfo")).exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        processor = names[0] if names else processor
    return {
        "processor": processor,
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("amigrad", "numpy", "llvmlite")},
    }
