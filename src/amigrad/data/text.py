"""Untagged input: one token a line, or plain text that is split into sentences and tokens here."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from amigrad.data.errors import DataError
from amigrad.data.lines import Source, numbered_lines, placed_lines, source_name
from amigrad.data.sentence import Sentence, make_sentence


class Token(NamedTuple):
    """A token of plain text; `text[start:end]` is its word, in characters of its line."""

    word: str
    start: int
    end: int


Tokenizer = Callable[[str], list[Token]]
"""The tokens of a line, in order: all of it but white space."""


@dataclass(frozen=True, slots=True)
class TextSentence:
    """A sentence found in plain text: its line (counted from 1), the text of that line, its tokens.

    `offset` is how many characters of the source are before the line.
    """

    line: int
    text: str
    tokens: tuple[Token, ...]
    offset: int = 0

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the sentence."""
        return tuple(token.word for token in self.tokens)

    @property
    def places(self) -> list[tuple[int, int]]:
        """Where each word begins and ends, in characters of the source."""
        return [(self.offset + token.start, self.offset + token.end) for token in self.tokens]


def read_tokens(source: Source) -> Iterator[Sentence]:
    """Untagged sentences with one token a line and blank lines between them.

    A token ends at the first tab, so the words of a file in columns can be read too. Input without tokens
    has no sentences. Raises DataError if the first token has spaces in it and no tab behind it: those are columns.
    """
    words: list[str] = []
    first = True
    for number, line in numbered_lines(source):
        word = line.partition("\t")[0].strip()
        if word:
            if first and "\t" not in line and len(fields := word.split()) > 1:
                problem = f"'{word}' has spaces in it, which would all be one token"
                remedy = f"Give one token a line ('{fields[0]}'), tabs between columns, or a tab behind such a token"
                raise DataError(source_name(source), number, problem, remedy)
            first = False
            words.append(word)
        elif words:
            yield make_sentence(words)
            words = []
    if words:
        yield make_sentence(words)


def read_text(source: Source, tokenizer: Tokenizer | None = None) -> Iterator[TextSentence]:
    """Sentences of plain text. A sentence never goes beyond its line; a line may hold several.

    `tokenizer` is `tokenize` if none is given.
    """
    tokenizer = tokenizer or tokenize
    for number, offset, line in placed_lines(source):
        for tokens in split_sentences(tokenizer(line)):
            yield TextSentence(number, line, tuple(tokens), offset)


def sentence_words(text: str) -> list[list[str]]:
    """The words of the sentences of a line, those that `read_text` finds, without their places: much quicker."""
    matches = list(_TOKEN.finditer(text))
    words = [match.group() for match in matches]
    sentences, start = [], 0
    for end in [place for place, word in enumerate(words, 1) if word[-1] in _ENDS]:
        if end <= start or not _END.fullmatch(words[end - 1]):
            continue
        while end < len(words) and (
            _END.fullmatch(words[end]) or (words[end] in _CLOSING and matches[end].start() == matches[end - 1].end())
        ):
            end += 1
        if end < len(words) and not words[end][0].islower():
            sentences.append(words[start:end])
            start = end
    if start < len(words):
        sentences.append(words[start:])
    return sentences


def tokenize(text: str) -> list[Token]:
    """Tokens of English-like text, much as treebanks have them.

    Web and mail addresses, @names and #tags, numbers, words with inner hyphens or apostrophes, initials
    (`U.S.`) and common titles (`Dr.`) are one token each; contractions are two (`did n't`, `it 's`); runs
    of the same punctuation mark (`...`, `--`, `!!`) are one, and any other mark is a token of its own.
    """
    return [Token(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def split_sentences(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Sentences of a line of tokens.

    A sentence ends after `.`, `!`, `?`, `…` or a run of them and the closing quotes and brackets behind it,
    unless a word in lower case follows.
    """
    sentence: list[Token] = []
    ended = False
    for token in tokens:
        if ended and not _continues(token, sentence[-1]):
            yield sentence
            sentence, ended = [], False
        sentence.append(token)
        if _END.fullmatch(token.word):
            ended = True
        elif token.word not in _CLOSING:
            ended = False
    if sentence:
        yield sentence


_CLOSING = frozenset("\"'”’»)]}")
_ENDS = frozenset(".!?…")
_END = re.compile(r"[.!?…]+")
_TOKEN = re.compile(
    r"""
      (?:https?://|www\.)[^\s<>"]*[\w/]             # web address, its final punctuation apart
    | [\w.+-]{1,64}@\w[\w-]{0,62}(?:\.\w[\w-]{0,62})+  # mail address
    | [@#]\w+                                       # name or tag of social media
    | (?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Inc|Ltd|Co|Corp|vs|etc)\.(?=\s+\S)
    | (?:[^\W\d_]\.){2,}                            # initials: U.S., e.g.
    | \d+(?:[.,:/]\d+)+%?                           # number, time, date
    | \w+?(?=[nN]['’][tT]\b)                        # did|n't
    | [nN]['’][tT]\b
    | ['’](?:[sSmMdD]|ll|re|ve|LL|RE|VE)\b          # it|'s
    | \w+(?:-\w+|['’](?!(?:[sSmMdD]|ll|re|ve|LL|RE|VE)\b)\w+)*
    | ([^\w\s])\1*                                  # a mark, or a run of it
    """,
    re.VERBOSE,
)


def _continues(token: Token, before: Token) -> bool:
    """Whether a token goes on with a sentence that could end before it."""
    if token.word[0].islower() or _END.fullmatch(token.word):
        return True
    return token.word in _CLOSING and token.start == before.end
