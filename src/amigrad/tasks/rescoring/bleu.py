"""BLEU from counts: statistics of every hypothesis of a list, corpus and sentence BLEU from their sums.

The counts are those of sacrebleu with `tokenize=none` (Papineni et al., 2002; Post, 2018), which the tests hold them
against. Tuning needs them for every hypothesis, so they are made a list at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORDERS = 4
SIZE = 2 * ORDERS + 1
"""Statistics of a hypothesis: matches of 1- to 4-grams, numbers of 1- to 4-grams, length of the reference."""

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = Sequence[str]


def bleu_statistics(hypotheses: Sequence[Words], references: Sequence[Words]) -> Integers:
    """Statistics of N hypotheses of a sentence against its references, (N, 9).

    An n-gram matches as often as the reference has it that has it most often; the length is that of the reference
    nearest to the hypothesis in length, the shorter of two.
    """
    count = len(hypotheses)
    lengths = np.array([len(words) for words in hypotheses], dtype=np.int64)
    out = np.zeros((count, SIZE), np.int64)
    out[:, ORDERS : 2 * ORDERS] = np.maximum(lengths[:, None] - np.arange(ORDERS), 0)
    reference_lengths = np.array(sorted(map(len, references)))
    out[:, -1] = reference_lengths[np.abs(reference_lengths - lengths[:, None]).argmin(axis=1)]

    vocabulary = {word: number for number, word in enumerate({w for words in references for w in words}, 1)}
    width = int(lengths.max(initial=0))
    words = np.zeros((count, width), np.int64)
    words[np.arange(width) < lengths[:, None]] = [vocabulary.get(word, 0) for words in hypotheses for word in words]
    reference_words = [np.array([vocabulary[word] for word in words], dtype=np.int64) for words in references]
    codes, reference_codes = words, reference_words  # numbers from 1 of n-grams that a reference has; 0: all others
    base = len(vocabulary) + 1
    known = base - 1
    for order in range(ORDERS):
        if order:
            longer = [
                one[:-1] * base + other[order:] for one, other in zip(reference_codes, reference_words, strict=True)
            ]
            table = np.unique(np.concatenate(longer))
            known = len(table)
            reference_codes = [_number(one, table) for one in longer]
            codes = _number(codes[:, :-1] * base + words[:, order:], table)
        if not known or not codes.shape[1]:
            break
        limits = np.max([np.bincount(one, minlength=known + 1) for one in reference_codes], axis=0)
        rows = np.arange(count)[:, None] * (known + 1)
        found = np.bincount((codes + rows).ravel(), minlength=count * (known + 1)).reshape(count, known + 1)
        out[:, order] = np.minimum(found, limits)[:, 1:].sum(axis=1)
    return out


def _number(codes: Integers, table: Integers) -> Integers:
    """Places, from 1, of codes in a sorted table; 0 for those that are not in it."""
    if not len(table):
        return np.zeros_like(codes)
    places = np.minimum(np.searchsorted(table, codes), len(table) - 1)
    return np.where(table[places] == codes, places + 1, 0)


def corpus_bleu(sums: NDArray[Any]) -> Floats:
    """BLEU in percent of summed statistics (..., 9). Orders without a match are smoothed as sacrebleu does (`exp`)."""
    sums = np.asarray(sums, dtype=np.float64)
    matches, possible = sums[..., :ORDERS], sums[..., ORDERS : 2 * ORDERS]
    missing = matches == 0
    smoothed = np.where(missing, 0.5 ** np.cumsum(missing, axis=-1), matches)
    return np.where(matches.any(axis=-1), _bleu(smoothed, possible, sums), 0.0)


def sentence_bleu(statistics: NDArray[Any]) -> Floats:
    """BLEU in percent of single hypotheses (..., 9), with 1 added to the counts of 2- to 4-grams.

    Lin and Och (2004), ORANGE; `add-k` with k = 1 in sacrebleu.
    """
    statistics = np.asarray(statistics, dtype=np.float64)
    one = np.array([0.0] + [1.0] * (ORDERS - 1))
    return _bleu(statistics[..., :ORDERS] + one, statistics[..., ORDERS : 2 * ORDERS] + one, statistics)


def _bleu(matches: Floats, possible: Floats, statistics: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.log(matches / possible).mean(axis=-1)
        brevity = np.minimum(0.0, 1.0 - statistics[..., -1] / statistics[..., ORDERS])
        return np.where((possible > 0).all(axis=-1), 100 * np.exp(precision + brevity), 0.0)
