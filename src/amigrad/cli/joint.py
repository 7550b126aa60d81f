"""`amigrad tagger train --task`: one model of several tasks; and how other commands get one of its taggers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amigrad.tasks.tagging import OptionsError, Tagger, evaluate, hold_out, read_tagged
from amigrad.tasks.tagging.joint import TaskData, train_joint
from amigrad.tasks.tagging.joint_storage import is_joint, load_joint

if TYPE_CHECKING:
    from amigrad.data import Sentence, WordVectors
    from amigrad.tasks.tagging import TaggerOptions


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """A task of the command line: where its sentences are, and the column of its tags (None: the format's own)."""

    train: Path
    column: str | None
    dev: Path | None = None

    def read(self, path: Path, format: str | None, word_column: int) -> list[Sentence]:
        """The sentences of a file; a column of CoNLL-U has a name, others a number."""
        if self.column is None:
            return read_tagged(path, format, word_column=word_column)
        if re.fullmatch(r"-?\d+", self.column):
            return read_tagged(path, format or "conll", column=int(self.column), word_column=word_column)
        return read_tagged(path, format or "conllu", tag=self.column)


def parse_tasks(tasks: Sequence[str], devs: Sequence[str]) -> dict[str, TaskFiles]:
    """What --task NAME:FILE[:COLUMN] and --task-dev NAME:FILE say. Raises OptionsError if it is not understood."""
    dev: dict[str, Path] = {}
    for text in devs:
        name, _, path = text.partition(":")
        if not path or name in dev:
            raise OptionsError(f"--task-dev takes NAME:FILE, once for each task; not '{text}'")
        dev[name] = Path(path)
    found: dict[str, TaskFiles] = {}
    for text in tasks:
        name, _, path = text.partition(":")
        column = re.search(r":(-?\d+|[^\W\d]\w*)$", path)
        if column is not None:
            path = path[: column.start()]
        if not name.isidentifier() or not path or name in found:
            raise OptionsError(f"--task takes NAME:FILE or NAME:FILE:COLUMN, with a name of one word; not '{text}'")
        found[name] = TaskFiles(Path(path), column and column[1], dev.pop(name, None))
    if dev:
        raise OptionsError(f"--task-dev {next(iter(dev))}: there is no such --task")
    return found


def train_tasks(
    files: dict[str, TaskFiles],
    options: TaggerOptions,
    output: Path,
    *,
    share: str,
    format: str | None,
    word_column: int,
    vectors: WordVectors | None,
    progress: bool,
    resume: bool,
) -> None:
    """Train a model of several tasks, and print what each reaches."""
    from amigrad.cli.report import print_evaluation

    tasks: dict[str, TaskData] = {}
    for name, task in files.items():
        train = task.read(task.train, format, word_column)
        if task.dev is None:
            tasks[name] = TaskData(*hold_out(train, str(task.train)))
        else:
            tasks[name] = TaskData(train, task.read(task.dev, format, word_column))
    taggers = train_joint(tasks, options, share=share, vectors=vectors, output=output, progress=progress, resume=resume)
    for name, tagger in taggers.items():
        print(f"{name}:")
        print_evaluation(evaluate(tagger, tasks[name].dev))
    print(f"The model is in {output}. Try: echo 'Some text.' | amigrad tagger tag {output}")


def load_tagger(folder: Path, task: str | None) -> Tagger:
    """The tagger in a folder, or that of a task where the model has several. Raises OptionsError if it is not there."""
    if not is_joint(folder):
        if task is not None:
            raise OptionsError(f"{folder} has no tasks to choose from: leave out --task")
        return Tagger.load(folder)
    taggers = load_joint(folder)
    if task is None or task not in taggers:
        raise OptionsError(f"{folder} has the tasks {', '.join(taggers)}: choose one with --task")
    return taggers[task]
