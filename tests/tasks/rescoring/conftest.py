from __future__ import annotations

import random

import numpy as np
import pytest

from amigrad.data.bitext import Bitext

WORDS = 24


def made_bitext(count: int, seed: int = 1) -> Bitext:
    """Pairs of two made-up languages.

    Word `a7` is `b7`, or `c7` after an even word; every third word has an article before it that nothing is linked to;
    every fifth changes places with its successor. The last word is a number that occurs once.
    """
    drawn = random.Random(seed)
    found = Bitext([], [], [])
    assert found.links is not None
    for pair in range(count):
        words = [drawn.randrange(WORDS) for _ in range(drawn.randint(2, 7))]
        order = list(range(len(words)))
        for place in range(len(words) - 1):
            if words[order[place]] % 5 == 0:
                order[place], order[place + 1] = order[place + 1], order[place]
        target: list[str] = []
        links: list[tuple[int, int]] = []
        for place in order:
            word = words[place]
            if word % 3 == 0:
                target.append("the")
            links.append((place, len(target)))
            target.append(f"{'c' if place and words[place - 1] % 2 == 0 else 'b'}{word}")
        links.append((len(words), len(target)))
        found.source.append([*(f"a{word}" for word in words), f"{seed}{pair}x"])
        found.target.append([*target, f"{seed}{pair}x"])
        found.links.append(np.array(links, np.int32))
    return found


@pytest.fixture(scope="session")
def bitext() -> Bitext:
    """Pairs to train on."""
    return made_bitext(400)


@pytest.fixture(scope="session")
def dev_bitext() -> Bitext:
    """Other pairs of the same languages."""
    return made_bitext(60, seed=2)
