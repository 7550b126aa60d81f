"""Progress at a terminal, beside results that go elsewhere."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

COUNT = """
import time
from amigrad.cli.progress import counted
for item in counted(range(1200), "sentences"):
    print(item)
    time.sleep(0.0003)
"""


def run_with_terminal(program: str, output: Path) -> str:
    """What a Python program writes to its standard error, a terminal; its standard output goes into a file."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    with (
        output.open("wb") as file,
        subprocess.Popen([sys.executable, "-c", program], stdout=file, stderr=theirs, env=environment),
    ):
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while part := os.read(ours, 65536):
                shown += part
    os.close(ours)
    return shown.decode()


def test_items_are_counted_at_a_terminal_and_pass_unchanged(tmp_path: Path) -> None:
    shown = run_with_terminal(COUNT, tmp_path / "items")
    assert (tmp_path / "items").read_text().split() == [str(number) for number in range(1200)]
    counts = [int(part.split()[-1].replace(",", "")) for part in shown.split(" sentences")[:-1]]
    assert counts == sorted(counts)
    assert counts[-1] > 100


def test_nothing_is_shown_without_a_terminal() -> None:
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, check=True)
    assert done.stderr == b""
