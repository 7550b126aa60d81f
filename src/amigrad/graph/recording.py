"""What is being recorded: gradients' operations or not, a trace or none; and the array namespace."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

if TYPE_CHECKING:
    from amigrad.graph.trace import Trace

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class Place(NamedTuple):
    """A line of the user's program."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


def caller() -> Place | None:
    """The innermost line on the stack that is not amigrad's own."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return None
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


class _Current(threading.local):
    recorded: bool = True
    trace: Trace | None = None


_current = _Current()
_counting = threading.Lock()
TRACES = np.zeros(1, dtype=np.int64)
"""How many traces there are at present, in all threads: where native code looks whether there is one."""
_namespace: Any = None


def is_recording() -> bool:
    """Whether operations on tracked tensors are recorded in this thread."""
    return _current.recorded


@contextmanager
def no_gradients() -> Iterator[None]:
    """Within this context nothing is recorded: values only."""
    before = _current.recorded
    _current.recorded = False
    try:
        yield
    finally:
        _current.recorded = before


def active_trace() -> Trace | None:
    """The trace of the function that is being compiled in this thread, if one is."""
    return _current.trace


_T = TypeVar("_T", bound="Trace")


@contextmanager
def tracing(trace: _T) -> Iterator[_T]:
    """Within this context operations are recorded into `trace` and have no values."""
    before = _current.trace
    _count(1)
    _current.trace = trace
    try:
        yield trace
    finally:
        _current.trace = before
        _count(-1)


def _count(more: int) -> None:
    with _counting:
        TRACES[0] += more


def set_namespace(namespace: Any) -> None:
    """Say where the functions are that Python's operators on tensors call."""
    global _namespace
    _namespace = namespace


def namespace() -> Any:
    """The array namespace: what `x + y` and its like call."""
    return _namespace
