"""Noun phrases of the demonstration grammar, names among them, and the tokens all phrases are made of."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple, TypeVar

from amigrad.data.demo import lexicon
from amigrad.data.demo.words import Noun, article

T = TypeVar("T")


class Token(NamedTuple):
    """One word with its part of speech, its chunk label and its name label."""

    word: str
    part_of_speech: str
    chunk: str
    name: str = "O"


class Subject(NamedTuple):
    """A noun phrase and how a verb agrees with it: "s" (he), "p" (they) or "i" (I)."""

    tokens: list[Token]
    agreement: str


def chunk(label: str, *words: tuple[str, str]) -> list[Token]:
    """One chunk of words with their parts of speech."""
    return [Token(*word, ("I-" if i else "B-") + label) for i, word in enumerate(words)]


def named(words: Sequence[str], label: str) -> list[Token]:
    """A name that is a noun phrase of its own."""
    return [
        Token(word, "PROPN", ("I" if i else "B") + "-NP", ("I-" if i else "B-") + label) for i, word in enumerate(words)
    ]


def preposition(word: str) -> Token:
    """A preposition, a chunk of its own."""
    return Token(word, "ADP", "B-PP")


def outside(word: str, part_of_speech: str) -> Token:
    """A word outside all chunks."""
    return Token(word, part_of_speech, "O")


class NounPhrases:
    """Draws noun phrases; all randomness comes from the generator. `past` is the tense of the sentence."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.past = True

    def _noun_phrase(self, kind: str, subject: bool = True) -> Subject:
        """A noun phrase of a kind; subject: pronouns are nominative."""
        way = self.random.random()
        if kind == "company":
            return Subject(self._company(), "s")
        if way < (0.3 if kind == "person" else 0.1):
            return self._pronoun(kind, subject)
        if way < 0.5 and kind == "person":
            return Subject(self._person(), "s")
        if way < 0.3 and kind == "place":
            return Subject(self._place(), "s")
        if way > 0.96:
            return Subject([*self._simple(kind), outside("and", "CCONJ"), *self._simple(kind)], "p")
        if way > 0.93:
            return self._some_of(kind)
        if way > 0.88 and kind in ("thing", "food"):
            words = [("the", "DET")] if self._maybe(0.5) else []
            return Subject(chunk("NP", *words, (lexicon.MASS_NOUNS(self.random), "NOUN")), "s")
        return self._determined(kind)

    def _simple(self, kind: str) -> list[Token]:
        if kind == "company" or self._maybe(0.25):
            name = {"person": self._person, "place": self._place, "company": self._company}.get(kind)
            if name:
                return name()
        return self._determined(kind).tokens

    def _determined(self, kind: str) -> Subject:
        """A determiner or an owner, adjectives, a noun."""
        if self._maybe(0.4):
            return self._indefinite(kind)
        plural = self._maybe(0.3)
        way = self.random.random()
        opening: list[Token] = []
        words: list[tuple[str, str]] = []
        if way < 0.5:
            words.append(("the", "DET"))
        elif way < 0.65:
            words.append((self._one("these those" if plural else "that this that"), "DET"))
        elif way < 0.88:
            words.append((self._one("her his my their our your its her"), "PRON"))
        else:
            opening = chunk("NP", ("the", "DET"), self._head("person", False))
            if self._maybe(0.6):
                opening = self._person()
            words.append(("'s", "PART"))
        if self._maybe(0.06):
            words.append((self._one("second first last next only other same own"), "ADJ"))
        words += self._core(kind, plural)
        return Subject(opening + chunk("NP", *words), "p" if plural else "s")

    def _indefinite(self, kind: str, plural: bool | None = None) -> Subject:
        """A, some, two, many or nothing at all, then adjectives and a noun."""
        plural = self._maybe(0.45) if plural is None else plural
        core = self._core(kind, plural)
        if plural:
            if self._maybe(0.3):
                core.insert(0, (self._number(), "NUM"))
            elif self._maybe(0.4):
                core.insert(0, self._any(_PLURAL_QUANTIFIERS))
        elif self._maybe(0.12):
            core.insert(0, self._any(_SINGULAR_QUANTIFIERS))
        else:
            core.insert(0, (article(core[0][0]), "DET"))
        return Subject(chunk("NP", *core), "p" if plural else "s")

    def _some_of(self, kind: str) -> Subject:
        """One of the farmers, some of her plans."""
        word, tag, agreement = self._any(_PARTS)
        owner = ("the", "DET") if self._maybe(0.6) else (self._one("her his their my"), "PRON")
        whole = chunk("NP", owner, *self._core(kind, True))
        return Subject([Token(word, tag, "B-NP"), preposition("of"), *whole], agreement)

    def _core(self, kind: str, plural: bool) -> list[tuple[str, str]]:
        words: list[tuple[str, str]] = []
        if self._maybe(0.3):
            adjective = self._adjective(kind)
            if self._maybe(0.12) and lexicon.gradable(adjective):
                words.append((self._one("very very rather"), "ADV"))
            words.append((adjective, "ADJ"))
        elif self._maybe(0.1) and kind in ("thing", "place", "document"):
            words.append((lexicon.ATTRIBUTES(self.random), "ADJ"))
        if self._maybe(0.08) and kind in ("thing", "place", "document", "idea"):
            words.append((lexicon.MODIFIERS(self.random), "NOUN"))
        if words and words[-1][1] == "ADJ" and kind in ("thing", "food") and self._maybe(0.08):
            return [*words, ("ones" if plural else "one", "NOUN")]
        return [*words, self._head(kind, plural)]

    def _head(self, kind: str, plural: bool) -> tuple[str, str]:
        noun = self._noun(kind)
        return (noun.plural if plural else noun.singular, "NOUN")

    def _noun(self, kind: str) -> Noun:
        if self._maybe(0.15) and kind != "time":
            return lexicon.rare_noun(self.random, kind)
        return lexicon.NOUNS[kind](self.random)

    def _adjective(self, kind: str) -> str:
        if self._maybe(0.12):
            return lexicon.rare_adjective(self.random)
        kind = {"company": "person", "document": "idea", "event": "idea", "time": "idea"}.get(kind, kind)
        return lexicon.ADJECTIVES[kind](self.random)

    def _pronoun(self, kind: str, subject: bool) -> Subject:
        if self._maybe(0.3) and kind != "person":
            word = self._one("this that that these those")
            return Subject([Token(word, "PRON", "B-NP")], "p" if word.endswith("se") else "s")
        if self._maybe(0.12):
            words = "everyone someone nobody" if kind == "person" else "everything something nothing"
            return Subject([Token(self._one(words), "PRON", "B-NP")], "s")
        entry = self._one(_PERSONS if kind in ("person", "company") else "it/it/s it/it/s they/them/p")
        nominative, accusative, agreement = entry.split("/")
        return Subject([Token(nominative if subject else accusative, "PRON", "B-NP")], agreement)

    def _person(self) -> list[Token]:
        random, way = self.random, self.random.random()
        if way < 0.3:
            names = [lexicon.first_name(random)]
        elif way < 0.65:
            names = [lexicon.first_name(random), lexicon.surname(random)]
        elif way < 0.8:
            title = Token(self._one("Mr. Mrs. Dr. Captain Judge"), "PROPN", "B-NP")
            return [title, Token(lexicon.surname(random), "PROPN", "I-NP", "B-PER")]
        else:
            names = [lexicon.surname(random)]
        return named(names, "PER")

    def _place(self) -> list[Token]:
        return named([lexicon.place_name(self.random)], "LOC")

    def _company(self) -> list[Token]:
        if self._maybe(0.1):
            head = Token(self._one("University Bank Museum Port"), "PROPN", "I-NP", "B-ORG")
            place = Token(lexicon.place_name(self.random), "PROPN", "B-NP", "I-ORG")
            return [Token("the", "DET", "B-NP"), head, Token("of", "ADP", "B-PP", "I-ORG"), place]
        return named(lexicon.company_name(self.random), "ORG")

    def _being(self, kind: str, plural: bool = False) -> list[Token]:
        """What someone is: a teacher, old friends."""
        core = self._core(kind, plural)
        if not plural:
            core.insert(0, (article(core[0][0]), "DET"))
        return chunk("NP", *core)

    def _number(self) -> str:
        if self._maybe(0.6):
            return lexicon.FIGURES(self.random)
        return str(int(2 + self.random.random() * 60))

    def _maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def _one(self, words: str) -> str:
        return self._any(words.split())

    def _any(self, items: Sequence[T]) -> T:
        return items[int(self.random.random() * len(items))]


_PERSONS = "he/him/s she/her/s they/them/p I/me/i we/us/p you/you/p he/him/s she/her/s"
_SINGULAR_QUANTIFIERS = (("every", "DET"), ("no", "DET"), ("another", "DET"), ("each", "DET"), ("one", "NUM"))
_PLURAL_QUANTIFIERS = (("some", "DET"), ("many", "ADJ"), ("several", "ADJ"), ("few", "ADJ"), ("no", "DET"))
_PARTS = (
    ("one", "NUM", "s"),
    ("some", "DET", "p"),
    ("many", "ADJ", "p"),
    ("all", "DET", "p"),
    ("each", "DET", "s"),
    ("most", "ADJ", "p"),
    ("two", "NUM", "p"),
)
