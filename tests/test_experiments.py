"""The experiments' frames run by themselves, on files as CoNLL-2003 has them and on made-up n-best lists."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from amigrad.data.bitext import read_bitext
from amigrad.data.demo import demo_corpus
from amigrad.tasks.rescoring.discriminative import DiscriminativeOptions
from amigrad.tasks.rescoring.discriminative_train import train_discriminative
from amigrad.tasks.rescoring.lexical import learn_lexical

ROOT = Path(__file__).parents[1]
SMALL = "--epochs 1 --hidden-size 8 --word-size 8 --affix-size 4 --suffixes 2 --prefixes none"


def write_names(path: Path, first: int, count: int) -> None:
    """Columns of word, part of speech, chunk and name, as IOB1, with lines between documents."""
    lines = ["-DOCSTART- -X- -X- O", ""]
    for sentence in demo_corpus(first + count)[first:]:
        parts = sentence.parts_of_speech
        names = ["I-PER" if part == "PROPN" else "O" for part in parts]
        names = ["B-PER" if names[max(i - 1, 0)] == name == "I-PER" and i else name for i, name in enumerate(names)]
        lines += [" ".join(row) for row in zip(sentence.words, parts, sentence.chunks, names, strict=True)]
        lines += ["", "-DOCSTART- -X- -X- O", ""]
    path.write_text("\n".join(lines) + "\n")


def experiment(*arguments: str, name: str = "collobert2011") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"experiments.{name}", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), "AMIGRAD_DATA": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_row_on_names_as_conll2003_has_them(tmp_path: Path) -> None:
    (tmp_path / "names").mkdir()
    write_names(tmp_path / "names" / "eng.train", 0, 40)
    write_names(tmp_path / "names" / "eng.testa", 40, 10)
    write_names(tmp_path / "names" / "test.txt", 50, 10)
    command = ["ner-wll", "--conll2003", str(tmp_path / "names"), "--seeds", "1", "--options", SMALL]
    done = experiment(*command, "--output", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    (run,) = results["ner2003"]["rows"]["ner-wll"]["runs"].values()
    assert 0 <= run["score"] <= 1
    assert 0 <= run["test_score"] <= 1
    assert run["training"]["cpu"] > 0
    assert run["peak_memory"] > 1e7
    assert run["words_per_second"]["cpu"] > 0
    table = (tmp_path / "out" / "table.md").read_text()
    assert "| WLL | " in table
    assert "| 79.53 |" in table  # the paper's
    words = (tmp_path / "out" / "data" / "ner2003.train.txt").read_text()
    assert "DOCSTART" not in words
    before = (tmp_path / "out" / "results.json").stat().st_mtime_ns
    assert experiment(*command, "--output", str(tmp_path / "out")).returncode == 0
    assert (tmp_path / "out" / "results.json").stat().st_mtime_ns == before  # nothing was run again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chunk-magic"], "There is no row 'chunk-magic'"),
        (["chunk-wll"], "Where are the data?"),
        (["ner-wll", "--conll2003", "/nowhere"], "There is no /nowhere/eng.train or"),
    ],
)
def test_mistakes_are_named(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = experiment(*arguments, "--output", str(tmp_path))
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def write_pair(folder: Path) -> None:
    """Bitext of made-up words in order, and lists of which every second hypothesis is wrong in a word."""
    folder.mkdir(parents=True)
    drawn = random.Random(3)
    sentences = [[drawn.randrange(12) for _ in range(drawn.randint(4, 6))] for _ in range(60)]
    texts = {side: [" ".join(f"{side}{word}" for word in words) for words in sentences] for side in "ab"}
    for side, name in (("a", "src"), ("b", "tgt")):
        (folder / f"train.{name}.gz").write_bytes(gzip.compress("\n".join(texts[side][:40]).encode()))
    (folder / "dev.src").write_text("\n".join(texts["a"][40:]) + "\n")
    (folder / "dev.ref").write_text("\n".join(texts["b"][40:]) + "\n")
    lines = []
    for number, text in enumerate(texts["b"][40:]):
        words = text.split()
        wrong = " ".join([*words[:-1], f"b{drawn.randrange(12)}"])
        points = " ".join(f"{place}-{place}" for place in range(len(words)))
        for hypothesis in (wrong, text, " ".join(words[:-1])):
            score = drawn.uniform(-3, 0)
            lines.append(f"{number} ||| {hypothesis} ||| lm= {score:.3f} ||| {score:.3f} ||| {points}")
    (folder / "dev.nbest.gz").write_bytes(gzip.compress("\n".join(lines).encode()))


def test_rows_of_rescored_lists(tmp_path: Path) -> None:
    pair = tmp_path / "data" / "translation" / "ja-en"
    write_pair(pair)
    bitext = read_bitext(pair / "train.src.gz", pair / "train.tgt.gz")
    learn_lexical(bitext.source, bitext.target).save(tmp_path / "models" / "ja-en" / "lexical")
    options = DiscriminativeOptions(size=8, batch_size=8, epochs=2, target_pair_count=2)
    train_discriminative(bitext, options=options, output=tmp_path / "models" / "ja-en" / "discriminative")
    command = ["ja-en", "--data", str(tmp_path / "data"), "--models", str(tmp_path / "models"), "--no-train"]
    more = ["--limit", "1", "--foldings", "2", "--output", str(tmp_path / "out")]
    done = experiment(*command, *more, name="devlin2014")
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())["pairs"]["ja-en"]
    bleu = {name: row["bleu"] for name, row in results["rows"].items()}
    names = ["the decoder", "its own features retuned", "+ lexical", "+ discriminative", "+ all"]
    assert list(bleu) == [*names, "+ all, minimum Bayes risk", "the oracle"]
    assert bleu["+ lexical"] > bleu["the decoder"] + 5
    assert bleu["the oracle"] == pytest.approx(100)
    other = results["foldings"][0]["rows"]["+ lexical"]["bleu"]
    assert results["means"]["+ lexical"] == pytest.approx((bleu["+ lexical"] + other) / 2)
    assert "mean gain of 2 foldings" in (tmp_path / "out" / "table.md").read_text()


def test_a_pair_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = experiment("xx-en", "--data", str(tmp_path), "--output", str(tmp_path / "out"), name="devlin2014")
    assert done.returncode == 2
    assert "xx-en is none of de-en ja-en" in done.stderr
    assert not (tmp_path / "out").exists()
