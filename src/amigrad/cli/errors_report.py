"""What `amigrad tagger errors` prints: confusions with their words and contexts, as a table or as JSON."""

from __future__ import annotations

import json as json_module
from typing import Any

from amigrad.data.encoding import Span
from amigrad.tasks.tagging.errors import Case, Confusion, Errors, Kind
from amigrad.train.metrics import Accuracy

AROUND = 5
"""Words of context on either side."""
_WORDS_SHOWN = 5
_WORDS_LISTED = 20


def print_errors(errors: Errors, *, top: int, json: bool = False) -> None:
    """Print the most frequent confusions: a table with the words and contexts of each, or one JSON object."""
    shown = errors.confusions[:top]
    if json:
        print(json_module.dumps(_content(errors, shown), ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    what = "chunks" if errors.chunked else "words"
    missing = errors.gold - errors.found
    console.print(
        f"{errors.sentences:,} sentences, {errors.gold:,} {what}, {missing:,} of them wrong"
        f" ({100 * missing / max(errors.gold, 1):.2f} %)"
    )
    for name, part in (("known", errors.known), ("unknown", errors.unknown)):
        if part.total:
            wrong = part.total - part.correct
            console.print(f"tags of {name} words: {wrong:,} of {part.total:,} wrong ({100 - 100 * part.value:.2f} %)")
    if errors.chunked:
        for kind, count in errors.kinds.items():
            console.print(f"{_SAID[kind]}: {count:,} ({_share(count, errors)})")
        console.print("In contexts, [ ] is a chunk of the gold tags and < > one of the tagger's.", markup=False)
    table = Table("gold", "predicted", "count", "share", "unknown", "where", box=None, pad_edge=False)
    for column in table.columns[2:5]:
        column.justify = "right"
    for confusion in shown:
        words = ", ".join(f"{text} {count}" for text, count in confusion.texts.most_common(_WORDS_SHOWN))
        title = f"({confusion.kind}) {words}" if errors.chunked else words
        table.add_row(
            Text(confusion.gold),
            Text(confusion.predicted),
            f"{confusion.count:,}",
            _share(confusion.count, errors),
            f"{confusion.unknown:,}",
            Text(title, overflow="fold"),
        )
        for case in confusion.cases:
            table.add_row("", "", "", "", "", Text(f"  {case.sentence}: {context(case)}", style="dim", overflow="fold"))
    console.print(table)
    if len(errors.confusions) > len(shown):
        rest = sum(confusion.count for confusion in errors.confusions[top:])
        console.print(
            f"... and {len(errors.confusions) - len(shown):,} others ({_share(rest, errors)}): --top shows more"
        )


def context(case: Case) -> str:
    """The words around an error, with the gold chunk or word in [ ], and the tagger's, if it is another, in < >."""
    spans = [span for span in (case.gold, case.predicted) if span is not None]
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    first, last = max(0, start - AROUND), min(len(case.words), end + AROUND)
    words = list(case.words[first:last])
    _mark(words, case.predicted, first, "<", ">", also=case.gold)
    _mark(words, case.gold, first, "[", "]")
    return ("... " if first else "") + " ".join(words) + (" ..." if last < len(case.words) else "")


def _mark(words: list[str], span: Span | None, first: int, opens: str, closes: str, also: Span | None = None) -> None:
    if span is None or (also is not None and span[1:] == also[1:]):
        return
    words[span.start - first] = opens + words[span.start - first]
    words[span.end - 1 - first] += closes


_SAID = {
    Kind.LABEL: "another label",
    Kind.BOUNDARY: "other boundaries",
    Kind.BOTH: "another label and other boundaries",
    Kind.MISSED: "missed",
    Kind.INVENTED: "invented",
}


def _share(count: int, errors: Errors) -> str:
    return f"{100 * count / max(errors.total, 1):.1f} %"


def _content(errors: Errors, shown: list[Confusion]) -> dict[str, Any]:
    return {
        "sentences": errors.sentences,
        "chunks" if errors.chunked else "words": {"gold": errors.gold, "correct": errors.found},
        "errors": errors.total,
        "kinds": dict(errors.kinds),
        "accuracy": {"known": _accuracy(errors.known), "unknown": _accuracy(errors.unknown)},
        "confusions": [
            {
                "kind": confusion.kind,
                "gold": confusion.gold,
                "predicted": confusion.predicted,
                "count": confusion.count,
                "share": confusion.count / errors.total,
                "unknown": confusion.unknown,
                "words": dict(confusion.texts.most_common(_WORDS_LISTED)),
                "cases": [
                    {
                        "sentence": case.sentence,
                        "words": case.words,
                        "gold": case.gold and case.gold._asdict(),
                        "predicted": case.predicted and case.predicted._asdict(),
                    }
                    for case in confusion.cases
                ],
            }
            for confusion in shown
        ],
    }


def _accuracy(part: Accuracy) -> dict[str, int]:
    return {"correct": part.correct, "total": part.total}
