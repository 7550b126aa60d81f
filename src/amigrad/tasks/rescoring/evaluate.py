"""Translations compared with references by sacrebleu: BLEU, chrF, paired bootstrap; and the oracle of n-best lists."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amigrad.data import DataError
from amigrad.data.lines import Source, numbered_lines, source_name
from amigrad.tasks.rescoring.bleu import Words, bleu_statistics, sentence_bleu
from amigrad.tasks.rescoring.features import Step
from amigrad.tasks.rescoring.nbest import NBestList

SAMPLES = 1000
"""Samples of the paired bootstrap (Koehn, 2004)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a system: its value, mean and half width of the 95 % interval, and against the first system its p.

    p is the probability of a difference at least as large if neither were better, by paired bootstrap; the first system
    has none.
    """

    value: float
    mean: float
    interval: float
    p: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """BLEU and chrF of systems by name, the first being what the others are compared with; sacrebleu's signatures."""

    bleu: Mapping[str, Figure]
    chrf: Mapping[str, Figure]
    signatures: tuple[str, str]


def compare(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[Sequence[str]],
    *,
    tokenize: str = "none",
    samples: int = SAMPLES,
    seed: int = 12345,
) -> Comparison:
    """Compare systems by name, each a text for each sentence, with one or several sets of references.

    `tokenize` is a tokenisation of sacrebleu. The seed draws the samples. Raises DataError without sacrebleu, and
    ValueError for a tokenisation that it does not know.
    """
    try:
        from sacrebleu.metrics import BLEU, CHRF
        from sacrebleu.significance import PairedTest
    except ImportError:
        remedy = "Install it with `pip install 'amigrad[translation]'`"
        raise DataError("sacrebleu", None, "BLEU and chrF need this package, which is not installed", remedy) from None

    if tokenize not in BLEU.TOKENIZERS:
        raise ValueError(f"tokenisation '{tokenize}' is none of {', '.join(BLEU.TOKENIZERS)}")
    columns = [list(column) for column in references]
    with _quietly(seed):
        metrics = {"BLEU": BLEU(tokenize=tokenize, references=columns), "chrF2": CHRF(references=columns)}
        found = {name: _alone(metric, systems, samples) for name, metric in metrics.items()}
        if len(systems) > 1:
            named = [(name, list(texts)) for name, texts in systems.items()]
            _, results = PairedTest(named, metrics, references=None, test_type="bs", n_samples=samples)()
            for metric in metrics:
                found[metric] = {
                    name: Figure(one.score, float(one.mean), float(one.ci), _chance(systems, name, one.p_value))
                    for name, one in zip(systems, results[metric], strict=True)
                }
        signatures = [str(metric.get_signature()) for metric in metrics.values()]
    return Comparison(found["BLEU"], found["chrF2"], (signatures[0], signatures[1]))


def _alone(metric: Any, systems: Mapping[str, Sequence[str]], samples: int) -> dict[str, Figure]:
    """The figure of the first system."""
    name, texts = next(iter(systems.items()))
    one = metric.corpus_score(list(texts), None, n_bootstrap=samples)
    return {name: Figure(one.score, one._mean, one._ci, None)}


def _chance(systems: Mapping[str, Sequence[str]], name: str, p: float | None) -> float | None:
    """sacrebleu's p, but 1 for a system whose texts are those of the first: there it counts no sample."""
    return 1.0 if p is not None and list(systems[name]) == list(next(iter(systems.values()))) else p


def read_texts(file: Source, count: int | None = None, of: str = "") -> list[str]:
    """Lines of a file, blanks around them removed. Raises DataError if they are not as many as in the file `of`."""
    texts = [line.strip() for _, line in numbered_lines(file)]
    if not texts:
        raise DataError(source_name(file), None, "there is no sentence in it", "Give a file with a sentence a line")
    if count is not None and len(texts) != count:
        problem = f"{len(texts):,} lines, but {of} has {count:,}"
        raise DataError(source_name(file), min(len(texts), count) + 1, problem, "Give a line for each sentence")
    return texts


def oracle(found: NBestList, references: Sequence[Words]) -> int:
    """The hypothesis with the best smoothed sentence BLEU, the first of equal ones."""
    return int(np.argmax(sentence_bleu(bleu_statistics(found.hypotheses, references))))


def first_and_oracle(
    lists: Iterable[tuple[NBestList, Sequence[Words]]], step: Step = lambda: None
) -> tuple[list[str], list[str]]:
    """The texts of each list's first hypothesis and of its oracle; `step` is called after each list."""
    first, best = [], []
    for found, references in lists:
        first.append(" ".join(found.hypotheses[0]))
        best.append(" ".join(found.hypotheses[oracle(found, references)]))
        step()
    return first, best


@contextlib.contextmanager
def _quietly(seed: int) -> Iterator[None]:
    """Without sacrebleu's advice on tokenised text, and with this seed, which it takes from the environment."""
    logger = logging.getLogger("sacrebleu")
    level, before = logger.level, os.environ.get("SACREBLEU_SEED")
    logger.setLevel(logging.ERROR)
    os.environ["SACREBLEU_SEED"] = str(seed)
    try:
        yield
    finally:
        logger.setLevel(level)
        if before is None:
            del os.environ["SACREBLEU_SEED"]
        else:
            os.environ["SACREBLEU_SEED"] = before
