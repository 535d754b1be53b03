"""A feed against the catalogue, page by page: what is new, what changed and how, what is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any

from catalog.product import Product, Rejected
from catalog.storage.catalogue import Catalogue
from indexer.build.encoding_pipeline import PictureResults
from indexer.build.feed_reading import usable_pictures
from indexer.cache.file_stats import FileStatCache
from indexer.numeric import batches

PAGE = 500
SHOWN = 20
ADDED, PICTURES, WORDS, FACTS, REMOVED = "added", "pictures", "words", "facts", "removed"
KINDS = (ADDED, PICTURES, WORDS, FACTS, REMOVED)
_TOLD = {
    ADDED: "added",
    PICTURES: "changed pictures",
    WORDS: "changed titles",
    FACTS: "changed facts only (price, stock, texts)",
    REMOVED: "removed",
}


@dataclass(slots=True)
class Changes:
    """How many products changed in which way, with the first ids of each kind."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    ids: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    unchanged: int = 0

    def note(self, kind: str, product_id: str) -> None:
        """One more of that kind."""
        self.counts[kind] += 1
        if len(self.ids[kind]) < SHOWN:
            self.ids[kind].append(product_id)

    @property
    def total(self) -> int:
        """How many products changed in any way."""
        return sum(self.counts.values())

    def alter_index(self, reads_words: bool) -> bool:
        """Whether any row of an index would be another."""
        return any(self.counts[kind] for kind in (ADDED, PICTURES, REMOVED)) or (reads_words and self.counts[WORDS] > 0)

    def body(self) -> dict[str, Any]:
        """The changes as JSON values."""
        kinds: dict[str, Any] = {kind: {"count": self.counts[kind], "ids": self.ids[kind]} for kind in KINDS}
        return kinds | {"unchanged": self.unchanged}

    def lines(self) -> list[str]:
        """The changes as a person reads them."""
        lines = []
        for kind in KINDS:
            count, ids = self.counts[kind], self.ids[kind]
            named = ", ".join(ids) + (" ..." if count > len(ids) else "")
            lines.append(f"  {count:>9,} {_TOLD[kind]}{f': {named}' if ids else ''}")
        return [*lines, f"  {self.unchanged:>9,} unchanged"]


# Nearly every product of a feed is unchanged: it is told without a copy that has the pictures which were read.
_but_pictures = attrgetter(*(each.name for each in fields(Product) if each.compare and each.name != "pictures"))


class FeedDiff:
    """Takes in a feed a page at a time and keeps only what differs; `undecided` wait until their pictures were read."""

    def __init__(self, catalogue: Catalogue, files: FileStatCache, recheck: bool = False) -> None:
        self.changes = Changes()
        self.puts: list[Product] = []
        self.gone: list[str] = []
        self.rejected: list[Rejected] = []
        self.pending: list[Product] = []
        self._catalogue = catalogue
        self._files = files
        self._recheck = recheck
        self._known = PictureResults()
        self._seen = bytearray()  # a byte for each key up to the largest: a set takes sixty for each product

    def take(self, items: Iterable[Product | Rejected]) -> None:
        """Compare every product whose picture files are known; the others become `undecided`."""
        for page in batches(self._products(items), PAGE):
            facts = self._facts(page)
            decided = []
            for product in page:
                if all(picture.path in facts.hashes for picture in product.pictures):
                    decided.append(product)
                else:
                    self._wait(product, facts)
            self._compare(decided, facts)

    def unread(self) -> list[str]:
        """The picture files that the undecided products wait for."""
        paths = dict.fromkeys(picture.path for product in self.pending for picture in product.pictures)
        return [path for path in paths if path not in self._known.hashes]

    def decide(self, facts: PictureResults) -> None:
        """Compare the undecided now that their files were read."""
        facts.add(self._known)
        for page in batches(self.pending, PAGE):
            self._compare(page, facts)
        self.pending = []

    def find_removed(self) -> None:
        """Find the products that the feed does not have any more."""
        for key, product_id in self._catalogue.ids():
            if key >= len(self._seen) or not self._seen[key]:
                self.gone.append(product_id)
                self.changes.note(REMOVED, product_id)

    def _products(self, items: Iterable[Product | Rejected]) -> Iterator[Product]:
        for item in items:
            if isinstance(item, Rejected):
                self.rejected.append(item)
            else:
                yield item

    def _facts(self, page: list[Product]) -> PictureResults:
        paths = [] if self._recheck else [picture.path for product in page for picture in product.pictures]
        known = self._files.known(paths)
        return PictureResults(
            {path: content.sha256 for path, content in known.items()},
            {path: (content.width, content.height) for path, content in known.items()},
        )

    def _wait(self, product: Product, facts: PictureResults) -> None:
        self.pending.append(product)
        for picture in product.pictures:
            if picture.path in facts.hashes:
                self._known.hashes[picture.path] = facts.hashes[picture.path]
                self._known.sizes[picture.path] = facts.sizes[picture.path]

    def _compare(self, page: list[Product], facts: PictureResults) -> None:
        known = self._catalogue.find(product.id for product in page)
        for feed_product in page:
            pictures, rejected = usable_pictures(feed_product, facts)
            self.rejected.extend(rejected)
            if not pictures:
                continue
            key, before = known.get(feed_product.id, (None, None))
            if key is not None:
                self._see(key)
            if (
                before is not None
                and before.pictures == pictures
                and _but_pictures(before) == _but_pictures(feed_product)
            ):
                self.changes.unchanged += 1
            else:
                product = replace(feed_product, pictures=pictures)
                self.puts.append(product)
                self.changes.note(_kind(before, product), product.id)

    def _see(self, key: int) -> None:
        if key >= len(self._seen):
            self._seen.extend(bytes(key + 1 - len(self._seen)))
        self._seen[key] = 1


def _kind(before: Product | None, after: Product) -> str:
    if before is None:
        return ADDED
    if [picture.sha256 for picture in before.pictures] != [picture.sha256 for picture in after.pictures]:
        return PICTURES
    return FACTS if before.title == after.title else WORDS
