"""Progress at a terminal, on the standard error; elsewhere nothing is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


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
