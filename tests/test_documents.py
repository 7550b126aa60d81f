"""The code of the documents runs, and what they show is what the program does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shell import programs

ROOT = Path(__file__).parents[1]


def run(code: str, folder: Path) -> str:
    """What a program prints that is run in a folder, with warnings as errors."""
    program = folder / "program.py"
    program.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        cwd=folder,
        env={**os.environ, "COLUMNS": "140", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_graphs_and_gradients_of_the_readme(tmp_path: Path) -> None:
    printed = run(programs(ROOT / "README.md")[0], tmp_path)
    assert printed.startswith("68.0 -104.0 -12.0\n")
    assert "subtract" in printed
    assert (tmp_path / "line.svg").read_text(encoding="utf-8").startswith("<svg")


def test_compiled_training_of_the_readme(tmp_path: Path) -> None:
    cost, compilations = run(programs(ROOT / "README.md")[1], tmp_path).split()
    assert float(cost) < 0.3
    assert compilations == "1"
    assert (tmp_path / "step.svg").exists()


def test_sequences_of_the_readme(tmp_path: Path) -> None:
    assert run(programs(ROOT / "README.md")[2], tmp_path) == "(9, 8)\n"


def test_the_tagger_of_the_readme(tmp_path: Path) -> None:
    code = programs(ROOT / "README.md")[3]
    assert len([line for line in code.splitlines() if line and "import" not in line]) < 10
    lines = run(code, tmp_path).splitlines()
    assert float(lines[-2]) > 0.9
    assert "('Lucy', 'PROPN')" in lines[-1]


def test_the_operator_of_contributing(tmp_path: Path) -> None:
    (code,) = programs(ROOT / "CONTRIBUTING.md")
    value, first, second, compiled = run(code, tmp_path).splitlines()
    assert "0.785398" in value
    assert "finite difference" in first
    assert "finite difference" in second
    assert "1.57079" in compiled


def test_the_stages_of_the_document_about_the_compiler(tmp_path: Path) -> None:
    (stages,) = programs(ROOT / "docs/compiler.md")
    shown = "".join(f"print({line.partition('  #')[0]})\n" for line in stages.splitlines())
    printed = run(programs(ROOT / "README.md")[1] + shown, tmp_path)
    assert "define" in printed
    assert "ret" in printed.partition(".text")[2]


def test_the_pictures_are_what_the_program_draws() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import make_pictures
    finally:
        sys.path.pop(0)
    drawn = re.sub(r"<title>.*?</title>", "", make_pictures.line().svg, flags=re.DOTALL)
    kept = re.sub(r"<title>.*?</title>", "", (ROOT / "docs/line.svg").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert drawn == kept


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_and_folders_of_the_documents_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)]+)\)|src=\"([^\"]+)\"", text):
        target = next(filter(None, link))
        assert target.startswith("https://") or (ROOT / target).exists()
