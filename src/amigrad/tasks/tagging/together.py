"""Several taggers in one pass over some text: parts of speech, chunks and names side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from amigrad.tasks.options import OptionsError
from amigrad.tasks.tagging.examples import Windows
from amigrad.tasks.tagging.features import Indices
from amigrad.tasks.tagging.tagger import BLOCK_TOKENS, Block, Item, Tagger, as_words, given_columns, grouped


@dataclass(frozen=True, slots=True)
class Layers(Generic[Item]):
    """Some sentences together with the tags of each tagger, by its name."""

    items: list[Item]
    lengths: list[int]
    words: list[str]
    tags: dict[str, list[str]]

    def block(self, name: str) -> Block[Item]:
        """The sentences with the tags of one tagger."""
        return Block(self.items, self.lengths, self.words, self.tags[name])


class Taggers(Mapping[str, Tagger]):
    """Taggers by name, which tag the same sentences: each sentence is read and taken apart once for all of them.

    >>> taggers = Taggers.load(["pos", "chunk", "names"])
    >>> taggers.tag([["He", "runs", "."]])
    {'pos': [['PRON', 'VERB', 'PUNCT']], 'chunk': [['B-NP', 'B-VP', 'O']], 'names': [['O', 'O', 'O']]}
    """

    def __init__(self, taggers: Mapping[str, Tagger]) -> None:
        """Take at least one tagger; the tags of each are found by its name."""
        if not taggers:
            raise OptionsError("at least one tagger is needed")
        self._taggers = dict(taggers)

    @classmethod
    def load(cls, folders: Sequence[str | os.PathLike[str]]) -> Taggers:
        """The taggers saved in some folders, each with the name of its folder, or with its path where names clash.
        Those of a model of several tasks have the names of the tasks, behind that of the folder if there are others.

        Raises ModelError if something in a folder is not as it was saved, OptionsError for a folder given twice.
        """
        from amigrad.tasks.tagging.joint_storage import is_joint, load_joint

        found: dict[str, Tagger] = {}
        for name, folder in zip(names_of(folders), folders, strict=True):
            if is_joint(folder):
                tasks = load_joint(folder)
                found |= dict(tasks) if len(folders) == 1 else {f"{name}.{task}": tasks[task] for task in tasks}
            else:
                found[name] = Tagger.load(folder)
        return cls(found)

    def __getitem__(self, name: str) -> Tagger:
        return self._taggers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._taggers)

    def __len__(self) -> int:
        return len(self._taggers)

    def tag(self, sentences: Iterable[Sequence[str]]) -> dict[str, list[list[str]]]:
        """The tags of each sentence, a sequence of words, for each tagger."""
        found: dict[str, list[list[str]]] = {name: [] for name in self}
        for layers in self.layers(sentences, key=as_words):
            for name, tags in found.items():
                tags += [of_sentence for _, of_sentence in layers.block(name).pairs()]
        return found

    @property
    def given(self) -> list[str]:
        """The names of the columns beside the words that at least one of the taggers reads."""
        return sorted({name for tagger in self.values() for name in tagger.options.given})

    def layers(
        self,
        sentences: Iterable[Item],
        *,
        key: Callable[[Item], Sequence[str]],
        given: Callable[[Item], Sequence[Sequence[str]]] | None = None,
        block_tokens: int = BLOCK_TOKENS,
    ) -> Iterator[Layers[Item]]:
        """Sentences tagged at least so many tokens at a time, in their order. `key` gives the words of one, `given` the
        columns beside them, in the order of `self.given`. Raises DataError if a sentence does not have these.
        """
        names = self.given
        for items, words, lengths in grouped(sentences, key=key, block_tokens=block_tokens):
            columns = given_columns(names, lengths, [given(item) for item in items] if given else [])
            yield Layers(items, lengths, words, self._tag(words, lengths, columns))

    def _tag(
        self, words: Sequence[str], lengths: Sequence[int], given: Mapping[str, Sequence[str]]
    ) -> dict[str, list[str]]:
        """The tags of each tagger. Words are looked up once for those that have the same features."""
        found: dict[str, list[str]] = {}
        looked_up: dict[int, tuple[Windows, Indices]] = {}
        for name, tagger in self.items():
            key = id(tagger.features)
            if key not in looked_up:
                looked_up[key] = tagger.windows(words, lengths, given)
            found[name] = tagger.tag_windows(*looked_up[key], lengths)
        return found


def names_of(folders: Sequence[str | os.PathLike[str]]) -> list[str]:
    """A name for each folder: its own, or its path if another has the same. Raises OptionsError for one given twice."""
    paths = [Path(folder) for folder in folders]
    last = [path.resolve().name for path in paths]
    names = [name if last.count(name) == 1 else str(path) for name, path in zip(last, paths, strict=True)]
    for name in names:
        if names.count(name) > 1:
            raise OptionsError(f"the model {name} is given twice: give each one once")
    return names
