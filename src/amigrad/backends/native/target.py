"""The machine that code is made for: its vectors, and how LLVM calls it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

from amigrad.graph import DType

LEVELS = ("avx512", "avx2", "generic")
_MANY_REGISTERS = ((8, 3), (4, 6), (1, 33))
_FEW_REGISTERS = ((4, 2), (2, 4), (1, 32))


@dataclass(frozen=True)
class Target:
    """Register sizes and the LLVM names of a CPU."""

    triple: str
    cpu: str
    features: str
    vector_bytes: int
    tiles: tuple[tuple[int, int], ...]
    """Tiles of matrix products, in rows and vectors: for many rows, for a few, and for one.

    The wider ones have a multiple of the first one's vectors: then what is left of the columns has the same widths.
    """
    tune: str = ""
    """The processor for which instructions are put in order, if not the one at hand."""

    @property
    def steps(self) -> tuple[tuple[int, int], ...]:
        """Tiles for each small number of rows, so that none is computed in vain where rows are few and change."""
        (tall, vectors), (some, more), one = self.tiles
        return (*((rows, vectors if rows > some else more) for rows in range(tall, 1, -1)), one)

    @property
    def row_vectors(self) -> int:
        """So many vectors of sums are in registers where a product has one row."""
        return 28 if self.tiles is _MANY_REGISTERS else 12

    @property
    def outers(self) -> tuple[tuple[int, int], ...]:
        """So many lines of a matrix, in vectors, are in registers beside two lines of a product to which they add."""
        return ((4, 3), (8, 2)) if self.tiles is _MANY_REGISTERS else ((4, 2),)

    @property
    def masks(self) -> bool:
        """Whether parts of vectors are read and written as fast as whole ones."""
        return self.vector_bytes >= 32

    def short_lanes(self, dtype: DType) -> int:
        """The least lanes of a vector that take less time than a whole one: two halves of 64 bytes take turns on some
        processors, and cost nothing on others.
        """
        return 16 // max(dtype.itemsize, 4) if self.vector_bytes == 64 else self.lanes(dtype)

    def lanes(self, dtype: DType) -> int:
        """How many elements of a type a vector holds."""
        return max(1, self.vector_bytes // max(dtype.itemsize, 4))


@cache
def host() -> Target:
    """This machine; the environment variable AMIGRAD_CPU=avx2 or generic takes less than it can do."""
    from amigrad.backends.native.load import binding

    llvm = binding()
    triple, cpu = llvm.get_process_triple(), llvm.get_host_cpu_name()
    features = llvm.get_host_cpu_features()
    wanted = os.environ.get("AMIGRAD_CPU", "")
    if wanted and wanted not in LEVELS:
        raise ValueError(f"AMIGRAD_CPU is one of {', '.join(LEVELS)}, not {wanted!r}")
    has = {name for name, present in features.items() if present}
    if "avx512f" in has and "avx512bw" in has and wanted in ("", "avx512"):
        # Without this LLVM would keep to half of the vector on some CPUs. For this one it does not put instructions in
        # order a second time, which takes a tenth of its time, and such processors do it by themselves.
        return Target(triple, cpu, features.flatten() + ",-prefer-256-bit", 64, _MANY_REGISTERS, "x86-64-v4")
    without = ",".join(f"-{name}" for name in sorted(has) if name.startswith(("avx512", "evex512")))
    if "avx2" in has and "fma" in has and wanted in ("", "avx512", "avx2"):
        return Target(
            triple, cpu, features.flatten() + ("," + without if without else ""), 32, ((6, 2), (2, 4), (1, 32))
        )
    if triple.startswith(("aarch64", "arm64")) and not wanted:  # All have NEON, also where LLVM does not say so.
        return Target(triple, cpu, features.flatten(), 16, _MANY_REGISTERS)
    generic = "x86-64" if triple.startswith("x86_64") else "generic"
    return Target(triple, generic, "", 16, _FEW_REGISTERS)
