"""How many threads native code may use. The bits of a result do not depend on it."""

from __future__ import annotations

import os


def _from_environment() -> int:
    text = os.environ.get("AMIGRAD_THREADS", "1")
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"AMIGRAD_THREADS is a number of threads from 1 on, not {text!r}")
    return int(text)


_threads: int | None = None


def threads() -> int:
    """How many threads functions compiled from now on may use: set_threads' number, else AMIGRAD_THREADS, else 1."""
    return _from_environment() if _threads is None else _threads


def set_threads(count: int) -> None:
    """Let functions that are compiled from now on use so many threads for steps that are large enough."""
    global _threads
    if count < 1:
        raise ValueError(f"the number of threads is from 1 on, not {count}")
    _threads = count


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
