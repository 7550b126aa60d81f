"""Training the window tagger, alternated with the same model in eager PyTorch on one core.

    python -m benchmarks.window --peer .venv-torch/bin/python
    python -m benchmarks.window --peer .venv-torch/bin/python --tagger en_ewt-ud-train.conllu

Without --tagger: 5 words x 50 + 5 x 5 features of capitalisation -> 300 hardtanh -> 45 tags, words drawn as often
as text has them (the word of rank r with probability proportional to 1 / r). With it: the model, the
examples and their order that `amigrad tagger train` has for this corpus, but for its dropout.
"""

from __future__ import annotations

import argparse
import tempfile
import timeit
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import amigrad as ag
from amigrad.optim import SGD, Adagrad, Optimizer
from amigrad.tasks.tagging import TaggerOptions, read_tagged
from amigrad.tasks.tagging.examples import Examples, word_counts
from amigrad.tasks.tagging.features import Features, columns_of
from amigrad.tasks.tagging.model import WindowTagger
from amigrad.tasks.tagging.tags import prepare_tags
from benchmarks.common import Program, alternate, save, show, spread, stay_on_one_core

Arrays = Mapping[str, NDArray[Any]]

PLAIN = TaggerOptions(prefixes=(), suffixes=(), dropout=0.0, word_size=50, capitalisation_size=5, hidden_size=300)
CAPITALISATIONS = 9
TAGS = 45
EXAMPLES = 32768
FIRST_COSTS = 10
TOLERANCE = 1e-4
DENSE_BELOW = (0, 5000)
PEER = Path(__file__).parent / "peers" / "torch_window.py"


def drawn_data(vocabulary: int) -> Arrays:
    """Parameters and random examples of the plain model, under the names that the peer knows."""
    random = np.random.default_rng(1)
    shape = (EXAMPLES, PLAIN.window)
    words = np.exp(random.random(shape) * np.log(vocabulary + 1)).astype(np.int32) - 1
    capitalisation = random.integers(0, CAPITALISATIONS, shape, np.int32)
    targets = random.integers(0, TAGS, EXAMPLES, np.int32)
    return _data(PLAIN, (vocabulary, CAPITALISATIONS), [words.clip(0, vocabulary - 1), capitalisation], targets)


def corpus_data(path: Path, options: TaggerOptions) -> Arrays:
    """Parameters and examples that the tagger trains on, in the same form."""
    sentences, tags = prepare_tags(read_tagged(path), options.scheme)
    features = Features.build(options, word_counts(sentences))
    examples = Examples(features, sentences, tags.index, options, batch_size=1 << 30)
    batch = examples.batch(np.random.default_rng(1).permutation(len(examples)))
    return _data(options, features.sizes, batch.columns, batch.targets)


def _data(
    options: TaggerOptions, entries: tuple[int, ...], columns: list[NDArray[np.int32]], targets: NDArray[np.int32]
) -> Arrays:
    model = _model(options, entries, int(targets.max()) + 1)
    found = {f"windows_{k}": column for k, column in enumerate(columns)} | {"targets": targets}
    return found | {theirs: model.states()[ours].numpy() for ours, theirs in _names(model).items()}


def _model(options: TaggerOptions, entries: tuple[int, ...], tags: int) -> WindowTagger:
    return WindowTagger(
        columns_of(options),
        entries,
        tags,
        window=options.window,
        hidden_size=options.hidden_size,
        dropout=0.0,
        generator=ag.Generator(1),
    )


def _names(model: WindowTagger) -> dict[str, str]:
    tables = {f"tables.{name}.table": f"table_{k}" for k, name in enumerate(model.tables)}
    return tables | {f"{a}.{b}": f"{a}_{b}" for a in ("hidden", "output") for b in ("weight", "bias")}


class Training:
    """The tagger's own model and its compiled step; the batches are slices, cut once, of arrays in memory."""

    def __init__(
        self, arrays: Arrays, options: TaggerOptions, *, batch: int, optimizer: str, rate: float, backend: str | None
    ) -> None:
        count = sum(name.startswith("table_") for name in arrays)
        entries = tuple(len(arrays[f"table_{k}"]) for k in range(count))
        model = _model(options, entries, len(arrays["output_bias"]))
        states = model.states()
        for ours, theirs in _names(model).items():
            states[ours].assign(arrays[theirs])
        parameters = model.named_parameters()
        method: Optimizer = SGD(parameters, rate) if optimizer == "sgd" else Adagrad(parameters, rate)

        def step(columns: list[ag.Tensor], targets: ag.Tensor) -> ag.Tensor:
            cost = model.cost(columns, targets)
            method.minimize(cost)
            return cost

        self.compiled = ag.compile(step) if backend is None else ag.compile(step, backend=backend)
        targets = arrays["targets"]
        cut = [slice(end - batch, end) for end in range(batch, len(targets) + 1, batch)]
        self.batches = [([arrays[f"windows_{k}"][part] for k in range(count)], targets[part]) for part in cut]
        self.next = 0

    def step(self) -> ag.Tensor:
        columns, targets = self.batches[self.next]
        self.next = (self.next + 1) % len(self.batches)
        cost: ag.Tensor = self.compiled(columns, targets)
        return cost

    def run(self, steps: int) -> float:
        return timeit.timeit(self.step, number=steps)


def measure(arguments: argparse.Namespace, options: TaggerOptions, path: Path, batch: int, optimizer: str) -> Any:
    """One row of the table: a batch size and an optimizer."""
    command = [arguments.peer, str(PEER), str(path), "--serve", "--batch", str(batch), "--optimizer", optimizer]
    command += ["--rate", str(arguments.rate), "--costs", str(FIRST_COSTS), "--dense-below"]
    with np.load(path) as file:
        arrays = dict(file)
    rate, backend = arguments.rate, arguments.backend
    ours = Training(arrays, options, batch=batch, optimizer=optimizer, rate=rate, backend=backend)
    first = timeit.default_timer()
    costs = [float(ours.step())]
    first = timeit.default_timer() - first
    costs += [float(ours.step()) for _ in range(FIRST_COSTS - 1)]
    with Program([*command, str(DENSE_BELOW[0])]) as sparse, Program([*command, str(DENSE_BELOW[1])]) as mixed:
        for peer in (sparse, mixed):
            if not np.allclose(costs, peer.report["costs"], rtol=TOLERANCE, atol=0.0):
                raise SystemExit(f"the costs of the first steps differ:\n{costs}\n{peer.report['costs']}")
        programs = {"amigrad": ours.run, "torch sparse": sparse.run, "torch mixed": mixed.run}
        seconds = alternate(programs, arguments.runs, arguments.seconds)
        version = sparse.report["torch"]
    speeds = {name: spread([batch / taken for taken in found]) for name, found in seconds.items()}
    faster = max(("torch sparse", "torch mixed"), key=lambda name: speeds[name]["median"])
    return {
        "optimizer": optimizer,
        "batch": batch,
        "torch": version,
        "parameters": sparse.report["parameters"],
        "examples_per_second": speeds,
        "faster_peer": faster,
        "ratio": speeds["amigrad"]["median"] / speeds[faster]["median"],
        "ratio_to_sparse": speeds["amigrad"]["median"] / speeds["torch sparse"]["median"],
        "ratio_to_mixed": speeds["amigrad"]["median"] / speeds["torch mixed"]["median"],
        "first_step_seconds": first,
        "compilations": ours.compiled.compilations,
        "backend": ours.compiled.backend,
        "costs": costs,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the window tagger here and in eager PyTorch, in turns")
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="a Python that has torch, see `make peers`")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 32, 128])
    parser.add_argument("--optimizer", nargs="+", choices=("sgd", "adagrad"), default=["sgd", "adagrad"])
    parser.add_argument("--rate", type=float, default=0.01, help="learning rate")
    parser.add_argument("--vocabulary", type=int, default=100_000, help="rows of the table of words")
    parser.add_argument("--tagger", type=Path, metavar="FILE", help="the shipped tagger's model for this corpus")
    parser.add_argument("--runs", type=int, default=7, help="of each program")
    parser.add_argument("--seconds", type=float, default=0.4, help="about what a run takes")
    parser.add_argument("--backend", help="of compile; by default its own default")
    arguments = parser.parse_args()
    options = replace(TaggerOptions(), dropout=0.0) if arguments.tagger else PLAIN
    stay_on_one_core()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "window.npz"
        data = corpus_data(arguments.tagger, options) if arguments.tagger else drawn_data(arguments.vocabulary)
        np.savez(path, allow_pickle=False, **data)
        for optimizer in arguments.optimizer:
            for batch in arguments.batch:
                rows.append(measure(arguments, options, path, batch, optimizer))
    lines = []
    for row in rows:
        medians = [found["median"] for found in row["examples_per_second"].values()]
        ratios = [row["ratio_to_sparse"], row["ratio_to_mixed"], row["ratio"]]
        line = [f"{row['optimizer']}, batch {row['batch']}", *(f"{median:,.0f}" for median in medians)]
        lines.append([*line, *(f"{ratio:.2f}" for ratio in ratios)])
    tables = [len(data[name]) for name in data if name.startswith("table_")]
    title = (
        f"Examples a second, medians of {arguments.runs}; one core; tables of {tables} rows, torch {rows[0]['torch']}"
    )
    header = ["", "amigrad", "torch, all sparse", f"dense below {DENSE_BELOW[1]:,}", "to sparse", "to the other"]
    show(title, [*header, "to the faster"], lines)
    save("tagger" if arguments.tagger else "window", vars(arguments), rows)


if __name__ == "__main__":
    main()
