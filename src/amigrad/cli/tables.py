"""Columns of text and JSON on the standard output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any


def print_columns(columns: Sequence[Sequence[str]], heads: int = 0) -> None:
    """Print columns side by side, with a line below so many of their first rows."""
    from rich.cells import cell_len, set_cell_size

    widths = [max(map(cell_len, column), default=0) for column in columns]
    for number, row in enumerate(zip_longest(*columns, fillvalue="")):
        if heads and number == heads:
            print("  ".join("-" * width for width in widths))
        print("  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_json(content: Any) -> None:
    """Print JSON; what is not a number as null."""
    print(json.dumps(_plain(content), ensure_ascii=False, indent=1))


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    return None if isinstance(content, float) and content != content else content
