"""The comparison as a table in the terminal, as Markdown, as JSON and as a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.chart import chart
from benchmarks.common import machine, save, show
from benchmarks.compare import OURS

Row = Mapping[str, Any]


def progress(row: Row) -> None:
    """A row as it is done, in a line."""
    figures = sorted((found["median"], name) for name, found in row["figures"].items())
    print(f"{row['case']}, {row['unit']}: " + ", ".join(f"{name} {_figure(f)}" for f, name in figures), flush=True)
    for name, fault in row["faults"].items():
        print(f"    {name} is left out: {fault}", flush=True)


def write(folder: Path, name: str, settings: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Print the table and write NAME.md, NAME.json and NAME.svg."""
    title = f"Medians of {settings['runs']}; threads: {settings['threads']}; times are those of one step"
    lines = [line for row in rows for line in summary(row)]
    show(title, SUMMARY, lines)
    save(name, settings, rows, folder)
    versions = ", ".join(f"{name} {version}" for name, version in settings["versions"].items())
    text = [f"{title}; {machine()['processor']}; {versions}.", "", *markdown(SUMMARY, lines)]
    programs = list(dict.fromkeys(name for row in rows for name in row["figures"]))
    lines = [[row["case"], row["unit"], *(_median(row["figures"].get(name)) for name in programs)] for row in rows]
    text += ["", "All programs:", "", *markdown(["", "unit", *programs], lines), ""]
    (folder / f"{name}.md").write_text("\n".join(text), encoding="utf-8")
    (folder / f"{name}.svg").write_text(chart(rows, title), encoding="utf-8")


SUMMARY = ["", "unit", "amigrad", "compared with", "its figure", "ratio", "of best runs", "goal", "reached"]


def summary(row: Row) -> list[list[str]]:
    """What was reached, in a line for each comparison."""
    figures, lines = row["figures"], []
    for found in row["comparisons"] or [{"with": None, "ratio": None, "ratio_of_best_runs": None, "goal": None}]:
        ratio, goal = found["ratio"], found["goal"]
        reached = "-" if ratio is None or goal is None else "yes" if ratio >= goal else f"{ratio / goal:.0%}"
        lines.append(
            [
                row["case"],
                row["unit"],
                _median(figures.get(OURS)),
                found["with"] or "-",
                _median(figures.get(found["with"])),
                "-" if ratio is None else f"{ratio:.2f}",
                "-" if ratio is None else f"{found['ratio_of_best_runs']:.2f}",
                "-" if goal is None else f"{goal:g}",
                reached,
            ]
        )
    return lines


def _median(found: Mapping[str, float] | None) -> str:
    return "-" if found is None else _figure(found["median"])


def _figure(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}" if value < 10_000 else f"{value:,.0f}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(row)} |" for row in (header, ["---", *["---:"] * (len(header) - 1)], *rows)]
