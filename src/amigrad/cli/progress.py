"""Progress at a terminal, on the standard error; elsewhere nothing is shown."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def shown(what: str, total: int | None, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """A bar of so many things (None: nobody knows) with the time left; call what it gives after each."""
    with lists_shown(total, what=what, shown=not quiet) as update:
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            update(done)

        yield advance


@contextmanager
def lists_shown(total: int | None, *, what: str = "lists", shown: bool = True) -> Iterator[Callable[[int], None]]:
    """A bar of so many lists with the time left; call what it gives with how many are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield lambda done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("left"), console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def waiting(what: str, *, quiet: bool = False) -> Iterator[None]:
    """A sign of life while something takes its time."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield
        return
    with console.status(f"{what} ..."):
        yield


def counted(items: Iterable[T], what: str) -> Iterator[T]:
    """The items; how many there were so far is shown meanwhile, unless results go to a terminal, too."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,} {task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        task, shown = progress.add_task(what, total=None), 0.0
        for done, item in enumerate(items):
            if (now := time.monotonic()) - shown > 0.1:
                shown = now
                progress.update(task, completed=done)
            yield item
