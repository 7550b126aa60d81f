"""A sentence: words and, where they are known, tags."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from sys import intern


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: its words and a tag for each of them, or no tags at all; and further columns beside the words.

    `line` is that of its first word in a file with a word a line, 0 where it is not known.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...] = ()
    columns: tuple[tuple[str, ...], ...] = ()
    line: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.tags and len(self.tags) != len(self.words):
            raise ValueError(f"{len(self.words)} words cannot have {len(self.tags)} tags")
        if any(len(column) != len(self.words) for column in self.columns):
            raise ValueError(f"a column beside {len(self.words)} words has as many entries")

    def __len__(self) -> int:
        return len(self.words)


def make_sentence(
    words: Sequence[str], tags: Sequence[str] = (), columns: Sequence[Sequence[str]] = (), line: int = 0
) -> Sentence:
    """A sentence whose strings are shared with all others that are equal, which keeps a corpus small."""
    return Sentence(
        tuple(map(intern, words)),
        tuple(map(intern, tags)),
        tuple(tuple(map(intern, column)) for column in columns),
        line,
    )
