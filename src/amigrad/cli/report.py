"""What `amigrad tagger` prints: tagged text, and tables of figures."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from amigrad.data import Sentence, TextSentence, read_text, read_tokens
from amigrad.data.encoding import Span, tolerant_spans
from amigrad.tasks.tagging import Evaluation, Tagger
from amigrad.tasks.tagging.tagger import BLOCK_TOKENS, Block

if TYPE_CHECKING:
    from rich.text import Text

Item = Sentence | TextSentence


def write_tagged(tagger: Tagger, source: Path | BinaryIO, *, tokens: bool, output: str) -> None:
    """Tag what a source holds and write it to the standard output, block by block."""
    sentences: Iterable[Item] = read_tokens(source) if tokens else read_text(source)
    chunked = tagger.tag_set.scheme is not None
    if output == "color":
        _print_colored(tagger, sentences, chunked)
        return
    write: Callable[[Block[Item], bool], str] = _conll if output == "conll" else _json_lines
    out = sys.stdout.buffer
    waiting = not isinstance(source, Path) and source.isatty()  # someone types, and wants each answer at once
    for block in tagger.blocks(sentences, key=_words, block_tokens=1 if waiting else BLOCK_TOKENS):
        out.write(write(block, chunked).encode())
        if waiting:
            out.flush()


def print_evaluation(evaluation: Evaluation, *, json: bool = False) -> None:
    """Print figures as tables, or as one JSON object."""
    if json:
        print(json_module.dumps(_figures(evaluation)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    tokens = evaluation.accuracy.total
    console.print(f"{evaluation.sentences:,} sentences, {tokens:,} tokens")
    for name, part in (("all", evaluation.accuracy), ("known", evaluation.known), ("unknown", evaluation.unknown)):
        if part.total:
            console.print(f"accuracy on {name} words: {100 * part.value:.2f} % of {part.total:,}")
    table = Table("", "precision", "recall", "F1", "gold", "predicted", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    rows = list(evaluation.labels) if evaluation.chunks is None else [evaluation.chunks, *evaluation.labels]
    for row in rows:
        shares = (f"{100 * share:.2f}" for share in (row.precision, row.recall, row.f1))
        table.add_row(Text(row.label), *shares, f"{row.gold:,}", f"{row.predicted:,}")
    console.print(table)
    if evaluation.unseen:
        listed = ", ".join(f"{tag} ({count:,} tokens)" for tag, count in evaluation.unseen.items())
        console.print(f"Not seen in training, counted as wrong: {listed}", markup=False)


def _words(item: Item) -> Sequence[str]:
    return item.words


def _conll(block: Block[Item], chunked: bool) -> str:
    lines = list(map("\t".join, zip(block.words, block.tags, strict=True)))
    end = 0
    parts = []
    for length in block.lengths:
        parts.append("\n".join(lines[end : end + length]))
        end += length
    return "\n\n".join(parts) + "\n\n"


def _json_lines(block: Block[Item], chunked: bool) -> str:
    lines = []
    for item, tags in block.pairs():
        content: dict[str, Any] = {"words": item.words, "tags": tags}
        if chunked:
            content["chunks"] = [
                {"label": label, "start": start, "end": end} for label, start, end in tolerant_spans(tags)
            ]
        if isinstance(item, TextSentence):
            content["text"] = item.text[item.tokens[0].start : item.tokens[-1].end]
        lines.append(_encode(content) + "\n")
    return "".join(lines)


_encode = json_module.JSONEncoder(ensure_ascii=False).encode


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    rows = list(evaluation.labels) if evaluation.chunks is None else [evaluation.chunks, *evaluation.labels]
    parts = {"all": evaluation.accuracy, "known": evaluation.known, "unknown": evaluation.unknown}
    return {
        "sentences": evaluation.sentences,
        "tokens": evaluation.accuracy.total,
        "accuracy": {name: part.value for name, part in parts.items() if part.total},
        "labels": {
            row.label: {
                "precision": row.precision,
                "recall": row.recall,
                "f1": row.f1,
                "gold": row.gold,
                "predicted": row.predicted,
                "correct": row.correct,
            }
            for row in rows
        },
        "unseen": evaluation.unseen,
    }


_COLORS = ("cyan", "magenta", "green", "yellow", "blue", "red")


def _print_colored(tagger: Tagger, sentences: Iterable[Item], chunked: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(force_terminal=True, soft_wrap=True, highlight=False)
    colors = {label: _COLORS[number % len(_COLORS)] for number, label in enumerate(tagger.tags)}
    for block in tagger.blocks(sentences, key=_words):
        for item, tags in block.pairs():
            if chunked:
                spans = tolerant_spans(tags)
            else:
                spans = [Span(tag, position, position + 1) for position, tag in enumerate(tags)]
            line = Text()
            _add_colored(line, item.words, spans, colors)
            console.print(line)


def _add_colored(line: Text, words: Sequence[str], spans: Sequence[Span], colors: dict[str, str]) -> None:
    end = 0
    for span in spans:
        if span.start > end:
            line.append(" ".join(words[end : span.start]) + " ")
        color = colors[span.label]
        line.append(" ".join(words[span.start : span.end]), style=f"bold {color}")
        line.append(f"/{span.label} ", style=f"dim {color}")
        end = span.end
    line.append(" ".join(words[end:]))
