"""Products and their pictures: frozen records that every package uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate
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
    """One product as the catalogue stores it; `origin` is the feed line it came from ("products.csv:17").

    `link` is the address of its page in the merchant's own shop. `list_price` is what it cost before a discount, in the
    same currency. Variants of one thing have one `item_group_id`.
    """

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
    link: str = ""
    list_price: Decimal | None = None
    item_group_id: str = ""
    origin: str = field(default="", compare=False)

    @property
    def category_path(self) -> tuple[str, ...]:
        """The levels of the category from the root down: ("Apparel", "Topwear", "Shirts"); () without a category."""
        return levels_of(self.category)

    @property
    def on_sale(self) -> bool:
        """Whether it costs less than its list price; what costs nothing is not on sale."""
        return reduced_from(self.price, self.list_price) is not None

    @property
    def discount(self) -> int:
        """The discount in whole percent of the list price, never more than it is; 0 while it is not on sale."""
        before = reduced_from(self.price, self.list_price)
        return 0 if before is None or self.price is None else int((before - self.price) * 100 / before)


def reduced_from(price: Decimal | None, list_price: Decimal | None) -> Decimal | None:
    """Return the list price of a product on sale; None when the price is 0, unknown or no lower."""
    return list_price if price is not None and list_price is not None and 0 < price < list_price else None


def levels_of(category: str) -> tuple[str, ...]:
    """Return the levels of a category from the root down, whatever spaces are around the separators."""
    return tuple(part.strip() for part in category.split(CATEGORY_SEPARATOR.strip()) if part.strip())


def categories_down(path: Sequence[str]) -> Iterator[str]:
    """Return the full path of each level of a category, from the root down."""
    return accumulate(path, lambda parent, name: parent + CATEGORY_SEPARATOR + name)


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


def split_origin(origin: str) -> tuple[str, int]:
    """Split "products.csv:17" into ("products.csv", 17); without a number the line is 0."""
    source, _, line = origin.rpartition(":")
    return (source, int(line)) if source and line.isascii() and line.isdigit() else (origin, 0)
