"""What a question was understood to ask for, in parts that a shopper can remove one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAMED, MEANING, EXAMPLE = "name", "meaning", "example"  # how a kind was recognised
PRICE_PART, STOCK_PART = "price", "in_stock"  # names of the parts that no words of the shop stand for
ANSWERS, NEAR, NOTHING = "answers", "near", "nothing"  # what a question in words finds


@dataclass(frozen=True, slots=True)
class KindRef:
    """Products of one kind: those with a label of a field, such as a category with all below it."""

    field: str
    label: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class ValueRef:
    """A label of an attribute or brand that words stand for; quality 1 for the whole label, less for a part of it."""

    field: str
    label: str
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class UnderstoodKind:
    """A kind of thing: its products by `refs`, the words that name it ("" when none do), and how sure that is."""

    refs: tuple[KindRef, ...]
    words: str
    confidence: float
    source: str = NAMED

    def to_dict(self) -> dict[str, Any]:
        """Return the kind as JSON values."""
        labels = list(dict.fromkeys(ref.label for ref in self.refs))
        confidence = round(self.confidence, 4)
        return {"labels": labels, "words": self.words, "confidence": confidence, "source": self.source}


@dataclass(frozen=True, slots=True)
class UnderstoodValue:
    """A wanted or excluded attribute or brand: any of these labels has it.

    `found` is false when no product of the wanted kind has it.
    """

    refs: tuple[ValueRef, ...]
    words: str
    excluded: bool = False
    found: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the value as JSON values."""
        best = self.refs[0]
        return {"field": best.field, "label": best.label, "words": self.words, "found": self.found}


@dataclass(frozen=True, slots=True)
class Understood:
    """The parts of a question. `rest` is what only words and likeness can answer."""

    kinds: tuple[UnderstoodKind, ...] = ()
    values: tuple[UnderstoodValue, ...] = ()
    rest: str = ""
    unnamed: str = ""  # the question without the words of its values, "" when all is understood
    other_thing: bool = False  # whether a word behind the kind makes another thing of it: a mug tree
    complete: bool = True  # whether a product of the kind has all wanted values together
    leaning: tuple[tuple[str, float], ...] = ()  # which kinds of several named ones are meant, and their shares
    limit: Mapping[str, Any] | None = None  # "min" and "max"
    in_stock: bool = False
    without: Mapping[str, str] = field(default_factory=dict)  # words of a part -> the question without them

    @property
    def named(self) -> tuple[UnderstoodKind, ...]:
        """The kinds that words of the question name."""
        return tuple(kind for kind in self.kinds if kind.source == NAMED)

    @property
    def wanted(self) -> tuple[UnderstoodValue, ...]:
        """The values that are wanted."""
        return tuple(value for value in self.values if not value.excluded)

    @property
    def excluded(self) -> tuple[UnderstoodValue, ...]:
        """The values that are not wanted."""
        return tuple(value for value in self.values if value.excluded)

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as JSON values."""
        return {
            "kinds": [kind.to_dict() for kind in self.kinds],
            "attributes": [value.to_dict() for value in self.wanted],
            "excluded": [value.to_dict() for value in self.excluded],
            "price": None if self.limit is None else dict(self.limit),
            "in_stock": self.in_stock,
            "rest": self.rest,
            "without": dict(self.without),
        }
