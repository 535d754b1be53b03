"""What a product is: frozen records that flow through every room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

CATEGORY_SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a product: where its file is and, once read, its content hash and size in pixels."""

    path: str
    sha256: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """One product as the catalogue knows it; `origin` is the feed line it came from ("products.csv:17")."""

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
        """The category from the root down: ("Apparel", "Topwear", "Shirts"); empty when there is none."""
        return levels_of(self.category)


def levels_of(category: str) -> tuple[str, ...]:
    """The names of a category from the root down, however it is spaced."""
    return tuple(part.strip() for part in category.split(CATEGORY_SEPARATOR.strip()) if part.strip())


@dataclass(frozen=True, slots=True)
class Rejected:
    """A feed row, or one picture of it, that was left out: which file, which line (1 = header), and why.

    Also a picture that could not be fetched anew, where the one fetched before stays.
    """

    source: str
    line: int
    reason: str
