"""The words that a model knows, numbered."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from amigrad.data.errors import DataError

SPECIALS = ("<unk>", "<pad>")
"""The entry that stands for unknown words, and the one that stands beyond the ends of a sentence."""


class Vocabulary:
    """Words with their indices and counts, fixed once built.

    Special entries come first, then words by falling count, equal ones in the order of their characters,
    so equal counts give equal vocabularies. The first special entry is the index of unknown words;
    without specials an unknown word is an error.
    """

    __slots__ = ("_counts", "_index", "_words", "specials")

    def __init__(self, words: Sequence[str], counts: Sequence[int], specials: int = 0) -> None:
        """Take `words` as they are; the first `specials` of them are special entries."""
        _check(words, counts, specials)
        self._counts = np.array(counts, dtype=np.int64)
        self._counts.flags.writeable = False
        self.specials = specials
        self._keep(words)

    def _keep(self, words: Sequence[str]) -> None:
        self._words = tuple(words)
        self._index = {word: index for index, word in enumerate(words)}

    @classmethod
    def build(
        cls,
        words: Iterable[str] | Mapping[str, int],
        *,
        minimum_count: int = 1,
        maximum_size: int | None = None,
        specials: Sequence[str] = SPECIALS,
    ) -> "Vocabulary":
        """Vocabulary of words, or of counts of words.

        Words that occur fewer than `minimum_count` times are left out, then the rarest until there are at
        most `maximum_size` entries, special ones included.
        """
        counts = words if isinstance(words, Mapping) else Counter(words)
        kept = [(word, count) for word, count in counts.items() if count >= minimum_count and word not in specials]
        kept.sort(key=lambda entry: (-entry[1], entry[0]))
        if maximum_size is not None:
            if maximum_size < len(specials):
                raise ValueError(f"a vocabulary of {maximum_size} entries cannot hold {len(specials)} special ones")
            del kept[maximum_size - len(specials) :]
        return cls(
            [*specials, *(word for word, _ in kept)],
            [*(int(counts.get(special, 0)) for special in specials), *(int(count) for _, count in kept)],
            len(specials),
        )

    @property
    def unknown(self) -> int | None:
        """Index of unknown words; None if they are an error."""
        return 0 if self.specials else None

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each entry occurred when the vocabulary was built. (V,), read-only."""
        return self._counts

    @property
    def words(self) -> tuple[str, ...]:
        """All entries in the order of their indices."""
        return self._words

    def index(self, word: str) -> int:
        """Index of a word, or that of unknown words. Raises KeyError if there is none."""
        found = self._index.get(word, self.unknown)
        if found is None:
            raise self._missing(word)
        return found

    def _missing(self, word: str) -> KeyError:
        return KeyError(f"'{word}' is not among the {len(self)} entries, and there is none for unknown words")

    def indices(self, words: Iterable[str], *, missing: int | None = None, dtype: DTypeLike = np.int32) -> NDArray[Any]:
        """Indices of many words: (N,). Those not known get `missing`, or else the index of unknown words."""
        default = self.unknown if missing is None else missing
        if default is None:
            return np.fromiter(map(self.index, words), dtype)
        if isinstance(words, Sequence):
            return np.fromiter(map(self._index.get, words, repeat(default)), dtype, len(words))
        return np.fromiter(map(self._index.get, words, repeat(default)), dtype)

    def word(self, index: int) -> str:
        """The entry at an index. Raises IndexError if it is outside [0, V)."""
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} is outside the {len(self)} entries of the vocabulary")
        return self._entry(index)

    def _entry(self, index: int) -> str:
        return self._words[index]

    def __len__(self) -> int:
        return len(self._counts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __contains__(self, word: object) -> bool:
        return word in self._index

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        same_counts = np.array_equal(self._counts, other._counts)
        return self.words == other.words and same_counts and self.specials == other.specials

    def __hash__(self) -> int:
        return hash((self.words, self.specials))

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self)} entries, {self.specials} of them special>"

    def to_json(self) -> str:
        """The vocabulary as JSON text."""
        content = {
            "format": _FORMAT,
            "specials": self.specials,
            "words": self.words,
            "counts": self._counts.tolist(),
        }
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, name: str = "vocabulary") -> "Vocabulary":
        """The vocabulary that JSON text holds. Raises DataError with `name` if it does not hold one."""
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _unusable(name, error) from None
        return cls.from_content(content, name)

    @classmethod
    def from_content(cls, content: Any, name: str = "vocabulary") -> "Vocabulary":
        """The vocabulary that parsed JSON holds. Raises DataError with `name` if it does not hold one."""
        try:
            if not isinstance(content, dict) or content.get("format") != _FORMAT:
                raise ValueError(f'there is no "format": "{_FORMAT}"')
            fields: list[Any] = [content.get(field) for field in ("words", "counts", "specials")]
            return cls(*fields)
        except ValueError as error:
            raise _unusable(name, error) from None


def zero_digits(word: str) -> str:
    """The word with each digit replaced by 0: `1984` and `2024` become `0000`."""
    return word if word.isalpha() else _DIGIT.sub("0", word)


def lower_case(word: str) -> str:
    """The word in lower case."""
    return word.lower()


_FORMAT = "amigrad.vocabulary.1"
_DIGIT = re.compile(r"\d")


def _unusable(name: str, error: Exception) -> DataError:
    return DataError(name, None, f"not a vocabulary: {error}", "Save or copy the model again")


def _check(words: Any, counts: Any, specials: Any) -> None:
    """Raise ValueError unless these are distinct strings, as many counts, and a number of specials."""
    if isinstance(words, str) or not isinstance(words, Sequence) or not all(type(word) is str for word in words):
        raise ValueError("its words are not a list of strings")
    if not isinstance(counts, Sequence) or not all(type(n) is int and 0 <= n < 2**63 for n in counts):
        raise ValueError("its counts are not a list of whole numbers")
    if len(words) != len(counts):
        raise ValueError(f"it has {len(words)} words but {len(counts)} counts")
    if type(specials) is not int or not 0 <= specials <= len(words):
        raise ValueError(f"its number of special entries, {specials}, is not between 0 and {len(words)}")
    if len(set(words)) < len(words):
        word, times = Counter(words).most_common(1)[0]
        raise ValueError(f"'{word}' is there {times} times")
