"""From LLVM IR as text to addresses that can be called, through the cache of compiled objects.

A text may have several modules. They are compiled, on several processors at once, and kept each by itself: programs
whose products take the same tiles have that module in common.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock, Thread
from types import ModuleType
from typing import TYPE_CHECKING, Any

from amigrad.backends.native import cache as disk
from amigrad.backends.native import elf
from amigrad.backends.workers import cores

if TYPE_CHECKING:
    from amigrad.backends.native.target import Target

FORMAT = "4"  # Counts up when the same IR is to be compiled in another way.

SEPARATOR = "\n; Another module\n"

_DECLARED = r'\ndeclare\s[^@\n]*@"?([^\s"(]+)"?\('
_EXPORTED = r'\ndefine\s(?!internal\s|private\s)[^@\n]*@"?([^\s"(]+)"?\('
_POSITION = r"<string>:(\d+):(\d+): error: ([^\n]*)"
_LOCK = Lock()
_LLVM: ModuleType | None = None


class InvalidCodeError(RuntimeError):
    """The compiler emitted IR that LLVM does not accept: a mistake in amigrad, not in the graph."""

    def __init__(self, what: str) -> None:
        super().__init__(f"internal error of amigrad's native backend: {what}")


def binding() -> ModuleType:
    """LLVM, imported and made ready at first use."""
    global _LLVM
    if _LLVM is None:
        with _LOCK:
            if _LLVM is None:
                import llvmlite.binding as llvm

                if llvm.llvm_version_info[0] < 20:  # Later ones do it by themselves, and refuse to be told.
                    llvm.initialize()
                llvm.initialize_native_target()
                llvm.initialize_native_asmprinter()
                _LLVM = llvm
    return _LLVM


class Library:
    """Machine code in memory; it stays there, and its addresses hold, as long as this object lives.

    key: under which the cache keeps it, one for each module with a space in between.
    """

    def __init__(
        self, codes: Sequence[bytes], ir: Callable[[], str], target: Callable[[], Target], *, key: str, from_cache: bool
    ) -> None:
        self._ir, self._target = ir, target
        self.key = key
        self.from_cache = from_cache
        self.seconds = 0.0
        self._holder, self._find = _load(codes, None if from_cache else ir(), target)

    @property
    def ir_text(self) -> str:
        """The IR that this was made from."""
        return self._ir()

    @property
    def target(self) -> Target:
        """The machine that this was made for."""
        return self._target()

    @classmethod
    def compile(cls, ir_text: str, target: Target) -> Library:
        """The code of some IR: from the cache where it is there, else compiled and kept there."""
        start = time.perf_counter()
        version = ".".join(map(str, binding().llvm_version_info))
        modules = ir_text.split(SEPARATOR)
        names = [disk.key(FORMAT, version, target.triple, target.cpu, target.features, module) for module in modules]
        found = [disk.read(name) for name in names]
        new = _compile_all([m for m, code in zip(modules, found, strict=True) if code is None], target)
        for module, name in zip(modules, names, strict=True):
            if module in new:
                disk.write(name, new[module])
        codes = [new[module] if code is None else code for module, code in zip(modules, found, strict=True)]
        library = cls(codes, lambda: ir_text, lambda: target, key=" ".join(names), from_cache=not new)
        library.seconds = time.perf_counter() - start
        return library

    @classmethod
    def find(cls, key: str, ir: Callable[[], str], target: Callable[[], Target]) -> Library | None:
        """The code that the cache has under this key, if it is there: made from this IR for this machine."""
        start = time.perf_counter()
        codes = [code for name in key.split() if (code := disk.read(name)) is not None]
        if len(codes) < len(key.split()):
            return None
        library = cls(codes, ir, target, key=key, from_cache=True)
        library.seconds = time.perf_counter() - start
        return library

    def address(self, name: str) -> int:
        """Where a function of the library begins."""
        address = self._find(name)
        if not address:
            names = ", ".join(sorted(re.findall(_EXPORTED, "\n" + self.ir_text)))
            raise KeyError(f"the library has no function {name!r}; it has {names or 'none'}")
        return address

    def assembly(self) -> str:
        """The code as assembly, compiled anew from the IR."""
        machine = _machine(self.target)
        modules = self.ir_text.split(SEPARATOR)
        return "\n".join(str(machine.emit_assembly(_module(module, machine, self.target))) for module in modules)


def _machine(target: Target) -> Any:
    chosen = binding().Target.from_triple(target.triple)
    return chosen.create_target_machine(
        cpu=target.cpu,
        features=target.features,
        opt=3,
        reloc="pic",
        codemodel="small" if elf.supported() else "jitdefault",
    )


def _context() -> Any:
    """A context of its own for a module, which lives as long as the module does."""
    llvm = binding()
    if llvm.llvm_version_info[0] < 20:  # There `ptr` is a type only for who asks; other users of llvmlite may not.
        return llvm.ContextRef(llvm.ffi.lib.LLVMPY_ContextCreate(True))
    return llvm.create_context()


def _module(ir_text: str, machine: Any, target: Target) -> Any:
    """The IR as a module. It is written as LLVM's passes would have it (see `ir.Function`): they took longer to run
    than they gained.
    """
    llvm = binding()
    try:
        module = llvm.parse_assembly(ir_text, _context())
    except RuntimeError as error:
        raise InvalidCodeError(_where(ir_text, str(error))) from None
    module.triple = target.triple
    module.data_layout = str(machine.target_data)
    if os.environ.get("AMIGRAD_VERIFY"):
        try:
            module.verify()
        except RuntimeError as error:
            module.close()  # Before its context, which the error may keep.
            raise InvalidCodeError(f"LLVM rejects the code: {str(error).strip()}") from None
    return module


def _compile(ir_text: str, target: Target) -> bytes:
    """Object code of a module."""
    llvm, machine = binding(), _machine(target)
    with _module(ir_text, machine, target) as module, llvm.ffi.OutputString() as error:
        buffer = _emit()(machine, module, 1, error)
        if not buffer:
            raise InvalidCodeError(f"LLVM makes no object of the code: {error}")
    lib = llvm.ffi.lib
    code = ctypes.string_at(lib.LLVMPY_GetBufferStart(buffer), lib.LLVMPY_GetBufferSize(buffer))
    lib.LLVMPY_DisposeMemoryBuffer(buffer)
    return code


@cache
def _emit() -> Any:
    """What makes an object of a module, without the lock with which llvmlite lets one thread at a time into LLVM:
    modules with contexts and machines of their own have nothing in common.
    """
    lib = binding().ffi.lib
    locked = lib.LLVMPY_TargetMachineEmitToMemory
    function = ctypes.CDLL(lib._name).LLVMPY_TargetMachineEmitToMemory
    function.argtypes, function.restype = locked.argtypes, locked.restype
    return function


def _compile_all(modules: Sequence[str], target: Target) -> dict[str, bytes]:
    """Object code of some modules, which are shared among the processors that are there, the long ones first."""
    waiting = sorted(modules, key=len)
    codes: dict[str, bytes] = {}
    errors: list[Exception] = []

    def work() -> None:
        with contextlib.suppress(IndexError):
            while not errors:
                module = waiting.pop()
                try:
                    codes[module] = _compile(module, target)
                except Exception as error:
                    errors.append(error)

    others = [Thread(target=work) for _ in range(min(cores(), len(modules)) - 1)]
    for other in others:
        other.start()
    work()
    for other in others:
        other.join()
    if errors:
        raise errors.pop()
    return codes


def _load(
    codes: Sequence[bytes], new: str | None, target: Callable[[], Target]
) -> tuple[object, Callable[[str], int | None]]:
    """What holds the code in memory, linked, and what finds its functions' addresses. new: its IR, if it was compiled
    just now.
    """
    if elf.supported():
        with contextlib.suppress(elf.UnsupportedObjectError):
            image = elf.Image(*codes)
            return image, image.addresses.get
    llvm = binding()
    _mathematics()
    if new is not None:
        _all_there("\n" + new)
    empty = llvm.parse_assembly("")
    empty.triple = target().triple
    engine = llvm.create_mcjit_compiler(empty, _machine(target()))
    for code in codes:
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine, engine.get_function_address


def _all_there(ir_text: str) -> None:
    """InvalidCodeError if some IR calls a function that nobody has: LLVM would end the process."""
    others = {*re.findall(_DECLARED, ir_text)} - {*re.findall(_EXPORTED, ir_text)}
    for name in sorted(others):
        if not name.startswith("llvm.") and not binding().address_of_symbol(name):
            raise InvalidCodeError(f"no library has the function {name!r}")


@cache
def _mathematics() -> None:
    """Make the C library's mathematical functions known where the process has not loaded them yet."""
    import ctypes.util

    llvm = binding()
    if llvm.address_of_symbol("expm1f"):
        return
    name = "ucrtbase.dll" if sys.platform == "win32" else ctypes.util.find_library("m")
    if name:
        llvm.load_library_permanently(name)


def _where(ir_text: str, message: str) -> str:
    """LLVM's message about IR that cannot be parsed, with the line in question."""
    found = re.search(_POSITION, message)
    if found is None:
        return f"LLVM cannot read the code: {message.strip()}"
    number = int(found[1])
    lines = ir_text.splitlines()
    line = lines[number - 1].strip() if number <= len(lines) else ""
    return f"LLVM cannot read line {number} of the code ({found[3]}): {line}"
