"""Sentences of the demonstration corpus's grammar: statements, questions, commands, quotations."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from amigrad.data.demo import lexicon
from amigrad.data.demo.clauses import Clauses
from amigrad.data.demo.nouns import Token, chunk, outside, preposition
from amigrad.data.demo.phrases import Predicate
from amigrad.data.demo.words import article


class Grammar(Clauses):
    """Draws sentences; all randomness comes from the generator it is given."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        kinds: list[tuple[int, Callable[[], list[Token]]]] = [
            (30, self._statement),
            (12, self._subordinate_first),
            (10, self._subordinate_last),
            (11, self._coordinated),
            (6, self._yes_no_question),
            (6, self._wh_question),
            (5, self._command),
            (8, self._figures),
            (5, self._existential),
            (4, self._quotation),
            (3, self._correlative),
        ]
        self._kinds = [kind for weight, kind in kinds for _ in range(weight)]

    def sentence(self) -> list[Token]:
        """One sentence, its first word capitalised."""
        self.past = self._maybe(0.6)
        tokens = self._any(self._kinds)()
        first = next(i for i, token in enumerate(tokens) if token.part_of_speech != "PUNCT")
        word = tokens[first].word
        tokens[first] = tokens[first]._replace(word=word[0].upper() + word[1:])
        return tokens

    def _statement(self) -> list[Token]:
        return self._fronted() + self._clause(2) + [_STOP]

    def _subordinate_first(self) -> list[Token]:
        return [*self._subordinate(), _COMMA, *self._clause(1), _STOP]

    def _subordinate_last(self) -> list[Token]:
        return self._clause(1) + self._subordinate() + [_STOP]

    def _coordinated(self) -> list[Token]:
        link = outside(self._one("and and but but or so yet"), "CCONJ")
        return self._clause(1) + ([_COMMA] if self._maybe(0.7) else []) + [link] + self._clause(1) + [_STOP]

    def _yes_no_question(self) -> list[Token]:
        first, subject, rest, complement = self._question()
        return [first, *subject, *rest, *complement, *self._adjuncts(0.4), _QUESTION]

    def _wh_question(self) -> list[Token]:
        way = self.random.random()
        if way < 0.3:
            who = [Token("who", "PRON", "B-NP")]
            predicate = self._finite(self._predicate("person", 1), "s")
            return who + predicate + self._adjuncts(0.4) + [_QUESTION]
        if way < 0.55:
            kind = self._one("thing document event idea")
            asked = chunk("NP", (self._one("what which"), "DET"), (self._noun(kind).plural, "NOUN"))
            first, subject, rest, _ = self._question(Predicate(lexicon.TRANSITIVE[kind](self.random), []))
            return [*asked, first, *subject, *rest, *self._adjuncts(0.4), _QUESTION]
        asked = [Token(self._one("when where why how"), "ADV", "B-ADVP")]
        first, subject, rest, complement = self._question()
        return [*asked, first, *subject, *rest, *complement, _QUESTION]

    def _command(self) -> list[Token]:
        tokens = self._bare(self._predicate("person", 0, plain=True))
        if self._maybe(0.3):
            forbidden = ("do", "AUX"), (self._one("not n't"), "PART"), (tokens[0].word, "VERB")
            tokens = chunk("VP", *forbidden) + tokens[1:]
        opening = [Token("please", "ADV", "B-ADVP")] if self._maybe(0.2) else []
        return opening + tokens + self._adjuncts(0.9) + [_STOP]

    def _figures(self) -> list[Token]:
        random = self.random
        if self._maybe(0.5):
            company = self._company()
            unit = self._one("million billion")
            money = chunk("NP", (self._number(), "NUM"), (unit, "NUM"), ("dollars", "NOUN"))
            change = self._one("loss rise fall profit claim sale increase")
            loss = chunk("NP", (article(change), "DET"), (change, "NOUN"))
            verb = lexicon.MONEY_VERBS(random)
            body = company + self._finite(Predicate(verb, [*loss, preposition("of"), *money]), "s")
        else:
            kind = self._one("food thing")
            topic = chunk("NP", ("the", "DET"), (self._one("price cost sale demand supply"), "NOUN"))
            mass = self._maybe(0.5)
            goods = chunk("NP", (lexicon.MASS_NOUNS(random) if mass else self._noun(kind).plural, "NOUN"))
            share = chunk("NP", (self._number(), "NUM"), ("percent", "NOUN"))
            figure = Predicate(lexicon.FIGURE_VERBS(random), share if self._maybe(0.6) else [])
            body = [*topic, preposition(self._one("of for")), *goods, *self._finite(figure, "s")]
        return body + self._time() + [_STOP]

    def _existential(self) -> list[Token]:
        subject = self._indefinite(self._one("person thing animal place document food"))
        be = self._finite(Predicate(lexicon.BE, []), subject.agreement)
        there = Token("there", "PRON", "B-NP")
        return [there, *be, *subject.tokens, *self._where(), *self._adjuncts(0.3), _STOP]

    def _quotation(self) -> list[Token]:
        speaker = self._person() if self._maybe(0.7) else self._noun_phrase("person").tokens
        end = _COMMA if self._maybe(0.7) else _QUESTION
        if end is _QUESTION:
            first, subject, rest, complement = self._question()
            spoken = [first, *subject, *rest, *complement]
        else:
            spoken = self._clause(0)
        verb = self._one("asked wondered" if end is _QUESTION else "said said wrote shouted thought answered")
        said = [Token(verb, "VERB", "B-VP")]
        return [outside("``", "PUNCT"), *spoken, end, outside("''", "PUNCT"), *said, *speaker, _STOP]

    def _correlative(self) -> list[Token]:
        """Both X and Y, either X or Y."""
        pair = self._one("both:and either:or").split(":")
        kind = self._one("person person place food")
        left, right = self._simple(kind), self._simple(kind)
        subject = self._noun_phrase("person")
        verb = lexicon.TRANSITIVE[kind](self.random)
        objects = [outside(pair[0], "CCONJ"), *left, outside(pair[1], "CCONJ"), *right]
        action = self._finite(Predicate(verb, objects), subject.agreement)
        return [*subject.tokens, *action, *self._time(), _STOP]

    def _fronted(self) -> list[Token]:
        if self._maybe(0.75):
            return []
        if self._maybe(0.25):
            return [Token(lexicon.SENTENCE_ADVERBS(self.random), "ADV", "B-ADVP"), _COMMA]
        return [*self._time(), _COMMA]


_STOP, _QUESTION, _COMMA = (outside(mark, "PUNCT") for mark in (".", "?", ","))
