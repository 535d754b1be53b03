"""Which categories go together, and which attribute values conflict: tables that a merchant can edit.

    goes_with.csv        category, goes_with, weight, when     Shirts,Ties,0.6,gender=men
    contradictions.csv   attribute, values, against            season,summer,winter

Several values are separated by |. A pair holds in both directions. Weights lie from 0 to 1, and 0 means never. A name
means every category that has it in its path, at the end of a part ("Shoes": "Footwear > Casual Shoes"), in singular or
plural; "*" means all. `when` is a condition on an attribute of the product to complement. Of several lines about two
categories the shop's own precede shipped ones, then a line that says never, then the one whose names lie deepest.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from catalog.errors import BadInput
from catalog.home import ShopHome
from catalog.product import CATEGORY_SEPARATOR, Product
from catalog.text.labelled_csv import bad_line, read_labelled_csv
from catalog.text.tokenizer import singularise
from search.query.filters import Filter, folded, parse_filter

SHIPPED = Path(__file__).parent / "rules"
GOES_WITH, CONTRADICTIONS = ShopHome.pair_rules.path, ShopHome.contradictions.path
MAX_BYTES = 1_000_000
EVERYTHING = "*"
_REQUIRED = {GOES_WITH: ("category", "goes_with", "weight"), CONTRADICTIONS: ("attribute", "values", "against")}
_AND = re.compile(r"\s*(?:&|/|,|\band\b)\s*")
_CHILD = re.compile(r"\b(?:boys|girls|boy|girl|kids)\b", re.IGNORECASE)
GENDER = "gender"

Words = tuple[str, ...]
_Conflict = tuple[str, frozenset[str], frozenset[str]]  # an attribute, and two sets of its values that conflict
ExcludedValues = Mapping[str, tuple[str, ...]]  # by attribute


@dataclass(frozen=True, slots=True)
class Target:
    """A category that goes with a product, the weight, and the name that the rules use for it."""

    category: str
    weight: float
    name: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """One pair of names from a line; `when` is an attribute and the values it may have."""

    name: Words
    other: Words
    weight: float
    when: tuple[str, frozenset[str]] | None
    own: bool

    def applies_to(self, attributes: Mapping[str, str]) -> bool:
        return self.when is None or folded(attributes.get(self.when[0], "")) in self.when[1]


@dataclass(frozen=True, slots=True)
class PairRules:
    """The rules of one shop; create them with `load`."""

    pairs: tuple[_Rule, ...]
    conflicts: tuple[_Conflict, ...] = ()

    @classmethod
    def load(cls, home: Path | None = None) -> PairRules:
        """Load the shipped rules and the shop's own files of the same names in `home`, which take precedence.

        Raises BadInput with the file, the line and the fault.
        """
        shipped = _shipped_rules()
        if home is None:
            return shipped
        pairs = tuple(_read_pairs(home / GOES_WITH, own=True))
        conflicts = tuple(_read_conflicts(home / CONTRADICTIONS))
        return cls(shipped.pairs + pairs, shipped.conflicts + conflicts)

    def targets(self, category: str, attributes: Mapping[str, str], shop: Iterable[str]) -> dict[str, Target]:
        """Return the categories in `shop` that a rule pairs with this one, by path; weight 0 means never.

        The same category, one above or below it, and one with the same last part are left out.
        """
        applicable = [
            (rule, depth)
            for rule in self.pairs
            if rule.applies_to(attributes) and (depth := _depth(rule.name, category)) is not None
        ]
        targets: dict[str, Target] = {}
        for other in shop:
            if same_category(category, other):
                continue
            # A line with a condition is more specific than the same line without one.
            ranked = [
                ((rule.own, rule.weight == 0, depth + other_depth, rule.when is not None, rule.weight), rule)
                for rule, depth in applicable
                if (other_depth := _depth(rule.other, other)) is not None
            ]
            if ranked:
                rule = max(ranked, key=lambda pair: pair[0])[1]
                targets[other] = Target(other, rule.weight, " ".join(rule.other))
        return targets

    def excluded_values(self, product: Product) -> ExcludedValues:
        """Return for each attribute the values that conflict with the product's: {"gender": ("girls", "women")}."""
        excluded: dict[str, set[str]] = {}
        attributes = facts(product)
        for name, values, others in self.conflicts:
            value = folded(attributes.get(name, ""))
            for own, conflicting in ((values, others), (others, values)):
                if value in own:
                    excluded.setdefault(name, set()).update(conflicting - {value})
        return {name: tuple(sorted(values)) for name, values in excluded.items()}


def facts(product: Product) -> Mapping[str, str]:
    """Return a product's attributes; a title for children overrides the gender, since feeds often call boys men."""
    child = _CHILD.search(product.title)
    return {**product.attributes, GENDER: child.group().lower()} if child else product.attributes


def fits(product: Product, excluded: ExcludedValues) -> bool:
    """Return whether a product is in stock and has no excluded value."""
    attributes = facts(product)
    return product.in_stock and not any(folded(attributes.get(name, "")) in values for name, values in excluded.items())


def without_conflicts(
    conditions: Mapping[str, Any], excluded: ExcludedValues, categories: Sequence[str] = ()
) -> Filter:
    """Return a filter for products in stock that meet `conditions`, have no excluded value and none of `categories`."""
    unwanted: list[dict[str, Any]] = [{"attributes": {name: list(values)}} for name, values in excluded.items()]
    if categories:
        unwanted.append({"category": list(categories)})
    return parse_filter({**conditions, "in_stock": True, **({"not": {"any": unwanted}} if unwanted else {})})


def same_category(category: str, other: str) -> bool:
    """Return whether two categories are equal, one contains the other, the last parts are equal, or one is missing."""
    a, b = _parts(category), _parts(other)
    short = min(len(a), len(b))
    return not short or a[:short] == b[:short] or _alternatives(a[-1])[:1] == _alternatives(b[-1])[:1]


@cache  # these files never change while a process runs
def _shipped_rules() -> PairRules:
    pairs = tuple(_read_pairs(SHIPPED / GOES_WITH, own=False))
    return PairRules(pairs, tuple(_read_conflicts(SHIPPED / CONTRADICTIONS)))


def _read_pairs(path: Path, own: bool) -> Iterator[_Rule]:
    for line, row in _rows(path):
        weight = _weight(row["weight"], path, line)
        when = _when(row.get("when", ""), path, line)
        sides = ([_words(name) for name in row[side].split("|") if name.strip()] for side in ("category", "goes_with"))
        for name, other in itertools.product(*sides):
            yield _Rule(name, other, weight, when, own)
            if name != other:
                yield _Rule(other, name, weight, when, own)


def _read_conflicts(path: Path) -> Iterator[_Conflict]:
    for _, row in _rows(path):
        yield folded(row["attribute"]), _values(row["values"]), _values(row["against"])


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield line and values of each row of a table; nothing when there is no such file."""
    required = _REQUIRED[path.name]
    for row in read_labelled_csv(path, required, max_bytes=MAX_BYTES) if path.exists() else ():
        if empty := [name for name in required if not row.values[name]]:
            raise bad_line(path, row.line, f"{empty[0]} is empty", "Fill it in or remove the line.")
        yield row.line, row.values


def _weight(text: str, path: Path, line: int) -> float:
    weight = -1.0
    with suppress(ValueError):
        weight = float(text)
    if not 0.0 <= weight <= 1.0:
        raise BadInput(f"{path}, line {line}: the weight is {text[:40]!r}.", "Use a number from 0 (never) to 1.")
    return weight


def _when(text: str, path: Path, line: int) -> tuple[str, frozenset[str]] | None:
    if not text:
        return None
    name, equals, values = text.partition("=")
    if not (equals and name.strip() and values.strip()):
        raise BadInput(f"{path}, line {line}: `when` is {text[:40]!r}.", "Write it like gender=women|girls.")
    return folded(name), _values(values)


def _values(text: str) -> frozenset[str]:
    return frozenset(map(folded, text.split("|"))) - {""}


@lru_cache(maxsize=262_144)
def _depth(name: Words, category: str) -> int | None:
    """Return how specifically a name matches a category's path: more near its end, and for a longer name.

    0 for "*", None when the name does not occur.
    """
    if name == (EVERYTHING,):
        return 0
    depths = [
        (part + 1) * 10 + min(len(name), 9)
        for part, alternatives in enumerate(_path(category))
        if any(words[-len(name) :] == name for words in alternatives)
    ]
    return max(depths, default=None)


@lru_cache(maxsize=65_536)
def _path(category: str) -> tuple[tuple[Words, ...], ...]:
    return tuple(map(_alternatives, _parts(category)))


def _parts(category: str) -> Words:
    return tuple(part for part in map(folded, category.split(CATEGORY_SEPARATOR.strip())) if part)


def _alternatives(part: str) -> tuple[Words, ...]:
    """Return the words of a part, and of each side of an "and" in it: "Necklace and Chains" is also "Chains"."""
    return tuple(dict.fromkeys(_words(name) for name in (part, *_AND.split(part)) if name.strip()))


@lru_cache(maxsize=65_536)
def _words(name: str) -> Words:
    return tuple(singularise(word) for word in folded(name).replace("-", " ").replace("&", " and ").split())
