"""Scores nearer to logarithms of probabilities, without a change of any probability."""

from __future__ import annotations

import numpy as np

from amigrad.backends import compile
from amigrad.functions import logsumexp
from amigrad.graph import Tensor
from amigrad.tasks.rescoring.contexts import Contexts
from amigrad.tasks.rescoring.model import JointNetwork

_SAMPLES = 8192
_STEP = 512
_RIDGE = 1e-3


def normalise(network: JointNetwork, contexts: Contexts) -> None:
    """Take off all scores what of log Z is linear in the second layer's output.

    That is found by least squares on some predictions, evenly spread, and taken off each row of the output layer and
    each bias: a number that is the same for all words of a context changes no probability there.
    """

    def measured(windows: Tensor, histories: Tensor) -> tuple[Tensor, Tensor]:
        top = network.top(windows, histories)
        return top, logsumexp(network.scores(top), -1)

    compiled = compile(measured)
    which = np.linspace(0, len(contexts) - 1, min(_SAMPLES, len(contexts))).astype(np.int64)
    rows, normalisers = [], []
    for start in range(0, len(which), _STEP):
        part = which[start : start + _STEP]
        top, normaliser = compiled(contexts.windows(part), contexts.histories(part))
        rows.append(top.value.astype(np.float64))
        normalisers.append(normaliser.value.astype(np.float64))
    inputs = np.column_stack([np.concatenate(rows), np.ones(len(which))])
    ridge = np.full(inputs.shape[1], _RIDGE * len(which))
    ridge[-1] = 0.0
    found = np.linalg.solve(inputs.T @ inputs + np.diag(ridge), inputs.T @ np.concatenate(normalisers))
    network.output.table.value[...] -= found[:-1].astype(np.float32)
    network.bias.value[...] -= np.float32(found[-1])
