"""The compiled objectives against sums over pairs, one by one."""

import numpy as np
import pytest

import amigrad as ag
from amigrad.graph import Parameter
from amigrad.tasks.embedding.models import BagOfWords, Ranking, SkipGram, StructuredSkipGram
from amigrad.tasks.embedding.spans import SPAN, drawn_words

VOCABULARY, SIZE, WINDOW, NEGATIVES, SPANS = 30, 6, 3, 7, 2


def batch(width: int) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    shape = (SPANS, SPAN + 2 * WINDOW)
    sentences = np.sort(random.integers(0, 6, shape), axis=1)
    return [
        np.asarray(part, np.int32)
        for part in (
            random.integers(0, VOCABULARY, shape),
            sentences,
            random.integers(1, WINDOW + 1, (SPANS, SPAN)),
            random.integers(0, VOCABULARY, (SPANS, width)),
        )
    ]


def model_of(kind):
    model = kind(VOCABULARY, SIZE, WINDOW, NEGATIVES, ag.Generator(1))
    random = np.random.default_rng(1)
    for parameter in model.parameters():
        parameter.assign(random.normal(size=parameter.shape).astype(np.float32))
    return model


def softplus(x: float) -> float:
    return float(np.logaddexp(0.0, x))


def skip_gram(words, outputs, tokens, sentences, reach, drawn, base, structured=False):
    cost, places = 0.0, [place for place in range(-WINDOW, WINDOW + 1) if place]
    for g in range(SPANS):
        for t in range(SPAN):
            middle = t + WINDOW
            h = words[tokens[g, middle]]
            for table, place in enumerate(places):
                if abs(place) > reach[g, t] or sentences[g, middle] != sentences[g, middle + place]:
                    continue
                target = tokens[g, middle + place]
                row = target * len(places) + table if structured else target
                others = drawn[g]
                if structured:
                    others = others.reshape(len(places), -1)[table] * len(places) + table
                cost += softplus(-h @ outputs[row])
                cost += NEGATIVES / len(others) * sum(softplus(h @ outputs[other]) for other in others)
    return cost


def bag_of_words(words, outputs, tokens, sentences, reach, drawn, base):
    """`base`: the words' rows that the mean is of; how far `words` are from them counts in full, not in the mean."""
    cost = 0.0
    for g in range(SPANS):
        for t in range(SPAN):
            middle = t + WINDOW
            around = [
                tokens[g, place]
                for place in range(middle - reach[g, t], middle + reach[g, t] + 1)
                if place != middle and sentences[g, place] == sentences[g, middle]
            ]
            if around:
                h = base[around].mean(axis=0) + (words[around] - base[around]).sum(axis=0)
                cost += softplus(-h @ outputs[tokens[g, middle]])
                cost += NEGATIVES / len(drawn[g]) * sum(softplus(h @ outputs[other]) for other in drawn[g])
    return cost


@pytest.mark.parametrize(
    ("kind", "width", "expected"),
    [
        (SkipGram, drawn_words("skipgram", NEGATIVES), skip_gram),
        (
            StructuredSkipGram,
            drawn_words("structured", NEGATIVES) * 2 * WINDOW,
            lambda *a: skip_gram(*a, structured=True),
        ),
        (BagOfWords, drawn_words("cbow", NEGATIVES), bag_of_words),
    ],
)
def test_costs_and_gradients_are_those_of_the_pairs_one_by_one(kind, width, expected):
    model, arguments = model_of(kind), batch(width)
    tables = [model.words.table, model.outputs]
    values = [np.asarray(table.value, np.float64) for table in tables]
    reference = expected(*values, *arguments, values[0])
    rate = 1e-3
    optimizer = ag.optim.SGD(model.named_parameters(), rate)

    @ag.compile
    def step(*parts):
        cost = model.cost(*parts)
        optimizer.minimize(cost)
        return cost

    assert step(*arguments).item() == pytest.approx(reference, rel=1e-5)  # float32 sums of a few hundred terms
    for number, table in enumerate(tables):
        gradient = (values[number] - table.value) / rate
        for row, column in ((0, 0), (7, 3), (29, 5)):
            shifted = [value.copy() for value in values]
            shifted[number][row, column] += 1e-5
            slope = (expected(*shifted, *arguments, values[0]) - reference) / 1e-5
            assert gradient[row, column] == pytest.approx(slope, rel=0.01, abs=0.01)  # 1e-3 from float32 over the rate


def test_ranking_scores_both_windows_whole():
    model = Ranking(VOCABULARY, SIZE, WINDOW, 5, ag.Generator(1))
    random = np.random.default_rng(1)
    around = random.integers(0, VOCABULARY, (7, 2 * WINDOW)).astype(np.int32)
    middle, other = random.integers(0, VOCABULARY, (2, 7)).astype(np.int32)
    words, shared, own, bias, score = (p.numpy() for p in model.parameters())

    def window(word):
        inside = words[around].reshape(7, -1) @ shared + words[word] @ own + bias
        return np.clip(inside, -1, 1) @ score

    expected = np.maximum(0, 1 - window(middle) + window(other)).sum()
    assert ag.compile(model.cost)(around, middle, other).item() == pytest.approx(expected, rel=1e-5)
    assert isinstance(model.words.table, Parameter)
