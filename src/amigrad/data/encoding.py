"""Encoding schemes of chunks in tags: IOB1, IOB2 and IOBES."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from sys import intern
from typing import NamedTuple


class Scheme(StrEnum):
    """How tags mark where chunks begin and end. Tags are `O` or a prefix and a label, such as `B-NP`.

    IOB1: `I`, and `B` only for a chunk right behind one of the same label. IOB2 (also called BIO): `B`
    for the first word, `I` for the others. IOBES (also called BIOES): `B`, `I`, `E` for the first, inner
    and last word, `S` for a single one.
    """

    IOB1 = "IOB1"
    IOB2 = "IOB2"
    IOBES = "IOBES"

    @classmethod
    def _missing_(cls, value: object) -> "Scheme | None":
        name = str(value).upper()
        return cls.__members__.get({"BIO": "IOB2", "BIOES": "IOBES"}.get(name, name))


class Span(NamedTuple):
    """A chunk: its label and its words `start` to `end`, `end` not included."""

    label: str
    start: int
    end: int


class EncodingError(ValueError):
    """Tags that are not well-formed in an encoding scheme."""


def detect(sequences: Iterable[Sequence[str]]) -> Scheme | None:
    """The one scheme in which all tag sequences are well-formed, or None if the tags do not encode chunks.

    Every chunk is written differently in each scheme, so one is enough to know; sequences without chunks
    count as IOB2. Raises EncodingError if the tags look like chunks but fit no scheme.
    """
    possible = list(Scheme)
    misfit: EncodingError | None = None
    for number, tags in enumerate(sequences, 1):
        if not all(map(is_chunk_tag, tags)):
            return None
        if misfit is None:
            fitting = [scheme for scheme in possible if not _first_misfit(tags, scheme)]
            if not fitting:
                position, reason = max(_first_misfit(tags, scheme) or (0, "") for scheme in possible)
                misfit = EncodingError(f"sentence {number}, word {position + 1}: {reason}")
            possible = fitting
    if misfit is not None:
        raise misfit
    return Scheme.IOB2 if Scheme.IOB2 in possible else possible[0]


def spans(tags: Sequence[str], scheme: Scheme | str) -> list[Span]:
    """Chunks of well-formed tags, in order. Raises EncodingError at the first tag that breaks the scheme."""
    misfit = _first_misfit(tags, Scheme(scheme))
    if misfit is not None:
        raise EncodingError(f"word {misfit[0] + 1}: {misfit[1]}")
    return tolerant_spans(tags)


def tolerant_spans(tags: Iterable[str]) -> list[Span]:
    """Chunks of any sequence of chunk tags, well-formed or not, found by the rules of conlleval.

    A chunk begins at `B` or `S`, and at `I` or `E` behind `O`, `E`, `S` or another label; it ends where
    the next begins, before `O`, and behind `E` or `S`. On well-formed tags of each scheme it finds their
    chunks.
    """
    found: list[Span] = []
    before, label_before, start, position = "O", "", 0, -1
    for position, tag in enumerate(tags):
        prefix, label = _split(tag)
        begins = prefix != "O" and (prefix in "BS" or before in "OES" or label != label_before)
        if before != "O" and (begins or prefix == "O"):
            found.append(Span(label_before, start, position))
        if begins:
            start = position
        before, label_before = prefix, label
    if before != "O":
        found.append(Span(label_before, start, position + 1))
    return found


def encode(chunks: Iterable[Span], length: int, scheme: Scheme | str) -> tuple[str, ...]:
    """Tags of a sentence of `length` words that mark its chunks, which may come in any order.

    Raises EncodingError for chunks that are empty, overlap or leave the sentence.
    """
    scheme = Scheme(scheme)
    tags = ["O"] * length
    previous = Span("", 0, 0)
    for span in sorted(chunks, key=lambda span: span.start):
        if not previous.end <= span.start < span.end <= length:
            raise EncodingError(f"{span} is empty, overlaps {previous} or leaves a sentence of {length} words")
        tags[span.start : span.end] = [_join("I", span.label)] * (span.end - span.start)
        if scheme is Scheme.IOB2 or scheme is Scheme.IOBES or _touches(previous, span):
            tags[span.start] = _join("B", span.label)
        if scheme is Scheme.IOBES:
            tags[span.end - 1] = _join("S" if span.end == span.start + 1 else "E", span.label)
        previous = span
    return tuple(tags)


def convert(tags: Sequence[str], source: Scheme | str, target: Scheme | str) -> tuple[str, ...]:
    """The same chunks in another scheme. Raises EncodingError if the tags are not well-formed in `source`."""
    return encode(spans(tags, source), len(tags), target)


def is_chunk_tag(tag: str) -> bool:
    """Whether a tag is `O` or one of the prefixes `B`, `I`, `E`, `S`, alone or with `-` and a label."""
    return tag == "O" or (tag[:1] in ("B", "I", "E", "S") and tag[1:2] in ("", "-"))


def _first_misfit(tags: Sequence[str], scheme: Scheme) -> tuple[int, str] | None:
    """Position and reason of the first tag that is not what the scheme writes for the same chunks."""
    expected = encode(tolerant_spans(tags), len(tags), scheme)
    for position, (tag, due) in enumerate(zip(tags, expected, strict=True)):
        if tag != due:
            before = f"after '{tags[position - 1]}'" if position else "at the beginning"
            return position, f"'{tag}' {before} is not {scheme}, which has '{due}' for this chunk"
    return None


def _split(tag: str) -> tuple[str, str]:
    if not is_chunk_tag(tag):
        raise EncodingError(f"'{tag}' is not a chunk tag: those are O and B-, I-, E- or S- with a label")
    return tag[0], tag[2:]


def _join(prefix: str, label: str) -> str:
    return intern(f"{prefix}-{label}") if label else prefix


def _touches(previous: Span, span: Span) -> bool:
    return previous.end == span.start and previous.label == span.label and previous.end > 0
