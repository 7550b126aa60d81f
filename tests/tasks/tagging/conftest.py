from __future__ import annotations

import pytest

from amigrad.data import Sentence
from amigrad.data.demo import demo_corpus
from amigrad.tasks.tagging import Tagger, TaggerOptions, train_tagger

SMALL = TaggerOptions(word_size=16, hidden_size=32, affix_size=4, suffixes=(2, 3), epochs=6, dropout=0.1)


@pytest.fixture(scope="session")
def chunks() -> list[Sentence]:
    """A small corpus of chunks."""
    return [Sentence(sentence.words, sentence.chunks) for sentence in demo_corpus(150)]


@pytest.fixture(scope="session")
def parts_of_speech() -> list[Sentence]:
    """The same sentences with parts of speech."""
    return [Sentence(sentence.words, sentence.parts_of_speech) for sentence in demo_corpus(150)]


@pytest.fixture(scope="session")
def chunker(chunks: list[Sentence]) -> Tagger:
    """A tagger trained on all chunks but the last 30 sentences'."""
    return train_tagger(chunks[:120], chunks[120:], SMALL)


@pytest.fixture(scope="session")
def pos_tagger(parts_of_speech: list[Sentence]) -> Tagger:
    """A tagger trained on all parts of speech but the last 30 sentences'."""
    return train_tagger(parts_of_speech[:120], parts_of_speech[120:], SMALL)
