"""A shop drawn by chance, with all that a feed may have in it: no price, no category, one within another, sold out."""

from decimal import Decimal

import numpy as np

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.ann.index_plan import IndexPlan
from indexer.numeric import unit
from tests.fake_encoder import FakeEncoder
from tests.search.exact_shop import ExactShop
from tests.search.shop_fixtures import WEIGHTS, publish_rows, save_picture

CATEGORIES = (
    "",
    "Apparel",
    "Apparel > Topwear",
    "Apparel > Topwear > Shirts",
    "Apparel > Topwear > T-Shirts",
    "Apparel > Bottomwear > Jeans",
    "Apparel > Bottomwear > Trousers",
    "Apparel > Innerwear > Briefs",
    "Footwear > Shoes > Casual Shoes",
    "Footwear > Shoes > Formal Shoes",
    "Accessories > Belts > Belts",
    "Accessories > Ties > Ties",
    "Free Gifts > Ties",
    "Garden > Spades",
)


def make_random_shop(home, count=240, seed=0):
    """Make the shop, and open it as an ExactShop."""
    rng = np.random.default_rng(seed)
    picture = save_picture(home / "feed", (255, 0, 0))
    products = [_product(f"p{number:03}", picture, rng) for number in range(count)]
    return publish_products(home, products, unit(rng.normal(size=(count, 3, 3))).reshape(count, 9))


def publish_products(home, products, rows):
    """Make a shop of these products, a row each in the blocks of the fake encoder, and open it as an ExactShop."""
    catalogue = Catalogue.open(home / "catalog.sqlite")
    catalogue.replace(products)
    keys = [catalogue.key_of(product.id) for product in products]
    seq = catalogue.seq
    catalogue.close()
    hashes = [product.pictures[0].sha256.encode() for product in products]
    publish_rows(home, FakeEncoder(), np.asarray(rows, np.float32), keys, hashes, IndexPlan("flat"), WEIGHTS, seq)
    return ExactShop(home)


def _product(name, picture, rng):
    priced = rng.random() < 0.8
    return Product(
        name,
        str(rng.choice(["plain thing", "Kids Boys thing", "navy thing"])),
        (picture,),
        str(rng.choice(CATEGORIES)),
        Decimal(int(rng.integers(100, 9_000))) / 100 if priced else None,
        "EUR" if priced else "",
        bool(rng.random() < 0.6),
        attributes={
            "colour": str(rng.choice(["red", "green", "black", "blue and white", "what?"])),
            "gender": str(rng.choice(["Men", "Women", "Unisex", ""])),
            "season": str(rng.choice(["Summer", "Winter", ""])),
        },
    )
