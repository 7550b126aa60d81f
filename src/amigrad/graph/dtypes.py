"""The five element types, and the rules by which they mix."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np

DType: TypeAlias = "np.dtype[Any]"

float32: Final[DType] = np.dtype(np.float32)
float64: Final[DType] = np.dtype(np.float64)
int32: Final[DType] = np.dtype(np.int32)
int64: Final[DType] = np.dtype(np.int64)
bool_: Final[DType] = np.dtype(np.bool_)

DTYPES: Final[tuple[DType, ...]] = (float32, float64, int32, int64, bool_)

_NEAREST: Final[dict[str, DType]] = {
    "int8": int32,
    "int16": int32,
    "uint8": int32,
    "uint16": int32,
    "uint32": int64,
    "float16": float32,
}


def as_dtype(dtype: object) -> DType:
    """The element type named by `dtype` (a NumPy dtype or its name). TypeError if amigrad has none such."""
    try:
        found = None if dtype is None else np.dtype(dtype)  # type: ignore[call-overload]
    except TypeError:
        found = None
    # NumPy takes None for float64, even in a comparison.
    if found is None or found not in DTYPES:
        names = ", ".join(d.name for d in DTYPES)
        raise TypeError(f"{dtype!r} is not an element type of amigrad; there are {names}")
    return DTYPES[DTYPES.index(found)]


def nearest(dtype: DType) -> DType:
    """The element type that holds values of any NumPy `dtype` (uint8 -> int32, float16 -> float32)."""
    if dtype.newbyteorder("=") in DTYPES:
        return as_dtype(dtype.newbyteorder("="))
    if dtype.name in _NEAREST:
        return _NEAREST[dtype.name]
    raise TypeError(f"values of type {dtype.name} have no element type in amigrad; convert them first")


def is_floating(dtype: DType) -> bool:
    """Whether values of this type are real numbers."""
    return dtype.kind == "f"


def promote(*dtypes: DType) -> DType:
    """The type in which values of these types mix: NumPy's table (int32 with float32 is float64)."""
    return as_dtype(np.result_type(*dtypes))
