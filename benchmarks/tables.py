"""What a compiled training step costs with a small and with a huge lookup table: the same, if all is well.

    python -m benchmarks.tables

The window tagger with tables of 1,000 and of 2,000,000 words x 50, each in a process of its own, in turns. Both get
the same batch; the larger table has its words far apart. Memory is what the compilation and the steps add at most to
a process that has the parameters and the optimizer's states (Linux only).
"""

from __future__ import annotations

import argparse
import json
import sys
import timeit
from pathlib import Path

import numpy as np

import amigrad as ag
from amigrad.optim import SGD, Adagrad, Adam, Optimizer
from amigrad.tasks.tagging.features import columns_of
from amigrad.tasks.tagging.model import WindowTagger
from benchmarks.common import Program, alternate, save, show, spread, stay_on_one_core
from benchmarks.window import CAPITALISATIONS, PLAIN, TAGS

OPTIMIZERS = ("sgd", "adagrad", "lazy adam")
WORDS = 1000
TIME_FACTOR = 1.5
MEMORY_DIFFERENCE = 8 << 20


def serve(rows: int, optimizer: str, batch: int, backend: str | None) -> None:
    """Take commands: "run STEPS" answers with seconds, "memory" with bytes added."""
    model = WindowTagger(
        columns_of(PLAIN),
        (rows, CAPITALISATIONS),
        TAGS,
        window=PLAIN.window,
        hidden_size=PLAIN.hidden_size,
        dropout=0.0,
        generator=ag.Generator(1),
    )
    method = _optimizer(optimizer, model)

    def step(columns: list[ag.Tensor], targets: ag.Tensor) -> ag.Tensor:
        cost = model.cost(columns, targets)
        method.minimize(cost)
        return cost

    compiled = ag.compile(step) if backend is None else ag.compile(step, backend=backend)
    random = np.random.default_rng(1)
    words = random.integers(0, WORDS, (batch, PLAIN.window)) * (rows // WORDS)
    columns = [words.astype(np.int32), random.integers(0, CAPITALISATIONS, words.shape, np.int32)]
    targets = random.integers(0, TAGS, batch, np.int32)
    for state in (model.states() | method.states()).values():
        state.value[...] = state.value.copy()  # zeros have no memory before they are written
    before = _start_of_peak()
    compiled(columns, targets)
    print(json.dumps({"compilations": compiled.compilations, "backend": compiled.backend}), flush=True)
    for line in sys.stdin:
        if line.startswith("run "):
            answer: object = timeit.timeit(lambda: compiled(columns, targets), number=int(line[4:]))
        else:
            answer = -1 if before is None else _status("VmHWM") - before
        print(answer, flush=True)


def _optimizer(name: str, model: WindowTagger) -> Optimizer:
    parameters = model.named_parameters()
    if name == "sgd":
        return SGD(parameters, 0.01)
    return Adagrad(parameters, 0.01) if name == "adagrad" else Adam(parameters, lookup="lazy")


def _start_of_peak() -> int | None:
    """The memory in use, of which the peak is counted anew from now on; None where the system cannot do this."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except OSError:
        return None


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of a step with small and huge lookup tables")
    parser.add_argument("--rows", type=int, nargs=2, default=[WORDS, 2_000_000], help=f"at least {WORDS} each")
    parser.add_argument("--optimizer", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS))
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--runs", type=int, default=7, help="of each table")
    parser.add_argument("--seconds", type=float, default=0.4, help="about what a run takes")
    parser.add_argument("--backend", help="of compile; by default its own default")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if min(arguments.rows) < WORDS:
        parser.error(f"--rows: at least {WORDS} each")
    if arguments.serve:
        serve(arguments.rows[0], arguments.optimizer[0], arguments.batch, arguments.backend)
        return
    stay_on_one_core()
    rows, lines, faults = [], [], []
    for optimizer in arguments.optimizer:
        shared = ["--optimizer", optimizer, "--batch", str(arguments.batch)]
        shared += ["--backend", arguments.backend] if arguments.backend else []
        command = [sys.executable, "-m", "benchmarks.tables", "--serve", *shared, "--rows"]
        few, many = ([*command, str(size), str(size)] for size in arguments.rows)
        with Program(few) as small, Program(many) as large:
            seconds = alternate({"small": small.run, "large": large.run}, arguments.runs, arguments.seconds)
            memory = [int(program.ask("memory")) for program in (small, large)]
            backend = small.report["backend"]
        times = [spread(found) for found in seconds.values()]
        ratio = times[1]["median"] / times[0]["median"]
        rows.append({"optimizer": optimizer, "backend": backend, "seconds": times, "ratio": ratio, "memory": memory})
        in_microseconds = [f"{1e6 * found['median']:,.1f}" for found in times]
        in_megabytes = ["-" if found < 0 else f"{found / 1e6:.1f}" for found in memory]
        lines.append([optimizer, *in_microseconds, f"{ratio:.2f}", *in_megabytes])
        if ratio > TIME_FACTOR or memory[1] - memory[0] > MEMORY_DIFFERENCE:
            faults.append(optimizer)
    small_size, large_size = (f"{size:,} rows" for size in arguments.rows)
    header = ["", f"µs, {small_size}", f"µs, {large_size}", "ratio", f"MB, {small_size}", f"MB, {large_size}"]
    show(f"A step of {arguments.batch} examples, medians of {arguments.runs}; one core", header, lines)
    save("tables", vars(arguments), rows)
    if faults:
        raise SystemExit(f"A step depends on the size of the vocabulary: {', '.join(faults)}")


if __name__ == "__main__":
    main()
