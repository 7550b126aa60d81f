"""The tags of a tagger: numbered, and for chunks translated between the corpus's scheme and the model's IOBES."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from amigrad.data import EncodingError, Scheme, Sentence, convert, detect, is_chunk_tag
from amigrad.tasks.options import OptionsError
from amigrad.tasks.tagging.features import Indices


class TagSet:
    """The model's tags. With a scheme they are IOBES tags of chunks, which are written in that scheme."""

    def __init__(self, tags: Sequence[str], scheme: Scheme | None) -> None:
        """Take the model's tags by index, and the scheme to write chunks in (None: tags are written as they are)."""
        self.tags = tuple(tags)
        self.scheme = scheme
        self.index = {tag: index for index, tag in enumerate(self.tags)}
        if len(self.index) < len(self.tags) or not self.tags:
            raise ValueError("tags must be distinct, and at least one")
        if scheme is not None and not all(map(is_chunk_tag, self.tags)):
            raise ValueError(f"these are not tags of chunks: {' '.join(self.tags)}")
        if scheme is not None:
            self._prepare()

    def __len__(self) -> int:
        return len(self.tags)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of chunks, or the tags, sorted."""
        if self.scheme is None:
            return tuple(sorted(self.tags))
        return tuple(sorted({tag[2:] for tag in self.tags if tag != "O"}))

    def strings(self, tags: Indices, lengths: Sequence[int]) -> list[str]:
        """The tags of some sentences, one behind the other, as the corpus writes them. tags: (N,)"""
        if self.scheme is None:
            return list(map(self.tags.__getitem__, tags.tolist()))
        return list(map(self._written.__getitem__, self._codes(tags, lengths).tolist()))

    def _prepare(self) -> None:
        """Tables from a tag to its prefix and label, and from kind and label to what is written."""
        labels = self.labels
        kinds = [("O" if tag == "O" else tag[0]) for tag in self.tags]
        self._inside = np.array([kind != "O" for kind in kinds])
        self._opens = np.array([kind in "BS" for kind in kinds])
        self._closes = np.array([kind in "ES" for kind in kinds])
        self._label = np.array([labels.index(tag[2:]) if tag != "O" else -1 for tag in self.tags], np.int32)
        self._written = ["O", *(f"{kind}-{label}" if label else kind for label in labels for kind in _KINDS)]

    def _codes(self, tags: Indices, lengths: Sequence[int]) -> NDArray[np.integer]:
        """Entries of `_written`. Chunks begin and end where conlleval finds them in the model's tags."""
        inside, label = self._inside[tags], self._label[tags]
        first = np.zeros(len(tags) + 1, bool)
        first[np.cumsum([0, *lengths])] = True
        joined = np.zeros(len(tags) + 1, bool)  # whether a token and the one before are in chunks of one label
        joined[1:-1] = inside[1:] & inside[:-1] & (label[1:] == label[:-1])
        joined &= ~first
        begins = inside & (self._opens[tags] | ~joined[:-1])
        begins[1:] |= inside[1:] & self._closes[tags[:-1]]
        follows = np.append(~begins[1:], False) & joined[1:]  # whether the next token is of the same chunk
        if self.scheme is Scheme.IOB1:
            kind = np.where(begins & joined[:-1], _KINDS.index("B"), _KINDS.index("I"))
        elif self.scheme is Scheme.IOB2:
            kind = np.where(begins, _KINDS.index("B"), _KINDS.index("I"))
        else:
            single, open_ = _KINDS.index("S"), _KINDS.index("B")
            end, middle = _KINDS.index("E"), _KINDS.index("I")
            kind = np.where(begins, np.where(follows, open_, single), np.where(follows, middle, end))
        return np.where(inside, 1 + label * len(_KINDS) + kind, 0)


def prepare_tags(sentences: Sequence[Sentence], scheme: str) -> tuple[list[Sentence], TagSet]:
    """Training sentences with the model's tags, and the set of these. scheme: as in `TaggerOptions`.

    Raises OptionsError if the tags are not well-formed in the scheme asked for, or look like chunks but are
    well-formed in none.
    """
    try:
        found = _find_scheme(sentences, scheme)
        prepared = list(sentences) if found is None else _to_iobes(sentences, found)
    except EncodingError as error:
        remedy = "Correct them, or have every tag learnt as it is with the scheme 'none'"
        raise OptionsError(f"the tags do not encode chunks well: {error}. {remedy}") from None
    return prepared, TagSet(sorted({tag for sentence in prepared for tag in sentence.tags}), found)


def _to_iobes(sentences: Sequence[Sentence], scheme: Scheme) -> list[Sentence]:
    found = []
    for number, sentence in enumerate(sentences, 1):
        try:
            found.append(replace(sentence, tags=convert(sentence.tags, scheme, Scheme.IOBES)))
        except EncodingError as error:
            raise EncodingError(f"sentence {number}, {error}") from None
    return found


def _find_scheme(sentences: Sequence[Sentence], scheme: str) -> Scheme | None:
    if scheme == "none":
        return None
    if scheme != "auto":
        return Scheme(scheme)
    counts = Counter(tag for sentence in sentences for tag in sentence.tags)
    if not any(tag[1:2] == "-" for tag in counts):
        return None
    others = {tag: count for tag, count in counts.items() if not is_chunk_tag(tag)}
    if 0 < sum(others.values()) <= _MISTYPED * counts.total():
        raise EncodingError(_first_of(sentences, others))
    return detect(sentence.tags for sentence in sentences)


def _first_of(sentences: Sequence[Sentence], tags: Container[str]) -> str:
    """Where one of these tags is for the first time, and what is wrong with it."""
    for number, sentence in enumerate(sentences, 1):
        for place, (word, tag) in enumerate(zip(sentence.words, sentence.tags, strict=True), 1):
            if tag in tags:
                line = f"line {sentence.line + place - 1}, " if sentence.line else ""
                return f"{line}sentence {number}, word {place}: the tag '{tag}' of '{word}' is not one of chunks"
    raise ValueError("none of the tags is there")


_KINDS = "BIES"
_MISTYPED = 0.05
"""A share of other tags among those of chunks that may be mistakes. In a larger one they are tags of another kind."""
