"""N-gram probabilities a second of a joint model, file to file on one core, and those of PyTorch with the full softmax.

    python -m benchmarks.rescoring_speed --data FOLDER               # the paper's sizes, random parameters
    python -m benchmarks.rescoring_speed --data FOLDER --model DIR   # a trained model
    python -m benchmarks.rescoring_speed --data FOLDER --peer .venv-torch/bin/python

FOLDER holds `de-en` with its bitext and the n-best list of devtest. Every position of every hypothesis counts, the ends
too. Each run of amigrad reads the packed list and writes it with a feature more, unpacked; loading a model is measured
apart, starting Python not at all. PyTorch gets the contexts of some positions as arrays: reading, aligning and writing
cost it nothing. They take turns, and the log probabilities of these positions have to be the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from benchmarks.common import save, show, spread, stay_on_one_core

PAPER = {"word_size": 192, "first_size": 512, "second_size": 512}
VOCABULARY = 16_000
PEER = Path(__file__).parent / "peers" / "torch_rescoring.py"


def make_model(data: Path, folder: Path) -> None:
    """A model of the paper's sizes with random parameters: the bitext's words, filled up to 16,000 by made-up ones."""
    from amigrad.data import Vocabulary
    from amigrad.data.bitext import read_bitext
    from amigrad.tasks.rescoring import JointModel, JointOptions
    from amigrad.tasks.rescoring.examples import pairs_of
    from amigrad.tasks.rescoring.joint import create_network
    from amigrad.tasks.rescoring.lexicon import Lexicon
    from amigrad.tasks.rescoring.words import Words

    bitext = read_bitext(*(data / f"train.{part}.gz" for part in ("src", "tgt", "align")))
    sides = []
    for side in (bitext.source, bitext.target):
        words = Words.build(side, minimum_count=1, maximum_size=VOCABULARY, classes=True).vocabulary
        filled = [*words.words, *(f"made-up-{number}" for number in range(VOCABULARY - len(words)))]
        counts = [*map(int, words.counts), *[1] * (VOCABULARY - len(words))]
        sides.append(Words(Vocabulary(filled, counts, words.specials)))
    source, target = sides
    options = JointOptions(**PAPER)  # type: ignore[arg-type]
    network = create_network(options, source, target)
    rng = np.random.default_rng(1)
    network.output.table.value[...] = rng.normal(0, 0.1, network.output.table.value.shape)
    lexicon = Lexicon.build(pairs_of(bitext, source, target), len(source))
    JointModel(options, source, target, lexicon, network, {}).save(folder)


def score(model: Path, data: Path, output: Path) -> dict[str, float]:
    """Load and score as `amigrad rescorer score` does; the seconds of either part, and how many positions there are."""
    stay_on_one_core()
    from amigrad.tasks.rescoring import read_nbest, read_sentences
    from amigrad.tasks.rescoring.added import AddedFeatures, write_features

    start = time.perf_counter()
    features = AddedFeatures([model])
    loaded = time.perf_counter()
    write_features(features, read_nbest(data / "devtest.nbest.gz"), read_sentences(data / "devtest.src"), output)
    return {"load": loaded - start, "score": time.perf_counter() - loaded}


def positions(data: Path) -> int:
    """How many words the hypotheses have, and ends."""
    from amigrad.tasks.rescoring import read_nbest

    return sum(len(words) + 1 for found in read_nbest(data / "devtest.nbest.gz") for words in found.hypotheses)


def write_contexts(model: Path, data: Path, count: int, path: Path) -> dict[str, np.ndarray]:
    """The contexts of the list's first positions and all parameters, for the peer; gives our log probabilities."""
    from amigrad.tasks.rescoring import JointModel, Scorer, read_nbest, read_sentences
    from amigrad.tasks.rescoring.examples import contexts_of
    from amigrad.tasks.rescoring.joint_features import candidates_of

    loaded = JointModel.load(model)
    lists = list(islice(read_nbest(data / "devtest.nbest.gz"), 40))
    candidates = candidates_of(lists, read_sentences(data / "devtest.src")[: len(lists)])
    scorers = {name: Scorer(loaded, exact=name == "exact") for name in ("exact", "normalised")}
    contexts = contexts_of(scorers["exact"]._pairs(candidates), loaded.options)
    part = slice(0, count)
    arrays = {
        "windows": contexts.windows(part),
        "histories": contexts.histories(part),
        "targets": contexts.targets(part),
    }
    parameters = {name: parameter.value for name, parameter in loaded.network.named_parameters().items()}
    save_file({**arrays, **parameters}, path)
    return {name: scorer.predictions(candidates)[0][part] for name, scorer in scorers.items()}


def run_once(*arguments: str) -> dict[str, Any]:
    """What a process of its own measures."""
    command = [sys.executable, "-m", "benchmarks.rescoring_speed", *arguments]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def measure(model: Path, data: Path, runs: int, peer: Path | None, sample: int) -> dict[str, Any]:
    """Speeds of some runs in turns, after one that is not counted: it may have to compile."""
    result: dict[str, Any] = {"positions": positions(data)}
    ours, theirs, loads = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        contexts, answer = Path(folder) / "contexts.safetensors", Path(folder) / "answer.npy"
        expected = write_contexts(model, data, sample, contexts) if peer is not None else {}
        for number in range(runs + 1):
            found = run_once("--once", str(model), "--data", str(data.parent), "--output", str(Path(folder) / "scored"))
            if peer is not None:
                command = [str(peer), str(PEER), str(contexts), str(answer)]
                report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
                if number:
                    theirs.append(report["positions"] / report["seconds"])
                result["torch"] = {"version": report["version"], "batch": report["batch"]}
            if number:
                ours.append(result["positions"] / found["score"])
                loads.append(found["load"])
        if peer is not None:
            exact, scores = np.load(answer)
            result["difference"] = max(
                float(np.abs(exact - expected["exact"]).max()), float(np.abs(scores - expected["normalised"]).max())
            )
    result |= {"speed": spread(ours), "load": spread(loads)}
    if theirs:
        result |= {"torch_speed": spread(theirs), "ratio": spread([a / b for a, b in zip(ours, theirs, strict=True)])}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with de-en")
    parser.add_argument("--model", type=Path, help="a model; default: one of the paper's sizes with random parameters")
    parser.add_argument("--peer", type=Path, help="Python of an environment with PyTorch")
    parser.add_argument("--sample", type=int, default=16_384, help="positions that PyTorch scores in a run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    data = arguments.data / "de-en"
    if arguments.once is not None:
        print(json.dumps(score(arguments.once, data, arguments.output)))
        return
    stay_on_one_core()
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.model or Path(folder)
        if arguments.model is None:
            make_model(data, model)
        result = measure(model, data, arguments.runs, arguments.peer, arguments.sample)
    rows = [["amigrad, file to file", *(f"{result['speed'][kind]:,.0f}" for kind in ("median", "least", "most"))]]
    if arguments.peer is not None:
        rows.append(
            ["PyTorch, full softmax", *(f"{result['torch_speed'][kind]:,.0f}" for kind in ("median", "least", "most"))]
        )
        rows.append(["ratio", *(f"{result['ratio'][kind]:,.0f}" for kind in ("median", "least", "most"))])
    show(f"{result['positions']:,} positions; n-gram probabilities a second", ["", "median", "least", "most"], rows)
    if arguments.peer is not None:
        print(f"largest difference of a log probability: {result['difference']:.1e}")
    print(f"loading the model: {result['load']['median']:.2f} s")
    save("rescoring_speed", {"runs": arguments.runs, "model": str(arguments.model)}, [result])
    if result.get("difference", 0.0) > 1e-4:
        raise SystemExit("the log probabilities differ")


if __name__ == "__main__":
    main()
