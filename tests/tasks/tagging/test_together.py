"""Several taggers in one pass give what each gives alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from amigrad.data import Sentence
from amigrad.tasks.tagging import ModelError, OptionsError, Tagger, Taggers


@pytest.fixture(scope="module")
def taggers(pos_tagger: Tagger, chunker: Tagger) -> Taggers:
    return Taggers({"pos": pos_tagger, "chunk": chunker})


def test_each_tagger_s_tags_are_its_own(taggers: Taggers, chunks: list[Sentence]) -> None:
    words = [sentence.words for sentence in chunks]
    found = taggers.tag(words)
    assert list(found) == ["pos", "chunk"]
    for name, tagger in taggers.items():
        assert found[name] == tagger.tag(words)


def test_blocks_hold_all_sentences_in_order(taggers: Taggers, chunks: list[Sentence]) -> None:
    layers = list(taggers.layers(chunks, key=lambda sentence: sentence.words, block_tokens=100))
    assert len(layers) > 5
    assert [item for part in layers for item in part.items] == chunks
    for part in layers:
        assert len(part.words) == sum(part.lengths) == len(part.tags["pos"]) == len(part.tags["chunk"])
        assert [len(tags) for _, tags in part.block("chunk").pairs()] == part.lengths


def test_folders_give_the_names(taggers: Taggers, tmp_path: Path) -> None:
    for folder in ("a/pos", "b/pos", "chunk"):
        taggers["chunk"].save(tmp_path / folder)
    assert list(Taggers.load([tmp_path / "a/pos", tmp_path / "chunk"])) == ["pos", "chunk"]
    assert list(Taggers.load([tmp_path / "a/pos", tmp_path / "b/pos"])) == [f"{tmp_path}/a/pos", f"{tmp_path}/b/pos"]
    with pytest.raises(OptionsError, match="given twice"):
        Taggers.load([tmp_path / "chunk", tmp_path / "chunk"])
    with pytest.raises(ModelError, match="no such folder"):
        Taggers.load([tmp_path / "chunk", tmp_path / "none"])
    with pytest.raises(OptionsError, match="at least one"):
        Taggers({})


def test_nothing_and_no_words(taggers: Taggers) -> None:
    assert taggers.tag([]) == {"pos": [], "chunk": []}
    assert taggers.tag([[], ["cat"]])["chunk"][0] == []
    with pytest.raises(TypeError, match="use tag_text"):
        taggers.tag(["the cat"])
