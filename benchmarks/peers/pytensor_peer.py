"""PyTensor: compiled functions with updates, by its Numba backend and by its C backend."""

import argparse
import os
import sys
import warnings
from pathlib import Path

import numpy as np


def link_blas(threads):
    """Let the C backend call MKL, where `make peers` installed it: its own way to BLAS is through NumPy."""
    for library in Path(__file__).parents[2].glob(".venv-mkl/lib/libmkl_rt.so.*"):
        link = Path(sys.prefix) / "lib" / "libmkl_rt.so"
        if not link.exists():
            link.unlink(missing_ok=True)  # It may lead to where the environment was before.
            link.symlink_to(library)
        flags = f"-L{link.parent} -lmkl_rt -Wl\\,-rpath\\,{library.parent}"
        os.environ["PYTENSOR_FLAGS"] = f"blas__ldflags={flags}"
        os.environ["MKL_THREADING_LAYER"] = "SEQUENTIAL" if threads == 1 else "INTEL"


parser = argparse.ArgumentParser(description="PyTensor's side of the benchmarks")
parser.add_argument("--threads", type=int, default=1)
THREADS = parser.parse_args().threads
link_blas(THREADS)

import pytensor  # noqa: E402
import pytensor.tensor as pt  # noqa: E402
from pytensor.compile.mode import Mode  # noqa: E402
from serve import NotOfferedError, Task, serve, stepping  # noqa: E402

warnings.filterwarnings("ignore")
pytensor.config.floatX = "float32"


def cross_entropy(scores, target):
    return -pt.mean(pt.special.log_softmax(scores, axis=-1)[pt.arange(target.shape[0]), target])


def line(p, rows, batch):
    return pt.sum((p["w"] * batch[0] + p["b"] - batch[1]) ** 2)


def gates(p, rows, batch):
    x = batch[0]
    for k in range(3):
        x = pt.sigmoid(x @ p[f"weight_{k}"] + p[f"bias_{k}"])
    return pt.sum((x - batch[1]) ** 2)


def mlp(p, rows, batch):
    x = batch[0]
    for k in range(2):
        x = pt.maximum(x @ p[f"weight_{k}"] + p[f"bias_{k}"], np.float32(0))
    return cross_entropy(x @ p["weight_2"] + p["bias_2"], batch[1])


def flat(rows):
    return rows.reshape((rows.shape[0], -1))


def window_lookup(batch):
    return {"word_table": batch[0], "capitalisation_table": batch[1]}


def window_scores(p, rows):
    x = pt.concatenate([flat(rows["word_table"]), flat(rows["capitalisation_table"])], axis=1)
    hidden = pt.clip(x @ p["hidden_weight"] + p["hidden_bias"], np.float32(-1), np.float32(1))
    return hidden @ p["output_weight"] + p["output_bias"]


def window(p, rows, batch):
    return cross_entropy(window_scores(p, rows), batch[2])


def ranking_lookup(batch):
    return {"word_table": pt.concatenate(batch)}


def ranking(p, rows, batch):
    hidden = flat(rows["word_table"]) @ p["hidden_weight"] + p["hidden_bias"]
    scores = pt.clip(hidden, np.float32(-1), np.float32(1)) @ p["output_weight"] + p["output_bias"]
    count = batch[0].shape[0]
    return pt.mean(pt.maximum(1 - scores[:count] + scores[count:], np.float32(0)))


def joint_lookup(batch):
    return {"source_table": batch[0], "target_table": batch[1]}


def joint(p, rows, batch):
    x = pt.concatenate([flat(rows["source_table"]), flat(rows["target_table"])], axis=1)
    for k in range(2):
        x = pt.tanh(x @ p[f"weight_{k}"] + p[f"bias_{k}"])
    return cross_entropy(x @ p["weight_2"] + p["bias_2"], batch[2])


def nothing(batch):
    return {}


LAYERS = tuple(f"{part}_{k}" for k in range(3) for part in ("weight", "bias"))
HEAD = ("hidden_weight", "hidden_bias", "output_weight", "output_bias")
MODELS = {
    "line": (nothing, line, ("w", "b"), ("x", "y")),
    "gates": (nothing, gates, LAYERS, ("x", "y")),
    "mlp": (nothing, mlp, LAYERS, ("x", "y")),
    "window": (
        window_lookup,
        window,
        ("word_table", "capitalisation_table", *HEAD),
        ("words", "capitalisations", "tags"),
    ),
    "ranking": (ranking_lookup, ranking, ("word_table", *HEAD), ("true", "corrupt")),
    "joint": (joint_lookup, joint, ("source_table", "target_table", *LAYERS), ("source", "target", "next")),
}


def variables(arrays, names):
    """A symbol for each part of a batch, of the batches' own shape."""
    return [pt.tensor(name, dtype=arrays[name].dtype.name, shape=arrays[name].shape[1:]) for name in names]


def shared(arrays, names):
    return {name: pytensor.shared(arrays[name], name=name, borrow=True) for name in names}


def training(workload, mode):
    def form(arrays, settings):
        lookup, cost, names, columns = MODELS[workload]
        if settings["optimizer"] not in ("sgd", "adam"):
            raise NotOfferedError  # rows of equal indices would have to be added up first
        p, batch, rate = shared(arrays, names), variables(arrays, columns), np.float32(settings["rate"])
        index = lookup(batch)
        rows = {name: p[name][where] for name, where in index.items()}
        dense = [name for name in names if name not in rows]
        value = cost(p, rows, batch)
        found = pytensor.grad(value, [*(p[name] for name in dense), *rows.values()])
        updates = []
        for name, gradient in zip(dense, found, strict=False):
            updates += (
                adam(p[name], gradient, rate)
                if settings["optimizer"] == "adam"
                else [(p[name], p[name] - rate * gradient)]
            )
        for name, gradient in zip(rows, found[len(dense) :], strict=True):
            updates.append((p[name], pt.inc_subtensor(p[name][index[name]], -rate * gradient)))
        step = pytensor.function(batch, value, updates=updates, mode=mode)
        step.trust_input = True
        return Task(stepping(step), list(zip(*(list(arrays[name]) for name in columns), strict=True)))

    return form


def adam(value, gradient, rate):
    mean, squares = (pytensor.shared(np.zeros_like(value.get_value())) for _ in range(2))
    count = pytensor.shared(np.float32(0))
    now = count + np.float32(1)
    new_mean = np.float32(0.9) * mean + np.float32(0.1) * gradient
    new_squares = np.float32(0.999) * squares + np.float32(0.001) * gradient**2
    pace, scale = rate / (1 - np.float32(0.9) ** now), 1 / pt.sqrt(1 - np.float32(0.999) ** now)
    new = value - pace * new_mean / (pt.sqrt(new_squares) * scale + np.float32(1e-8))
    return [(value, new), (mean, new_mean), (squares, new_squares), (count, now)]


def inference(mode):
    def form(arrays, settings):
        p, batch = shared(arrays, MODELS["window"][2]), variables(arrays, ("words", "capitalisations"))
        rows = {name: p[name][where] for name, where in window_lookup(batch).items()}
        scores = pytensor.function(batch, window_scores(p, rows), mode=mode)
        scores.trust_input = True
        return Task(stepping(scores), list(zip(*(list(arrays[v.name]) for v in batch), strict=True)))

    return form


def elementwise(mode):
    def form(arrays, settings):
        (x,) = batch = variables(arrays, ["x"])
        one, half, two = np.float32(1.0), np.float32(0.5), np.float32(2.0)
        y = pt.minimum(pt.abs(x * np.float32(1.5) + half), np.float32(4.0))
        y = pt.maximum(y * y - one, -half) * np.float32(0.25) + two
        chain = pytensor.function(batch, one / -pt.sqrt(y), mode=mode)
        chain.trust_input = True
        return Task(stepping(chain), [(row,) for row in arrays["x"]])

    return form


def main():
    modes = {"Numba": "NUMBA"}
    if pytensor.config.cxx:
        modes["C"] = Mode(linker="cvm", optimizer="fast_run")
    forms = {name: {kind: training(name, mode) for kind, mode in modes.items()} for name in MODELS}
    forms["window inference"] = {kind: inference(mode) for kind, mode in modes.items()}
    forms["elementwise"] = {kind: elementwise(mode) for kind, mode in modes.items()}
    serve("pytensor", pytensor.__version__, THREADS, forms)


if __name__ == "__main__":
    main()
