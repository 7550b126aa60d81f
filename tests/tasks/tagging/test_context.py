"""Features of words in their sentences: phrases of lists, columns of files, other taggers' tags."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amigrad.data import DataError, Sentence
from amigrad.tasks.tagging import Gazetteer, OptionsError, Tagger, TaggerOptions, evaluate, read_tagged, train_tagger
from amigrad.tasks.tagging.cascade import folded_tags, kept_tags
from amigrad.tasks.tagging.features import Features

OPTIONS = TaggerOptions(
    word_size=8, hidden_size=16, affix_size=4, suffixes=(2,), prefixes=(), epochs=1, folds=2, cost="word"
)


def matched(gazetteer: Gazetteer, text: str) -> str:
    words = text.split()
    return " ".join(gazetteer(words, [len(words)]))


def test_the_longest_phrase_from_the_left_is_found() -> None:
    places = Gazetteer(["New York", "new york City", "York", "City of London", "Rio de la Plata"])
    assert matched(places, "in New York City of London") == "O B I E O O"
    assert matched(places, "new york , York") == "B E O S"
    assert matched(places, "Rio de la Plata Rio de la") == "B I I E O O O"


def test_no_phrase_reaches_into_another_sentence() -> None:
    assert Gazetteer(["New York"])(["New", "York", "New", "York"], [1, 2, 1]) == ["O"] * 4


def test_a_list_is_a_phrase_a_line(tmp_path: Path) -> None:
    (tmp_path / "cities").write_text("Paris\n\n  New   York \nWashington, D.C.\n")
    cities = Gazetteer.read(tmp_path / "cities")
    assert matched(cities, "from PARIS to New York") == "O S O B E"
    assert "washington , d.c." in cities.phrases  # as the tokeniser takes it apart
    (tmp_path / "none").write_text("\n \n")
    with pytest.raises(DataError, match="none: there is no phrase in it"):
        Gazetteer.read(tmp_path / "none")


def test_words_with_other_values_are_types_of_their_own() -> None:
    options = TaggerOptions(given=("column1",), suffixes=(), prefixes=(), capitalisation=False)
    values = {"column1": ["A", "B", "A", "A"]}
    features = Features.build(options, {"x": 3, "y": 1}, values=values)
    types, table = features.encode(["x", "x", "x", "y"], [2, 2], values)
    assert types.tolist()[0] == types.tolist()[2] != types.tolist()[1]
    words, columns = features.vocabularies["word"], features.vocabularies["column1"]
    found = [(words.word(word), columns.word(value)) for word, value in table[:, types].T]
    assert found == [("x", "A"), ("x", "B"), ("x", "A"), ("y", "A")]
    assert (table[:, 0] == 1).all()  # padding
    _, table = features.encode(["x"], [1], {"column1": ["C"]})
    assert table[:, 1].tolist() == [words.index("x"), 0]


def answers(count: int) -> list[Sentence]:
    """Sentences whose tags only the column beside the words tells."""
    rng = np.random.default_rng(4)
    found = []
    for _ in range(count):
        marks = tuple("xy"[place] for place in rng.integers(0, 2, 5))
        found.append(Sentence(("so",) * 5, tuple(mark.upper() for mark in marks), (marks,)))
    return found


def test_a_column_beside_the_words_is_learnt_from_and_saved(tmp_path: Path) -> None:
    options = replace(OPTIONS, given=("column2",), epochs=4)
    tagger = train_tagger(answers(60), answers(10), options)
    assert evaluate(tagger, answers(20)).score == 1.0
    tagger.save(tmp_path)
    assert evaluate(Tagger.load(tmp_path), answers(20)).score == 1.0
    with pytest.raises(DataError, match="the model reads column2 beside the words"):
        tagger.tag([["so", "so"]])


def test_columns_of_a_file_come_with_its_sentences(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("The DT x B-NP\ncat NN y I-NP\n\nHe PRP z B-NP\n")
    sentences = read_tagged(tmp_path / "file", columns=[1, 2])
    assert [s.columns for s in sentences] == [(("DT", "NN"), ("x", "y")), (("PRP",), ("z",))]
    with pytest.raises(DataError, match="line 1: 4 columns"):
        read_tagged(tmp_path / "file", columns=[4])
    with pytest.raises(DataError, match="column 3 would be both the tag and beside it"):
        read_tagged(tmp_path / "file", columns=[3])
    with pytest.raises(OptionsError, match="CoNLL-U has the columns 0 to 9"):
        read_tagged(tmp_path / "file", "conllu", columns=[10])
    with pytest.raises(OptionsError, match="column 3 is where UPOS is"):
        read_tagged(tmp_path / "file", "conllu", columns=[3])


def test_a_cascade_is_saved_with_the_tagger_that_it_reads(
    pos_tagger: Tagger, chunks: list[Sentence], tmp_path: Path
) -> None:
    gazetteer = Gazetteer(["Paris"])
    tagger = train_tagger(
        chunks[:60], chunks[60:80], OPTIONS, cascades={"pos": pos_tagger}, gazetteers={"city": gazetteer}
    )
    assert list(tagger.model.tables)[-2:] == ["city", "pos"]
    tags = set(pos_tagger.tags)
    assert set(tagger.features.vocabularies["pos"].words[2:]) <= tags
    tagger.save(tmp_path / "model")
    again = Tagger.load(tmp_path / "model")
    words = [sentence.words for sentence in chunks[:20]]
    assert again.tag(words) == tagger.tag(words)
    source = again.features.sources["city"]
    assert isinstance(source, Gazetteer)
    assert source.phrases == ["paris"]


def test_training_sentences_get_the_tags_of_taggers_that_did_not_see_them(chunks: list[Sentence]) -> None:
    tagger = train_tagger(chunks[:30], chunks[30:40], OPTIONS)
    seen: list[tuple[int, int]] = []

    def train(others: list[Sentence], held: list[Sentence], *rest: object, **more: object) -> Tagger:
        assert not set(map(id, others)) & set(map(id, held))
        seen.append((len(others), len(held)))
        return tagger

    tags = folded_tags(train, tagger, chunks[:31], 3)
    assert seen == [(21, 10), (21, 10), (20, 11)]
    assert tags == [tag for found in tagger.tag([s.words for s in chunks[:31]]) for tag in found]
    assert folded_tags(train, tagger, chunks[:31], 0) == tags
    assert len(seen) == 3


def test_tags_of_parts_are_kept_for_a_training_that_goes_on(chunks: list[Sentence], tmp_path: Path) -> None:
    tagger = train_tagger(chunks[:30], chunks[30:40], OPTIONS)
    trained: list[int] = []

    def train(others: list[Sentence], held: list[Sentence], *rest: object, **more: object) -> Tagger:
        if len(trained) == 2:
            trained.append(0)
            raise KeyboardInterrupt
        trained.append(len(held))
        return tagger

    kept = kept_tags(tmp_path / "training", "pos", resume=True)
    assert kept is not None
    with pytest.raises(KeyboardInterrupt):
        folded_tags(train, tagger, chunks[:31], 3, kept=kept)
    tags = folded_tags(train, tagger, chunks[:31], 3, kept=kept)
    assert trained == [10, 10, 0, 11], "the parts that were done were not done again"
    assert tags == folded_tags(train, tagger, chunks[:31], 0)
    assert folded_tags(train, tagger, chunks[:31], 3, kept=kept) == tags
    folded_tags(train, tagger, chunks[:30], 3, kept=kept)
    assert trained == [10, 10, 0, 11, 10, 10, 10], "other sentences have other tags"
    kept.write_text('{"key"')
    folded_tags(train, tagger, chunks[:30], 3, kept=kept)
    assert len(trained) == 10
    kept_tags(tmp_path / "training", "pos", resume=False)
    assert not kept.exists()


def test_names_of_features_are_names() -> None:
    for name in ("a b", "", "1x"):
        with pytest.raises(OptionsError, match="is no name for a feature"):
            TaggerOptions(gazetteers=(name,))
    with pytest.raises(OptionsError, match="a name of its own"):
        TaggerOptions(gazetteers=("pos",), cascades=("pos",))


def test_tagging_takes_columns_from_its_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from amigrad.cli.main import run

    train_tagger(answers(60), answers(10), replace(OPTIONS, given=("column1",), epochs=4)).save(tmp_path / "model")
    (tmp_path / "words").write_text("so x\nso y\n\nso y\n")
    assert run(["tagger", "tag", str(tmp_path / "model"), "--tokens", str(tmp_path / "words")]) == 0
    assert [line.split("\t")[-1] for line in capsys.readouterr().out.splitlines()] == ["X", "Y", "", "Y", ""]
    assert run(["tagger", "tag", str(tmp_path / "model"), str(tmp_path / "words")]) == 2
    assert "reads column1 beside the words" in capsys.readouterr().err
