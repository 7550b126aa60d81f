"""The rows of a table: which features are tuned, and the translations that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from amigrad.tasks.rescoring.bleu import corpus_bleu, sentence_bleu
from amigrad.tasks.rescoring.consensus import pairwise_bleu, posteriors
from amigrad.tasks.rescoring.evaluate import compare
from amigrad.tasks.rescoring.features import TuningSet
from amigrad.tasks.rescoring.rescore import SHARPNESS
from amigrad.tasks.rescoring.tuning import TuningOptions, fold_sentences, tune
from experiments.devlin2014.data import Lists, Pair

FOLDS = 5
LEXICONS = ("lexical-", "discriminative-")
Rows = np.ndarray


def run_rows(pair: Pair, limit: float | None, folding: int, rows: Sequence[str] | None = None) -> dict[str, Any]:
    """The rows of a pair. The choice of everything is made on dev; with cross-validation, on the other folds.

    limit: MIRA's C; None: what cross-validation finds on the sentences that weights are tuned on. folding: seeds the
    folds. rows: names of rows besides the decoder, the retuned decoder and the oracle; None for all.
    """
    options = TuningOptions() if limit is None else TuningOptions(limits=(limit,), folds=0)
    dev = pair.lists("dev")
    if pair.report:
        report = pair.lists(pair.report)
        splits = [(dev, np.arange(len(dev.references)), report, np.arange(len(report.references)))]
    else:
        report = dev
        splits = [(dev, inside, dev, outside) for inside, outside in _drawn_folds(len(dev.references), folding)]
    own = dev.candidates.names[: len(dev.candidates.names) - len(_added(dev))]
    systems: dict[str, Rows] = {"the decoder": report.candidates.starts}
    held_out: dict[str, float] = {}
    subsets = {"its own features retuned": (), **{f"+ {name}": names for name, names in _subsets(dev).items()}}
    subsets = {name: added for name, added in subsets.items() if not added or rows is None or name[2:] in rows}
    risk = {"+ all": "+ all, minimum Bayes risk"}
    for name, added in subsets.items():
        print(f"{pair.data.name}: {name}", flush=True)
        chosen = np.empty(len(report.references), np.int64)
        by_risk = chosen.copy()
        figures = []
        for tuned_on, inside, reported, outside in splits:
            columns = [*own, *added]
            train = _columns(tuned_on.candidates.part(inside), columns)
            test = _columns(reported.candidates, columns)
            tuned = tune(train, options)
            figures += [max(tuned.held_out.values())] if tuned.held_out else []
            scores = test.features @ tuned.weights.astype(np.float32)
            chosen[outside] = test.best(scores)[outside]
            if name in risk:
                train_scores = tuned_on.candidates.features[:, _places(tuned_on, columns)] @ tuned.weights
                spread = train.spread(tuned.weights)
                sharpness = _sharpest(tuned_on, inside, train_scores, spread)
                by_risk[outside] = _by_risk(reported, outside, scores, sharpness)
        systems[name] = chosen
        if figures:
            held_out[name] = float(np.mean(figures))
        if name in risk:
            systems[risk[name]] = by_risk
    systems["the oracle"] = report.candidates.best(sentence_bleu(report.candidates.statistics))
    return {
        "set": pair.report or f"dev, {FOLDS}-fold, folding {folding}",
        "held_out": held_out,
        "options": asdict(options),
        **_figures(report, systems),
    }


def _drawn_folds(count: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Sentences to tune on and to hold out, for each fold: the sentences in an order that is drawn from the seed."""
    order = np.random.default_rng(seed).permutation(count)
    folds = fold_sentences(count, FOLDS)
    return [(np.sort(order[inside]), np.sort(order[outside])) for inside, outside in folds]


def _added(lists: Lists) -> list[str]:
    return [name for name in lists.candidates.names if name.startswith(("joint-", "lm-", *LEXICONS))]


def _subsets(lists: Lists) -> dict[str, list[str]]:
    """The features of the rows: each joint model and language model, both of each lexicon, all joint ones, all."""
    added = _added(lists)
    lexicons = {prefix[:-1]: [name for name in added if name.startswith(prefix)] for prefix in LEXICONS}
    joint = [name for name in added if not name.startswith(LEXICONS)]
    found = {**{name: [name] for name in joint}, **lexicons, "all joint": joint, "all": added}
    return {name: names for name, names in found.items() if names}


def _places(lists: Lists, names: Sequence[str]) -> list[int]:
    return [lists.candidates.names.index(name) for name in names]


def _columns(candidates: TuningSet, names: Sequence[str]) -> TuningSet:
    places = [candidates.names.index(name) for name in names]
    return replace(candidates, names=tuple(names), features=candidates.features[:, places])


def _sharpest(lists: Lists, sentences: Rows, scores: np.ndarray, spread: float) -> float:
    """The sharpness with the best BLEU by minimum Bayes risk on some sentences, as `tune_risk` finds it."""
    tried = np.array(SHARPNESS) / spread
    chosen = [_each_risk(lists, sentence, scores, tried) for sentence in sentences]
    sums = lists.candidates.statistics[np.array(chosen)].sum(axis=0, dtype=np.int64)
    return float(tried[corpus_bleu(sums).argmax()])


def _by_risk(lists: Lists, sentences: Rows, scores: np.ndarray, sharpness: float) -> Rows:
    tried = np.array([sharpness])
    return np.array([_each_risk(lists, sentence, scores, tried)[0] for sentence in sentences])


def _each_risk(lists: Lists, sentence: int, scores: np.ndarray, tried: np.ndarray) -> Rows:
    """The row of the highest expected BLEU of a sentence for each sharpness."""
    start = lists.candidates.starts[sentence]
    own = scores[start : start + lists.candidates.counts[sentence]].astype(np.float64)
    chances = np.stack([posteriors(own, sharpness) for sharpness in tried], axis=1)
    return start + (pairwise_bleu(lists.hypotheses[sentence]) @ chances).argmax(axis=0)


def _figures(lists: Lists, systems: dict[str, Rows]) -> dict[str, Any]:
    """BLEU and chrF by sacrebleu, compared with the retuned decoder and with the decoder."""
    texts = {name: [" ".join(_words(lists, row)) for row in rows] for name, rows in systems.items()}
    references = [[" ".join(words) for words in lists.references]]
    retuned = list(texts)[1]
    others = {name: text for name, text in texts.items() if name != retuned}
    against_retuned = compare({retuned: texts[retuned], **others}, references)
    against_decoder = compare(texts, references)
    return {
        "rows": {
            name: {
                "bleu": against_decoder.bleu[name].value,
                "chrf": against_decoder.chrf[name].value,
                "p_retuned": against_retuned.bleu[name].p,
                "p_decoder": against_decoder.bleu[name].p,
            }
            for name in texts
        },
        "signatures": list(against_decoder.signatures),
    }


def _words(lists: Lists, row: int) -> tuple[str, ...]:
    sentence = int(lists.candidates.sentences[row])
    return lists.hypotheses[sentence][row - lists.candidates.starts[sentence]]
