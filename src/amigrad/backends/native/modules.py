"""The text of the IR: functions dealt out to modules, each with what it needs of the others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from amigrad.backends.native import elf
from amigrad.backends.native.ir import Function
from amigrad.backends.native.load import SEPARATOR
from amigrad.backends.native.target import Target
from amigrad.backends.workers import cores

_LINES = 1000
"""A module has so many lines at least: below that a second one takes longer than it gains."""
_MOST_MODULES = 4
_NAME = re.compile(r"@[\w.]+")


def modules(functions: Sequence[Function], target: Target, more: Mapping[str, str]) -> str:
    """The functions, dealt out to as many modules as there are processors to compile them. more: by the name of each
    what else they may need. Where LLVM loads objects there is one: it does not link their large offsets to each other.
    """
    length = sum(len(f.lines) for f in functions)
    count = max(1, min(cores(), _MOST_MODULES, length // _LINES)) if elf.supported() else 1
    parts: list[list[Function]] = [[] for _ in range(count)]
    for f in sorted(functions, key=lambda f: len(f.lines), reverse=True) if count > 1 else functions:
        f.internal = f.internal and count == 1
        min(parts, key=lambda part: sum(len(other.lines) for other in part)).append(f)
    return SEPARATOR.join(_module(part, functions, target, more) for part in parts)


def _module(functions: Sequence[Function], every: Sequence[Function], target: Target, more: Mapping[str, str]) -> str:
    declared = sorted(set().union(*[f.intrinsics for f in functions])) if functions else []
    texts = [f.text() for f in functions]
    used = set(_NAME.findall("\n".join(texts)))
    texts += [text for name, text in more.items() if name in used]
    used.update(_NAME.findall("\n".join(texts)))
    called = [f.declaration() for f in every if f"@{f.name}" in used and f not in functions]
    head = [f'target triple = "{target.triple}"', *declared, *called]
    tuned = f' "tune-cpu"="{target.tune}"' if target.tune else ""
    tail = [
        f"attributes #0 = {{ nounwind{tuned} }}",
        f"attributes #1 = {{ nounwind noinline optnone{tuned} }}",
        "!0 = !{}",
        "!1 = !{i32 1}",
    ]
    return "\n".join([*head, *texts, *tail]) + "\n"
