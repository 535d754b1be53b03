"""A rule of the shop's owner: for which questions, what it does, and since and until when; and what a rule may hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from catalog.errors import BadInput, BadQuery
from catalog.text.csv_export import escape_formula, unescape_formula
from catalog.text.strings import SURROGATES
from search.merchandising.filter_text import filter_text, parse_filter_text
from search.merchandising.question import phrases
from search.query.filters import MAX_VALUE

SYNONYM, ONE_WAY, PIN, BOOST, BURY = "synonym", "one_way_synonym", "pin", "boost", "bury"
HIDE, REDIRECT = "hide", "redirect"
ACTIONS = (SYNONYM, ONE_WAY, PIN, BOOST, BURY, HIDE, REDIRECT)
FILTERED = (BOOST, BURY, HIDE)  # actions whose target is a filter
EXACT, WORDS, EVERY = "exact", "words", "every"
MATCHES = (EXACT, WORDS, EVERY)

MAX_RULES = 20_000
MAX_QUESTION = 200  # characters
MAX_ADDRESS = 2_000  # characters
MAX_POSITION = 20
MIN_FACTOR, MAX_FACTOR = 0.1, 10.0
DEFAULT_FACTORS = {BOOST: 1.5, BURY: 0.5}
_SITE_RELATIVE = re.compile(r"/(?![/\\])[^\\]*")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Those of the same action, match, question and target are one rule, whatever its number and dates.

    `question` is what a shopper asks: the same words (`exact`), a part of them (`words`), or anything (`every`, blank).
    `target` is by action: the other word of a synonym, a product's id, a filter as `filter_text` writes it, an address.
    `number` is the position of a pin, from 1, or the factor of a boost (above 1) or bury (below 1). `starts` and `ends`
    are dates as YYYY-MM-DD, both included, or "". `id` is given by the store.
    """

    action: str
    question: str = ""
    target: str = ""
    match: str = EXACT
    number: float | None = None
    starts: str = ""
    ends: str = ""
    id: int | None = field(default=None, compare=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it this rule and no other."""
        return self.action, self.match, self.question, self.target

    def is_active(self, today: date) -> bool:
        """Return whether the rule holds on a day."""
        day = today.isoformat()
        return (not self.starts or self.starts <= day) and (not self.ends or day <= self.ends)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as JSON values."""
        return asdict(self)


def check_rule(rule: Rule) -> Rule:
    """Return a rule in its one spelling: blanks trimmed, filters as `filter_text` writes them. Raises BadInput."""
    if rule.action not in ACTIONS:
        raise BadInput(f"There is no action {rule.action[:40]!r}.", f"Use one of {', '.join(ACTIONS)}.")
    if rule.match not in MATCHES:
        raise BadInput(f"There is no match {rule.match[:40]!r}.", f"Use one of {', '.join(MATCHES)}.")
    starts, ends = _day(rule.starts, "starts"), _day(rule.ends, "ends")
    if starts and ends and starts > ends:
        raise BadInput(f"The rule ends on {ends}, before it starts on {starts}.", "Exchange the dates.")
    checked = replace(
        rule,
        question=_question(rule),
        target=_target(rule),
        number=_number(rule),
        starts=starts,
        ends=ends,
    )
    for text in (checked.question, checked.target):
        if SURROGATES.search(text) or unescape_formula(escape_formula(text)) != text:
            raise BadInput(f"The text {text[:40]!r} cannot be written to a table.", "Leave out its first apostrophe.")
    return checked


def rule_of(values: Mapping[str, Any]) -> Rule:
    """Return the rule of JSON values as `Rule.to_dict` gives them."""
    return Rule(**values)


def _question(rule: Rule) -> str:
    text = " ".join(rule.question.split())
    if rule.match == EVERY:
        if text:
            raise BadInput("A rule for every question has a question.", "Leave the question out, or choose a match.")
        if rule.action not in FILTERED:
            raise BadInput(f"A rule with the action {rule.action} needs a question.", "Use match exact or words.")
        return ""
    if len(text) > MAX_QUESTION:
        raise BadInput(f"The question has {len(text):,} characters; the limit is {MAX_QUESTION}.", "Shorten it.")
    if not phrases(text):
        raise BadInput(f"The question {text[:40]!r} has no words.", 'Write what shoppers type, or use match "every".')
    if rule.action in (SYNONYM, ONE_WAY) and rule.match != EXACT:
        raise BadInput("A synonym holds wherever its words stand.", "Use match exact for it.")
    return text


def _target(rule: Rule) -> str:
    text = rule.target.strip()
    if not text:
        raise BadInput(f"The rule has the action {rule.action} and no target.", _TARGETS[rule.action])
    if rule.action in FILTERED:
        return filter_text(parse_filter_text(text))
    if rule.action == REDIRECT:
        return check_address(text)
    if rule.action == PIN:
        if len(text) > MAX_VALUE:
            raise BadInput(f"The product id has {len(text):,} characters; the limit is {MAX_VALUE}.", "Shorten it.")
        return text
    text = " ".join(text.split())
    if len(text) > MAX_QUESTION or not phrases(text):
        raise BadInput(f"The synonym {text[:40]!r} has no words, or too many.", "Give a word or a short name.")
    if phrases(text) == phrases(rule.question):
        raise BadInput(f"{text[:40]!r} is the question itself.", "Give another word for it.")
    return text


def _number(rule: Rule) -> float | None:
    number = rule.number
    if number is not None and not math.isfinite(number):
        raise BadInput(f"The number is {number}.", "Give a number, or leave it out.")
    if rule.action == PIN:
        position = 1.0 if number is None else number
        if position != int(position) or not 1 <= position <= MAX_POSITION:
            raise BadInput(f"The position is {position:g}.", f"Use a whole number from 1 to {MAX_POSITION}.")
        return float(int(position))
    if rule.action not in DEFAULT_FACTORS:
        if number is not None:
            raise BadInput(f"A rule with the action {rule.action} takes no number.", "Leave it out.")
        return None
    factor = DEFAULT_FACTORS[rule.action] if number is None else float(number)
    low, high = (1.0, MAX_FACTOR) if rule.action == BOOST else (MIN_FACTOR, 1.0)
    if not low <= factor <= high or factor == 1.0:
        raise BadInput(f"The factor of the {rule.action} is {factor:g}.", f"Use one between {low:g} and {high:g}.")
    return factor


def check_address(text: str) -> str:
    """Return the address of a redirect: http, https, or a path of the shop. Raises BadInput for any other."""
    example = "Use https://... or a path of this shop such as /?q=mugs."
    if len(text) > MAX_ADDRESS:
        raise BadInput(f"The address has {len(text):,} characters; the limit is {MAX_ADDRESS:,}.", example)
    if not text.isprintable() or any(character.isspace() for character in text):
        raise BadInput("The address has blanks or invisible characters.", example)
    if _SITE_RELATIVE.fullmatch(text):
        return text
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        _ = parts.port  # raises ValueError for one that is no number
    except ValueError:
        usable = False
    if not usable or "\\" in text:
        raise BadInput(f"The address {text[:60]!r} is no address that a shopper may be sent to.", example)
    return text


def _day(text: str, name: str) -> str:
    text = text.strip()
    if not text:
        return ""
    try:
        if len(text) != len("YYYY-MM-DD"):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadQuery(f"{name} is {text[:40]!r}, which is no date.", "Write it as YYYY-MM-DD.") from None


_TARGETS = {
    SYNONYM: "Give the other word.",
    ONE_WAY: "Give the word that is meant.",
    PIN: "Give the product's id.",
    REDIRECT: "Give the address.",
} | dict.fromkeys(FILTERED, "Give a filter, for example brand=Puma.")
