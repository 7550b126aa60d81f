"""Taggers of whole sentences: a lookup table of 10,000 words x 50 -> an Elman layer or an LSTM of 100 -> 45 tags; SGD.

A batch is 16 sentences of 5 to 60 words, of other lengths each time; the cost is the mean over all words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import amigrad as ag
from benchmarks.peers.serve import Task, stepping
from benchmarks.workloads.case import Arrays, Case, drawn, minimizing, optimizer, words

VOCABULARY, WORD_SIZE, HIDDEN, TAGS = 10_000, 50, 100, 45
BATCHES, SENTENCES, SHORTEST, LONGEST = 128, 16, 5, 60
GATES = {"elman": 1, "lstm": 4}


def cases() -> list[Case]:
    return [
        Case(
            f"sequence {layer}", f"sequence, {layer}", {"optimizer": "sgd", "rate": 0.1, "layer": layer}, 3.0, SENTENCES
        )
        for layer in GATES
    ]


def data(settings: Mapping[str, Any]) -> Arrays:
    """Of the sentences: lengths (batches, sentences); words and tags, those of all sentences one after another.
    Gates in the order input, forget, new, output.
    """
    random, width = np.random.default_rng(1), HIDDEN * GATES[settings["layer"]]
    lengths = random.integers(SHORTEST, LONGEST + 1, (BATCHES, SENTENCES))
    tokens = int(lengths.sum())
    return {
        "lengths": lengths.astype(np.int32),
        "words": words(random, VOCABULARY, (tokens,)),
        "tags": random.integers(0, TAGS, tokens, np.int32),
        "word_table": drawn(random, VOCABULARY, WORD_SIZE, scale=0.1),
        "input_weight": drawn(random, WORD_SIZE, width),
        "hidden_weight": drawn(random, HIDDEN, width),
        "hidden_bias": np.zeros(width, np.float32),
        "output_weight": drawn(random, HIDDEN, TAGS),
        "output_bias": np.zeros(TAGS, np.float32),
    }


def task(arrays: Arrays, settings: Mapping[str, Any]) -> Task:
    generator = ag.Generator(1)
    table = ag.nn.LookupTable(VOCABULARY, WORD_SIZE, generator=generator)
    kind = ag.nn.LSTM if settings["layer"] == "lstm" else ag.nn.Elman
    layer = kind(WORD_SIZE, HIDDEN, generator=generator)
    output = ag.nn.Linear(HIDDEN, TAGS, generator=generator)
    parameters = {
        "word_table": table.table,
        "input_weight": layer.weight,
        "hidden_weight": layer.hidden_weight,
        "hidden_bias": layer.bias,
        "output_weight": output.weight,
        "output_bias": output.bias,
    }
    for name, parameter in parameters.items():
        if parameter is not None:
            parameter.assign(arrays[name])

    def cost(words: ag.Tensor, lengths: ag.Tensor, tags: ag.Tensor) -> ag.Tensor:
        return ag.cross_entropy(output(layer(table(words), lengths)), tags)

    step = minimizing(cost, optimizer(settings, {name: p for name, p in parameters.items() if p is not None}))
    ends = np.cumsum(arrays["lengths"].sum(1))[:-1]
    columns = (np.split(arrays["words"], ends), arrays["lengths"], np.split(arrays["tags"], ends))
    return Task(stepping(step), list(zip(*columns, strict=True)))
