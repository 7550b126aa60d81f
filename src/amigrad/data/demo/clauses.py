"""Clauses of the demonstration corpus's grammar: who does what to whom, with clauses inside."""

from __future__ import annotations

from amigrad.data.demo import lexicon
from amigrad.data.demo.nouns import Subject, Token, chunk, outside, preposition
from amigrad.data.demo.phrases import Phrases, Predicate

Tokens = list[Token]


class Clauses(Phrases):
    """Draws clauses; a depth says how many more clauses may stand inside."""

    def _clause(self, depth: int) -> list[Token]:
        kind = self._subject_kind()
        subject = self._long_noun_phrase(kind, depth)
        often = []
        if kind == "person" and self._maybe(0.05):
            predicate = Predicate(lexicon.BE, self._being("person", subject.agreement == "p"))
        else:
            predicate = self._predicate(kind, depth)
        verb = self._finite(predicate, subject.agreement)
        if self._maybe(0.12) and verb[0].part_of_speech == "VERB":
            often = [Token(lexicon.FREQUENCY(self.random), "ADV", "B-ADVP")]
        return subject.tokens + often + verb + self._adjuncts(0.55)

    def _subject_kind(self) -> str:
        return self._one("person person person person person person animal thing event idea company company place")

    def _subordinate(self) -> list[Token]:
        link = self._one("when before after because if while since until although as once like though")
        if link in ("before", "after", "since", "while") and self._maybe(0.3):
            label = "B-SBAR" if link == "while" else "B-PP"
            return [Token(link, "SCONJ", label), *self._gerund()]
        return [Token(link, "SCONJ", "B-SBAR"), *self._clause(0)]

    def _question(self, predicate: Predicate | None = None) -> tuple[Token, Tokens, Tokens, Tokens]:
        """The auxiliary, the subject, the rest of the verb group, and the complement of a question."""
        subject = self._noun_phrase("person")
        predicate = predicate or self._predicate("person", 1)
        words = self._group(predicate, subject.agreement)
        words = [("not" if word == "n't" else word, tag) for word, tag in words]
        if words[0][1] != "AUX":
            did = "did" if self.past else "does" if subject.agreement == "s" else "do"
            words = [(did, "AUX"), (predicate.verb.base, "VERB")]
        rest = chunk("VP", *words[1:])
        if [token.part_of_speech for token in rest] == ["PART"]:
            rest = [outside("not", "PART")]
        return outside(*words[0]), subject.tokens, rest, predicate.complement

    def _predicate(self, kind: str, depth: int, plain: bool = False) -> Predicate:
        """What a subject of this kind does or is; plain: an action that can be ordered."""
        random, way = self.random, self.random.random()
        if kind == "company":
            return self._company_predicate(depth)
        if kind == "animal":
            return self._animal_predicate()
        if kind != "person":
            return self._thing_predicate(kind)
        if way < 0.17:
            how = self._manner() if self._maybe(0.4) else self._where()
            return Predicate(lexicon.INTRANSITIVE(random), how)
        if way < 0.27:
            direction = self._direction() if self._maybe(0.5) else [preposition("to"), *self._simple("place")]
            return Predicate(lexicon.MOTION(random), direction)
        if way < 0.50 or plain:
            return self._transitive(depth)
        if way < 0.62:
            return self._state("person")
        if way < 0.70:
            return self._particle()
        if way < 0.76:
            verb, word, wanted = self._any(lexicon.WITH_PREPOSITION)
            return Predicate(verb, [preposition(word), *self._noun_phrase(wanted, False).tokens])
        if way < 0.82:
            if self._maybe(0.5):
                gift = self._noun_phrase(self._one("thing document food"), False).tokens
                return Predicate(lexicon.GIVING(random), self._noun_phrase("person", False).tokens + gift)
            gift = self._simple(self._one("thing document food"))
            receiver = [preposition("to"), *self._noun_phrase("person", False).tokens]
            return Predicate(lexicon.GIVING(random), gift + receiver)
        if way < 0.86:
            person = self._noun_phrase("person", False).tokens
            return Predicate(lexicon.PERCEIVING(random), person + self._bare(self._action()))
        if way < 0.90:
            person = self._noun_phrase("person", False).tokens
            return Predicate(lexicon.URGING(random), person + self._infinitive())
        if way < 0.95 or depth == 0:
            return self._to_do()
        if self._maybe(0.25):
            link = [Token(self._one("if whether"), "SCONJ", "B-SBAR")]
            return Predicate(lexicon.ASKING(random), link + self._clause(0))
        link = [Token("that", "SCONJ", "B-SBAR")] if self._maybe(0.75) else []
        return Predicate(lexicon.SAYING(random), link + self._clause(depth - 1))

    def _action(self) -> Predicate:
        """A short thing to do, for infinitives and gerunds."""
        way = self.random.random()
        if way < 0.2:
            return Predicate(lexicon.INTRANSITIVE(self.random), [])
        if way < 0.35:
            return Predicate(lexicon.MOTION(self.random), [preposition("to"), *self._simple("place")])
        return self._particle() if way < 0.48 else self._transitive(0)

    def _transitive(self, depth: int) -> Predicate:
        kind = self._one("thing thing document document event place food person person animal idea")
        verb = lexicon.rare_verb(self.random) if kind == "thing" and self._maybe(0.12) else None
        patient = self._long_noun_phrase(kind, depth, False).tokens
        return Predicate(verb or lexicon.TRANSITIVE[kind](self.random), patient)

    def _particle(self) -> Predicate:
        verb, word, kind = self._any(lexicon.WITH_PARTICLE)
        particle = [Token(word, "ADP", "B-PRT")]
        if word in ("back", "home"):
            particle = [Token(word, "ADV", "B-ADVP")]
        thing = self._noun_phrase(kind, False).tokens
        separated = len(thing) <= 2 and (thing[-1].part_of_speech == "PRON" or self._maybe(0.4))
        return Predicate(verb, thing + particle if separated else particle + thing)

    def _to_do(self) -> Predicate:
        if self._maybe(0.15):
            ready = Token(lexicon.READINESS(self.random), "ADJ", "B-ADJP")
            return Predicate(lexicon.BE, [ready, *self._infinitive()])
        return Predicate(lexicon.WANTING(self.random), self._infinitive())

    def _state(self, kind: str) -> Predicate:
        """Be or seem something."""
        way = self.random.random()
        if way < 0.2:
            return Predicate(lexicon.LINKING(self.random), self._adjective_phrase(kind))
        if way < 0.4:
            return Predicate(lexicon.BE, self._where())
        if way < 0.5:
            where = Token(self._one("here there back home away late well"), "ADV", "B-ADVP")
            return Predicate(lexicon.BE, [where])
        return Predicate(lexicon.BE, self._adjective_phrase(kind))

    def _company_predicate(self, depth: int) -> Predicate:
        way = self.random.random()
        if way < 0.3:
            goal = self._indefinite("place").tokens
            wish = lexicon.COMPANY_WISHES(self.random)
            words = (("to", "PART"), (lexicon.COMPANY_VERBS(self.random).base, "VERB"))
            return Predicate(wish, chunk("VP", *words) + goal)
        if way < 0.5:
            return Predicate(lexicon.TRANSITIVE["document"](self.random), self._indefinite("document").tokens)
        if way < 0.65:
            return Predicate(lexicon.COMPANY_VERBS(self.random), self._indefinite("place").tokens)
        if way < 0.85 and depth:
            link = [Token("that", "SCONJ", "B-SBAR")] if self._maybe(0.7) else []
            return Predicate(lexicon.COMPANY_SAYINGS(self.random), link + self._clause(0))
        hired = self._noun_phrase("person", False).tokens
        return Predicate(lexicon.COMPANY_HIRINGS(self.random), hired + self._role())

    def _animal_predicate(self) -> Predicate:
        random, way = self.random, self.random.random()
        if way < 0.45:
            how = self._where() if self._maybe(0.6) else self._manner()
            return Predicate(lexicon.ANIMAL_ACTIONS(random), how)
        if way < 0.75:
            prey = self._noun_phrase(self._one("food animal person"), False).tokens
            return Predicate(lexicon.ANIMAL_DEEDS(random), prey)
        return self._state("animal")

    def _thing_predicate(self, kind: str) -> Predicate:
        way = self.random.random()
        if way < 0.3:
            return Predicate(lexicon.CHANGE[kind](self.random), self._manner() if self._maybe(0.3) else [])
        if way < 0.65:
            verb = lexicon.TRANSITIVE[kind](self.random)
            by = [preposition("by"), *self._simple(self._one("person person company"))]
            return Predicate(verb, by if self._maybe(0.5) else [], passive=True)
        return self._state(kind)

    def _finite(self, predicate: Predicate, agreement: str) -> list[Token]:
        words = self._group(predicate, agreement)
        return chunk("VP", *words) + predicate.complement

    def _bare(self, predicate: Predicate) -> list[Token]:
        return chunk("VP", (predicate.verb.base, predicate.verb.part_of_speech)) + predicate.complement

    def _infinitive(self) -> list[Token]:
        action = self._action()
        return chunk("VP", ("to", "PART"), (action.verb.base, "VERB")) + action.complement

    def _gerund(self) -> list[Token]:
        action = self._action()
        return chunk("VP", (action.verb.ing, "VERB")) + action.complement

    def _long_noun_phrase(self, kind: str, depth: int, subject: bool = True) -> Subject:
        """A noun phrase with what may follow it: a relative clause, a prepositional phrase."""
        phrase = self._noun_phrase(kind, subject)
        if phrase.tokens[-1].part_of_speech != "NOUN" or not depth:
            return phrase
        way = self.random.random()
        if way < 0.1 * depth:
            return Subject(phrase.tokens + self._relative(kind, phrase.agreement), phrase.agreement)
        if way < 0.3:
            return Subject(phrase.tokens + self._modifier(kind), phrase.agreement)
        return phrase

    def _modifier(self, kind: str) -> list[Token]:
        if kind == "person":
            return [preposition(self._one("from with in near like")), *self._simple(self._one("place thing"))]
        if kind in ("document", "idea", "event"):
            if kind == "idea" and self._maybe(0.4):
                return self._infinitive()
            return [
                preposition(self._one("about for of on before after")),
                *self._simple(self._one("event place")),
            ]
        return self._where()

    def _relative(self, kind: str, agreement: str) -> list[Token]:
        """A relative clause, its pronoun the subject or the object of it, or left out."""
        pronoun = "that" if self._maybe(0.55) else "who" if kind == "person" else "which"
        link = [Token(pronoun, "PRON", "B-NP")]
        if self._maybe(0.55):
            return link + self._finite(self._predicate(kind, 0), agreement)
        if kind not in lexicon.TRANSITIVE:
            return []
        subject = self._noun_phrase("person")
        verb = Predicate(lexicon.TRANSITIVE[kind](self.random), [])
        clause = subject.tokens + self._finite(verb, subject.agreement)
        return clause if self._maybe(0.3) else link + clause

    def _adjuncts(self, chance: float) -> list[Token]:
        if not self._maybe(chance):
            return []
        way = self.random.random()
        if way < 0.3:
            return self._where()
        if way < 0.6:
            return self._time()
        if way < 0.75:
            return self._manner()
        if way < 0.83:
            return self._infinitive()
        if way < 0.9:
            return [preposition(self._one("with without")), *self._simple(self._one("thing person"))]
        if way < 0.95:
            return [Token(self._one("by for without"), "SCONJ", "B-PP"), *self._gerund()]
        return self._role() if way < 0.97 else [preposition("like"), *self._indefinite("animal").tokens]
