"""A shop made by hand for the tests of search/: the fake encoder's vectors, a real catalogue, a real generation."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from PIL import Image

from catalog import images
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.ann.faiss_index import VectorIndex
from indexer.ann.index_plan import IndexPlan
from indexer.generations.manifest import Manifest
from indexer.generations.store import begin, open_current
from indexer.layout import RowLayout
from indexer.types import IndexRecord, Recall
from search.engine import SearchEngine
from search.merchandising.rule_store import RuleStore
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import publish

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
WEIGHTS = {"picture": {"look": 1.0, "meaning": 1.0, "words": 0.5}, "text": {"meaning": 1.0, "words": 0.5}}


@dataclass(frozen=True)
class Item:
    """A product to be: its id, title, category, and the colours of its pictures; and where it lies, unlike others."""

    id: str
    title: str = "thing"
    colours: tuple[tuple[int, int, int], ...] = (RED,)
    category: str = ""
    price: str | None = None
    place: str | None = None
    group: str = ""


SCARVES = (
    Item("r", "red scarf", (RED,), "Apparel > Scarves > Plain", "12.90"),
    Item("g", "green scarf", (GREEN,), "Apparel > Scarves > Plain"),
    Item("b", "blue hat", (BLUE,), "Apparel > Hats"),
    Item("y", "red green scarf", (YELLOW, GREEN), "Apparel > Scarves > Striped"),
)


def picture(colour, size=8):
    return Image.new("RGB", (size, size), colour)


def save_picture(folder, colour, size=8):
    """A PNG of one colour, as a record of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "{:02x}{:02x}{:02x}-{}.png".format(*colour, size)
    picture(colour, size).save(path)
    return Picture(str(path), images.content_hash(path.read_bytes()), size, size)


def make_shop(home, items=SCARVES, encoder=None, plan=None, weights=WEIGHTS):
    """Write the shop and open it."""
    encoder = encoder or FakeEncoder()
    layout = RowLayout.of_encoder(encoder.blocks)
    catalogue = Catalogue.open(home / "catalog.sqlite")
    products = [
        Product(
            item.id,
            item.title,
            tuple(save_picture(home / "feed", colour) for colour in item.colours),
            item.category,
            Decimal(item.price) if item.price else None,
            "EUR" if item.price else "",
            attributes={"place": item.place or f"shelf of {item.id}"},
            item_group_id=item.group,
        )
        for item in items
    ]
    catalogue.replace(products)
    rows, keys, hashes = [], [], []
    for item, product in zip(items, products, strict=True):
        encoded = encoder.encode_images([picture(colour) for colour in item.colours])
        titles = None
        if layout.text_block:
            titles = encoder.encode_texts([item.title] * len(encoded))[:, layout.slice(layout.text_block)]
        rows.append(layout.rows(encoded, titles))
        keys += [catalogue.key_of(item.id)] * len(encoded)
        hashes += [p.sha256.encode() for p in product.pictures]
    seq = catalogue.seq
    catalogue.close()
    publish_rows(home, encoder, np.concatenate(rows), keys, hashes, plan or IndexPlan("flat"), weights, seq)
    return open_shop(home, encoder)


def publish_rows(home, encoder, rows, keys, hashes, plan, weights, seq=0):
    layout = RowLayout.of_encoder(encoder.blocks)
    number, folder = begin(home)
    np.save(folder / "rows.npy", rows.astype(np.float16))
    np.save(folder / "products.npy", np.array(keys, np.int64))
    np.save(folder / "pictures.npy", np.array(hashes, "S64"))
    VectorIndex.build(rows, plan).save(folder / "index.faiss")
    manifest = Manifest(
        number=number,
        created="2026-01-01T00:00:00+00:00",
        encoder=encoder.spec,
        fingerprint=encoder.fingerprint,
        preprocessing={"size": 4},
        blocks=layout.blocks,
        rows=len(rows),
        products=len(set(keys)),
        seq=seq,
        index=IndexRecord(plan.kind, plan.lists, max(plan.lists, 1), 4),
        weights={asks: {b: w for b, w in of.items() if b in layout.names} for asks, of in weights.items()},
        words_gate=1.0,
        recall=Recall(),
        files={},
    )
    publish(home, folder, manifest)


def open_shop(home, encoder):
    return SearchEngine(home, open_current(home), Catalogue.open(home / "catalog.sqlite"), encoder)


def empty_rules(engine):
    """Return the shop's rules, without any: a shop that tests share may have those of the test before."""
    store = RuleStore(engine.home)
    store.save([], "test", only=True)
    return store
