"""Object files for x86-64 Linux, linked in memory. It is done without LLVM, whose import takes longer than the rest of
a first call whose code is in the cache.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import struct
import sys
from functools import cache
from platform import machine
from typing import NamedTuple

_ALLOCATED = 2
_NO_BITS = 8
_SYMBOLS, _RELOCATIONS = 2, 4
_PAGE = mmap.PAGESIZE
_ABSOLUTE, _RELATIVE, _CALL = 1, 2, 4
_STUB = 16


class UnsupportedObjectError(Exception):
    """An object file that this loader does not know how to load."""


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry: int


def supported() -> bool:
    """Whether this system loads such objects."""
    return sys.platform == "linux" and machine() == "x86_64" and sys.maxsize > 2**32


class Image:
    """The code of an object file in memory, linked, for as long as this lives."""

    def __init__(self, code: bytes) -> None:
        sections = _sections(code)
        places: dict[int, int] = {}
        end = 0
        for number, section in enumerate(sections):
            if section.flags & _ALLOCATED and section.size:
                end = -(-end // max(section.alignment, 1)) * max(section.alignment, 1)
                places[number] = end
                end += section.size
        symbols, names = _symbols(code, sections)
        outside = sorted({names[i] for i, s in enumerate(symbols) if s[3] == 0 and names[i]})
        stubs = {name: -(-end // _STUB) * _STUB + _STUB * i for i, name in enumerate(outside)}
        size = -(-(end + _STUB * (len(outside) + 1)) // _PAGE) * _PAGE
        self._memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        for number, place in places.items():
            section = sections[number]
            if section.kind != _NO_BITS:
                self._memory[place : place + section.size] = code[section.offset : section.offset + section.size]
        for name, place in stubs.items():
            address = library_function(name)
            if address is None:
                raise UnsupportedObjectError(f"no library has the function {name!r}")
            self._memory[place : place + 14] = b"\xff\x25\0\0\0\0" + struct.pack("<Q", address)  # jmp [rip]
        values: list[int | None] = []
        self.addresses: dict[str, int] = {}
        for name, (_, info, _, where, value, _) in zip(names, symbols, strict=True):
            inside = where in places
            values.append(base + places[where] + value if inside else base + stubs[name] if name in stubs else None)
            if inside and info >> 4 == 1:
                self.addresses[name] = base + places[where] + value
        for section in sections:
            if section.kind == _RELOCATIONS and section.info in places:
                self._relocate(code, section, places[section.info], base, values)
        if ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(base), ctypes.c_size_t(size), 5):  # read, execute
            raise UnsupportedObjectError("memory cannot be made executable")

    def _relocate(self, code: bytes, section: _Section, start: int, base: int, values: list[int | None]) -> None:
        for offset, info, addend in struct.iter_unpack("<QQq", code[section.offset : section.offset + section.size]):
            value, kind, place = values[info >> 32], info & 0xFFFFFFFF, start + offset
            if value is None:
                raise UnsupportedObjectError("a symbol without a place")
            if kind == _ABSOLUTE:
                struct.pack_into("<Q", self._memory, place, value + addend)
            elif kind in (_RELATIVE, _CALL):
                struct.pack_into("<i", self._memory, place, value + addend - (base + place))
            else:
                raise UnsupportedObjectError(f"relocation {kind}")


def _sections(code: bytes) -> list[_Section]:
    if code[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<HH", code, 16) != (1, 62):
        raise UnsupportedObjectError("not an object file for x86-64")
    (start,) = struct.unpack_from("<Q", code, 0x28)
    size, count = struct.unpack_from("<HH", code, 0x3A)
    return [_Section._make(struct.unpack_from("<IIQQQQIIQQ", code, start + size * i)) for i in range(count)]


def _symbols(code: bytes, sections: list[_Section]) -> tuple[list[tuple[int, ...]], list[str]]:
    table = next((s for s in sections if s.kind == _SYMBOLS), None)
    if table is None:
        return [], []
    symbols = list(struct.iter_unpack("<IBBHQQ", code[table.offset : table.offset + table.size]))
    strings = sections[table.link].offset
    return symbols, [code[strings + s[0] : code.index(b"\0", strings + s[0])].decode() for s in symbols]


def library_function(name: str) -> int | None:
    """The address of a function of the C library, its mathematics included."""
    for library in _libraries():
        try:
            return ctypes.cast(library[name], ctypes.c_void_p).value
        except AttributeError:
            continue
    return None


@cache
def _libraries() -> list[ctypes.CDLL]:
    found = [ctypes.CDLL(None)]
    with contextlib.suppress(OSError):  # Some C libraries have no part of its own for mathematics.
        found.append(ctypes.CDLL("libm.so.6"))
    return found
