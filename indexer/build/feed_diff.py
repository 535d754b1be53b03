"""Compare a feed with the catalogue, page by page: which products are new, changed (and how), unchanged or gone.

Only a product that the feed does not list any more is removed. One whose row was rejected stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from catalog.errors import BadFeed, BadInput
from catalog.feeds.known_rows import UnchangedRow
from catalog.feeds.reader import FeedItem
from catalog.product import Picture, Product, Rejected, RowNote, split_origin
from catalog.storable import require_storable
from catalog.storage.catalogue import Catalogue
from catalog.storage.history import sets_again
from indexer.build.encoding_pipeline import PictureResults
from indexer.cache.file_stats import Content, FileStatCache
from indexer.feed_changes import (
    ADDED,
    FACTS_CHANGED,
    PICTURES_CHANGED,
    REMOVED,
    TITLE_CHANGED,
    Changes,
    NoteCount,
    RetainedProducts,
)
from indexer.numeric import batches

Removable = Callable[[Product], bool]
PAGE_PRODUCTS = 500
MAX_MESSAGES = 1_000  # different notes that are counted apart
OTHER_NOTES = "further notes"
# Nearly every product of a feed is unchanged: comparing these fields needs no copy of it with the pictures as read.
_facts = attrgetter(*(field.name for field in fields(Product) if field.compare and field.name != "pictures"))


class FeedDiff:
    """Compares a feed a page at a time with a catalogue, or with nothing, and holds only what differs.

    `pending` are products whose picture files have to be read first: all of them when `files` is None.
    """

    def __init__(self, catalogue: Catalogue | None = None, files: FileStatCache | None = None) -> None:
        self.changes = Changes()
        self.puts: list[Product] = []
        self.gone: list[str] = []
        self.rejected: list[Rejected] = []
        self.notes: dict[str, NoteCount] = {}
        self.retained = RetainedProducts()
        self.others = 0  # products of the catalogue that the feed need not list
        self.seq = 0 if catalogue is None else catalogue.seq  # of the catalogue, before any product is compared
        self._incomplete: set[str] = set()  # ids of products without some of the pictures that their rows name
        self.pending: list[Product] = []
        self._catalogue = catalogue
        self._files = files
        self._known_contents: dict[str, Content] = {}  # of pending products
        self._unchanged: set[str] = set()  # ids of products whose rows were known
        self._seen_keys = bytearray()  # a byte for each key up to the largest: a set takes sixty for each product

    def add_items(self, items: Iterable[FeedItem]) -> None:
        """Compare every product whose picture files are known; the others become `pending`."""
        for page in batches(self._products(items), PAGE_PRODUCTS):
            paths = [picture.path for product in page for picture in product.pictures]
            known = {} if self._files is None else self._files.known(paths)
            complete = []
            for product in page:
                contents = {picture.path: known.get(picture.path) for picture in product.pictures}
                if all(contents.values()):
                    complete.append(product)
                else:
                    self.pending.append(product)
                    self._known_contents |= {path: content for path, content in contents.items() if content}
            self._compare(complete, PictureResults(known))

    def complete(self, rows: Iterable[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
        """Yield digests and ids without those of products that lack pictures which their rows name."""
        return ((digest, product_id) for digest, product_id in rows if product_id not in self._incomplete)

    def accepts(self, product: Product) -> bool:
        """Return whether a catalogue stores a product; else say in `rejected` why not."""
        try:
            require_storable(product)
        except BadInput as error:
            self.rejected.append(Rejected(*split_origin(product.origin), error.message, product.id))
            return False
        return True

    def unread_paths(self) -> list[str]:
        """Return the picture files that pending products wait for."""
        paths = dict.fromkeys(picture.path for product in self.pending for picture in product.pictures)
        return [path for path in paths if path not in self._known_contents]

    def compare_pending(self, results: PictureResults) -> None:
        """Compare the pending products, given what became of their unread files."""
        results.contents |= self._known_contents
        for page in batches(self.pending, PAGE_PRODUCTS):
            self._compare(page, results)
        self.pending = []

    def require_usable(self, feed: Path, action: str = "indexed") -> None:
        """Raise BadFeed, with the first reasons, when no product of the feed can be indexed or added (`action`)."""
        if not self.puts and not self.changes.unchanged:
            reasons = "; ".join(f"{row.source}:{row.line}: {row.reason}" for row in self.rejected[:3])
            raise BadFeed(
                f"{feed} has no product that can be {action} ({len(self.rejected):,} rows rejected).",
                f"The first reasons: {reasons}" if reasons else "Is it the right file or folder?",
            )

    def find_removed(
        self, catalogue: Catalogue, *, remove: bool = True, certain: bool = False, removable: Removable | None = None
    ) -> None:
        """Find the catalogue's products that the feed does not list: those to remove, and those that stay.

        Products of rejected rows stay. When the id of a rejected row cannot be read, any product that is missing may
        be its product: then none is removed, unless `certain` says that they are gone. Without `remove`, none is
        removed in any case; otherwise, those that are not `removable` stay and are counted as `others`.
        """
        rejected_ids = {row.product_id for row in self.rejected if row.lists_product}
        uncertain = "" in rejected_ids and not certain
        for product_id in self._missing(catalogue):
            if product_id in rejected_ids:
                self.retained.count(product_id, uncertain=False)
            elif removable and not all(removable(found) for _, found in catalogue.find([product_id]).values()):
                self.others += 1
            elif remove and uncertain:
                self.retained.count(product_id, uncertain=True)
            elif remove:
                self.gone.append(product_id)
                self.changes.count(REMOVED, product_id)
        self._unchanged = set()  # the index needs the memory

    def require_not_shrunk(self, feed: Path, count: int) -> None:
        """Raise BadFeed where the feed lacks more than half of the catalogue's `count` products."""
        count -= self.others
        removed = self.changes.counts[REMOVED] + self.retained.uncertain
        if 2 * removed > count:
            raise BadFeed(
                f"{feed} lacks {removed:,} of the shop's {count:,} products, more than half. Is it cut short?"
                " Nothing was changed.",
                "Look at the feed; --allow-shrink removes them, --keep-missing updates the others only.",
            )

    def require_not_undone(self, feed: Path, undone: Iterable[tuple[str, Mapping[str, Any] | None]]) -> None:
        """Raise BadFeed where the feed makes again what somebody has undone by going back to another generation.

        `undone` are the changes that `ProductHistory.undone` yields.
        """
        count, repeated = self._repeated(undone)
        if 2 * repeated > count:
            raise BadFeed(
                f"{feed} makes {repeated:,} of {count:,} changes again that going to another generation undid."
                " Nothing was changed.",
                "Look at the feed; --force makes them, and rollback --to N returns to the generation that was left.",
            )

    def _repeated(self, undone: Iterable[tuple[str, Mapping[str, Any] | None]]) -> tuple[int, int]:
        puts, gone = {product.id: product for product in self.puts}, set(self.gone)
        again = [
            product_id in gone if before is None else product_id in puts and sets_again(puts[product_id], before)
            for product_id, before in undone
        ]
        return len(again), sum(again)

    def _missing(self, catalogue: Catalogue) -> Iterator[str]:
        """Yield the ids of the catalogue that no usable row of the feed has."""
        listed: AbstractSet[str] = self._unchanged if self._catalogue else {product.id for product in self.puts}
        for key, product_id in catalogue.ids():
            if product_id not in listed and (key >= len(self._seen_keys) or not self._seen_keys[key]):
                yield product_id

    def _products(self, items: Iterable[FeedItem]) -> Iterator[Product]:
        for item in items:
            if isinstance(item, Product):
                if self.accepts(item):
                    yield item
            elif isinstance(item, UnchangedRow):
                self.changes.unchanged += 1
                self._unchanged.add(item.product_id)
            elif isinstance(item, Rejected):
                self.rejected.append(item)
            else:
                self._count_note(item)

    def _count_note(self, note: RowNote) -> None:
        message = note.message if note.message in self.notes or len(self.notes) < MAX_MESSAGES else OTHER_NOTES
        self.notes.setdefault(message, NoteCount(message, note.source, note.line)).rows += 1

    def _compare(self, page: Sequence[Product], results: PictureResults) -> None:
        known = {} if self._catalogue is None else self._catalogue.find(product.id for product in page)
        for feed_product in page:
            pictures, rejected = usable_pictures(feed_product, results)
            self.rejected.extend(rejected)
            if len(pictures) < len(feed_product.pictures):
                self._incomplete.add(feed_product.id)
            if not pictures:
                continue
            key, before = known.get(feed_product.id, (None, None))
            if key is not None:
                self._seen_keys.extend(bytes(max(0, key + 1 - len(self._seen_keys))))
                self._seen_keys[key] = 1
            if before is not None and before.pictures == pictures and _facts(before) == _facts(feed_product):
                self.changes.unchanged += 1
            else:
                product = replace(feed_product, pictures=pictures)
                self.puts.append(product)
                self.changes.count(_kind(before, product), product.id)


def usable_pictures(product: Product, results: PictureResults) -> tuple[tuple[Picture, ...], list[Rejected]]:
    """Return the product's pictures that were decoded, each content once, and the rejections.

    There is one rejection for the whole product when no picture is left, else one for each broken picture.
    """
    good: dict[str, Picture] = {}
    broken = []
    for picture in product.pictures:
        if picture.path in results.broken:
            broken.append(f"{Path(picture.path).name}: {results.broken[picture.path]}")
        else:
            content = results.contents[picture.path]
            good.setdefault(content.sha256, _as_read(picture.path, content))
    if good and not broken:
        return tuple(good.values()), []
    source, line = split_origin(product.origin)
    if not good:
        return (), [Rejected(source, line, f"no usable picture ({'; '.join(broken)})", product.id)]
    left_out = [Rejected(source, line, f"picture left out ({reason})", product.id) for reason in broken]
    return tuple(good.values()), left_out


def pictures_now(
    pictures: Sequence[Picture], lost: AbstractSet[str], contents: Mapping[str, Content]
) -> tuple[tuple[Picture, ...], bool]:
    """Return pictures, those whose hash is `lost` with what their files hold now, and whether any cannot be read."""
    found: dict[str, Picture] = {}
    for picture in pictures:
        if picture.sha256 not in lost:
            found.setdefault(picture.sha256, picture)
        elif content := contents.get(picture.path):
            found.setdefault(content.sha256, _as_read(picture.path, content))
    return tuple(found.values()), any(p.sha256 in lost and p.path not in contents for p in pictures)


def _as_read(path: str, content: Content) -> Picture:
    return Picture(path, content.sha256, content.width, content.height)


def _kind(before: Product | None, after: Product) -> str:
    if before is None:
        return ADDED
    if [picture.sha256 for picture in before.pictures] != [picture.sha256 for picture in after.pictures]:
        return PICTURES_CHANGED
    return FACTS_CHANGED if before.title == after.title else TITLE_CHANGED
