"""Tags of a training set by taggers that were not trained on it: what a cascade is to be trained with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from amigrad.data import Sentence, WordVectors
from amigrad.data.aside import replacing
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
    kept: Path | None = None,
) -> list[str]:
    """A tagger's tags for some sentences, as if it had not been trained on them. -> (N,), of all words

    It may have been, and is then better on them than on other text, which misleads a tagger that reads its tags. So
    the sentences are cut into so many parts, and each gets the tags of a tagger with the same options that was trained
    on all others, as the given one tags them. With 0 folds, or fewer sentences than folds, the tags are its own.

    `kept` is a file for the tags of each part, from which they are read again if nothing that they depend on is other.
    """
    own = tagger.tag([sentence.words for sentence in sentences])
    if folds == 0 or len(sentences) < folds or len(tagger.tag_set) < 2:
        return list(chain.from_iterable(own))
    tagged = [Sentence(s.words, tuple(tags)) for s, tags in zip(sentences, own, strict=True)]
    sources = tagger.features.sources
    options = replace(tagger.options, folds=0)
    size = vectors.size if vectors is not None else None
    digest = hashlib.sha256(repr([tagged, options, folds, size]).encode("utf-8", "surrogatepass"))
    if vectors is not None:
        digest.update(vectors.matrix.tobytes())
    found = _read(kept, digest.hexdigest())
    for number in range(len(found), folds):
        start, end = (len(tagged) * place // folds for place in (number, number + 1))
        report(f"fold {number + 1} of {folds}")
        held, others = tagged[start:end], tagged[:start] + tagged[end:]
        fold = train(others, held, options, vectors=vectors if size == options.word_size else None, **parts_of(sources))
        found.append(list(chain.from_iterable(fold.tag([sentence.words for sentence in held]))))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with replacing(kept) as file:
                file.write(json.dumps({"key": digest.hexdigest(), "tags": found}).encode())
    return list(chain.from_iterable(found))


def kept_tags(folder: Path | None, name: str, *, resume: bool) -> Path | None:
    """Where a training in a folder keeps such tags for a feature; without `resume` those from before are removed."""
    if folder is None:
        return None
    path = folder / f"folds-{name}.json"
    if not resume:
        path.unlink(missing_ok=True)
    return path


def _read(path: Path | None, key: str) -> list[list[str]]:
    """The tags of the parts that are done, if the file is one of this key."""
    try:
        content = {} if path is None else json.loads(path.read_bytes())
        return list(content["tags"]) if content.get("key") == key else []
    except (OSError, ValueError, LookupError, AttributeError):
        return []


def parts_of(sources: dict[str, Source]) -> dict[str, dict[str, Gazetteer] | dict[str, Tagger]]:
    """The gazetteers and the taggers among the sources of features, as `train_tagger` takes them."""
    return {
        "gazetteers": {name: source for name, source in sources.items() if isinstance(source, Gazetteer)},
        "cascades": {name: source.tagger for name, source in sources.items() if isinstance(source, Cascade)},
    }


def named_options(options: TaggerOptions, gazetteers: Sequence[str], cascades: Sequence[str]) -> TaggerOptions:
    """The options with the names of these features."""
    return replace(options, gazetteers=tuple(gazetteers), cascades=tuple(cascades))
