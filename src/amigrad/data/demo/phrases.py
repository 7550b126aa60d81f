"""Verb groups, adjuncts and adjective phrases of the demonstration grammar."""

from __future__ import annotations

from dataclasses import dataclass

from amigrad.data.demo import lexicon
from amigrad.data.demo.nouns import NounPhrases, Token, chunk, preposition
from amigrad.data.demo.words import Verb, adverb


@dataclass(frozen=True, slots=True)
class Predicate:
    """A verb with what follows it; passive if the verb stands as a participle after a form of be."""

    verb: Verb
    complement: list[Token]
    passive: bool = False


class Phrases(NounPhrases):
    """Draws what stands around noun phrases."""

    def _group(self, predicate: Predicate, agreement: str) -> list[tuple[str, str]]:
        """The words of a finite verb group; negation and an adverb follow the first auxiliary."""
        verb, kind = predicate.verb, predicate.verb.part_of_speech
        if predicate.passive:
            tail = [(verb.participle, "VERB")]
            verb, kind = lexicon.BE, "AUX"
        else:
            tail = []
        way = self.random.random()
        negated = self._maybe(0.1)
        if way < 0.68:
            if verb is lexicon.BE:
                words = [(self._be(agreement), "AUX")]
            elif negated:
                do = "did" if self.past else "does" if agreement == "s" else "do"
                words = [(do, "AUX"), (verb.base, kind)]
            else:
                word = verb.past if self.past else verb.third if agreement == "s" else verb.base
                return [(word, kind), *tail]
        elif way < 0.82:
            modals = lexicon.PAST_MODALS if self.past else lexicon.MODALS
            words = [(modals(self.random), "AUX"), (verb.base, kind)]
        elif way < 0.93:
            have = "had" if self.past else "has" if agreement == "s" else "have"
            words = [(have, "AUX"), (verb.participle, kind)]
        elif (verb is lexicon.BE and not predicate.passive) or verb.base in lexicon.STATIVE:
            words = [("would" if self.past else "will", "AUX"), (verb.base, kind)]
        else:
            words = [(self._be(agreement), "AUX"), (verb.ing, kind)]
        words += tail
        if negated:
            short = words[0][0] not in ("am", "'s", "may", "might", "will", "can") and self._maybe(0.5)
            words.insert(1, ("n't" if short else "not", "PART"))
        elif self._maybe(0.12) and len(words) > 1:
            words.insert(1, (lexicon.FREQUENCY(self.random), "ADV"))
        return words

    def _be(self, agreement: str) -> str:
        if self.past:
            return "were" if agreement == "p" else "was"
        if agreement == "s":
            return "'s" if self._maybe(0.15) else "is"
        return "am" if agreement == "i" else "are"

    def _role(self) -> list[Token]:
        return [preposition("as"), *self._being("person")]

    def _where(self) -> list[Token]:
        random, way = self.random, self.random.random()
        if way < 0.25:
            return [preposition(lexicon.TOWN_PREPOSITIONS(random)), *self._place()]
        if way < 0.8:
            return [preposition(lexicon.PLACE_PREPOSITIONS(random)), *self._determined("place").tokens]
        return [preposition(lexicon.THING_PREPOSITIONS(random)), *self._determined("thing").tokens]

    def _time(self) -> list[Token]:
        random, way = self.random, self.random.random()
        if way < 0.12:
            return [preposition("on"), *chunk("NP", (lexicon.WEEKDAYS(random), "PROPN"))]
        if way < 0.24:
            month = [(lexicon.MONTHS(random), "PROPN")]
            if self._maybe(0.4):
                month.append((str(1900 + int(random.random() * 125)), "NUM"))
            return [preposition(self._one("in since until")), *chunk("NP", *month)]
        if way < 0.36:
            day = self._one("yesterday yesterday today" if self.past else "today tomorrow tonight")
            return chunk("NP", (day, "NOUN"))
        if way < 0.54:
            last = self._any(_PAST_TIMES if self.past else _PRESENT_TIMES)
            return chunk("NP", last, (self._noun("time").singular, "NOUN"))
        if way < 0.64:
            ago = self._one("ago ago before later" if self.past else "early later before")
            span = chunk("NP", (self._number(), "NUM"), (self._noun("time").plural, "NOUN"))
            return [*span, Token(ago, "ADV", "B-ADVP")]
        if way < 0.72:
            return [Token(self._one("before then now once again since later soon"), "ADV", "B-ADVP")]
        if way < 0.86:
            link = preposition(self._one("before after during since until before after"))
            return [link, *self._determined("event").tokens]
        return [preposition("in"), *chunk("NP", ("the", "DET"), (self._noun("time").singular, "NOUN"))]

    def _manner(self) -> list[Token]:
        random, way = self.random, self.random.random()
        if way < 0.6:
            word = lexicon.MANNER(random)
        elif way < 0.85:
            rare = self._maybe(0.2)
            word = adverb(lexicon.rare_adjective(random, coloured=False) if rare else lexicon.MANNERS(random))
        else:
            return chunk("ADVP", (self._one("more very so too"), "ADV"), (lexicon.MANNER(random), "ADV"))
        return [Token(word, "ADV", "B-ADVP")]

    def _direction(self) -> list[Token]:
        return [Token(lexicon.DIRECTION(self.random), "ADV", "B-ADVP")]

    def _adjective_phrase(self, kind: str) -> list[Token]:
        adjective, way = (self._adjective(kind), "ADJ"), self.random.random()
        if way < 0.3 and lexicon.gradable(adjective[0]):
            return chunk("ADJP", (lexicon.DEGREE(self.random), "ADV"), adjective)
        if 0.3 <= way < 0.38:
            than = self._simple("person" if kind == "company" else kind)
            return [*chunk("ADJP", ("as", "ADV"), adjective), preposition("as"), *than]
        if 0.38 <= way < 0.45:
            return chunk("ADJP", adjective, (self._one("and but"), "CCONJ"), (self._adjective(kind), "ADJ"))
        return chunk("ADJP", adjective)


_PAST_TIMES = (("last", "ADJ"), ("every", "DET"), ("that", "DET"))
_PRESENT_TIMES = (("next", "ADJ"), ("every", "DET"), ("this", "DET"))
