"""Which categories go together, and which attributes quarrel: tables that a merchant can edit.

    goes_with.csv        category, goes_with, weight, when     Shirts,Ties,0.6,gender=men
    contradictions.csv   attribute, values, against            season,summer,winter

Several values are separated by |. A pair holds in both directions. Weights lie from 0 to 1, and 0 means never. A name
means every category that has it in its path, at the end of a part ("Shoes": "Footwear > Casual Shoes"), in singular or
plural; "*" means all. `when` asks for an attribute of the product that is asked about. Of several lines about two
categories the shop's own decide before shipped ones, then one that says never, then the one whose names lie deepest.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from catalog.errors import BadInput
from catalog.product import CATEGORY_SEPARATOR, Product
from search.query.filters import Filter, folded, parse_filter

SHIPPED = Path(__file__).parent / "rules"
GOES_WITH = "goes_with.csv"
CONTRADICTIONS = "contradictions.csv"
MAX_BYTES = 1_000_000
EVERYTHING = "*"
_COLUMNS = {GOES_WITH: ("category", "goes_with", "weight", "when"), CONTRADICTIONS: ("attribute", "values", "against")}
_AND = re.compile(r"\s*(?:&|/|,|\band\b)\s*")

_CHILD = re.compile(r"\b(?:boys|girls|boy|girl|kids)\b", re.IGNORECASE)
GENDER = "gender"

Words = tuple[str, ...]
Barred = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Target:
    """A category that goes with what was asked about, how well, and under which name the rules have it."""

    category: str
    weight: float
    name: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """One pair of names with what a line says of it; `when` is an attribute and the values it may have."""

    one: Words
    other: Words
    weight: float
    when: tuple[str, frozenset[str]] | None
    own: bool

    def asks(self, attributes: Mapping[str, str]) -> bool:
        if self.when is None:
            return True
        name, values = self.when
        return folded(attributes.get(name, "")) in values

    def turned(self) -> _Rule:
        return _Rule(self.other, self.one, self.weight, self.when, self.own)


@dataclass(frozen=True, slots=True)
class PairRules:
    """The rules of one shop. Made by `load`."""

    pairs: tuple[_Rule, ...]
    conflicts: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = field(default=())

    @classmethod
    def load(cls, home: Path | None = None) -> PairRules:
        """The shipped rules, with the lines of the shop's own files of the same names in `home` going before them.

        Raises BadInput that names the file, the line and what is wrong with it.
        """
        pairs: list[_Rule] = []
        conflicts: list[tuple[str, frozenset[str], frozenset[str]]] = []
        for folder in (SHIPPED, home):
            if folder is not None:
                pairs += _read_pairs(folder / GOES_WITH, own=folder is home)
                conflicts += _read_conflicts(folder / CONTRADICTIONS)
        return cls(tuple(pairs), tuple(conflicts))

    def targets(self, category: str, attributes: Mapping[str, str], shop: Iterable[str]) -> dict[str, Target]:
        """The categories of the shop that some rule pairs with this one, by path; weight 0 where they never go.

        What is the same category, or lies above or below it, or has the same last part, is never among them.
        """
        mine = [
            (rule, depth)
            for rule in self.pairs
            if rule.asks(attributes) and (depth := _depth(rule.one, category)) is not None
        ]
        found: dict[str, Target] = {}
        for other in shop:
            if same_category(category, other):
                continue
            best: tuple[bool, bool, int, bool, float] | None = None
            for rule, depth in mine:
                reached = _depth(rule.other, other)
                if reached is None:
                    continue
                # A condition that holds makes a line more special than the same line without one.
                rank = (rule.own, rule.weight == 0, depth + reached, rule.when is not None, rule.weight)
                if best is None or rank > best:
                    best = rank
                    found[other] = Target(other, rule.weight, " ".join(rule.other))
        return found

    def against(self, product: Product) -> Barred:
        """For each attribute the values that quarrel with the product's: {"gender": ("girls", "women")}."""
        barred: dict[str, set[str]] = {}
        attributes = facts(product)
        for name, values, others in self.conflicts:
            value = folded(attributes.get(name, ""))
            for one, other in ((values, others), (others, values)):
                if value in one:
                    barred.setdefault(name, set()).update(other - {value})
        return {name: tuple(sorted(values)) for name, values in barred.items()}


def facts(product: Product) -> Mapping[str, str]:
    """A product's attributes; that it is for children is also taken from its title, since feeds often call boys men."""
    child = _CHILD.search(product.title)
    return {**product.attributes, GENDER: child.group().lower()} if child else product.attributes


def conflicts(product: Product, barred: Barred) -> bool:
    """Whether a product has a value that is barred."""
    attributes = facts(product)
    return any(folded(attributes.get(name, "")) in values for name, values in barred.items())


def without_conflicts(asked: Mapping[str, Any], barred: Barred, categories: Sequence[str] = ()) -> Filter:
    """A filter for what is as `asked`, in stock, in none of these categories and without anything that is barred."""
    excluded: list[dict[str, Any]] = [{"attributes": {name: list(values)}} for name, values in barred.items()]
    if categories:
        excluded.append({"category": list(categories)})
    return parse_filter({**asked, "in_stock": True, **({"not": {"any": excluded}} if excluded else {})})


def same_category(one: str, other: str) -> bool:
    """Whether two categories are one, or one lies within the other, or both have the same last part; or have none."""
    a, b = _parts(one), _parts(other)
    short = min(len(a), len(b))
    return not short or a[:short] == b[:short] or _alternatives(a[-1])[:1] == _alternatives(b[-1])[:1]


def _read_pairs(path: Path, own: bool) -> Iterator[_Rule]:
    for line, row in _rows(path):
        weight = _weight(row["weight"], path, line)
        when = _when(row["when"], path, line)
        for one in _names(row["category"]):
            for other in _names(row["goes_with"]):
                rule = _Rule(one, other, weight, when, own)
                yield rule
                if one != other:
                    yield rule.turned()


def _read_conflicts(path: Path) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    for _, row in _rows(path):
        values, against = (frozenset(map(folded, row[name].split("|"))) - {""} for name in ("values", "against"))
        yield folded(row["attribute"]), values, against


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a table; none when there is no such file."""
    columns = _COLUMNS[path.name]
    required = [name for name in columns if name != "when"]
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path} has more than {MAX_BYTES:,} bytes.", "Shorten it.")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}.", "Save it as UTF-8 text.") from error
    rows: Any = csv.DictReader(text.splitlines(), strict=True)
    try:
        if missing := [name for name in required if name not in (rows.fieldnames or ())]:
            raise BadInput(f"{path} has no column {missing[0]!r}.", f"Its first line must be {','.join(columns)}.")
        for row in rows:
            values = {name: (row.get(name) or "").strip() for name in columns}
            if empty := [name for name in required if not values[name]]:
                raise BadInput(f"{path}, line {rows.line_num}: {empty[0]} is empty.", "Fill it in or remove the line.")
            yield rows.line_num, values
    except csv.Error as error:
        raise BadInput(f"{path}, line {rows.reader.line_num}: {error}.", "Mend that line.") from error


def _weight(text: str, path: Path, line: int) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0.0 <= weight <= 1.0:
        raise BadInput(f"{path}, line {line}: the weight is {text[:40]!r}.", "Use a number from 0 (never) to 1.")
    return weight


def _when(text: str, path: Path, line: int) -> tuple[str, frozenset[str]] | None:
    if not text:
        return None
    name, equals, values = text.partition("=")
    if not (equals and name.strip() and values.strip()):
        raise BadInput(f"{path}, line {line}: `when` is {text[:40]!r}.", "Write it like gender=women|girls.")
    return folded(name), frozenset(map(folded, values.split("|"))) - {""}


def _names(text: str) -> list[Words]:
    return [_words(name) for name in text.split("|") if name.strip()]


@lru_cache(maxsize=262_144)
def _depth(name: Words, category: str) -> int | None:
    """How deep in a category's path the name lies, the more the nearer to its end and the longer the name.

    0 for the name of everything, None when the name is not there.
    """
    if name == (EVERYTHING,):
        return 0
    found = [
        (part + 1) * 10 + min(len(name), 9)
        for part, alternatives in enumerate(_path(category))
        if any(words[-len(name) :] == name for words in alternatives)
    ]
    return max(found, default=None)


@lru_cache(maxsize=65_536)
def _path(category: str) -> tuple[tuple[Words, ...], ...]:
    return tuple(map(_alternatives, _parts(category)))


def _parts(category: str) -> Words:
    return tuple(part for part in map(folded, category.split(CATEGORY_SEPARATOR.strip())) if part)


def _alternatives(part: str) -> tuple[Words, ...]:
    """A part of a path as words, and each side of an "and" in it: "Necklace and Chains" is also "Chains"."""
    return tuple(dict.fromkeys(_words(each) for each in (part, *_AND.split(part)) if each.strip()))


@lru_cache(maxsize=65_536)
def _words(name: str) -> Words:
    return tuple(_singular(word) for word in folded(name).replace("-", " ").replace("&", " and ").split())


def _singular(word: str) -> str:
    """Without the ending of an English plural, as far as that is needed to compare names of categories."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("rves", "lves")):
        return word[:-3] + "f"
    if word.endswith(("ches", "shes", "sses", "xes", "toes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word
