"""What no catalogue stores of a product, whatever its database: refused alike, so that a shop can move between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.errors import BadInput
from catalog.product import Product

MAX_ID_BYTES = 2_000  # of an id in UTF-8: a row of an index of PostgreSQL holds 2,700


def storable(products: Iterable[Product]) -> Iterator[Product]:
    """Yield the products. Raises BadInput at the first that cannot be stored."""
    for product in products:
        require_storable(product)
        yield product


def require_storable(product: Product) -> None:
    """Raise BadInput for an id that is too long, and for text with a NUL character or that is not valid Unicode."""
    whole = "".join(_texts(product))  # one look at all texts takes a fifth of the time of one at each
    if "\0" in whole:
        problem = f"A text of the product {product.id[:100]!r} has the character NUL."
        raise BadInput(problem, "Remove it.")
    if not whole.isascii():
        try:
            whole.encode()
        except UnicodeEncodeError:
            problem = f"A text of the product {product.id[:100]!r} is not valid Unicode."
            raise BadInput(problem, "Correct it; name files and folders in UTF-8.") from None
    if len(product.id) * 4 > MAX_ID_BYTES and len(product.id.encode()) > MAX_ID_BYTES:
        problem = f"The id {product.id[:100]!r}... is longer than {MAX_ID_BYTES:,} bytes."
        raise BadInput(problem, "Shorten it.")


def _texts(product: Product) -> Iterator[str]:
    yield from (product.id, product.title, product.category, product.currency, product.brand, product.description)
    yield from (product.link, product.item_group_id, product.origin)
    for name, value in product.attributes.items():
        yield from (name, value)
    for picture in product.pictures:
        yield from (picture.path, picture.sha256)
