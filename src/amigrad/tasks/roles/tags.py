"""The tags of a proposition: IOBES tags of its spans, one a word."""

from __future__ import annotations

from collections.abc import Sequence

from amigrad.data import Proposition, Scheme, Span, encode, tolerant_spans
from amigrad.tasks.roles.scores import EXCLUDED


def tags_of(proposition: Proposition, length: int) -> tuple[str, ...]:
    """IOBES tags of the outermost spans: a word has one tag, so spans inside others are left out."""
    outer: list[Span] = []
    for span in sorted(proposition.spans, key=lambda span: (span.start, -span.end)):
        if not outer or span.start >= outer[-1].end:
            outer.append(span)
    return encode(outer, length, Scheme.IOBES)


def spans_of(tags: Sequence[str], predicate: int) -> tuple[Span, ...]:
    """The spans that tags mark, with the predicate's own, if no other has its word.

    A span `C-X` without an `X` before it is the beginning of an argument: `X`.
    """
    found: list[Span] = []
    seen: set[str] = set()
    for span in tolerant_spans(tags):
        label = span.label
        if label.startswith("C-") and label[2:] not in seen:
            label = label[2:]
        seen.add(label)
        found.append(span if label == span.label else Span(label, span.start, span.end))
    if not any(span.start <= predicate < span.end for span in found):
        found.append(Span(EXCLUDED, predicate, predicate + 1))
    return tuple(sorted(found, key=lambda span: span.start))
