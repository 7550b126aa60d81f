"""Propositions in the columns of CoNLL-2005: predicates, and the spans of their arguments in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from sys import intern

from amigrad.data.encoding import Span
from amigrad.data.errors import DataError
from amigrad.data.lines import Source, numbered_lines, source_name

NONE = "-"
"""What stands for no predicate, no sense, no part of speech."""


@dataclass(frozen=True, slots=True)
class Proposition:
    """A predicate and what the brackets of its column say.

    predicate: the place of its word, from 0. spans: in the order of their first words, an outer one before those inside
    it; the predicate itself is a span `V`, and `C-X` goes on with an argument `X` that was interrupted.
    """

    predicate: int
    lemma: str
    spans: tuple[Span, ...] = ()
    sense: str = NONE


@dataclass(frozen=True, slots=True)
class PropositionSentence:
    """A sentence with its propositions, in the order of their predicates, and parts of speech where these are known."""

    words: tuple[str, ...]
    propositions: tuple[Proposition, ...] = ()
    tags: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True, slots=True)
class PropositionColumns:
    """Which columns of a file hold what, counted from 0; `arguments` is the first of the bracket columns."""

    lemma: int
    arguments: int
    word: int | None = None
    tag: int | None = None
    sense: int | None = None


def read_propositions(
    source: Source, *, words: Source | None = None, columns: PropositionColumns | None = None
) -> list[PropositionSentence]:
    """Sentences with their propositions: a line for each word, blank lines between sentences.

    The last columns hold brackets, such as `(A0*`, `*`, `*)`: one column for each predicate of the sentence, in the
    order of their rows; the rows of predicates are those that have a lemma, all others have `-` there. Which columns
    these are is found out, or said by `columns`. The first column is the word and the second its part of speech if
    these stand before the lemma. Where a file begins with the lemma (the `props` files of CoNLL-2005), the words come
    from a file of their own, `words`, of which the first column is read; without it they are all `-`.
    Columns end at tabs if the first line has one, otherwise at spaces.

    Raises DataError for brackets that do not match, columns that are missing or too many, files out of step.
    """
    name = source_name(source)
    blocks = list(_blocks(source))
    if not blocks:
        raise DataError(name, 1, "no sentence in this file", "Give a file with a word a line")
    if columns is None:
        columns = _find_columns(name, blocks)
    sentences = [_sentence(name, block, columns) for block in blocks]
    return sentences if words is None else _with_words(name, blocks, sentences, words)


def parse_brackets(fields: Sequence[str]) -> tuple[Span, ...]:
    """The spans of a bracket column, outer ones first. Raises BracketError with the place of the fault."""
    spans: list[Span] = []
    waiting: list[int] = []
    for place, field in enumerate(fields):
        match = _FIELD.fullmatch(field)
        if match is None:
            raise BracketError(place, f"'{field}' is no bracket tag such as (A0*, *, *) or (V*)")
        for label in match[1].split("(")[1:]:
            waiting.append(len(spans))
            spans.append(Span(intern(label), place, place))
        for label in match[2].split(")")[:-1]:
            if not waiting:
                raise BracketError(place, f"'{field}' closes a bracket that none has opened")
            opened = spans[waiting[-1]]
            if label and label != opened.label:
                raise BracketError(place, f"'{field}' closes {label}, but {opened.label} is open")
            spans[waiting.pop()] = opened._replace(end=place + 1)
    if waiting:
        opened = spans[waiting[-1]]
        raise BracketError(opened.start, f"the bracket of {opened.label} is not closed within its sentence")
    return tuple(spans)


def format_brackets(spans: Iterable[Span], length: int) -> list[str]:
    """The bracket column of some spans. Raises ValueError for spans that cross one another or leave the sentence."""
    opening, closing = [""] * length, [""] * length
    open_: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        while open_ and open_[-1].end <= span.start:
            open_.pop()
        if not 0 <= span.start < span.end <= (open_[-1].end if open_ else length):
            raise ValueError(f"{span} crosses {open_[-1] if open_ else f'the ends of a sentence of {length} words'}")
        open_.append(span)
        opening[span.start] += f"({span.label}"
        closing[span.end - 1] += ")"
    return [f"{left}*{right}" for left, right in zip(opening, closing, strict=True)]


def format_propositions(sentence: PropositionSentence, *, props: bool = False) -> str:
    """A sentence in columns that end at tabs, with a blank line behind it.

    Word, part of speech, an empty parse, lemma, sense and brackets; with `props` lemma and brackets alone, as files of
    that name have them. Raises ValueError if spans of a proposition cross one another.
    """
    length = len(sentence)
    lemmas, senses = [NONE] * length, [NONE] * length
    columns = []
    for proposition in sorted(sentence.propositions, key=lambda proposition: proposition.predicate):
        lemmas[proposition.predicate] = proposition.lemma
        senses[proposition.predicate] = proposition.sense
        columns.append(format_brackets(proposition.spans, length))
    tags = sentence.tags or [NONE] * length
    front = [lemmas] if props else [sentence.words, tags, ["*"] * length, lemmas, senses]
    rows = zip(*front, *columns, strict=True)
    return "".join("\t".join(row) + "\n" for row in rows) + "\n"


class BracketError(ValueError):
    """A fault in a bracket column, at a place counted from 0."""

    def __init__(self, place: int, problem: str) -> None:
        super().__init__(problem)
        self.place = place


Block = list[tuple[int, list[str]]]
"""The lines of a sentence: their numbers, and their fields."""

_FIELD = re.compile(r"((?:\([^*()\s]+)*)\*((?:[^*()\s]*\))*)")
_SENSE = re.compile(r"(?:.*\.)?(?:\d\d|XX)")
_REMEDY = "Give each word a line with the same columns, and each predicate a bracket column"


def _blocks(source: Source) -> Iterator[Block]:
    block: Block = []
    tabbed: bool | None = None
    for number, line in numbered_lines(source):
        if line.strip():
            tabbed = "\t" in line if tabbed is None else tabbed
            fields = [field.strip(" ") for field in line.split("\t")] if tabbed else line.split()
            block.append((number, fields))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _find_columns(name: str, blocks: Sequence[Block]) -> PropositionColumns:
    """The columns of a file, from its first sentence with a predicate."""
    for block in blocks:
        width = min(len(fields) for _, fields in block)
        first = width
        while first > 1 and all(_FIELD.fullmatch(fields[first - 1]) for _, fields in block):
            first -= 1
        if first < width:
            return _named_columns(name, block, first, width - first)
    width = min(len(fields) for _, fields in blocks[0])
    return _columns(width, width - 1, None)


def _named_columns(name: str, block: Block, first: int, count: int) -> PropositionColumns:
    def entries(column: int) -> list[str]:
        return [fields[column] for _, fields in block if column >= 0 and fields[column] != NONE]

    for lemma, sense in ((first - 2, first - 1), (first - 1, first - 2), (first - 1, None)):
        senses = [] if sense is None else entries(sense)
        fits = sense is None or (len(senses) == count and all(map(_SENSE.fullmatch, senses)))
        if fits and len(entries(lemma)) == count:
            return _columns(first, lemma, sense)
    problem = f"no column before column {first} has as many predicates as there are bracket columns ({count})"
    raise DataError(name, block[0][0], problem, _REMEDY)


def _columns(first: int, lemma: int, sense: int | None) -> PropositionColumns:
    front = lemma if sense is None else min(lemma, sense)
    return PropositionColumns(lemma, first, 0 if front > 0 else None, 1 if front > 1 else None, sense)


def _sentence(name: str, block: Block, columns: PropositionColumns) -> PropositionSentence:
    first, width = block[0][0], len(block[0][1])
    needed = max(columns.lemma, columns.word or 0, columns.tag or 0, columns.sense or 0) + 1
    for number, fields in block:
        if len(fields) != width:
            raise DataError(name, number, f"{len(fields)} columns, but line {first} has {width}", _REMEDY)
        if len(fields) < needed:
            problem = f"{len(fields)} columns, but {needed} are needed to find the predicates"
            raise DataError(name, number, problem, _REMEDY)
        if columns.word is not None and not fields[columns.word]:
            raise DataError(name, number, "empty word", "Give every line a word")
    predicates = [place for place, (_, fields) in enumerate(block) if fields[columns.lemma] != NONE]
    count = max(0, width - columns.arguments)
    if len(predicates) != count:
        problem = f"predicates in this sentence: {len(predicates)}, but columns of arguments: {count}"
        raise DataError(name, first, problem, _REMEDY)
    propositions = []
    for column, predicate in enumerate(predicates, columns.arguments):
        fields = block[predicate][1]
        try:
            spans = parse_brackets([fields[column] for _, fields in block])
        except BracketError as error:
            place = f"column {column}, "
            raise DataError(name, block[error.place][0], f"{place}{error}", "Correct the brackets") from None
        sense = NONE if columns.sense is None else intern(fields[columns.sense])
        propositions.append(Proposition(predicate, intern(fields[columns.lemma]), spans, sense))
    word, tag = columns.word, columns.tag
    return PropositionSentence(
        tuple(NONE if word is None else intern(fields[word]) for _, fields in block),
        tuple(propositions),
        () if tag is None else tuple(intern(fields[tag]) for _, fields in block),
    )


def _with_words(
    name: str, blocks: Sequence[Block], sentences: Sequence[PropositionSentence], source: Source
) -> list[PropositionSentence]:
    """The sentences with words (and parts of speech, if there is a second column) from another file."""
    found = []
    theirs = list(_blocks(source))
    remedy = f"Give the words of the sentences of {name}"
    for block, other, sentence in zip(blocks, theirs, sentences, strict=False):
        if len(block) != len(other):
            problem = f"a sentence of {len(other)} words here, but of {len(block)} in {name}, line {block[0][0]}"
            raise DataError(source_name(source), other[0][0], problem, remedy)
        tags = [fields[1] for _, fields in other if len(fields) > 1]
        found.append(
            PropositionSentence(
                tuple(intern(fields[0]) for _, fields in other),
                sentence.propositions,
                tuple(map(intern, tags)) if len(tags) == len(other) else sentence.tags,
            )
        )
    if len(theirs) != len(blocks):
        problem = f"{len(theirs)} sentences here, but {len(blocks)} in {name}"
        last = list(chain.from_iterable(theirs))
        raise DataError(source_name(source), last[-1][0] if last else 1, problem, remedy)
    return found
