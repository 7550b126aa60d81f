"""Tagged sentences in CoNLL-U: ten columns, with parts of speech and features."""

import re
from collections.abc import Iterator, Sequence

from amigrad.data.errors import DataError
from amigrad.data.lines import Source, numbered_lines, source_name
from amigrad.data.sentence import Sentence, make_sentence


def read_conllu(source: Source, *, tag: str = "UPOS", columns: Sequence[int] = ()) -> Iterator[Sentence]:
    """Sentences of a CoNLL-U file; `tag` is UPOS, XPOS or a feature such as Number (column FEATS).

    `columns` are those to keep beside the words, counted from 0 (3 is UPOS).

    Multiword token ranges (`1-2`) and empty nodes (`1.1`) are skipped. A value that is absent is `_`.
    Raises DataError for a file without sentences, a line that does not have ten columns separated by
    tabs, and word identifiers that do not count 1, 2, 3 …
    """
    if not tag:
        raise ValueError("tag must be UPOS, XPOS or the name of a feature")
    if any(not 0 <= column < 10 for column in columns):
        raise ValueError("CoNLL-U has the columns 0 to 9")
    if _TAG_COLUMNS.get(tag, _FEATURES) in columns:
        raise ValueError(f"column {_TAG_COLUMNS.get(tag, _FEATURES)} is where {tag} is: it cannot be beside it")
    return _conllu_sentences(source, tag, tuple(columns))


_SKIPPED_ID = re.compile(r"\d+[-.]\d+")
_TAG_COLUMNS = {"UPOS": 3, "XPOS": 4}
_FEATURES = 5


def _conllu_sentences(source: Source, tag: str, others: tuple[int, ...]) -> Iterator[Sentence]:
    name = source_name(source)
    column = _TAG_COLUMNS.get(tag)
    feature = f"{tag}="
    found = False
    words: list[str] = []
    tags: list[str] = []
    beside: tuple[list[str], ...] = tuple([] for _ in others)
    for number, line in numbered_lines(source):
        if not line.strip(" \t"):
            if words:
                found = True
                yield make_sentence(words, tags, beside)
                words, tags, beside = [], [], tuple([] for _ in others)
            continue
        if line[0] == "#":
            continue
        columns = line.split("\t")
        if len(columns) != 10:
            problem = f"CoNLL-U has 10 columns separated by tabs, not {len(columns)}"
            raise DataError(name, number, problem, "Complete the line, or read the file as CoNLL columns")
        identifier, word = columns[0], columns[1]
        if identifier != str(len(words) + 1):
            if _SKIPPED_ID.fullmatch(identifier):
                continue
            problem = f"word identifier '{identifier}' where {len(words) + 1} is due"
            remedy = "Count the words of a sentence 1, 2, 3 … and leave a blank line after it"
            raise DataError(name, number, problem, remedy)
        if not word.strip():
            raise DataError(name, number, "empty word", "Give every token line a word (column FORM)")
        words.append(word)
        tags.append(_feature_value(columns[_FEATURES], feature) if column is None else columns[column] or "_")
        for values, place in zip(beside, others, strict=True):
            values.append(columns[place])
    if words:
        found = True
        yield make_sentence(words, tags, beside)
    if not found:
        raise DataError(name, 1, "no sentence in this file", "Give a CoNLL-U file with words")


def _feature_value(features: str, feature: str) -> str:
    for pair in features.split("|"):
        if pair.startswith(feature):
            return pair[len(feature) :] or "_"
    return "_"
