"""Taggers of real text, on parts of it that train in seconds. AMIGRAD_DATA points at the folder of the data."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from amigrad.data import read_columns, read_conllu
from amigrad.tasks.tagging import TaggerOptions, evaluate, train_tagger
from amigrad.tasks.tagging.tags import prepare_tags

OPTIONS = TaggerOptions(hidden_size=60, word_size=20, epochs=2)


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("AMIGRAD_DATA")
    if not folder or not Path(folder, "conll2000").is_dir():
        pytest.skip("AMIGRAD_DATA does not point at the real data")
    return Path(folder)


def test_chunks_of_news(data: Path) -> None:
    sentences = list(islice(read_columns(data / "conll2000" / "train.txt.gz"), 400))
    tagger = train_tagger(sentences[:300], sentences[300:], OPTIONS)
    # A thirtieth of the corpus is enough for most chunks.
    assert evaluate(tagger, sentences[300:]).score > 0.7


def test_parts_of_speech_of_the_web(data: Path) -> None:
    folder = data / "ud_english_ewt"
    train = list(islice(read_conllu(folder / "en_ewt-ud-train.conllu.gz"), 400))
    dev = list(islice(read_conllu(folder / "en_ewt-ud-dev.conllu.gz"), 100))
    evaluation = evaluate(train_tagger(train, dev, OPTIONS), dev)
    assert evaluation.score > 0.7
    assert evaluation.known.value > evaluation.unknown.value > 0.4


def test_chunks_come_back_as_they_were(data: Path) -> None:
    """Every sentence of the corpus, as IOBES and back in its own scheme."""
    import numpy as np

    sentences = list(read_columns(data / "conll2000" / "train.txt.gz"))
    prepared, tag_set = prepare_tags(sentences, "auto")
    tags = np.array([tag_set.index[tag] for sentence in prepared for tag in sentence.tags], np.int32)
    assert tag_set.strings(tags, list(map(len, sentences))) == [tag for s in sentences for tag in s.tags]
