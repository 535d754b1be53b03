"""Count what an import did with the rows of a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MAX_UNKNOWN = 100_000  # names of unknown products that are counted
MAX_EXAMPLES = 5  # of them that are shown


@dataclass(slots=True)
class ImportCounts:
    """The rows of a file, those that were added or rejected, and those about products that the shop does not have."""

    rows: int = 0
    added: int = 0
    rejected: int = 0
    on_unknown_products: int = 0
    unknown_products: set[str] = field(default_factory=set)

    def count_unknown(self, product: str, rows: int = 1) -> None:
        """Count rows about a product that the shop does not have, by the id or name that the file has."""
        self.on_unknown_products += rows
        if len(self.unknown_products) < MAX_UNKNOWN:
            self.unknown_products.add(product)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, unknown products with a few of their names."""
        examples = sorted(self.unknown_products)[:MAX_EXAMPLES]
        return {**asdict(self), "unknown_products": len(self.unknown_products), "examples": examples}
