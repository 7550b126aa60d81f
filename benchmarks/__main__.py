"""amigrad and its peers, in turns, on the same work.

python -m benchmarks                    # all workloads, in all peers that `make peers` set up
python -m benchmarks window ranking     # some of them
python -m benchmarks --quick            # a look: fewer and shorter runs
"""

from __future__ import annotations

import argparse
import re
import tempfile
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.common import RESULTS, stay_on_cores
from benchmarks.compare import PEERS, environment, measure, programs
from benchmarks.workloads import MODULES


@contextmanager
def locked(path: Path) -> Any:
    """Hold the lock of a file, so that measurements on one machine wait for each other (not on Windows)."""
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="amigrad and its peers in turns")
    parser.add_argument("workloads", nargs="*", metavar="workload", help=f"of {', '.join(MODULES)}; default: all")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER", help="default: all")
    parser.add_argument("--only", default="", metavar="PATTERN", help="rows whose name has this regular expression")
    parser.add_argument("--threads", type=int, default=1, help="of every program, on as many cores")
    parser.add_argument("--runs", type=int, default=7, help="of each program in each row")
    parser.add_argument("--seconds", type=float, default=0.15, help="about what a run takes")
    parser.add_argument("--quick", action="store_true", help="3 runs of 0.05 s")
    parser.add_argument("--name", default="comparison", help="of the files of results")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="DIR", help="where they are written")
    parser.add_argument("--lock", type=Path, metavar="FILE", help="held while a row is measured")
    arguments = parser.parse_args()
    if unknown := set(arguments.workloads) - set(MODULES):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
    if arguments.quick:
        arguments.runs, arguments.seconds = 3, 0.05
    stay_on_cores(arguments.threads)
    if missing := [peer for peer in arguments.peers if environment(peer) is None]:
        print(f"Left out, since `make peers` did not set them up: {', '.join(missing)}")

    def lock() -> AbstractContextManager[Any]:
        return locked(arguments.lock) if arguments.lock else nullcontext()

    rows: list[dict[str, Any]] = []
    with programs(arguments.peers, arguments.threads) as started, tempfile.TemporaryDirectory() as folder:
        versions = {name: program.report["version"] for name, program in started.items()}
        try:
            for name in arguments.workloads or MODULES:
                module = import_module(f"benchmarks.workloads.{name}")
                if hasattr(module, "measure"):  # it needs programs of its own
                    rows += module.measure(list(started), arguments.threads, arguments.runs, lock)
                    continue
                for case in module.cases():
                    if re.search(arguments.only, case.name):
                        path = Path(folder) / "data.npz"
                        np.savez(path, allow_pickle=False, **module.data(case.settings))
                        rows.append(measure(case, started, path, arguments.runs, arguments.seconds, lock))
                        report.progress(rows[-1])
        finally:  # what was measured is not lost when the rest is stopped
            report.write(arguments.output, arguments.name, {**vars(arguments), "versions": versions}, rows)
    if different := [row["case"] for row in rows if any("something else" in fault for fault in row["faults"].values())]:
        raise SystemExit(f"Not all programs compute the same thing: {', '.join(different)}")


if __name__ == "__main__":
    main()
