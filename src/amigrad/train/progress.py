"""Progress of a training: a bar with speed and time left in a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_INTERVAL = 0.1


class _Speed(ProgressColumn):
    def __init__(self, unit: str, size: float) -> None:
        super().__init__()
        self._unit, self._size = unit, size

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed * self._size:,.0f} {self._unit}/s" if task.speed else "")


class Reporter:
    """Shows how a training goes, on the standard error stream; shows nothing if it is not `shown`."""

    def __init__(self, examples: int, epochs: int, *, shown: bool, unit: tuple[str, float] = ("examples", 1.0)) -> None:
        """`unit`: what speed is counted in, and how many of these an example has."""
        self._examples = examples
        self._epochs = epochs
        self._console = Console(stderr=True, quiet=not shown, highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        if shown and self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                _Speed(*unit),
                TimeRemainingColumn(),
                TextColumn("left, cost {task.fields[cost]:.4f}"),
                console=self._console,
                transient=True,
            )
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, epoch: int, position: int) -> None:
        """An epoch, counted from 0, begins or goes on after so many of its examples."""
        if self._bar is None:
            return
        description, done = f"epoch {epoch + 1}/{self._epochs}", epoch * self._examples + position
        if not self._bar.tasks:
            self._bar.add_task(description, total=self._epochs * self._examples, completed=done, cost=0.0)
            self._bar.start()
        else:
            self._bar.update(self._bar.tasks[0].id, description=description, completed=done)

    def advance(self, epoch: int, position: int, cost: float) -> None:
        """So many examples of the epoch are done, at this mean cost; looked at ten times a second only."""
        if self._bar is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _INTERVAL
        self._bar.update(self._bar.tasks[0].id, completed=epoch * self._examples + position, cost=cost)

    def line(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, markup=False)


@contextmanager
def reading(what: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Within this context there is a bar on the standard error stream, if that is a terminal: the function that is
    given moves it to so many bytes of so many.
    """
    console = Console(stderr=True, quiet=not shown, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    if not (shown and console.is_terminal):
        yield lambda done, total: None
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task, next_time = bar.add_task(what, total=None), 0.0

        def advance(done: int, total: int) -> None:
            nonlocal next_time
            if (now := time.monotonic()) >= next_time:
                next_time = now + _INTERVAL
                bar.update(task, completed=done, total=total)

        yield advance
