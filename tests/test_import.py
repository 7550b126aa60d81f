"""What `import amigrad` costs: NumPy, and little else."""

import subprocess
import sys

LOADED = "import sys, numpy; before = set(sys.modules); import amigrad; print(*sorted(set(sys.modules) - before))"


def test_import_loads_numpy_and_no_other_library() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    roots = {name.split(".")[0] for name in done.stdout.split()}
    assert roots - set(sys.stdlib_module_names) == {"amigrad", "numpy"}


def test_rooms_that_a_graph_does_not_need_are_imported_when_they_are_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    rooms = {name.split(".")[1] for name in done.stdout.split() if name.startswith("amigrad.")}
    assert rooms == {"graph", "operators", "functions", "backends"}
