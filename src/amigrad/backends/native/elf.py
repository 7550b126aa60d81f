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


class _Object:
    """One object file. places: where its sections lie in memory, from `start` on to `end`."""

    def __init__(self, code: bytes, start: int) -> None:
        self.code = code
        self.sections = _sections(code)
        self.symbols, self.names = _symbols(code, self.sections)
        self.places: dict[int, int] = {}
        self.end = start
        for number, section in enumerate(self.sections):
            if section.flags & _ALLOCATED and section.size:
                place = -(-self.end // max(section.alignment, 1)) * max(section.alignment, 1)
                self.places[number] = place
                self.end = place + section.size

    def defined(self) -> dict[str, int]:
        """Where the symbols are that other objects may use."""
        found = zip(self.names, self.symbols, strict=True)
        return {n: self.places[s[3]] + s[4] for n, s in found if s[3] in self.places and s[1] >> 4 == 1}


class Image:
    """The code of object files in memory, linked with each other, for as long as this lives."""

    def __init__(self, *codes: bytes) -> None:
        objects: list[_Object] = []
        for code in codes:
            objects.append(_Object(code, objects[-1].end if objects else 0))
        defined = {name: place for file in objects for name, place in file.defined().items()}
        wanted = {n for o in objects for n, s in zip(o.names, o.symbols, strict=True) if s[3] == 0 and n}
        outside = sorted(wanted - defined.keys())
        end = -(-objects[-1].end // _STUB) * _STUB
        stubs = {name: end + _STUB * i for i, name in enumerate(outside)}
        size = -(-(end + _STUB * len(outside)) // _PAGE) * _PAGE
        self._memory = mmap.mmap(-1, max(size, _PAGE), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        for name, place in stubs.items():
            address = library_function(name)
            if address is None:
                raise UnsupportedObjectError(f"no library has the function {name!r}")
            self._memory[place : place + 14] = b"\xff\x25\0\0\0\0" + struct.pack("<Q", address)  # jmp [rip]
        self.addresses = {name: base + place for name, place in defined.items()}
        for file in objects:
            self._place(file, base, stubs | defined)
        if ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(base), ctypes.c_size_t(size), 5):  # read, execute
            raise UnsupportedObjectError("memory cannot be made executable")

    def _place(self, file: _Object, base: int, others: dict[str, int]) -> None:
        """Copy an object's sections, with the addresses that they have here. others: where symbols of others are."""
        for number, place in file.places.items():
            section = file.sections[number]
            if section.kind != _NO_BITS:
                self._memory[place : place + section.size] = file.code[section.offset : section.offset + section.size]
        values: list[int | None] = []
        for name, (_, _, _, where, value, _) in zip(file.names, file.symbols, strict=True):
            inside = where in file.places
            found = file.places[where] + value if inside else others.get(name) if where == 0 else None
            values.append(None if found is None else base + found)
        for section in file.sections:
            if section.kind == _RELOCATIONS and section.info in file.places:
                self._relocate(file.code, section, file.places[section.info], base, values)

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
