"""Compare a feed with the catalogue, page by page: which products are new, changed (and how), unchanged or gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from catalog.errors import BadFeed
from catalog.product import Picture, Product, Rejected
from catalog.storage.catalogue import Catalogue
from indexer.build.encoding_pipeline import PictureResults
from indexer.cache.file_stats import Content, FileStatCache
from indexer.numeric import batches

PAGE_PRODUCTS = 500
MAX_IDS = 20  # reported of each kind of change
ADDED, PICTURES_CHANGED, TITLE_CHANGED, FACTS_CHANGED, REMOVED = "added", "pictures", "words", "facts", "removed"
CHANGE_LABELS = {
    ADDED: "added",
    PICTURES_CHANGED: "changed pictures",
    TITLE_CHANGED: "changed titles",
    FACTS_CHANGED: "changed facts only (price, stock, texts)",
    REMOVED: "removed",
}


@dataclass(slots=True)
class Changes:
    """How many products changed in which way, with the first ids of each kind."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANGE_LABELS, 0))
    ids: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in CHANGE_LABELS})
    unchanged: int = 0

    def count(self, kind: str, product_id: str) -> None:
        """Count one more change of that kind."""
        self.counts[kind] += 1
        if len(self.ids[kind]) < MAX_IDS:
            self.ids[kind].append(product_id)

    @property
    def total(self) -> int:
        """How many products changed in any way."""
        return sum(self.counts.values())

    def alter_index(self, reads_titles: bool) -> bool:
        """Return whether any row of an index changes."""
        rows_change = any(self.counts[kind] for kind in (ADDED, PICTURES_CHANGED, REMOVED))
        return rows_change or (reads_titles and self.counts[TITLE_CHANGED] > 0)

    def body(self) -> dict[str, Any]:
        """Return the changes as JSON values."""
        kinds: dict[str, Any] = {kind: {"count": self.counts[kind], "ids": self.ids[kind]} for kind in CHANGE_LABELS}
        return kinds | {"unchanged": self.unchanged}

    def lines(self) -> list[str]:
        """Return a printed line for each kind of change."""
        lines = []
        for kind, label in CHANGE_LABELS.items():
            count, ids = self.counts[kind], self.ids[kind]
            first = ", ".join(ids) + (" ..." if count > len(ids) else "")
            lines.append(f"  {count:>9,} {label}{f': {first}' if ids else ''}")
        return [*lines, f"  {self.unchanged:>9,} unchanged"]


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
        self.pending: list[Product] = []
        self._catalogue = catalogue
        self._files = files
        self._known_contents: dict[str, Content] = {}  # of pending products
        self._seen_keys = bytearray()  # a byte for each key up to the largest: a set takes sixty for each product

    def add_items(self, items: Iterable[Product | Rejected]) -> None:
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

    def find_removed(self) -> None:
        """Find the catalogue's products that the feed does not have any more."""
        for key, product_id in () if self._catalogue is None else self._catalogue.ids():
            if key >= len(self._seen_keys) or not self._seen_keys[key]:
                self.gone.append(product_id)
                self.changes.count(REMOVED, product_id)

    def _products(self, items: Iterable[Product | Rejected]) -> Iterator[Product]:
        for item in items:
            if isinstance(item, Rejected):
                self.rejected.append(item)
            else:
                yield item

    def _compare(self, page: Sequence[Product], results: PictureResults) -> None:
        known = {} if self._catalogue is None else self._catalogue.find(product.id for product in page)
        for feed_product in page:
            pictures, rejected = usable_pictures(feed_product, results)
            self.rejected.extend(rejected)
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
            good.setdefault(content.sha256, Picture(picture.path, content.sha256, content.width, content.height))
    if good and not broken:
        return tuple(good.values()), []
    source, line = split_origin(product.origin)
    if not good:
        return (), [Rejected(source, line, f"no usable picture ({'; '.join(broken)})")]
    return tuple(good.values()), [Rejected(source, line, f"picture left out ({reason})") for reason in broken]


def split_origin(origin: str) -> tuple[str, int]:
    """Split "products.csv:17" into ("products.csv", 17); without a number the line is 0."""
    source, _, line = origin.rpartition(":")
    return (source, int(line)) if source and line.isascii() and line.isdigit() else (origin, 0)


def _kind(before: Product | None, after: Product) -> str:
    if before is None:
        return ADDED
    if [picture.sha256 for picture in before.pictures] != [picture.sha256 for picture in after.pictures]:
        return PICTURES_CHANGED
    return FACTS_CHANGED if before.title == after.title else TITLE_CHANGED
