"""`amigrad demo`: it trains, tags and draws, and says where everything is."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def amigrad(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command; returns what it gave."""
    command = [sys.executable, "-m", "amigrad.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)


def test_the_demo_trains_tags_and_draws(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = amigrad("demo", "--output", folder, "--sentences", "400", "--epochs", "2", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "360 sentences to train on, 40 to test with" in done.stdout
    assert "accuracy on all words" in done.stdout
    assert "the/DET" in done.stdout
    assert str(folder / "graph.svg") in done.stdout
    picture = ElementTree.parse(folder / "graph.svg")
    assert {"tables.word.table", "hidden.weight", "cost"} <= {element.text for element in picture.iter()}
    assert {path.name for path in folder.iterdir()} >= {"train.txt", "dev.txt", "model", "graph.svg"}

    tagged = amigrad("demo", "--output", folder, "--sentences", "60", "--epochs", "1", "--quiet", "--sentence", "")
    assert tagged.returncode == 0, tagged.stderr
    assert "graph.svg" not in tagged.stdout


def test_a_folder_that_cannot_be_written_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = amigrad("demo", "--output", tmp_path / "file", "--sentences", "60", "--quiet")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
