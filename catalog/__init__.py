"""What a product is, and the truth about every product."""

from typing import TYPE_CHECKING

from catalog import errors
from catalog.errors import WindowshopError
from catalog.exports import lazy_exports

if TYPE_CHECKING:
    from catalog.feeds.reader import read_feed
    from catalog.product import Picture, Product, Rejected
    from catalog.storage.catalogue import Catalogue

__all__ = ["Catalogue", "Picture", "Product", "Rejected", "WindowshopError", "errors", "read_feed"]

__getattr__, __dir__ = lazy_exports(__name__, __file__)
