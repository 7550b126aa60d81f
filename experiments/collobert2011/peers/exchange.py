"""What the peers share: sentences as JSON lines in and out, the time and the memory that a peer took.

A peer is a program of its own, in an environment of its own: `python PEER.py TASK.json`. The task names the files of
training and development sentences, a file for the tags that the peer gives the latter, and the peer's settings. The
report is a JSON object in a file of its own.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Sentence = dict[str, Any]
"""Words, tags and further columns: lists of strings, as many each; columns a list of lists."""


def main(name: str, work: Callable[[list[Sentence], list[Sentence], dict[str, Any]], dict[str, Any]]) -> None:
    """Read the task, do the work, write tags and report. The work gives `tags` of the development sentences."""
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    report = work(read(task["train"]), read(task["dev"]), task["settings"])
    tags = report.pop("tags")
    Path(task["tags"]).write_text("".join(json.dumps(row) + "\n" for row in tags), encoding="utf-8")
    unit = 1 if sys.platform == "darwin" else 1024
    report |= {"peer": name, "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}
    Path(task["report"]).write_text(json.dumps(report) + "\n", encoding="utf-8")


def read(path: str) -> list[Sentence]:
    """Sentences of a file of JSON lines."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Clock:
    """Seconds of this process, those of the processor and those of the wall."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def seconds(self) -> dict[str, float]:
        """Since the clock was made."""
        return {"wall": time.perf_counter() - self.wall, "cpu": time.process_time() - self.cpu}


def fastest(tag: Callable[[], Sequence[Any]], runs: int = 3) -> tuple[Sequence[Any], dict[str, float]]:
    """What tagging gives, and the least seconds of some runs."""
    found: Sequence[Any] = ()
    least = {"wall": float("inf"), "cpu": float("inf")}
    for _ in range(runs):
        clock = Clock()
        found = tag()
        least = {name: min(least[name], value) for name, value in clock.seconds().items()}
    return found, least
