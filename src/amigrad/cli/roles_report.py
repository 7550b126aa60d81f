"""What `amigrad roles` prints: labelled sentences, and tables of figures."""

from __future__ import annotations

import json as json_module
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from amigrad.data import (
    PropositionSentence,
    Sentence,
    TextSentence,
    format_propositions,
)
from amigrad.tasks.roles import RoleEvaluation, RoleLabeller
from amigrad.tasks.roles.labeller import BLOCK_TOKENS
from amigrad.train.metrics import ChunkScore

Item = PropositionSentence | Sentence | TextSentence


def write_labelled(
    labeller: RoleLabeller, items: Iterable[Item], output: str, *, find: bool, at_once: bool = False
) -> None:
    """Label sentences and write them to the standard output, block by block, or each at once.

    `find` finds their predicates first; otherwise these are given.
    """
    entering: deque[Item] = deque()

    def sentences() -> Iterator[PropositionSentence]:
        for item in items:
            entering.append(item)
            yield item if isinstance(item, PropositionSentence) else PropositionSentence(item.words)

    write = _WRITERS[output]
    out = sys.stdout.buffer
    for sentence in labeller.label_blocks(sentences(), find=find, block_tokens=1 if at_once else BLOCK_TOKENS):
        out.write(write(sentence, entering.popleft()).encode())
        if at_once:
            out.flush()


def print_evaluation(evaluation: RoleEvaluation, *, json: bool = False) -> None:
    """Print figures as a table, or as one JSON object."""
    scores = evaluation.arguments
    rows = [scores.overall, *scores.labels.values()]
    if json:
        content: dict[str, Any] = {
            "sentences": scores.sentences,
            "propositions": scores.propositions,
            "perfect": scores.perfect,
            "labels": {row.label: _figures(row) for row in rows},
        }
        if evaluation.predicates is not None:
            content["predicates"] = _figures(evaluation.predicates)
        print(json_module.dumps(content))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    share = 100 * scores.perfect / max(scores.propositions, 1)
    console.print(
        f"{scores.sentences:,} sentences, {scores.propositions:,} propositions, {share:.2f} % of them perfect"
    )
    if evaluation.predicates is not None:
        found = evaluation.predicates
        console.print(
            f"predicates found: precision {100 * found.precision:.2f}, recall {100 * found.recall:.2f},"
            f" F1 {100 * found.f1:.2f}"
        )
    table = Table("", "precision", "recall", "F1", "gold", "predicted", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        shares = (f"{100 * part:.2f}" for part in (row.precision, row.recall, row.f1))
        table.add_row(Text(row.label), *shares, f"{row.gold:,}", f"{row.predicted:,}")
    console.print(table)
    console.print("V, the predicate itself, does not count for the overall figures.")


def _figures(row: ChunkScore) -> dict[str, float]:
    return {
        "precision": row.precision,
        "recall": row.recall,
        "f1": row.f1,
        "gold": row.gold,
        "predicted": row.predicted,
        "correct": row.correct,
    }


def _json_line(sentence: PropositionSentence, item: object) -> str:
    content: dict[str, Any] = {
        "words": sentence.words,
        "propositions": [
            {
                "predicate": proposition.predicate,
                "lemma": proposition.lemma,
                "arguments": [{"label": label, "start": start, "end": end} for label, start, end in proposition.spans],
            }
            for proposition in sentence.propositions
        ],
    }
    if isinstance(item, TextSentence):
        content["text"] = item.text[item.tokens[0].start : item.tokens[-1].end]
        content["offsets"] = item.places
    return _encode(content) + "\n"


def _text(sentence: PropositionSentence, item: object) -> str:
    """The sentence, and a line for each predicate with its arguments."""
    lines = [" ".join(sentence.words)]
    for proposition in sentence.propositions:
        parts = [f"[{label} {' '.join(sentence.words[start:end])}]" for label, start, end in proposition.spans]
        lines.append(f"  {proposition.lemma}: {' '.join(parts)}")
    return "\n".join(lines) + "\n"


def _columns(sentence: PropositionSentence, item: object) -> str:
    return format_propositions(sentence)


def _props(sentence: PropositionSentence, item: object) -> str:
    return format_propositions(sentence, props=True)


_encode = json_module.JSONEncoder(ensure_ascii=False).encode
_WRITERS: dict[str, Callable[[PropositionSentence, object], str]] = {
    "columns": _columns,
    "props": _props,
    "jsonl": _json_line,
    "text": _text,
}
