"""The results of the rows as a table in Markdown: mean and spread over seeds beside the paper's figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from experiments.collobert2011.rows import PAPER, ROWS, Row

Results = Mapping[str, Mapping[str, Any]]
"""What was measured of each row: its task's title, and `runs`, a report by seed."""


def table(results: Results) -> str:
    """All rows of a task that were run."""
    first = next(iter(results.values()))
    return f"### {first['title']} ({first['measure']})\n\n" + "\n".join(_lines(results)) + "\n\n"


def notes(machines: Iterable[Mapping[str, Any]]) -> str:
    """What the columns are, and where they were measured."""
    places = dict.fromkeys(", ".join(f"{name} {value}" for name, value in machine.items()) for machine in machines)
    return f"{_NOTES} {'; '.join(places)}.\n"


_NOTES = """Mean over the seeds, and how far the least and the most are from it. Times are seconds of the processor for
one training, memory is the most that it took, speed is that of tagging the development sentences (words per second of
the processor, one core, words not seen before). The paper's figures are those of its own, other data. Measured on:"""


def _lines(results: Results) -> Iterable[str]:
    test = any("test_score" in run for result in results.values() for run in result["runs"].values())
    heads = ["", "mean", "spread", "runs", *(["test"] if test else []), "paper", "train, s", "memory, MB", "words/s"]
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    for name, row in ROWS.items():
        if name in results:
            yield "| " + " | ".join(_cells(row, list(results[name]["runs"].values()), test)) + " |"


def _cells(row: Row, runs: list[Mapping[str, Any]], test: bool) -> list[str]:
    scores = [100 * run["score"] for run in runs]
    mean = statistics.fmean(scores)
    spread = "" if len(scores) == 1 else f"{min(scores) - mean:+.2f} {max(scores) - mean:+.2f}"
    cells = [row.approach, f"{mean:.2f}", spread, str(len(scores))]
    if test:
        found = [100 * run["test_score"] for run in runs if "test_score" in run]
        cells.append(f"{statistics.fmean(found):.2f}" if found else "")
    paper = PAPER[row.task][row.paper] if row.paper else None
    speeds = [run["words_per_second"]["cpu"] for run in runs if "words_per_second" in run]
    cells += [
        "" if paper is None else f"{paper:.2f}",
        f"{statistics.median(run['training']['cpu'] for run in runs):.0f}",
        f"{statistics.median(run['peak_memory'] for run in runs) / 1e6:.0f}",
        f"{statistics.median(speeds):,.0f}" if speeds else "",
    ]
    return cells
