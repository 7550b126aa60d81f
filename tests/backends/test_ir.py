"""Functions of IR: what is written once, variables through loops and branches, arithmetic on constants."""

import ctypes

import numpy as np
import pytest

from amigrad.backends.native.interleave import interleaved
from amigrad.backends.native.ir import Function, SizeTable, has_splats
from amigrad.backends.native.load import Library
from amigrad.backends.native.target import host
from amigrad.graph import float32, int64


@pytest.fixture
def f() -> Function:
    return Function("run", SizeTable(), "i64 %n, ptr %out")


def answers(f: Function, values: list[str], n: int) -> list[int]:
    """The i64 values that the function has computed, for this n."""
    for place, value in enumerate(values):
        f.store(value, f.at("%out", int64, str(place)), int64)
    f.do("ret i32 0")
    library = Library.compile(f.text() + "\nattributes #0 = { nounwind }\n", host())
    out = np.zeros(len(values), np.int64)
    ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int64, ctypes.c_void_p)(library.address("run"))(n, out.ctypes.data)
    return out.tolist()


def test_what_was_computed_is_not_computed_again(f: Function) -> None:
    once = f.emit("mul i64 %n, %n")
    with f.looping("0", "%n", 1) as i:
        assert f.emit("mul i64 %n, %n") == once
        inside = f.emit(f"mul i64 {i}, 3")
    assert f.emit("add i64 %n, 3") == f.emit("add i64 %n, 3")
    with f.looping("0", "%n", 1) as other:
        assert f.emit(f"mul i64 {other}, 3") != inside
    assert f.emit("load i64, ptr %out") != f.emit("load i64, ptr %out")


def test_what_a_branch_computed_is_not_known_outside(f: Function) -> None:
    with f.when(f.emit("icmp sgt i64 %n, 3")):
        inside = f.emit("mul i64 %n, 7")
    assert f.emit("mul i64 %n, 7") != inside
    f.do("br label %free")
    f.label("free")
    before = f.emit("mul i64 %n, 9")
    f.do("br label %other")
    f.label("other")
    assert f.emit("mul i64 %n, 9") != before


def test_variables_through_loops_and_branches(f: Function) -> None:
    total, untouched, last = f.variable("i64", "0"), f.variable("i64", "5"), f.variable("i64", "-1")
    with f.looping("0", "%n", 1) as i:
        row = f.variable("i64", "0")
        with f.looping("0", i, 1) as j:
            f.set(row, "i64", f.add(f.get(row, "i64"), f.add(j, f.get(untouched, "i64"))))
        with f.when(f.emit(f"icmp sgt i64 {i}, 2")):
            f.set(total, "i64", f.add(f.get(total, "i64"), f.get(row, "i64")))
            with f.when(f.emit(f"icmp eq i64 {i}, 4")):
                f.set(last, "i64", i)
    found = answers(f, [f.get(v, "i64") for v in (total, untouched, last)], 6)
    assert found == [sum(j + 5 for i in range(3, 6) for j in range(i)), 5, 4]


def test_a_loop_without_a_turn_changes_no_variable(f: Function) -> None:
    total = f.variable("i64", "8")
    with f.looping("0", "%n", 1):
        f.set(total, "i64", "1")
    assert answers(f, [f.get(total, "i64")], 0) == [8]


def test_arithmetic_on_constants(f: Function) -> None:
    assert f.add("3", "4") == "7"
    assert f.mul("3", "-4") == "-12"
    assert f.mul("%n", "0") == "0"
    assert f.emit("udiv i64 275, 8") == "34"
    assert f.emit("urem i64 275, 8") == "3"
    assert f.emit("icmp slt i64 272, 272") == "false"
    with f.when(f.emit("icmp slt i64 0, 272")):
        pass
    assert f.lines == []


def test_constants_are_added_last(f: Function) -> None:
    shifted = f.add("%n", "2")
    assert f.add(shifted, "-2") == "%n"
    sums = [f.add(f.mul(shifted, "10"), "5"), f.mul(f.add(shifted, shifted), "3"), f.mul(shifted, shifted)]
    products = len([line for line in f.lines if "mul" in line])
    assert f.at("%out", float32, shifted) != f.at("%out", float32, "%n")
    assert products == 3
    assert answers(f, sums, 7) == [95, 54, 81]


def test_vectors_of_equal_constants(f: Function) -> None:
    text = f.splat("1", int64, 4)
    assert text == ("splat (i64 1)" if has_splats() else "<i64 1, i64 1, i64 1, i64 1>")
    assert f.splat("1", int64, 1) == "1"


def test_chains_side_by_side() -> None:
    """Two chains that do not need each other take turns; nothing is used before it is there."""
    chains = [[f"  %{c}{i} = fadd float %{c}{i - 1}, %x" for i in range(1, 6)] for c in "ab"]
    lines = [*chains[0], *chains[1], "  %end = fmul float %a5, %b5"]
    found = interleaved(lines)
    assert sorted(found) == sorted(lines)
    assert [line.split()[0][:2] for line in found[:-1]] == ["%a", "%b"] * 5
    assert found[-1] == lines[-1]
