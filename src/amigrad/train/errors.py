"""What can stop a training."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path


class TrainingError(RuntimeError):
    """A training cannot begin or go on: what is wrong, and the way out."""


class CheckpointError(TrainingError):
    """A file of a training cannot be written, or one that was written cannot be used."""


class OtherSettingsError(CheckpointError):
    """A folder holds a training that was begun with other settings; `anew` is how to have it removed."""

    def __init__(self, folder: Path, changes: Sequence[str], anew: str = "resume=False") -> None:
        super().__init__(
            f"{folder} holds a training with other settings: {_some(changes)}. Give the settings it was begun "
            f"with, or another folder, or start anew with {anew}"
        )
        self.folder = folder
        self.changes = changes


def _some(changes: Sequence[str], most: int = 6) -> str:
    """The first of some changes, and how many more there are."""
    more = f" and {len(changes) - most} more" if len(changes) > most else ""
    return "; ".join(changes[:most]) + more


class Interrupted(SystemExit):
    """A training was stopped by Ctrl-C (exit code 130) or by SIGTERM (143), and can go on where it was."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code)
        self.message = message

    def __str__(self) -> str:
        return self.message


_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "it is not permitted to write there",
    errno.EPERM: "it is not permitted to write there",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "the folder does not exist",
    errno.ENOTDIR: "part of the path is not a folder",
}


def unwritable(path: Path, code: int | None, detail: str) -> CheckpointError:
    """The error for a file that cannot be written, from the system's error number."""
    reason = _REASONS.get(code or 0, os.strerror(code) if code else detail)
    return CheckpointError(
        f"{path} cannot be written: {reason}. What was saved before is whole; once there is a place to write, "
        "the same command goes on from there"
    )
