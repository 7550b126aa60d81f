"""The tagger: a trained model with its features and tags, to tag sentences with, to save and to load."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from amigrad.data import DataError, split_sentences, tokenize
from amigrad.functions import Generator
from amigrad.tasks.tagging.decode import Decoder
from amigrad.tasks.tagging.examples import Windows
from amigrad.tasks.tagging.features import Features, Indices
from amigrad.tasks.tagging.model import RecurrentTagger, Speller, TaggerNetwork, WindowTagger
from amigrad.tasks.tagging.options import TaggerOptions
from amigrad.tasks.tagging.predict import Predictor
from amigrad.tasks.tagging.tags import TagSet

Item = TypeVar("Item")

BLOCK_TOKENS = 8000
"""Tokens that are tagged together: with the rest of a sentence, one part of what `predict` computes at once."""


@dataclass(frozen=True, slots=True)
class Block(Generic[Item]):
    """Some tagged sentences together: what each was read from, and all words and tags one behind the other."""

    items: list[Item]
    lengths: list[int]
    words: list[str]
    tags: list[str]

    def pairs(self) -> Iterator[tuple[Item, list[str]]]:
        """Each sentence with its tags."""
        start = 0
        for item, length in zip(self.items, self.lengths, strict=True):
            yield item, self.tags[start : start + length]
            start += length


class Tagger:
    """Tags sentences, in several threads at once if need be. Made by `train_tagger` or `Tagger.load`.

    >>> tagger = Tagger.load("model")
    >>> tagger.tag([["He", "runs", "."]])
    [['PRON', 'VERB', 'PUNCT']]
    """

    def __init__(self, options: TaggerOptions, features: Features, tag_set: TagSet, model: TaggerNetwork) -> None:
        self.options = options
        self.features = features
        self.tag_set = tag_set
        self.model = model
        self._predict = Predictor(model, None if tag_set.scheme is None else Decoder(tag_set.tags))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Tagger:
        """The tagger saved in a folder. Raises ModelError if something there is not as it was saved."""
        from amigrad.tasks.tagging.storage import load_tagger

        return load_tagger(folder)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the tagger into a folder, which is made if it is missing."""
        from amigrad.tasks.tagging.storage import save_tagger

        save_tagger(self, folder)

    @property
    def tags(self) -> tuple[str, ...]:
        """The labels of the chunks, or the tags, that training saw."""
        return self.tag_set.labels

    def tag(self, sentences: Iterable[Sequence[str]]) -> list[list[str]]:
        """The tags of each sentence, a sequence of words."""
        return [tags for block in self.blocks(sentences, key=as_words) for _, tags in block.pairs()]

    def tag_text(self, text: str) -> list[list[tuple[str, str]]]:
        """Words and their tags, sentence by sentence, of plain text."""
        lines = map(tokenize, text.splitlines())
        sentences = [[token.word for token in tokens] for line in lines for tokens in split_sentences(line)]
        return [list(zip(words, tags, strict=True)) for words, tags in zip(sentences, self.tag(sentences), strict=True)]

    def blocks(
        self,
        sentences: Iterable[Item],
        *,
        key: Callable[[Item], Sequence[str]],
        given: Callable[[Item], Sequence[Sequence[str]]] | None = None,
        block_tokens: int = BLOCK_TOKENS,
    ) -> Iterator[Block[Item]]:
        """Sentences tagged at least so many tokens at a time, in their order. `key` gives the words of one, `given` the
        columns that come with them, in the order of the model's options.

        Raises DataError if the model needs such columns and a sentence does not have them.
        """
        for items, words, lengths in grouped(sentences, key=key, block_tokens=block_tokens):
            columns = given_columns(self.options.given, lengths, [given(item) for item in items] if given else [])
            yield Block(items, lengths, words, self.tag_words(words, lengths, columns))

    def tag_words(
        self, words: Sequence[str], lengths: Sequence[int], given: Mapping[str, Sequence[str]] | None = None
    ) -> list[str]:
        """The tags of some sentences' words, one sentence behind the other; lengths: how many each has; given: the
        columns that come with them, by name. Raises DataError if the model reads a column that is not there.
        """
        return self.tag_windows(*self.windows(words, lengths, given), lengths)

    def windows(
        self, words: Sequence[str], lengths: Sequence[int], given: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[Windows, Indices]:
        """The windows of these words' types, and the table of the types; `given` and errors as in `tag_words`.

        They are the same for all taggers that have the same features.
        """
        if any(name not in (given or {}) for name in self.options.given):
            given_columns(self.options.given, lengths, [])
        with self.features.lock:
            types, table = self.features.encode(words, lengths, given)
        return Windows(types, lengths, self.features.window), table

    def tag_windows(self, windows: Windows, table: Indices, lengths: Sequence[int]) -> list[str]:
        """The tags of words whose windows are there already."""
        return self.tag_set.strings(self._predict(windows, table, lengths), lengths)


def grouped(
    sentences: Iterable[Item], *, key: Callable[[Item], Sequence[str]], block_tokens: int = BLOCK_TOKENS
) -> Iterator[tuple[list[Item], list[str], list[int]]]:
    """Sentences, their words one behind the other and how many each has, at least so many words at a time."""
    items: list[Item] = []
    words: list[str] = []
    lengths: list[int] = []
    for item in sentences:
        before = len(words)
        items.append(item)
        words.extend(key(item))
        lengths.append(len(words) - before)
        if len(words) >= block_tokens:
            yield items, words, lengths
            items, words, lengths = [], [], []
    if items:
        yield items, words, lengths


def create_model(options: TaggerOptions, features: Features, tags: int, *, sentences: bool) -> TaggerNetwork:
    """The model that these options ask for, with its initial parameters."""
    generator = Generator(options.seed)
    characters = features.characters
    kind = RecurrentTagger if options.network == "lstm" else WindowTagger
    return kind(
        features.columns,
        features.sizes,
        tags,
        window=options.window,
        hidden_size=options.hidden_size,
        layers=options.layers,
        dropout=options.dropout,
        generator=generator,
        sentences=sentences,
        speller=None
        if characters is None
        else Speller(characters, options.character_size, options.spelling_size, generator=generator),
    )


def given_columns(
    names: Sequence[str], lengths: Sequence[int], columns: Sequence[Sequence[Sequence[str]]]
) -> dict[str, list[str]]:
    """The columns that come with sentences of these lengths, one behind the other, by name.

    Raises DataError if a sentence does not have them.
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    if not names:
        return found
    for number, length in enumerate(lengths):
        own = columns[number] if number < len(columns) else ()
        if [len(column) for column in own] != [length] * len(names):
            problem = f"the model reads {', '.join(names)} beside the words, but a sentence does not have this"
            raise DataError("the sentences", None, problem, "Give sentences with these columns")
        for name, column in zip(names, own, strict=True):
            found[name] += column
    return found


def as_words(sentence: Any) -> Sequence[str]:
    """A sentence that is a sequence of words. Raises TypeError for a string."""
    if isinstance(sentence, str):
        raise TypeError("a sentence is a sequence of words, not a string: use tag_text for plain text")
    words: Sequence[str] = sentence
    return words
