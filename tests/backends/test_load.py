"""Loading IR: what is compiled, what comes from the cache, and a cache that nothing can make fail."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from amigrad.backends.native import cache, elf, load
from amigrad.backends.native.load import InvalidCodeError, Library
from amigrad.backends.native.target import host

CODE = """
@factor = private constant [4 x float] [float 2.0, float 3.0, float 4.0, float 5.0]

declare float @expm1f(float)
declare float @powf(float, float)
declare float @fmodf(float, float)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define internal i32 @hidden() {
  ret i32 1
}

; c = a * factor, d = 0; then a[0] = fmod(pow(expm1(b[0]), 2), 3), and the answer is 7
define i32 @run(ptr %a, ptr %b, ptr %c, ptr %d) {
  %x = load <4 x float>, ptr %a, align 4
  %f = load <4 x float>, ptr @factor, align 4
  %y = fmul <4 x float> %x, %f
  store <4 x float> %y, ptr %c, align 4
  %n = load i64, ptr %d
  call void @llvm.memcpy.p0.p0.i64(ptr %d, ptr %c, i64 %n, i1 false)
  call void @llvm.memset.p0.i64(ptr %d, i8 0, i64 %n, i1 false)
  %s = load float, ptr %b
  %e = call float @expm1f(float %s)
  %p = call float @powf(float %e, float 2.0)
  %m = call float @fmodf(float %p, float 3.0)
  store float %m, ptr %a
  ret i32 7
}
"""

PROCESS = """
import sys
from pathlib import Path
from amigrad.backends.native import load
from amigrad.backends.native.target import host

def refuse(*_):
    raise AssertionError("compiled")

if sys.argv[2] == "cached":
    load._compile = refuse
library = load.Library.compile(Path(sys.argv[1]).read_text(), host())
import ctypes
assert ctypes.CFUNCTYPE(ctypes.c_int)(library.address("two"))() == 2
"""
TWO = "define i32 @two() {\n  ret i32 2\n}\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AMIGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entries(place: Path) -> list[Path]:
    return sorted(place.iterdir())


def refuse(*_: object) -> bytes:
    raise AssertionError("compiled")


def check(library: Library) -> None:
    a, b, c = np.ones(4, np.float32), np.full(4, 1.5, np.float32), np.zeros(4, np.float32)
    d = np.array([16, 5, 5], np.int64)
    run = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 4)(library.address("run"))
    assert run(a.ctypes.data, b.ctypes.data, c.ctypes.data, d.ctypes.data) == 7
    assert c.tolist() == [2, 3, 4, 5]
    assert d.tolist() == [0, 0, 5]
    np.testing.assert_allclose(a[0], np.expm1(1.5) ** 2 % 3, rtol=1e-4)


def start(code: Path, how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(code), how], stderr=subprocess.PIPE, text=True, env=os.environ
    )


def test_the_second_time_nothing_is_compiled(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Library.compile(CODE, host())
    check(first)
    assert not first.from_cache
    assert first.seconds > 0
    monkeypatch.setattr(load, "_compile", refuse)
    second = Library.compile(CODE, host())
    check(second)
    assert second.from_cache
    check(first)
    assert len(entries(place)) == 1


def test_other_code_is_compiled(place: Path) -> None:
    Library.compile(TWO, host())
    assert not Library.compile(TWO.replace("ret i32 2", "ret i32 3"), host()).from_cache
    assert len(entries(place)) == 2


def test_another_process_finds_the_code(tmp_path: Path) -> None:
    code = tmp_path / "code.ll"
    code.write_text(TWO)
    Library.compile(TWO, host())
    _, errors = (process := start(code, "cached")).communicate(timeout=120)
    assert process.returncode == 0, errors


def test_many_processes_at_once(tmp_path: Path, place: Path) -> None:
    code = tmp_path / "code.ll"
    code.write_text(TWO)
    processes = [start(code, "fresh") for _ in range(8)]
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    assert len(entries(place)) == 1
    assert Library.compile(TWO, host()).from_cache


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"x" + data[1:],
    ],
    ids=["empty", "header", "short", "bit", "magic"],
)
def test_a_damaged_entry_is_made_again(place: Path, damage) -> None:
    Library.compile(CODE, host())
    (entry,) = entries(place)
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    library = Library.compile(CODE, host())
    assert not library.from_cache
    check(library)
    assert entry.read_bytes() == whole
    assert Library.compile(CODE, host()).from_cache


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AMIGRAD_CACHE", str(tmp_path / "file" / "cache"))
    for _ in range(2):
        library = Library.compile(CODE, host())
        assert not library.from_cache
        check(library)


def test_a_full_disk_leaves_nothing_behind(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    check(Library.compile(CODE, host()))
    assert entries(place) == []


def test_off(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMIGRAD_CACHE", "off")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert not Library.compile(TWO, host()).from_cache
    assert not place.exists()
    assert not Path("off").exists()


def test_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMIGRAD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert cache.folder() == Path("somewhere", "amigrad")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.folder() == Path.home() / ".cache" / "amigrad"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.folder() == Path.home() / "Library" / "Caches" / "amigrad"


def test_the_entries_used_longest_ago_go(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 1000)
    for index, name in enumerate("abc"):
        cache.write(name, bytes(250))
        os.utime(place / f"{name}.object", (index, index))
    assert cache.read("a") is not None  # now the newest
    (place / "stranger").write_bytes(bytes(5000))
    (place / "old.part").write_bytes(b"")
    os.utime(place / "old.part", (0, 0))
    (place / "new.part").write_bytes(b"")
    cache.write("d0", bytes(250))
    assert [path.name for path in entries(place)] == ["a.object", "d0.object", "new.part", "stranger"]


def test_ir_that_cannot_be_parsed_is_quoted() -> None:
    with pytest.raises(InvalidCodeError, match=r"line 2 .*: ret i32 %nothing"):
        Library.compile("define i32 @run() {\n  ret i32 %nothing\n}\n", host())


def test_ir_that_does_not_verify_is_quoted() -> None:
    with pytest.raises(InvalidCodeError, match="%y"):
        Library.compile(
            "define i32 @run(i1 %c) {\n  br i1 %c, label %a, label %b\n"
            "a:\n  %y = add i32 1, 2\n  br label %b\nb:\n  ret i32 %y\n}\n",
            host(),
        )


def test_a_function_that_no_library_has_is_named() -> None:
    code = "declare i32 @amigrad_nowhere()\ndefine i32 @run() {\n  %x = call i32 @amigrad_nowhere()\n  ret i32 %x\n}\n"
    with pytest.raises(InvalidCodeError, match="amigrad_nowhere"):
        Library.compile(code, host())


def test_an_unknown_name_is_refused() -> None:
    library = Library.compile(CODE, host())
    for name in ("walk", "hidden") if elf.supported() else ("walk",):  # LLVM finds those for inside too.
        with pytest.raises(KeyError, match="it has run"):
            library.address(name)


def test_assembly() -> None:
    assert "run:" in Library.compile(CODE, host()).assembly()


@pytest.mark.parametrize("level", ["avx2", "generic"])
def test_lesser_targets(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMIGRAD_CPU", level)
    check(Library.compile(CODE, host.__wrapped__()))


@pytest.mark.skipif(not elf.supported(), reason="only objects for x86-64 Linux are loaded without LLVM")
def test_llvm_is_imported_at_first_use_only() -> None:
    code = (
        "import sys, amigrad.backends.native.load; assert not any(name.startswith('llvmlite') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
