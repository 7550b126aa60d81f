"""tinygrad: whole steps under `TinyJit`, gradients by its autograd, its optimizers.

Its search for faster kernels (the environment variable BEAM) is off unless it is set: it takes about a minute for each.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

CLANG = """#!{python}
import subprocess, sys, tempfile
from pathlib import Path

arguments = [a for a in sys.argv[1:-3] if not a.startswith("--target")]  # but "- -o -"
with tempfile.TemporaryDirectory() as folder:
    source, result = Path(folder, "kernel.c"), Path(folder, "kernel.o")
    source.write_bytes(sys.stdin.buffer.read())
    options = ["-target", "{machine}-freestanding-none", "-g0", *arguments, str(source), "-o", str(result)]
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *options], check=True)
    sys.stdout.buffer.write(result.read_bytes())
"""


def find_clang():
    """Where the system has no clang, a program of that name that calls the one of the package `ziglang`."""
    if shutil.which("clang") is None:
        clang = Path(sys.prefix) / "bin" / "clang"
        machine = {"arm64": "aarch64"}.get(os.uname().machine, os.uname().machine)
        clang.write_text(CLANG.format(python=sys.executable, machine=machine))
        clang.chmod(0o755)
        os.environ["CC"] = str(clang)
        os.environ["CACHEDB"] = str(Path(sys.prefix) / "kernels.db")  # not those that another clang made


parser = argparse.ArgumentParser(description="tinygrad's side of the benchmarks")
parser.add_argument("--threads", type=int, default=1)
THREADS = parser.parse_args().threads
find_clang()
os.environ |= {"DEV": "CPU", "TRAINING": "1", "NUM_CPU_THREADS": str(THREADS)}

from importlib.metadata import version  # noqa: E402

import numpy as np  # noqa: E402
from serve import NotOfferedError, Task, serve  # noqa: E402
from tinygrad import Tensor, TinyJit, nn  # noqa: E402

MOST_EXAMPLES = 32
MOST_BATCHES = 128


def line(p, batch):
    return (p["w"] * batch[0] + p["b"] - batch[1]).square().sum()


def gates(p, batch):
    x = batch[0]
    for k in range(3):
        x = (x @ p[f"weight_{k}"] + p[f"bias_{k}"]).sigmoid()
    return (x - batch[1]).square().sum()


def mlp(p, batch):
    x = batch[0]
    for k in range(2):
        x = (x @ p[f"weight_{k}"] + p[f"bias_{k}"]).relu()
    return (x @ p["weight_2"] + p["bias_2"]).sparse_categorical_crossentropy(batch[1])


def rows(table, index):
    """The rows of a table that a batch looks up, side by side."""
    return table[index].reshape(index.shape[0], -1)


def window_scores(p, batch):
    x = rows(p["word_table"], batch[0]).cat(rows(p["capitalisation_table"], batch[1]), dim=1)
    hidden = (x @ p["hidden_weight"] + p["hidden_bias"]).clip(-1, 1)
    return hidden @ p["output_weight"] + p["output_bias"]


def window(p, batch):
    return window_scores(p, batch).sparse_categorical_crossentropy(batch[2])


LAYERS = tuple(f"{part}_{k}" for k in range(3) for part in ("weight", "bias"))
HEAD = ("hidden_weight", "hidden_bias", "output_weight", "output_bias")
MODELS = {
    "line": (line, ("w", "b"), ("x", "y")),
    "gates": (gates, LAYERS, ("x", "y")),
    "mlp": (mlp, LAYERS, ("x", "y")),
    "window": (window, ("word_table", "capitalisation_table", *HEAD), ("words", "capitalisations", "tags")),
}


def batches(arrays, names):
    """Each batch as tensors of its own, which a captured step takes without a copy; fewer than elsewhere, as the time
    to make one grows with their number.
    """
    columns = [[Tensor(array).realize() for array in arrays[name][:MOST_BATCHES]] for name in names]
    return list(zip(*columns, strict=True))


def running(step):
    """A run of a step: the result is read in the end, when all work is done."""

    def run(taken):
        result = None
        for batch in taken:
            result = step(*batch)
        return None if result is None else result.numpy()

    return run


def training(workload):
    cost, names, columns = MODELS[workload]

    def form(arrays, settings):
        if workload == "window" and (settings["optimizer"] != "sgd" or settings["batch"] > MOST_EXAMPLES):
            raise NotOfferedError  # gradients of tables are dense: a step takes half a second
        p = {name: Tensor(np.atleast_1d(arrays[name]).copy()).realize() for name in names}
        method = {"sgd": nn.optim.SGD, "adam": nn.optim.Adam}[settings["optimizer"]]
        optimizer = method(list(p.values()), lr=settings["rate"])

        @TinyJit
        def step(*batch):
            optimizer.zero_grad()
            value = cost(p, batch).backward()
            return value.realize(*optimizer.schedule_step())

        return Task(running(step), batches(arrays, columns))

    return form


def inference(arrays, settings):
    p = {name: Tensor(arrays[name].copy()).realize() for name in MODELS["window"][1]}
    scores = TinyJit(lambda *batch: window_scores(p, batch).realize())
    return Task(running(scores), batches(arrays, ("words", "capitalisations")))


def elementwise(arrays, settings):
    def chain(x):
        y = (x * 1.5 + 0.5).abs().minimum(4.0)
        y = (y * y - 1.0).maximum(-0.5) * 0.25 + 2.0
        return (1.0 / -y.sqrt()).realize()

    return Task(running(TinyJit(chain)), batches(arrays, ["x"]))


def matmul(arrays, settings):
    product = TinyJit(lambda a, b: (a @ b).realize())
    return Task(running(product), batches(arrays, ("a", "b")))


def main():
    forms = {name: {"jit": training(name)} for name in MODELS}
    forms |= {"window inference": {"jit": inference}, "elementwise": {"jit": elementwise}, "matmul": {"jit": matmul}}
    serve("tinygrad", version("tinygrad"), THREADS, forms)


if __name__ == "__main__":
    main()
