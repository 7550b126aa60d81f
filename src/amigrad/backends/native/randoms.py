"""Random numbers in vectors."""

from __future__ import annotations

from amigrad.backends.native.ir import Function, literal, register
from amigrad.graph import DType, float32, int64
from amigrad.operators.random import MULTIPLIERS, ROUNDS, WEYL


def uniform(f: Function, place: str, seed: str, draws: str, dtype: DType, lanes: int) -> str:
    """Philox 4x32-10 in 64-bit lanes; see `operators/random.py`."""
    type_ = register(int64, lanes)

    def splat(value: int | str) -> str:
        return f.splat(str(value), int64, lanes)

    def op(name: str, a: str, b: str) -> str:
        return f.emit(f"{name} {type_} {a}, {b}")

    mask, shift = splat(0xFFFFFFFF), splat(32)
    words = [op("and", place, mask), op("lshr", place, shift)]
    words += [op("and", splat(draws), mask), op("lshr", splat(draws), shift)]
    keys = [op("and", splat(seed), mask), op("lshr", splat(seed), shift)]
    for _ in range(ROUNDS):
        first, second = op("mul", words[0], splat(MULTIPLIERS[0])), op("mul", words[2], splat(MULTIPLIERS[1]))
        words = [
            op("xor", op("xor", op("lshr", second, shift), words[1]), keys[0]),
            op("and", second, mask),
            op("xor", op("xor", op("lshr", first, shift), words[3]), keys[1]),
            op("and", first, mask),
        ]
        keys = [op("and", op("add", k, splat(w)), mask) for k, w in zip(keys, WEYL, strict=True)]
    real = register(dtype, lanes)
    if dtype == float32:
        number = f.emit(f"sitofp {type_} {op('lshr', words[0], splat(8))} to {real}")
        return f.emit(f"fmul {real} {number}, {f.splat(literal(2.0**-24, dtype), dtype, lanes)}")
    wide = op("xor", op("shl", words[0], splat(21)), op("lshr", words[1], splat(11)))
    number = f.emit(f"sitofp {type_} {wide} to {real}")
    return f.emit(f"fmul {real} {number}, {f.splat(literal(2.0**-53, dtype), dtype, lanes)}")
