"""The tasks of the table, each with files to train on and to score on, all written in the same columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from amigrad.data import Scheme, Sentence, convert, detect, read_columns, read_conllu
from amigrad.tasks.tagging import hold_out


class DataMissing(SystemExit):
    """A file that an experiment needs is not there."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the data are: a folder as AMIGRAD_DATA's, and one with CoNLL-2003's names, if there is such."""

    data: Path | None
    conll2003: Path | None = None

    def path(self, name: str) -> Path:
        """A file of the folder of data."""
        if self.data is None:
            raise DataMissing("Where are the data? Give --data FOLDER, or set AMIGRAD_DATA.")
        return existing(self.data / name)


def existing(*paths: Path) -> Path:
    """The first of some paths that exists, compressed or not."""
    for path in paths:
        for candidate in (path, path.with_name(path.name + ".gz")):
            if candidate.exists():
                return candidate
    raise DataMissing(f"There is no {' or '.join(map(str, paths))}.")


@dataclass(frozen=True, slots=True)
class Task:
    """A task: its figure (accuracy or F1) and the files made for it, of one word a line: word, part of speech, tag.

    Semantic roles have files of their own. `test` is there for CoNLL-2003 only, if its folder has it.
    """

    name: str
    title: str
    train: Path
    dev: Path
    test: Path | None = None
    chunks: bool = True
    parts_of_speech: bool = False

    @property
    def measure(self) -> str:
        """What is reported."""
        return "F1" if self.chunks else "accuracy"


TASKS = {"pos": "POS", "chunk": "CHUNK", "ner": "NER", "names": "NER (EWT)", "srl": "SRL"}


def prepare(name: str, sources: Sources, folder: Path) -> Task:
    """The files of a task, written into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "srl":
        files = [sources.path(f"srl_ewt/{part}.verbs.gz") for part in ("train", "dev")]
        return Task(name, "SRL: propositions of the English Web Treebank, verbs", *files)
    test = None
    if name == "pos":
        title = "POS: UD English EWT, universal parts of speech"
        parts = [
            list(read_conllu(sources.path(f"ud_english_ewt/en_ewt-ud-{part}.conllu.gz"))) for part in ("train", "dev")
        ]
    elif name == "chunk":
        title = "CHUNK: CoNLL-2000, trained on nine tenths of its training sentences, scored on the last tenth"
        parts = list(map(list, hold_out(_columns(sources.path("conll2000/train.txt.gz"), 1))))
    elif name == "ner" and sources.conll2003 is not None:
        title = "NER: CoNLL-2003, English"
        found = [_find(sources.conll2003, names) for names in _CONLL2003]
        parts = [_columns(path, 1) for path in found if path is not None]
        test = folder / "ner2003.test.txt" if found[2] is not None else None
    elif name == "ner":
        title = "NER: WNUT-17"
        parts = [_columns(sources.path(f"wnut17/{part}.conll")) for part in ("train", "dev")]
    elif name == "names":
        title = "NER: names in UD English EWT, trained on nine tenths of its development part, scored on the last tenth"
        file = sources.path("uner_ewt/en_ewt-ud-dev.iob2")
        parts = list(map(list, hold_out(list(read_columns(file, word_column=1, tag_column=2)))))
    else:
        raise ValueError(f"there is no task {name}")
    stem = "ner2003" if name == "ner" and sources.conll2003 is not None else name
    paths = [folder / f"{stem}.{part}.txt" for part in ("train", "dev", "test")]
    for path, sentences in zip(paths, parts, strict=False):
        _write(path, sentences)
    tagged = bool(parts[0][0].columns)
    return Task(stem, title, paths[0], paths[1], test, name != "pos", tagged)


def read(path: Path) -> list[Sentence]:
    """The sentences of a file that `prepare` wrote."""
    return _columns(path, 1)


def write_lines(path: Path, sentences: Sequence[Sentence], *, chunks: bool, columns: bool) -> None:
    """Sentences as JSON lines for a peer; chunks as IOB2."""
    scheme = detect(sentence.tags for sentence in sentences) if chunks else None
    with path.open("w", encoding="utf-8") as file:
        for sentence in sentences:
            tags = sentence.tags if scheme is None else convert(sentence.tags, scheme, Scheme.IOB2)
            row = {"words": sentence.words, "tags": tags, "columns": sentence.columns if columns else ()}
            file.write(json.dumps(row) + "\n")


_CONLL2003 = (
    ("eng.train", "train.txt", "train.conll", "eng.train.txt"),
    ("eng.testa", "valid.txt", "dev.txt", "testa.txt", "testa", "valid.conll", "dev.conll", "eng.testa.txt"),
    ("eng.testb", "test.txt", "testb.txt", "testb", "test.conll", "eng.testb.txt"),
)


def _find(folder: Path, names: Sequence[str]) -> Path | None:
    if "eng.testb" in names and not any((folder / name).exists() for name in names):
        return None
    return existing(*(folder / name for name in names))


def _columns(path: Path, part_of_speech: int | None = None) -> list[Sentence]:
    columns = () if part_of_speech is None else (part_of_speech,)
    return list(read_columns(path, columns=columns))


def _write(path: Path, sentences: Sequence[Sentence]) -> None:
    aside = path.with_name(path.name + ".tmp")
    aside.write_text("".join(_lines(sentences)), encoding="utf-8")
    aside.replace(path)


def _lines(sentences: Sequence[Sentence]) -> Iterator[str]:
    for sentence in sentences:
        parts = sentence.columns[0] if sentence.columns else ("-",) * len(sentence)
        for row in zip(sentence.words, parts, sentence.tags, strict=True):
            yield "\t".join(row) + "\n"
        yield "\n"
