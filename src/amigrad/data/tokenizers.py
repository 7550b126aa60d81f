"""Tokenisers of plain text by name: spaCy's rules for English, or the few rules of this package."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from amigrad.data.errors import DataError
from amigrad.data.text import Token, Tokenizer, tokenize

TOKENIZERS = ("auto", "spacy", "rules")


def english_tokenizer(name: str = "auto") -> Tokenizer:
    """A tokeniser of English: "spacy", "rules", or with "auto" spaCy's where it is installed, else the rules.

    spaCy's has the contractions, abbreviations, units and emoticons of its English rules, and divides words at hyphens
    as newer treebanks do (UD, OntoNotes); "rules" leaves them whole, as the older Penn Treebank has them.
    Raises ValueError for another name, DataError if spaCy is asked for and not installed.
    """
    if name not in TOKENIZERS:
        raise ValueError(f"a tokenizer is one of {', '.join(TOKENIZERS)}, not '{name}'")
    installed = find_spec("spacy") is not None
    if name == "rules" or (name == "auto" and not installed):
        return tokenize
    if not installed:
        raise DataError("spaCy", None, "it is not installed", "Install it with `pip install 'amigrad[text]'`")
    return SpacyTokenizer()


class SpacyTokenizer:
    """spaCy's tokeniser for English, but runs of a mark (`!!!`, `====`) and numbers with hyphens stay whole.

    Treebanks have these so; the other rules are spaCy's own (spacy.io/usage/linguistic-features#tokenization). What
    stands between white space is taken apart once and then looked up, as none of its rules reaches beyond.
    """

    def __init__(self) -> None:
        self._begin()

    def __call__(self, text: str) -> list[Token]:
        """The tokens of a line."""
        if len(self._parts) > _PARTS_KEPT:
            self._begin()  # spaCy, too, keeps every word that it ever saw
        tokens: list[Token] = []
        places = [(match.group(), match.start()) for match in _BETWEEN_SPACE.finditer(text)]
        self._learn(list(dict.fromkeys(part for part, _ in places if part not in self._parts)))
        for part, start in places:
            tokens += [Token(word, start + first, start + end) for word, first, end in self._parts[part]]
        return tokens

    def _learn(self, parts: list[str]) -> None:
        """Take some parts apart, all at once."""
        remaining, start, end = iter(parts), 0, -1
        for token in self._tokenizer(" ".join(parts)):
            if token.idx > end:
                part, start = next(remaining), token.idx
                end = start + len(part)
                found = self._parts[part] = []
            found.append((token.text, token.idx - start, token.idx - start + len(token)))

    def _begin(self) -> None:
        self._tokenizer = _english()
        self._parts: dict[str, list[tuple[str, int, int]]] = {}


def _english() -> Any:
    with _without_commands():
        import spacy  # noqa: F401
    from spacy.lang.en import English
    from spacy.tokenizer import Tokenizer
    from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex
    from spacy.vocab import Vocab

    rules = English.Defaults
    runs = [rf"\{mark}\{mark}+" for mark in "!?*=_<>$~#+-"]
    return Tokenizer(
        Vocab(),
        rules=rules.tokenizer_exceptions,
        prefix_search=compile_prefix_regex([*runs, *(rules.prefixes or ())]).search,
        suffix_search=compile_suffix_regex([*runs, *(rules.suffixes or ())]).search,
        infix_finditer=compile_infix_regex(rules.infixes or ()).finditer,
        token_match=re.compile(r"\d+(?:-\d+)+").fullmatch,
        url_match=rules.url_match,
    )


@contextmanager
def _without_commands() -> Iterator[None]:
    """Within this context spaCy is imported without the modules of its command line, which are a third of the memory
    that its import takes. They are imported when they are wanted, as by `spacy.info`.
    """
    commands = "spacy.cli"
    if "spacy" in sys.modules:
        yield
        return
    package, stand_in = ModuleType(commands), ModuleType(f"{commands}.info")
    package.__path__ = []

    def info(*arguments: Any, **options: Any) -> Any:
        return import_module(f"{commands}.info").info(*arguments, **options)

    stand_in.info = info  # type: ignore[attr-defined]
    placed = {module.__name__: module for module in (package, stand_in)}
    sys.modules.update(placed)
    try:
        yield
    finally:
        for name, module in placed.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


_BETWEEN_SPACE = re.compile(r"\S+")
_PARTS_KEPT = 100_000
