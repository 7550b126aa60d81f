"""The log of a training: a JSON object a line, which can be cut back to where a checkpoint left it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amigrad.train.errors import unwritable


class Log:
    """A file of JSON lines."""

    def __init__(self, path: Path, position: int = 0) -> None:
        """Go on at a position, in bytes; what is behind it was written after the checkpoint and is cut off."""
        self.path = path
        try:
            self._file = open(path, "ab")  # noqa: SIM115
            if self._file.tell() > position:
                self._file.truncate(position)
                self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise unwritable(path, error.errno, str(error)) from error

    def write(self, record: Mapping[str, Any]) -> None:
        """Append a record."""
        try:
            self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise unwritable(self.path, error.errno, str(error)) from error

    def sync(self) -> int:
        """Bring all records to the disk; gives the position behind them."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise unwritable(self.path, error.errno, str(error)) from error
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
