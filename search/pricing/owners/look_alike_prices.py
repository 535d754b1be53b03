"""What a product would cost, going by products that look like it."""

from __future__ import annotations

from pathlib import Path

from catalog.errors import UnknownProduct
from catalog.files.atomic import stat_mark
from catalog.home import ShopHome
from catalog.product import Product
from indexer.labels.heads import LabelHeads
from search.engine import SearchEngine
from search.listings.price_range import PRICE_NEIGHBOURS, PriceRange, PriceScale, price_range

FETCHED = 2 * PRICE_NEIGHBOURS  # some have no price, or one in another currency


class LookAlikePrices:
    """The price ranges of an open shop's look-alikes. Threads may share it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._cached: tuple[object, PriceScale | None] = (None, None)

    def of_product(self, engine: SearchEngine, product: Product) -> PriceRange | None:
        """Return the range in which the price would be expected from look-alikes in the same currency.

        None for fewer than three of them, for a product that is not in the index yet, and without the scale that is
        fitted with the label heads. Raises DamagedGeneration, StoreError.
        """
        scale = self._scale(engine)
        if scale is None:
            return None
        try:
            hits = engine.similar(product.id, FETCHED).hits
        except UnknownProduct:
            return None
        priced = [
            (hit.product.id, str(hit.product.price), hit.product.currency, hit.score)
            for hit in hits
            if hit.product.price and hit.product.currency == product.currency
        ]
        return price_range(scale, priced, product.category)

    def _scale(self, engine: SearchEngine) -> PriceScale | None:
        """Return the scale, read again when the file of the label heads changes."""
        fingerprint = engine.encoder.fingerprint
        mark = (fingerprint, stat_mark(ShopHome(self._home).label_heads))
        if self._cached[0] != mark:
            heads = LabelHeads.load(self._home, fingerprint)
            card = heads.card.get("prices") if heads else None
            self._cached = (mark, PriceScale.from_dict(card) if card else None)
        return self._cached[1]
