"""Tagged sentences in plain text: tokens `word/tag`, one sentence a line."""

from collections.abc import Iterator

from amigrad.data.errors import DataError
from amigrad.data.lines import Source, numbered_lines, source_name
from amigrad.data.sentence import Sentence, make_sentence


def read_slashed(source: Source) -> Iterator[Sentence]:
    """Sentences of plain text with one sentence a line and tokens `word/tag`; the last slash separates.

    Raises DataError for a file without sentences and a token without a slash, word or tag.
    """
    name = source_name(source)
    found = False
    for number, line in numbered_lines(source):
        tokens = line.split()
        if not tokens:
            continue
        words, tags = [], []
        for token in tokens:
            word, _, tag = token.rpartition("/")
            if not word or not tag:
                raise DataError(name, number, f"'{token}' is not of the form word/tag", "Write every token so")
            words.append(word)
            tags.append(tag)
        found = True
        yield make_sentence(words, tags)
    if not found:
        raise DataError(name, 1, "no sentence in this file", "Give a file with one sentence a line")
