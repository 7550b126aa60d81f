"""The table of Collobert et al. (2011), one command a row.

    python -m experiments.collobert2011 chunk-wll chunk-sll                # some rows
    python -m experiments.collobert2011 pos chunk --vectors DIR            # all rows of two tasks
    python -m experiments.collobert2011 ner --conll2003 FOLDER --vectors DIR

Each row is trained with three seeds by `amigrad tagger train` or `amigrad roles train`, or is another program's in an
environment of its own (`make peers`). What was run before with the same options is not run again (`--again` does).
results.json and table.md are written anew after each run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from pathlib import Path
from typing import Any

from benchmarks.common import machine

from experiments.collobert2011.rows import ROWS, Row, chosen
from experiments.collobert2011.run import run_peer, run_row
from experiments.collobert2011.table import notes, table
from experiments.collobert2011.tasks import Sources, Task, prepare

BUDGET = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.collobert2011",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = os.environ.get("AMIGRAD_DATA")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"tasks or rows: {' '.join(ROWS)}; default: all")
    parser.add_argument("--data", type=Path, default=Path(data) if data else None, help="default: AMIGRAD_DATA")
    parser.add_argument("--conll2003", type=Path, metavar="FOLDER", help="columns of CoNLL-2003, for the task ner")
    parser.add_argument("--vectors", type=Path, metavar="DIR|FILE", help="word vectors to start from")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--options", default="", help="further options of all trainings, such as '--epochs 1'")
    parser.add_argument("--output", type=Path, default=Path("runs/collobert2011"))
    parser.add_argument("--again", action="store_true", help="run what was run before, too")
    arguments = parser.parse_args()
    rows = chosen(arguments.rows)
    if arguments.vectors is None and (left := [row.name for row in rows if row.vectors]):
        print(f"Left out, as there are no --vectors: {' '.join(left)}")
        rows = [row for row in rows if not row.vectors]
    output = arguments.output.resolve()
    sources = Sources(arguments.data and arguments.data.resolve(), arguments.conll2003)
    vectors = arguments.vectors and arguments.vectors.resolve()
    results = Results(output)
    tasks: dict[str, Task] = {}
    for row in sorted(rows, key=lambda row: row.peer == "spacy"):  # its budget is what the others took
        task = tasks[row.task] = tasks.get(row.task) or prepare(row.task, sources, output / "data")
        for seed in [int(seed) for seed in arguments.seeds.split(",")][: 1 if row.peer == "crfsuite" else None]:
            settings = {"options": arguments.options, "vectors": str(vectors) if row.vectors else None}
            if not arguments.again and results.has(row, task, seed, settings):
                continue
            print(f"{row.name}, seed {seed}", flush=True)
            if row.peer:
                report = run_peer(row, task, seed, output, results.budget(task))
            else:
                report = run_row(row, task, seed, output, arguments.options.split(), vectors)
            results.add(row, task, seed, report | {"settings": settings})
            spent = report["training"]["cpu"]
            print(f"  {task.measure} {100 * report['score']:.2f}, {spent:.0f} s of the processor", flush=True)
    print(results.text)


class Results:
    """What was measured, kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._content = self._read()

    @property
    def text(self) -> str:
        """The table."""
        parts = self._content.values()
        tables = [table({name: part["rows"][name] for name in ROWS if name in part["rows"]}) for part in parts]
        return "".join(tables) + notes(part["machine"] for part in parts)

    def has(self, row: Row, task: Task, seed: int, settings: dict[str, Any]) -> bool:
        """Whether a row was run with a seed and these settings."""
        run = self._rows(task).get(row.name, {}).get("runs", {}).get(str(seed))
        return run is not None and run["settings"] == settings

    def add(self, row: Row, task: Task, seed: int, report: dict[str, Any]) -> None:
        """Keep a report, and write all anew; others may have written in the meantime."""
        self._content = self._read()
        part = self._content.setdefault(task.name, {"rows": {}})
        part["machine"] = machine()
        entry = part["rows"].setdefault(row.name, {"title": task.title, "measure": task.measure, "runs": {}})
        entry["runs"][str(seed)] = report
        self._write("results.json", json.dumps(self._content, indent=1) + "\n")
        self._write("table.md", self.text)

    def budget(self, task: Task) -> float:
        """Seconds of training for others: what the slowest of the task's rows here took, by its mean."""
        own = [result["runs"].values() for name, result in self._rows(task).items() if not ROWS[name].peer]
        return max((statistics.fmean(run["training"]["cpu"] for run in runs) for runs in own), default=BUDGET)

    def _rows(self, task: Task) -> dict[str, Any]:
        rows: dict[str, Any] = self._content.get(task.name, {}).get("rows", {})
        return rows

    def _read(self) -> dict[str, Any]:
        file = self._folder / "results.json"
        return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}

    def _write(self, name: str, text: str) -> None:
        aside = self._folder / f"{name}.tmp"
        aside.write_text(text, encoding="utf-8")
        aside.replace(self._folder / name)


if __name__ == "__main__":
    main()
