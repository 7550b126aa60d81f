import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Path of a file among the real data that AMIGRAD_DATA points at; skips the test where it is not there."""

    def find(name: str) -> Path:
        folder = os.environ.get("AMIGRAD_DATA")
        if not folder:
            pytest.skip("AMIGRAD_DATA does not point at the real data")
        path = Path(folder, name)
        if not path.exists():
            pytest.skip(f"{name} is not in the folder that AMIGRAD_DATA points at")
        return path

    return find


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small file and gives its path."""

    def create(content: str | bytes, name: str = "sample.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return create
