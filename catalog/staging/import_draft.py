"""Apply an import to a copy of the catalogue; build from the copy; then write its changes in one short transaction.

So products may be put and removed while an index is made. When the transaction begins, the shop has the changes of the
copy's time, and single changes (edits) that were made since. In this order and at once it logs:

1. Edited products are as in the copy before the import again.
2. The import. Catalogue and copy are now equal, key by key: the index is of this change.
3. The edits, made again: each sets the fields that it had set, in what the import made of the product. One that set
   price, stock and origin alone does not bring a product back that the import removes.

Servers replay the third part onto the index as they replay every edit, and a rollback treats it as edits. Prices are
recorded as they were in the end, since nothing between was ever offered.
"""

from __future__ import annotations

import itertools
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from catalog.database import StoreBusy
from catalog.errors import StoreError
from catalog.files.failpoints import failpoint
from catalog.product import Product
from catalog.storable import require_storable
from catalog.storage.catalogue import Catalogue
from catalog.storage.history import NEVER, decode, encode, with_fields

PAGE = 500  # products or ids that are in memory at once
PAGE_CHANGES = 50_000
ATTEMPTS = 10  # to get the lock of the catalogue; each waits 30 s, as every writer does
Begun = TypeVar("Begun")
_OFFER = frozenset({"price", "currency", "list_price", "in_stock", "origin"})  # what shops change by the hour


log = logging.getLogger(__name__)


class ImportDraft(Protocol):
    """An import that is not committed yet."""

    catalogue: Catalogue  # to build from, once the import is applied

    def apply(self, products: Sequence[Product], gone: Sequence[str]) -> None:
        """Put these products and remove those ids, in `catalogue`."""

    def committing(self) -> AbstractContextManager[int]:
        """Write the import into the shop's catalogue and commit it when the block ends without an error.

        Yields the number of the change at which the shop's catalogue has the products of `catalogue`. Within the block
        this thread reads the new state, other threads the old one, and nobody else can write. Raises StoreError.
        """


@contextmanager
def import_draft(shop: Catalogue, folder: Path) -> Iterator[ImportDraft]:
    """Yield a draft of an import into the shop's catalogue; without `committing`, the shop stays as it is.

    The copy is in `folder`, which is removed at the end. A catalogue without any change needs no copy: nobody is served
    from it, so it is locked from `apply` on.
    """
    if not shop.seq:
        with suppress(_NotCommitted), ExitStack() as stack:
            first = _FirstImport(shop, stack)
            yield first
            if not first.committed:
                raise _NotCommitted
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        path = folder / "catalog.sqlite"
        shop.copy_to(path)
        failpoint("staging.copied")
        with closing(Catalogue.open(path)) as copy:
            yield _StagedImport(shop, copy)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _NotCommitted(Exception):
    """Rolls back the transaction of a first import."""


class _FirstImport:
    """Writes into the shop's catalogue itself."""

    def __init__(self, shop: Catalogue, stack: ExitStack) -> None:
        self.catalogue = shop
        self.committed = False
        self._stack = stack

    def apply(self, products: Sequence[Product], gone: Sequence[str]) -> None:
        self._stack.enter_context(self.catalogue.applying(products, gone))

    @contextmanager
    def committing(self) -> Iterator[int]:
        yield self.catalogue.seq
        self.committed = True
        self._stack.close()


class _StagedImport:
    """Writes into a copy first."""

    def __init__(self, shop: Catalogue, copy: Catalogue) -> None:
        self.catalogue = copy
        self._shop = shop
        self._rows = shop.rows
        self._since = copy.seq

    def apply(self, products: Sequence[Product], gone: Sequence[str]) -> None:
        for product in products:  # before any key is taken
            require_storable(product)
        new = len({product.id for product in products}) - self._known(products)
        if new:
            first = _begun(lambda: self._shop.reserve_keys(new))
            self.catalogue.reserve_keys(first - self.catalogue.reserve_keys(0))
        with self.catalogue.applying(products, gone):
            pass
        failpoint("staging.applied")

    @contextmanager
    def committing(self) -> Iterator[int]:
        with ExitStack() as stack:
            db = _begun(lambda: stack.enter_context(self._shop.database.importing()))
            yield self._write(db)

    def _known(self, products: Sequence[Product]) -> int:
        ids = (product.id for product in products)
        found: set[int] = set()
        while page := list(itertools.islice(ids, PAGE)):
            found.update(self.catalogue.keys_of(page))
        return len(found)

    def _write(self, db: Any) -> int:
        imported = self._imported()
        if not imported:
            return self._since  # edits since follow in the log as they are
        if self._shop.history.has_import_since(self._since):  # such as another home's, of the same shop in PostgreSQL
            problem = "Another import or rollback was made while the index was built. Nothing was changed."
            raise StoreError(problem, "Build again.")
        edits = self._shop.history.edits_since(self._since)
        now, staged = self._shop.find(edits), self.catalogue.find(edits)
        self._rows.remove(db, list(now), NEVER, False)
        self._put(db, staged, NEVER, prices=False)
        others = (product_id for product_id in imported if product_id not in edits)
        while page := list(itertools.islice(others, PAGE)):
            found = self.catalogue.find(page)
            self._put(db, found, NEVER)
            self._rows.remove(db, [product_id for product_id in page if product_id not in found], NEVER)
        self._shop.history.settle(db)
        self._require_equal()
        built = self._shop.seq
        self._repeat(db, edits, now, staged)
        return built

    def _imported(self) -> list[str]:
        """Return the ids of the products that the import has changed in the copy, in the order of the log."""
        ids: dict[str, None] = {}
        after = self._since
        while page := self.catalogue.changes(after, PAGE_CHANGES):
            ids |= dict.fromkeys(change.product_id for change in page)
            after = page[-1].seq
        return list(ids)

    def _repeat(
        self,
        db: Any,
        edits: Mapping[str, frozenset[str] | None],
        now: Mapping[str, tuple[int, Product]],
        staged: Mapping[str, tuple[int, Product]],
    ) -> None:
        """Make the edits again, in what the import made of their products, and record the prices that they lead to."""
        edited = {
            product_id: _edited(now[product_id][1], names, staged.get(product_id))
            for product_id, names in edits.items()
            if product_id in now
        }
        wanted = {
            product_id: (now[product_id][0], product) for product_id, product in edited.items() if product is not None
        }
        self._put(db, wanted, None, prices=False)
        self._rows.remove(db, [product_id for product_id in edits if product_id not in now], None, False)
        self._rows.record_prices(db, [(now[product_id][1], product) for product_id, product in edited.items()])

    def _put(
        self, db: Any, products: Mapping[str, tuple[int, Product]], generation: int | None, prices: bool = True
    ) -> None:
        keys = {product_id: key for product_id, (key, _) in products.items()}
        self._rows.put(db, (product for _, product in products.values()), generation, keys, prices)

    def _require_equal(self) -> None:
        """Raise StoreError where the catalogue has other products or pictures than the copy, by their numbers."""
        shop, copy = self._shop, self.catalogue
        if (shop.count(), shop.pictures_count()) != (copy.count(), copy.pictures_count()):
            raise StoreError("The catalogue is not what the index was made from. Nothing was changed.", "Build again.")


def _begun(begin: Callable[[], Begun]) -> Begun:
    """Return what `begin` gives; while others hold the lock, call it again: hours of work may wait for it."""
    for attempt in range(1, ATTEMPTS):
        try:
            return begin()
        except StoreBusy as error:
            log.warning("The import waits for the catalogue (%d of %d): %s", attempt, ATTEMPTS, error)
    return begin()


def _edited(product: Product, names: frozenset[str] | None, imported: tuple[int, Product] | None) -> Product | None:
    """Return the product of an import with the fields of an edit, which made it `product`; None where it stays removed.

    As `names`, None stands for all fields.
    """
    if names is None:
        return product
    if imported is None:
        return None if names <= _OFFER else product
    return decode(product.id, with_fields(encode(imported[1]), names, encode(product)))
