"""The rows of the table: what each trains with, and what the paper reports for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its task, its approach, and the options of the command that trains it.

    `vectors`: starts from pretrained vectors. `cascade`: the options of a tagger whose tags are a feature; it is
    trained on the same sentences, on their parts of speech. `peer`: a program of its own instead of a command.
    """

    name: str
    task: str
    approach: str
    options: tuple[str, ...] = ()
    vectors: bool = False
    cascade: tuple[str, ...] | None = None
    peer: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    paper: str | None = None


PAPER = {
    "pos": {"wll": 96.31, "sll": 96.37, "wll-lm": 97.14, "sll-lm": 97.20, "benchmark": 97.24, "cascade": 97.29},
    "chunk": {"wll": 89.13, "sll": 90.33, "wll-lm": 92.04, "sll-lm": 93.63, "benchmark": 94.29, "cascade": 94.32},
    "ner": {"wll": 79.53, "sll": 81.47, "wll-lm": 86.96, "sll-lm": 88.67, "benchmark": 89.31, "cascade": 89.59},
    "srl": {"wll": 55.40, "sll": 70.99, "wll-lm": 58.34, "sll-lm": 74.15, "benchmark": 77.92, "cascade": 75.49},
}
"""The paper's figures (tables 4, 8 and 9) on its own data: test parts of WSJ, CoNLL-2000, -2003 and -2005.

LM2 where there are two; `cascade` is SENNA with its task features; `benchmark` are the systems that it compares with.
"""

_SMALL = ("--learning-rate", "0.03", "--epochs", "10")
_SMALL_SENTENCES = (*_SMALL, "--batch-size", "8")
_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "pos": {"wll": (), "sll": ()},
    "chunk": {"wll": (), "sll": ("--batch-size", "8", "--epochs", "8")},
    "ner": {"wll": _SMALL, "sll": _SMALL_SENTENCES},
    "names": {"wll": _SMALL, "sll": _SMALL_SENTENCES},
    "srl": {"wll": (), "sll": ()},
}
"""How a task's rows are trained, where not by default: chosen by the figures on the development part, without vectors
and with, the same for all rows of a task and a cost.
"""

_TITLES = {"wll": "WLL", "sll": "SLL", "wll-lm": "WLL + vectors", "sll-lm": "SLL + vectors"}
_COSTS = {"wll": "word", "sll": "sentence"}


def _network_rows(task: str) -> list[Row]:
    """WLL and SLL, without vectors and with."""
    rows = []
    for name, title in _TITLES.items():
        cost = ("--cost", _COSTS[name[:3]])
        network = ("--network", "convolution", "--no-predicates") if task == "srl" else ()
        paper = name if task in PAPER else None
        options = (*cost, *network, *_OPTIONS[task][name[:3]])
        rows.append(Row(f"{task}-{name}", task, title, options, name.endswith("lm"), paper=paper))
    return rows


def _extended(task: str, *options: str, cost: str = "sll") -> tuple[str, ...]:
    """The options of a task's rows with this cost, and others."""
    return ("--cost", _COSTS[cost], *_OPTIONS[task][cost], *options)


def _peer_rows(task: str) -> list[Row]:
    """What others' programs reach on the same files."""
    return [
        Row(f"{task}-crfsuite", task, "sklearn-crfsuite", peer="crfsuite"),
        Row(f"{task}-spacy", task, "spaCy, blank", peer="spacy"),
    ]


def _recurrent_rows(task: str) -> list[Row]:
    """The recurrent network with its own settings, with nothing but the training sentences and with more."""
    options = ("--network", "lstm", "--cost", "sentence")
    return [
        Row(f"{task}-lstm", task, "LSTM, SLL", options),
        Row(f"{task}-lstm-lm", task, "LSTM, SLL + vectors", options, True),
        Row(f"{task}-lstm-characters", task, "LSTM, SLL + vectors, characters", (*options, "--characters"), True),
    ]


_ROLES_LSTM = ("--cost", "sentence", "--network", "lstm", "--no-predicates")
_DEEP = ("--layers", "2", "--epochs", "10")
_RECURRENT = ("--network", "lstm", "--characters")
"""What finds parts of speech for the recurrent network."""

_ROWS = [
    *_network_rows("pos"),
    Row("pos-characters", "pos", "WLL + vectors, characters", _extended("pos", "--characters", cost="wll"), True),
    *_recurrent_rows("pos"),
    Row(
        "pos-lstm-deep",
        "pos",
        "LSTM, SLL + vectors, characters, two layers",
        ("--cost", "sentence", *_RECURRENT, "--layers", "2"),
        True,
    ),
    *_peer_rows("pos"),
    *_network_rows("chunk"),
    Row("chunk-cascade", "chunk", "SLL + vectors, POS of a tagger", _extended("chunk"), True, (), paper="cascade"),
    Row("chunk-pos", "chunk", "SLL + vectors, POS column", _extended("chunk", "--column-feature", "1"), True),
    *_recurrent_rows("chunk"),
    Row(
        "chunk-lstm-cascade",
        "chunk",
        "LSTM, SLL + vectors, characters, POS of such a tagger",
        ("--cost", "sentence", *_RECURRENT),
        True,
        _RECURRENT,
    ),
    *_peer_rows("chunk"),
    Row("chunk-crfsuite-pos", "chunk", "sklearn-crfsuite, POS column", peer="crfsuite", settings={"columns": True}),
    *_network_rows("ner"),
    Row("ner-characters", "ner", "SLL + vectors, characters", _extended("ner", "--characters"), True),
    *_recurrent_rows("ner"),
    *_peer_rows("ner"),
    *_network_rows("names"),
    Row("names-characters", "names", "SLL + vectors, characters", _extended("names", "--characters"), True),
    *_recurrent_rows("names"),
    *_peer_rows("names"),
    *_network_rows("srl"),
    Row("srl-lstm", "srl", "bidirectional LSTM, SLL", _ROLES_LSTM),
    Row("srl-lstm-lm", "srl", "bidirectional LSTM, SLL + vectors", _ROLES_LSTM, True),
    Row("srl-lstm-deep", "srl", "... with two layers for each predicate, 10 epochs", (*_ROLES_LSTM, *_DEEP), True),
]
ROWS = {row.name: row for row in _ROWS}


def chosen(names: list[str]) -> list[Row]:
    """The rows of these names; a task's name stands for all its rows, and no name for all there are."""
    if not names:
        return list(ROWS.values())
    rows: dict[str, Row] = {}
    for name in names:
        of_task = {row.name: row for row in ROWS.values() if row.task == name}
        if name not in ROWS and not of_task:
            raise SystemExit(f"There is no row '{name}'. Rows: {' '.join(ROWS)}; or a task: pos chunk ner names srl")
        rows |= of_task or {name: ROWS[name]}
    return list(rows.values())
