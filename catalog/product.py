"""Products and their pictures: frozen records that every package uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

CATEGORY_SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a product: its file and, once that was read, its content hash and its size in pixels."""

    path: str
    sha256: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """One product as the catalogue stores it; `origin` is the feed line it came from ("products.csv:17")."""

    id: str
    title: str
    pictures: tuple[Picture, ...]
    category: str = ""
    price: Decimal | None = None
    currency: str = ""
    in_stock: bool = True
    brand: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    description: str = ""
    origin: str = field(default="", compare=False)

    @property
    def category_path(self) -> tuple[str, ...]:
        """The levels of the category from the root down: ("Apparel", "Topwear", "Shirts"); () without a category."""
        return levels_of(self.category)


def levels_of(category: str) -> tuple[str, ...]:
    """Return the levels of a category from the root down, whatever spaces are around the separators."""
    return tuple(part.strip() for part in category.split(CATEGORY_SEPARATOR.strip()) if part.strip())


@dataclass(frozen=True, slots=True)
class Rejected:
    """A feed row that was left out, or one of its pictures: the file, the line (1 = header) and the reason.

    Also a picture that could not be fetched again, so that the picture of an earlier import stays. `product_id` is the
    id in the row, "" when it cannot be read. `lists_product` is False when the row lists no product for sale: one that
    is not published, a row of totals, a file that is no picture.
    """

    source: str
    line: int
    reason: str
    product_id: str = ""
    lists_product: bool = True


@dataclass(frozen=True, slots=True)
class RowNote:
    """What people should know of a feed row that became a product: a value that was guessed, or not understood.

    The report counts the rows of each message, so a message names the value and not the row.
    """

    source: str
    line: int
    message: str
