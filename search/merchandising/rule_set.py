"""The rules that hold today, ready to be matched with questions in microseconds; a snapshot that never changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from search.merchandising.filter_text import parse_filter_text
from search.merchandising.question import Phrase, as_key, phrases
from search.merchandising.rules import (
    BOOST,
    BURY,
    EVERY,
    EXACT,
    HIDE,
    MATCHES,
    ONE_WAY,
    PIN,
    REDIRECT,
    SYNONYM,
    Rule,
)
from search.query.filters import AnyOf, Filter
from search.query.glossary import Synonym
from search.query.terms import Query, TextTerm


@dataclass(frozen=True, slots=True)
class QueryRules:
    """What the rules say about one question.

    `pins` are (position from 1, product id), each position and product once, in order. `boosts` are filters with the
    factor of the products that pass: above 1 to boost, below 1 to bury. Products that pass `hidden` are no answers.
    `synonyms` are those whose words the question holds. `redirect` is an address, or None.
    """

    pins: tuple[tuple[int, str], ...] = ()
    boosts: tuple[tuple[Filter, float], ...] = ()
    hidden: Filter | None = None
    redirect: str | None = None
    synonyms: tuple[Synonym, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pins or self.boosts or self.hidden or self.redirect or self.synonyms)


NO_RULES = QueryRules()
LAST_ID = 2**63 - 1  # where a new rule would stand in the order of ids
_Candidate = tuple[tuple[str, ...], int]  # the keys of words that a question must hold, and the rule's place


class Rules:
    """The rules that hold on one day. `number` grows with every change of the shop's rules."""

    def __init__(self, rules: Iterable[Rule] = (), today: date | None = None, number: int = 0) -> None:
        day = today or date.today()
        order = {match: place for place, match in enumerate(MATCHES)}  # the closest match first, then the oldest rule
        active = [rule for rule in rules if rule.is_active(day)]
        self._rules = sorted(active, key=lambda rule: (order[rule.match], rule.id or 0))
        self.number = number
        self.day = day
        self.synonyms = tuple(_synonym(rule) for rule in self._rules if rule.action in (SYNONYM, ONE_WAY))
        self._every = [place for place, rule in enumerate(self._rules) if rule.match == EVERY]
        self._exact: dict[str, list[int]] = {}
        self._by_unit: dict[str, list[_Candidate]] = {}
        self._index()

    def __len__(self) -> int:
        return len(self._rules)

    def trying(self, rule: Rule) -> Rules:
        """Return these rules with another one, in place of one of the same key, as if its first day were today."""
        known = [mine for mine in self._rules if mine.key == rule.key]
        tried = replace(rule, starts="", ends="", id=known[0].id if known else LAST_ID)
        return Rules([*(mine for mine in self._rules if mine.key != rule.key), tried], self.day, self.number)

    def for_query(self, text: str) -> QueryRules:
        """Return what the rules say about a question; `text` is what is wanted, without exclusions and price limits."""
        if not self._rules:
            return NO_RULES
        return self._collected([self._rules[place] for place in self._places(phrases(text))])

    def _index(self) -> None:
        waiting: list[tuple[tuple[Phrase, ...], int]] = []
        for place, rule in enumerate(self._rules):
            if rule.match == EVERY:
                continue
            words = phrases(rule.question)
            if rule.action in (SYNONYM, ONE_WAY):
                waiting.append(((tuple(unit for phrase in words for unit in phrase),), place))
                if rule.action == SYNONYM:
                    other = tuple(unit for phrase in phrases(rule.target) for unit in phrase)
                    waiting.append(((other,), place))
            elif rule.match == EXACT:
                self._exact.setdefault(as_key(words), []).append(place)
            else:
                waiting.append((words, place))
        # Under its rarest unit, so that a question looks at few rules whose words it does not hold.
        counts = Counter(unit for words, _ in waiting for unit in {unit for phrase in words for unit in phrase})
        for words, place in waiting:
            rarest = min((unit for phrase in words for unit in phrase), key=lambda unit: counts[unit])
            self._by_unit.setdefault(rarest, []).append((tuple(as_key((phrase,)) for phrase in words), place))

    def _places(self, words: tuple[Phrase, ...]) -> list[int]:
        key = as_key(words)
        found = {*self._every, *self._exact.get(key, ())}
        for unit in {unit for phrase in words for unit in phrase}:
            for parts, place in self._by_unit.get(unit, ()):
                if all(part in key for part in parts):
                    found.add(place)
        return sorted(found)

    def _collected(self, rules: list[Rule]) -> QueryRules:
        if not rules:
            return NO_RULES
        hidden = tuple(_filter(rule.target) for rule in rules if rule.action == HIDE)
        redirects = [rule.target for rule in rules if rule.action == REDIRECT]
        return QueryRules(
            _placed([rule for rule in rules if rule.action == PIN]),
            tuple((_filter(rule.target), float(rule.number or 1.0)) for rule in rules if rule.action in (BOOST, BURY)),
            None if not hidden else hidden[0] if len(hidden) == 1 else Filter((AnyOf(hidden),)),
            redirects[0] if redirects else None,
            tuple(_synonym(rule) for rule in rules if rule.action in (SYNONYM, ONE_WAY)),
        )


_EMPTY = Rules()


def no_rules() -> Rules:
    """Return the rules of a shop that has none."""
    return _EMPTY


def _placed(pins: list[Rule]) -> tuple[tuple[int, str], ...]:
    """Give each pinned product one position: where two want the same, the later rule's goes to the next free one."""
    placed: dict[int, str] = {}
    for pin in sorted(pins, key=lambda rule: rule.number or 1):
        if pin.target in placed.values():
            continue
        position = int(pin.number or 1)
        while position in placed:
            position += 1
        placed[position] = pin.target
    return tuple(sorted(placed.items()))


def _synonym(rule: Rule) -> Synonym:
    return Synonym(rule.question, rule.target, both_ways=rule.action == SYNONYM)


@lru_cache(maxsize=1024)
def _filter(text: str) -> Filter:
    return parse_filter_text(text)


def rules_of(rules: Rules, query: Query) -> QueryRules:
    """Return what the rules say about a query.

    Rules are about what is wanted in words. A query with a photo or a product besides has neither pins nor a redirect,
    and one without words nothing but hidden products.
    """
    if not query.terms or not len(rules):
        return NO_RULES
    wanted = [term.words for term in query.terms if isinstance(term, TextTerm) and term.weight > 0]
    found = rules.for_query(" ".join(wanted))
    if not wanted:
        return QueryRules(hidden=found.hidden)
    if not all(isinstance(term, TextTerm) for term in query.terms):
        return QueryRules(boosts=found.boosts, hidden=found.hidden, synonyms=found.synonyms)
    return found
