"""Compiled objects on disk, found again by the content they were made from.

Nothing here raises because of the disk: what cannot be read is made again, what cannot be written is not kept.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

try:
    from _blake2 import blake2b as _digest  # With hashlib comes OpenSSL, which takes longer than a cached call.
except ImportError:
    from hashlib import blake2b as _digest

MAGIC = b"amigrad2"
LIMIT = 256 * 2**20  # bytes in the folder
STALE = 3600.0  # seconds after which a file that was never finished is litter

_DIGEST = 32
_ENTRY, _UNFINISHED = ".object", ".part"
_PRUNING = "0"  # The folder is looked through after one entry in 16: keys are hexadecimal.


def folder() -> Path | None:
    """Where entries lie: AMIGRAD_CACHE, or the platform's place for caches; None where AMIGRAD_CACHE is "off"."""
    chosen = os.environ.get("AMIGRAD_CACHE", "")
    if chosen == "off":
        return None
    if chosen:
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME", ""):
        return Path(base, "amigrad")
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local", "amigrad", "cache")
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "amigrad"
    return home / ".cache" / "amigrad"


def key(*parts: str) -> str:
    """The name of what is made from these texts."""
    whole = _digest(digest_size=_DIGEST)
    for part in parts:
        data = part.encode()
        whole.update(len(data).to_bytes(8, "little"))
        whole.update(data)
    return whole.hexdigest()


def digest(data: bytes) -> bytes:
    """What tells data from other data."""
    return _digest(data, digest_size=_DIGEST).digest()


def read(name: str) -> bytes | None:
    """The payload kept under a key; None where there is none, or none that is whole and this user's own."""
    place = folder()
    if place is None:
        return None
    path = place / (name + _ENTRY)
    try:
        with open(path, "rb") as file:
            if sys.platform != "win32" and os.fstat(file.fileno()).st_uid != os.geteuid():
                return None  # It would be run as code.
            data = file.read()
    except OSError:
        return None
    start = len(MAGIC) + _DIGEST
    payload = data[start:]
    if data[:start] != MAGIC + digest(payload):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # The oldest go first.
    return payload


def write(name: str, payload: bytes) -> bool:
    """Keep a payload; readers see all of it or nothing. Whether it was kept."""
    place = folder()
    if place is None:
        return False
    import tempfile  # which imports much, and who only reads needs none of it

    unfinished = None
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(_UNFINISHED, name[:16] + "-", place)
        with open(descriptor, "wb") as file:
            file.write(MAGIC + digest(payload) + payload)
        os.replace(unfinished, place / (name + _ENTRY))
    except OSError:
        if unfinished is not None:
            with contextlib.suppress(OSError):
                os.unlink(unfinished)
        return False
    if name.endswith(_PRUNING):
        _prune(place)
    return True


def _prune(place: Path) -> None:
    """Drop the entries that were used longest ago, down to three quarters of the limit, where they exceed it."""
    entries, total, now = [], 0, time.time()
    try:
        with os.scandir(place) as found:
            for item in found:
                if not item.name.endswith((_ENTRY, _UNFINISHED)):
                    continue
                with contextlib.suppress(OSError):  # Another process may have dropped it.
                    state = item.stat(follow_symlinks=False)
                    if item.name.endswith(_ENTRY):
                        entries.append((state.st_mtime, state.st_size, item.path))
                        total += state.st_size
                    elif now - state.st_mtime > STALE:
                        os.unlink(item.path)
    except OSError:
        return
    if total <= LIMIT:
        return
    for _, size, path in sorted(entries):
        if total <= LIMIT * 3 // 4:
            break
        with contextlib.suppress(OSError):
            os.unlink(path)
        total -= size
