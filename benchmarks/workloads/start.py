"""What it costs to begin: a fresh process up to the first step of the window tagger, compilation, memory, disk.

import                   `import amigrad` and its like in a fresh process, without the start of Python
to the first step        from the start of the process to the end of the first training step, nothing compiled
                         before ("cold"), or the same once before ("again", with the library's cache on disk)
first step               the first step alone, with its compilation
peak memory              of the process of the first step
installed size           the package and all that it needs, without Python
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import Program, spread
from benchmarks.compare import OURS, commands, comparisons, environment
from benchmarks.workloads import window

PEERS = {"jax": ["jit"], "torch": ["eager", "compile"]}
CACHES = ("AMIGRAD_CACHE", "JAX_COMPILATION_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR")
SETTINGS = {"optimizer": "sgd", "rate": 0.01, "batch": 32}
BATCHES = 4
SLOW = 10.0  # seconds: a program that takes as long is started twice only
Row = dict[str, Any]
Lock = Callable[[], AbstractContextManager[Any]]


def cases() -> list[Any]:
    return []


def measure(programs: Sequence[str], threads: int, runs: int, lock: Lock) -> list[Row]:
    """The rows, for amigrad and those of JAX and PyTorch that are there."""
    starts = commands([peer for peer in PEERS if peer in programs], threads)
    forms = {OURS: starts["amigrad"], **{f"{p} {f}": starts[p] for p in PEERS if p in starts for f in PEERS[p]}}
    figures: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        arrays = dict(window.data(SETTINGS))
        np.savez(data, **{name: a[:BATCHES] if a.ndim > 1 and a.shape[1] == 32 else a for name, a in arrays.items()})
        for turn in range(runs):
            for name, command in forms.items():
                before = figures.setdefault("start: to the first step, cold", {}).get(name, [0.0])
                if turn > 1 and max(before) > 1000 * SLOW:
                    continue
                with lock(), caches(Path(folder) / f"cache-{turn}-{len(figures)}-{list(forms).index(name)}"):
                    for what in ("cold", "again"):
                        for title, figure in first_step(command, name, data).items():
                            figures.setdefault(title.format(what), {}).setdefault(name, []).append(figure)
        for _ in range(runs):
            for name, python in pythons(forms).items():
                with lock():
                    taken = import_time(python, name)
                figures.setdefault("start: import", {}).setdefault(name, []).append(taken)
    rows = [_row(title, "MB" if "memory" in title else "ms", found) for title, found in sorted(figures.items())]
    sizes = {name: [installed(python, name)] for name, python in pythons(forms).items()}
    return [*rows, _row("start: installed size", "MB", sizes)]


def first_step(command: Sequence[str], name: str, data: Path) -> dict[str, float]:
    """Milliseconds and megabytes of a fresh process."""
    form = name.partition(" ")[2]
    request = {"workload": "window", "form": form, "data": str(data), "settings": SETTINGS, "checks": 1}
    start = time.perf_counter()
    with Program(command) as program:
        answer = json.loads(program.ask(f"open {json.dumps(request)}"))
        taken = time.perf_counter() - start
        memory = int(program.ask("memory"))
    if "error" in answer:
        raise SystemExit(f"{name}: {answer['error']}")
    found = {"start: to the first step, {}": 1e3 * taken, "start: peak memory, {}": memory / 1e6}
    return found if form == "eager" else found | {"start: compile and first step, {}": 1e3 * answer["seconds"]}


@contextmanager
def caches(folder: Path) -> Iterator[None]:
    """Everything that is compiled is kept in this folder, however quickly it was compiled."""
    before = dict(os.environ)
    os.environ |= {name: str(folder / name) for name in CACHES}
    os.environ |= {
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def pythons(forms: Any) -> dict[str, Path]:
    """The Python of each library, by the name of its first form."""
    found: dict[str, Path] = {}
    for name in forms:
        library = name.partition(" ")[0]
        if not any(other.startswith(library) for other in found):
            found[name] = environment(library) or Path(sys.executable)
    return found


def import_time(python: Path, name: str) -> float:
    """Milliseconds of an import in a fresh process."""
    library = name.partition(" ")[0]
    code = f"import time; start = time.perf_counter(); import {library}; print(time.perf_counter() - start)"
    return 1e3 * float(subprocess.run([str(python), "-c", code], check=True, stdout=subprocess.PIPE).stdout)


SIZES = """
import json, re, sys
from importlib.metadata import PackageNotFoundError, distribution
seen, pending = {}, [sys.argv[1]]
while pending:
    try:
        found = distribution(pending.pop())
    except PackageNotFoundError:
        continue
    if found.name in seen:
        continue
    paths = [found.locate_file(file) for file in found.files or ()]
    seen[found.name] = sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc")
    pending += [re.match("[-._A-Za-z0-9]+", n)[0] for n in found.requires or () if "extra ==" not in n]
print(sum(seen.values()))
"""


def installed(python: Path, name: str) -> float:
    """Megabytes of the files of a package and of all that it requires; of compiled Python files none."""
    library = name.partition(" ")[0]
    done = subprocess.run([str(python), "-c", SIZES, library], check=True, stdout=subprocess.PIPE)
    size = int(done.stdout)
    if library == "amigrad":  # it may be installed as a link to its source
        import amigrad

        source = Path(amigrad.__file__).parent
        if str(source) not in {str(distribution("amigrad").locate_file("amigrad"))}:
            size += sum(path.stat().st_size for path in source.rglob("*.py"))
    return size / 1e6


def _row(title: str, unit: str, found: dict[str, list[float]]) -> Row:
    figures = {name: spread(values) for name, values in found.items()}
    return {
        "case": title,
        "workload": "start",
        "settings": SETTINGS,
        "unit": unit,
        "figures": figures,
        "faults": {},
        "comparisons": comparisons(figures, None),
    }


data: Callable[..., Any] = window.data
