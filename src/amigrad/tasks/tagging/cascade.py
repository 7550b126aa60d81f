"""Tags of a training set by taggers that were not trained on it: what a cascade is to be trained with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

from amigrad.data import Sentence, WordVectors
from amigrad.tasks.tagging.context import Cascade, Gazetteer, Source
from amigrad.tasks.tagging.options import TaggerOptions
from amigrad.tasks.tagging.tagger import Tagger

Train = Callable[..., Tagger]


def folded_tags(
    train: Train,
    tagger: Tagger,
    sentences: Sequence[Sentence],
    folds: int,
    *,
    vectors: WordVectors | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """A tagger's tags for some sentences, as if it had not been trained on them. -> (N,), of all words

    It may have been, and is then better on them than on other text, which misleads a tagger that reads its tags. So
    the sentences are cut into so many parts, and each gets the tags of a tagger with the same options that was trained
    on all others, as the given one tags them. With 0 folds, or fewer sentences than folds, the tags are its own.
    """
    own = tagger.tag([sentence.words for sentence in sentences])
    if folds == 0 or len(sentences) < folds or len(tagger.tag_set) < 2:
        return list(chain.from_iterable(own))
    tagged = [Sentence(s.words, tuple(tags)) for s, tags in zip(sentences, own, strict=True)]
    sources = tagger.features.sources
    options = replace(tagger.options, folds=0)
    size = vectors.size if vectors is not None else None
    found: list[str] = []
    for number in range(folds):
        start, end = (len(tagged) * place // folds for place in (number, number + 1))
        report(f"fold {number + 1} of {folds}")
        held, others = tagged[start:end], tagged[:start] + tagged[end:]
        fold = train(others, held, options, vectors=vectors if size == options.word_size else None, **parts_of(sources))
        found += chain.from_iterable(fold.tag([sentence.words for sentence in held]))
    return found


def parts_of(sources: dict[str, Source]) -> dict[str, dict[str, Gazetteer] | dict[str, Tagger]]:
    """The gazetteers and the taggers among the sources of features, as `train_tagger` takes them."""
    return {
        "gazetteers": {name: source for name, source in sources.items() if isinstance(source, Gazetteer)},
        "cascades": {name: source.tagger for name, source in sources.items() if isinstance(source, Cascade)},
    }


def named_options(options: TaggerOptions, gazetteers: Sequence[str], cascades: Sequence[str]) -> TaggerOptions:
    """The options with the names of these features."""
    return replace(options, gazetteers=tuple(gazetteers), cascades=tuple(cascades))
