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
    times = sorted((found["median"], name) for name, found in row["microseconds"].items())
    print(f"{row['case']}: " + ", ".join(f"{name} {time:,.1f} µs" for time, name in times), flush=True)
    for name, fault in row["faults"].items():
        print(f"    {name} is left out: {fault}", flush=True)


def write(folder: Path, name: str, settings: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Print the table and write NAME.md, NAME.json and NAME.svg."""
    title = f"Microseconds a step, medians of {settings['runs']}; threads: {settings['threads']}"
    show(title, SUMMARY, [summary(row) for row in rows])
    save(name, settings, rows)
    versions = ", ".join(f"{name} {version}" for name, version in settings["versions"].items())
    text = [f"{title}; {machine()['processor']}; {versions}.", "", *markdown(SUMMARY, [summary(row) for row in rows])]
    programs = list(dict.fromkeys(name for row in rows for name in row["microseconds"]))
    lines = [[row["case"], *(_time(row["microseconds"].get(name)) for name in programs)] for row in rows]
    text += ["", "All programs:", "", *markdown(["", *programs], lines), ""]
    (folder / f"{name}.md").write_text("\n".join(text), encoding="utf-8")
    (folder / f"{name}.svg").write_text(chart(rows, title), encoding="utf-8")


SUMMARY = ["", "amigrad", "fastest peer", "its time", "ratio", "goal", "reached"]


def summary(row: Row) -> list[str]:
    """A row of the table that says what was reached."""
    times, ratio, goal = row["microseconds"], row["ratio"], row["goal"]
    fastest = row["fastest"] or "-"
    reached = "-" if ratio is None or goal is None else "yes" if ratio >= goal else f"{ratio / goal:.0%}"
    return [
        row["case"],
        _time(times.get(OURS)),
        fastest,
        _time(times.get(fastest)),
        "-" if ratio is None else f"{ratio:.2f}",
        "-" if goal is None else f"{goal:g}",
        reached,
    ]


def _time(found: Mapping[str, float] | None) -> str:
    return "-" if found is None else f"{found['median']:,.1f}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(row)} |" for row in (header, ["---", *["---:"] * (len(header) - 1)], *rows)]
