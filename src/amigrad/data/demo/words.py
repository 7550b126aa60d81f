"""English inflection for the demonstration corpus, and the weighted choice among words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Draw(Generic[T]):
    """A weighted choice among items, the early ones likelier: item r has weight 1 / (r + flatness).

    It asks the generator for `random()` only, whose values are the same on every Python and platform.
    """

    def __init__(self, items: Iterable[T], flatness: float = 8.0) -> None:
        self.items = tuple(items)
        self._sums: list[float] = []
        total = 0.0
        for rank in range(len(self.items)):
            total += 1.0 / (rank + flatness)
            self._sums.append(total)

    def __call__(self, random: Random) -> T:
        """One item."""
        place = bisect_right(self._sums, random.random() * self._sums[-1])
        return self.items[min(place, len(self.items) - 1)]


@dataclass(frozen=True, slots=True)
class Noun:
    """A countable noun: its singular and its plural."""

    singular: str
    plural: str


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb's forms: base, third person singular, past, participle, -ing; the copula is an AUX."""

    base: str
    third: str
    past: str
    participle: str
    ing: str
    part_of_speech: str = "VERB"


def noun(word: str) -> Noun:
    """The noun with its plural."""
    for singular, plural in _PLURALS.items():
        if word == singular or (len(singular) > 2 and word.endswith(singular)):
            return Noun(word, word[: len(word) - len(singular)] + plural)
    return Noun(word, _with_s(word))


def verb(word: str, prefix: str = "") -> Verb:
    """The verb with its forms; the prefix goes before each of them."""
    stem = stem_before_vowel(word)
    ing = stem + "ing"
    past = stem[:-1] + "ied" if _ends_in_consonant_y(word) else stem + "ed"
    if word.endswith("e"):
        past = word + "d"
    past, participle = _PASTS.get(word, (past, past))
    third = {"have": "has", "do": "does", "go": "goes"}.get(word) or _with_s(word)
    return Verb(prefix + word, prefix + third, prefix + past, prefix + participle, prefix + ing)


def adverb(adjective: str) -> str:
    """The adverb in -ly of an adjective."""
    if adjective == "shy":
        return "shyly"
    if adjective.endswith("le"):
        return adjective[:-1] + "y"
    return (adjective[:-1] + "i" if _ends_in_consonant_y(adjective) else adjective) + "ly"


def article(word: str) -> str:
    """The indefinite article that goes before the word."""
    silent = word.startswith(("hour", "honest"))
    vowel = word[0] in "aeiou" and not word.startswith(("use", "uni", "one"))
    return "an" if silent or vowel else "a"


def stem_before_vowel(word: str) -> str:
    """The base of a verb as it stands before -ing, -ed and -able."""
    if word.endswith("e") and not word.endswith(("ee", "ye")):
        return word[:-1]
    return word + word[-1] if word in _DOUBLED else word


def split(words: str) -> list[str]:
    """The words of a list written as text."""
    return words.split()


def triples(entries: str) -> list[tuple[str, str, str]]:
    """The entries of a list of `a:b:c` written as text."""
    return [(a, b, c) for a, b, c in (entry.split(":") for entry in entries.split())]


def _with_s(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if _ends_in_consonant_y(word) else word + "s"


def _ends_in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in "aeou"


_PLURALS = dict(
    pair.split(":", 1)
    for pair in split(
        "woman:women man:men child:children person:people sheep:sheep fish:fish mouse:mice goose:geese "
        "loaf:loaves leaf:leaves knife:knives shelf:shelves wife:wives thief:thieves tomato:tomatoes "
        "potato:potatoes calf:calves wolf:wolves deer:deer"
    )
)
_DOUBLED = frozenset(
    split(
        "plan stop rob clap drop travel fit knit pat pin plot rub ship shop slip stir trap trim wrap map cut "
        "set put run swim win begin forget sit get shut hit spin dig pet"
    )
)
_PASTS = {
    word: (past, participle)
    for word, past, participle in triples(
        "have:had:had do:did:done go:went:gone come:came:come say:said:said see:saw:seen find:found:found "
        "give:gave:given tell:told:told think:thought:thought know:knew:known take:took:taken get:got:got "
        "make:made:made leave:left:left feel:felt:felt bring:brought:brought hold:held:held "
        "write:wrote:written sit:sat:sat stand:stood:stood lose:lost:lost pay:paid:paid meet:met:met "
        "run:ran:run read:read:read set:set:set put:put:put cut:cut:cut shut:shut:shut grow:grew:grown "
        "fall:fell:fallen rise:rose:risen sleep:slept:slept swim:swam:swum sing:sang:sung ride:rode:ridden "
        "eat:ate:eaten drink:drank:drunk buy:bought:bought sell:sold:sold send:sent:sent lend:lent:lent "
        "teach:taught:taught hear:heard:heard keep:kept:kept break:broke:broken begin:began:begun "
        "build:built:built draw:drew:drawn fight:fought:fought win:won:won lead:led:led hide:hid:hidden "
        "spin:spun:spun dig:dug:dug forget:forgot:forgotten feed:fed:fed wake:woke:woken "
        "throw:threw:thrown hit:hit:hit cost:cost:cost light:lit:lit fly:flew:flown bear:bore:borne "
        "shine:shone:shone speak:spoke:spoken drive:drove:driven steal:stole:stolen catch:caught:caught "
        "become:became:become forgive:forgave:forgiven"
    )
}
