"""The protocol by which programs that are compared take turns: a line in, a line out.

A program serves tasks. Each has the workload's name and one or more *forms*, ways in which its library can do it:

    at the start    {"program": "jax", "version": "0.10.2", "threads": 1, "forms": {"line": ["jit"], ...}}
    open JSON       {"workload", "form", "data", "settings"} -> {"task": 0, "checks": [...], "seconds": ...},
                    or {"error": "..."}, or {} where this form cannot do that: it is left out
    run TASK CALLS  the seconds that the next CALLS calls took
    close TASK      forgets it, answers "closed"
    memory          the most bytes of memory that the process had; -1 where the system does not say
    end of input    the program ends

`data` is an .npz of initial parameters and of batches (their first axis), the same for all programs. A call takes the
next batch, and after the last the first again. The checks are a number for each of the first calls: the sum of the
absolute values of what it gave, which for a training step is its cost. They are made as the task is opened, and
`seconds` says how long the first one took, with all compilation. "checks" in the request says how many there are.

This file is imported in the peers' own environments: it needs Python and NumPy only.
"""

import gc
import itertools
import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

FIRST_CALLS = 10

Arrays = Mapping[str, Any]
Settings = Mapping[str, Any]


class Task(NamedTuple):
    """A form of a workload, ready to run."""

    run: Callable[[Sequence[Any]], Any]
    """Makes a call with each of these batches in turn and gives the last result; all work is done when it returns."""

    batches: Sequence[Any]
    """Each is what a call takes."""

    results: Callable[[Any], Any] = lambda result: result
    """The result of a call as something that np.asarray takes."""


class NotOfferedError(Exception):
    """A form cannot do what these settings ask for; it is left out without a word."""


Form = Callable[[Arrays, Settings], Task]


class Opened:
    """A task with its place in the batches."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._next = itertools.cycle(task.batches)

    def call(self, count: int) -> Any:
        return self.task.run(list(itertools.islice(self._next, count)))

    def checks(self, calls: int) -> list[float]:
        """Numbers of the next calls' results; none for what gives nothing."""
        found = []
        for _ in range(calls):
            result = self.task.results(self.call(1))
            if result is not None:
                found.append(float(np.abs(np.asarray(result, dtype=np.float64)).sum()))
        return found

    def seconds(self, calls: int) -> float:
        """The time that the next calls take, with the garbage collector off."""
        batches = list(itertools.islice(self._next, calls))
        gc.collect()
        gc.disable()
        try:
            start = time.perf_counter()
            self.task.run(batches)
            return time.perf_counter() - start
        finally:
            gc.enable()


def serve(program: str, version: str, threads: int, forms: Mapping[str, Mapping[str, Form]], **more: Any) -> None:
    """Answer the lines of standard input until it ends. What a form prints goes to standard error."""
    output, sys.stdout = sys.stdout, sys.stderr
    tasks: dict[int, Opened] = {}
    names = {workload: list(found) for workload, found in forms.items()}
    answer: object = {"program": program, "version": version, "threads": threads, "forms": names, **more}
    print(json.dumps(answer), file=output, flush=True)
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        if command == "open":
            answer = json.dumps(_open(forms, tasks, json.loads(rest)))
        elif command == "run":
            task, calls = map(int, rest.split())
            answer = tasks[task].seconds(calls)
        elif command == "memory":
            answer = _peak_memory()
        elif command == "close":
            del tasks[int(rest)]
            gc.collect()
            answer = "closed"
        else:
            raise SystemExit(f"unknown command: {line!r}")
        print(answer, file=output, flush=True)


def _open(
    forms: Mapping[str, Mapping[str, Form]], tasks: dict[int, Opened], request: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        with np.load(request["data"]) as file:
            arrays = dict(file)
        opened = Opened(forms[request["workload"]][request["form"]](arrays, request["settings"]))
        start = time.perf_counter()
        checks = opened.checks(1)
        seconds = time.perf_counter() - start
        checks += opened.checks(min(request.get("checks", FIRST_CALLS), len(opened.task.batches)) - 1)
    except NotOfferedError:
        return {}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    number = max(tasks, default=-1) + 1
    tasks[number] = opened
    return {"task": number, "checks": checks, "seconds": seconds}


def _peak_memory() -> int:
    """Of this program: what `getrusage` says begins with the memory of the program that started it."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return -1
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def stepping(step: Callable[..., Any]) -> Callable[[Sequence[Any]], Any]:
    """A run of a step that changes its parameters in place and is done when it returns."""

    def run(batches: Sequence[Any]) -> Any:
        result = None
        for batch in batches:
            result = step(*batch)
        return result

    return run
