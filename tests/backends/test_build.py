"""Programs that were compiled before: found in the cache by what they are, and as good as compiled anew."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import amigrad as ag
from amigrad.backends.native import elf, load, modules
from amigrad.backends.native.fastcall import method
from amigrad.backends.native.target import host
from amigrad.operators.elementwise import Unary

WORDS, CLASSES = np.array([[1, 2], [3, 3], [0, 6]]), np.array([0, 2, 1])


class Half(Unary):
    name = "half"

    def forward(self, x):
        return x / 2

    def backward(self, x, z, dz):
        return (dz / 2,)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    method(ag.Compiled, "_words", "_call")  # The code that makes calls is kept somewhere else.
    monkeypatch.setenv("AMIGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def training(rate: float = 0.5, activation: Callable[..., ag.Tensor] = ag.tanh, width: int = 4):
    """A step on a table, a product and scattered rows."""
    generator = ag.Generator(seed=3)
    table = ag.nn.LookupTable(7, width, generator=generator)
    model = ag.nn.Linear(2 * width, 3, generator=generator)
    optimizer = ag.optim.SGD([*table.parameters(), *model.parameters()], rate)

    @ag.compile
    def step(words, classes):
        rows = activation(ag.reshape(table(words), (-1, 2 * width)))
        cost = ag.cross_entropy(model(rows), classes)
        optimizer.minimize(cost)
        return cost

    return step


def costs(step) -> list[float]:
    return [step(WORDS, CLASSES).item() for _ in range(3)] + [step(WORDS[:2], CLASSES[:2]).item()]


def was_found(step) -> bool:
    """Whether the stages were left out."""
    return "schedule" not in vars(step.executors[0]._build)


def test_the_same_program_is_found(place: Path) -> None:
    first, second = training(), training()
    assert costs(first) == costs(second)
    assert (was_found(first), was_found(second)) == (False, True)
    assert second.executors[0].library.from_cache
    parts = first.executors[0].library.ir_text.split(load.SEPARATOR)
    assert len(list(place.iterdir())) == len(parts) + 1, "and what is needed beside them"


@pytest.mark.skipif(not elf.supported(), reason="for x86-64 Linux")
def test_modules_that_are_compiled_at_the_same_time_are_one_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMIGRAD_CACHE", "off")
    monkeypatch.setattr(modules, "_LINES", 20)
    found = []
    for processors in (1, 3):
        monkeypatch.setattr(modules, "cores", lambda count=processors: count)
        monkeypatch.setattr(load, "cores", lambda count=processors: count)
        step = training()
        found.append(costs(step))
        assert len(step.executors[0].library.ir_text.split(load.SEPARATOR)) == processors
    assert found[0] == found[1]


def test_there_is_one_module_where_llvm_loads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMIGRAD_CACHE", "off")
    monkeypatch.setattr(modules, "_LINES", 20)
    monkeypatch.setattr(modules, "cores", lambda: 3)
    wanted = costs(training())
    monkeypatch.setattr(elf, "supported", lambda: False)
    step = training()
    assert costs(step) == wanted
    assert load.SEPARATOR not in step.executors[0].library.ir_text


def test_an_error_in_one_of_several_modules_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "cores", lambda: 3)
    fine, wrong = "define i32 @two() {\n  ret i32 2\n}\n", "define i32 @run() {\n  ret i32 %nothing\n}\n"
    with pytest.raises(load.InvalidCodeError, match="undefined value"):
        load.Library.compile(load.SEPARATOR.join([fine, wrong, fine.replace("two", "three")]), host())


def test_what_was_found_has_all_stages_to_look_at() -> None:
    first, second = training(), training()
    costs(first), costs(second)
    one, other = first.executors[0], second.executors[0]
    assert was_found(second)
    assert repr(other.schedule.kernels) == repr(one.schedule.kernels)
    assert other.code.text == one.code.text == other.library.ir_text
    assert other.layout.slot_bytes({"s0": 3, "s1": 2, "s2": 3}) == one.layout.slot_bytes({"s0": 3, "s1": 2, "s2": 3})
    assert "run0:" in other.library.assembly()


def test_a_state_may_have_another_value() -> None:
    first, second = training(rate=0.5), training(rate=0.25)
    assert costs(first)[1:] != costs(second)[1:]
    assert was_found(second)


@pytest.mark.parametrize("change", [{"activation": lambda x: x * 0.25}, {"activation": ag.sigmoid}, {"width": 5}])
def test_other_programs_are_not(change: dict) -> None:
    first, second = training(activation=lambda x: x * 0.5), training(**change)
    assert costs(first) != costs(second)
    assert not was_found(second)
    again = training(**change)
    costs(again)
    assert was_found(again)


def test_other_dtypes_and_structures_are_not() -> None:
    def doubled(x):
        return x * 2.0, x

    def swapped(x):
        return x, x * 2.0

    for function in (doubled, swapped):
        for dtype in (np.float32, np.float64):
            compiled = ag.compile(function)
            results = compiled(np.arange(3, dtype=dtype))
            assert not was_found(compiled)
            assert [r.dtype for r in results] == [dtype, dtype]


def test_sizes_that_matter_are_told_apart() -> None:
    """A size of 1 broadcasts: the code for it is another one, whichever came first."""
    values = np.arange(6.0).reshape(2, 3)
    for _ in range(2):
        add = ag.compile(lambda x, y: x + y)
        assert add(values, values[:1]).numpy().tolist() == (values + values[:1]).tolist()
        add = ag.compile(lambda x, y: x + y)
        assert add(values, values).numpy().tolist() == (values + values).tolist()
    assert was_found(add)


def test_errors_name_this_program_s_line() -> None:
    for found in (False, True):
        step = training()
        with pytest.raises(IndexError, match=r"index 7 .* 7") as caught:
            step(WORDS + 1, CLASSES)
        assert was_found(step) is found
        assert "test_build.py" in caught.value.__notes__[0]


def test_operators_of_the_user_are_compiled_each_time() -> None:
    def half(x):
        return ag.apply(Half(), x)

    for _ in range(2):
        step = training(activation=half)
        costs(step)
        assert not was_found(step)


def test_damaged_or_missing_entries_are_made_again(place: Path) -> None:
    wanted = costs(training())
    for entry in sorted(place.iterdir()):
        whole = entry.read_bytes()
        for damage in (whole[:-1], b"", whole[:-1] + bytes([whole[-1] ^ 1]), None):
            if damage is None:
                entry.unlink()
            else:
                entry.write_bytes(damage)
            step = training()
            assert costs(step) == wanted
            assert not was_found(step)
            assert entry.read_bytes() == whole
            again = training()
            assert costs(again) == wanted
            assert was_found(again)


PROCESS = """
import sys
import numpy as np
import amigrad as ag
w = ag.parameter([1.0, 2.0])
optimizer = ag.optim.SGD([w], 0.1)

@ag.compile
def step(x):
    cost = ag.sum(ag.exp(w * x) + ag.pow(x, 2.5) + ag.remainder(x, 0.7))
    optimizer.minimize(cost)
    return cost

cost = step(np.array([0.5, 2.0], np.float32)).item()
print(cost.hex(), *map(float.hex, w.numpy().tolist()), "llvmlite" in sys.modules)
"""


def test_another_process_does_without_llvm() -> None:
    said = [
        subprocess.run([sys.executable, "-c", PROCESS], check=True, timeout=120, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert said[0].split()[:-1] == said[1].split()[:-1]
    assert said[0].split()[-1] == "True"
    if elf.supported():
        assert said[1].split()[-1] == "False"


def test_where_objects_cannot_be_loaded_llvm_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = costs(training())

    def unsupported(*codes: bytes) -> None:
        raise elf.UnsupportedObjectError("not today")

    monkeypatch.setattr(elf, "Image", unsupported)
    step = training()
    assert costs(step) == wanted
    assert was_found(step)
    monkeypatch.setattr(elf, "supported", lambda: False)
    monkeypatch.setattr(load, "FORMAT", "of the test")
    assert costs(training()) == wanted


@pytest.mark.skipif(not elf.supported(), reason="for x86-64 Linux")
@pytest.mark.parametrize("code", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(100)])
def test_other_files_are_refused(code: bytes) -> None:
    with pytest.raises(elf.UnsupportedObjectError):
        elf.Image(code)
