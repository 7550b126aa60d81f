"""Threads for native code: how many, and the workers that wait for a share of a step.

A step's work is cut in the same pieces for any number of threads, so the bits of the result do not depend on it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

Share = Callable[[int], int]


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


class Workers:
    """Threads that wait for work. One piece of work at a time: who comes meanwhile goes on alone."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._queues: list[SimpleQueue[Share]] = []
        self._process = os.getpid()

    def run(self, share: Share, count: int) -> int | None:
        """share(0) here and share(1), share(2) ... each in a worker; gives the result of share(0).

        The shares wait for each other at the end, so all work is done then. None if the workers are taken.
        """
        if not self._busy.acquire(blocking=False):
            return None
        try:
            if self._process != os.getpid():
                self._queues, self._process = [], os.getpid()
            while len(self._queues) < count - 1:
                self._start()
            for number, queue in enumerate(self._queues[: count - 1], start=1):
                queue.put(lambda _, number=number: share(number))  # type: ignore[misc]
            return share(0)
        finally:
            self._busy.release()

    def _start(self) -> None:
        queue: SimpleQueue[Share] = SimpleQueue()

        def serve() -> None:
            while True:
                queue.get()(0)

        threading.Thread(target=serve, daemon=True, name="amigrad-worker").start()
        self._queues.append(queue)


WORKERS = Workers()
