"""What `amigrad tagger tag` writes: columns, JSON, or words in colour."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from amigrad.cli.progress import counted
from amigrad.data import Sentence, TextSentence, Tokenizer, read_columns, read_text, read_tokens
from amigrad.data.encoding import Span, tolerant_spans
from amigrad.tasks.tagging import Taggers
from amigrad.tasks.tagging.corpus import column_numbers
from amigrad.tasks.tagging.tagger import BLOCK_TOKENS
from amigrad.tasks.tagging.together import Layers

if TYPE_CHECKING:
    from rich.text import Text

Item = Sentence | TextSentence


@dataclass(frozen=True, slots=True)
class Form:
    """How tagged sentences are written: `output` is conll, jsonl or color; with the places of words or without."""

    output: str = "conll"
    offsets: bool = False


def write_tagged(
    taggers: Taggers, source: Path | BinaryIO, form: Form, *, tokens: bool = False, tokenizer: Tokenizer | None = None
) -> None:
    """Tag what a source holds and write it to the standard output, block by block.

    The source holds one token a line if `tokens` says so (and behind it the columns that the taggers read, counted from
    0), otherwise text, which the tokenizer takes apart.
    """
    sentences: Iterable[Item]
    if tokens and taggers.given:
        sentences = read_columns(source, tag_column=None, columns=column_numbers(taggers.given))
    else:
        sentences = read_tokens(source) if tokens else read_text(source, tokenizer)
    waiting = not isinstance(source, Path) and source.isatty()  # someone types, and wants each answer at once
    size = 1 if waiting else BLOCK_TOKENS
    if not waiting:
        sentences = counted(sentences, "sentences")
    with _few_collections():
        if form.output == "color":
            _print_colored(taggers, sentences, size)
        else:
            _print_plain(taggers, sentences, form, size)


def _print_plain(taggers: Taggers, sentences: Iterable[Item], form: Form, block_tokens: int) -> None:
    write: Callable[[Layers[Item], Taggers, bool], str] = _conll if form.output == "conll" else _json_lines
    out = sys.stdout.buffer
    for layers in taggers.layers(sentences, key=_words, given=_columns, block_tokens=block_tokens):
        out.write(write(layers, taggers, form.offsets).encode())
        if block_tokens == 1:
            out.flush()


@contextmanager
def _few_collections() -> Iterator[None]:
    """Have Python look for garbage in cycles seldom: words and tags come and go by the thousand, and are in none."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _words(item: Item) -> Sequence[str]:
    return item.words


def _columns(item: Item) -> Sequence[Sequence[str]]:
    return item.columns if isinstance(item, Sentence) else ()


def _conll(layers: Layers[Item], taggers: Taggers, offsets: bool) -> str:
    """A word a line: the word, where it begins and ends if asked for, and the tag of each tagger."""
    columns: list[Iterable[str]] = [layers.words]
    if offsets:
        places = [place for item in layers.items for place in _places(item)]
        columns += [[str(start) for start, _ in places], [str(end) for _, end in places]]
    lines = list(map("\t".join, zip(*columns, *layers.tags.values(), strict=True)))
    end = 0
    parts = []
    for length in layers.lengths:
        parts.append("\n".join(lines[end : end + length]))
        end += length
    return "\n\n".join(parts) + "\n\n"


def _places(item: Item) -> list[tuple[int, int]]:
    if not isinstance(item, TextSentence):
        raise TypeError("only words of plain text have places in it")
    return item.places


def _json_lines(layers: Layers[Item], taggers: Taggers, offsets: bool) -> str:
    """A sentence a line. The tags of one tagger lie beside the words, those of several under their names."""
    lines = []
    for item, found in _sentences(layers, taggers):
        content: dict[str, Any] = {"words": item.words}
        content |= {"models": found} if len(found) > 1 else next(iter(found.values()))
        if isinstance(item, TextSentence):
            content["text"] = item.text[item.tokens[0].start : item.tokens[-1].end]
            content["offsets"] = item.places
        lines.append(_encode(content) + "\n")
    return "".join(lines)


def _sentences(layers: Layers[Item], taggers: Taggers) -> Iterator[tuple[Item, dict[str, dict[str, Any]]]]:
    """Each sentence with its tags, and chunks where these are such, for each tagger by its name."""
    start = 0
    for item, length in zip(layers.items, layers.lengths, strict=True):
        found = {}
        for name, tagger in taggers.items():
            tags = layers.tags[name][start : start + length]
            found[name] = {"tags": tags} if tagger.tag_set.scheme is None else {"tags": tags, "chunks": _chunks(tags)}
        yield item, found
        start += length


def _chunks(tags: Sequence[str]) -> list[dict[str, Any]]:
    return [{"label": label, "start": start, "end": end} for label, start, end in tolerant_spans(tags)]


_encode = json.JSONEncoder(ensure_ascii=False).encode
_COLORS = ("cyan", "magenta", "green", "yellow", "blue", "red")


def _print_colored(taggers: Taggers, sentences: Iterable[Item], block_tokens: int) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(force_terminal=True, soft_wrap=True, highlight=False)
    colors = {
        name: {label: _COLORS[number % len(_COLORS)] for number, label in enumerate(tagger.tags)}
        for name, tagger in taggers.items()
    }
    width = max(map(len, taggers))
    for layers in taggers.layers(sentences, key=_words, given=_columns, block_tokens=block_tokens):
        for item, found in _sentences(layers, taggers):
            for name, layer in found.items():
                line = Text()
                if len(found) > 1:
                    line.append(f"{name:{width}}  ", style="dim")
                _add_colored(line, item.words, _spans(layer), colors[name])
                console.print(line)


def _spans(layer: Mapping[str, Any]) -> list[Span]:
    if "chunks" in layer:
        return [Span(**chunk) for chunk in layer["chunks"]]
    return [Span(tag, position, position + 1) for position, tag in enumerate(layer["tags"])]


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
