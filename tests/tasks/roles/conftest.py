"""A small world with propositions: people give things to one another, see them, and tell of it."""

from __future__ import annotations

import random

import pytest

from amigrad.data import Proposition, PropositionSentence, Span
from amigrad.tasks.roles import RoleLabeller, RoleOptions, train_labeller

NAMES = ("Ann", "Bob", "Carla", "Dan", "Eve", "Fred")
THINGS = ("book", "lamp", "letter", "coat", "old bike", "red apple")
SMALL = RoleOptions(
    word_size=12,
    affix_size=4,
    distance_size=6,
    hidden_size=16,
    epochs=10,
    batch_size=4,
    dropout=0.0,
    learning_rate=0.02,
)


def make_sentence(draw: random.Random) -> PropositionSentence:
    """A sentence, such as `Yesterday Ann gave Bob the old bike .`, or `Ann said that Bob saw a lamp .`"""
    words: list[str] = []
    tags: list[str] = []
    spans: list[list[Span]] = [[]]
    places: list[tuple[int, str]] = []

    def add(text: str, tag: str, label: str = "") -> Span:
        start = len(words)
        words.extend(text.split())
        tags.extend([tag] * (len(words) - start))
        span = Span(label, start, len(words))
        if label:
            spans[-1].append(span)
        return span

    def verb(text: str, lemma: str) -> None:
        places.append((add(text, "VBD", "V").start, lemma))

    def clause() -> None:
        if draw.random() < 0.3:
            add("yesterday", "NN", "AM-TMP")
        add(draw.choice(NAMES), "NNP", "A0")
        kind = draw.randrange(3)
        if kind == 0:
            verb("gave", "give")
            add(draw.choice(NAMES), "NNP", "A2")
            add(f"the {draw.choice(THINGS)}", "NN", "A1")
        elif kind == 1:
            verb("saw", "see")
            add(f"a {draw.choice(THINGS)}", "NN", "A1")
        else:
            verb("picked", "pick")
            add(f"the {draw.choice(THINGS)}", "NN", "A1")
            add("up", "RP", "C-V")

    if draw.random() < 0.4:
        add(draw.choice(NAMES), "NNP", "A0")
        verb("said", "say")
        start = len(words)
        outer = spans[-1]
        add("that", "IN")
        spans.append([])
        clause()
        outer.append(Span("A1", start, len(words)))
    else:
        clause()
    add(".", ".")
    propositions = [Proposition(place, lemma, tuple(own)) for (place, lemma), own in zip(places, spans, strict=True)]
    return PropositionSentence(tuple(words), tuple(propositions), tuple(tags))


@pytest.fixture(scope="session")
def world() -> list[PropositionSentence]:
    """Some sentences; the last one has no proposition."""
    draw = random.Random(1)
    return [*(make_sentence(draw) for _ in range(150)), PropositionSentence(("Well", "."), (), ("UH", "."))]


@pytest.fixture(scope="session")
def labeller(world: list[PropositionSentence]) -> RoleLabeller:
    """A labeller with a bidirectional LSTM, trained on all sentences but the last 30."""
    return train_labeller(world[:120], world[120:], SMALL)
