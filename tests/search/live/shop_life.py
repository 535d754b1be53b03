"""The life of a shop that is served while it changes, and everything that a search can answer about it."""

import csv
import os
import random
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from unittest.mock import Mock, patch

from catalog.errors import GenerationError, WindowshopError
from catalog.files.failpoints import VARIABLE, Failed
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.build import generation_builder
from indexer.build.build import BuildOptions, UpdateOptions, build_index, update_index
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.generations.publishing import build_lock, recover, rollback
from indexer.generations.store import open_serving
from search.engine import SearchEngine
from search.live.product_edit import edit_of
from search.query.filters import parse_filter
from search.query.terms import SORTS, PictureTerm, ProductTerm, Query, TextTerm
from tests.fake_encoder import FakeEncoder
from tests.search.random_shops import BRANDS, CATEGORIES, COLOURS, PRICES, SIZES, passes
from tests.search.shop_fixtures import picture, save_picture

IDS = tuple(f"p{number:02}" for number in range(14))
SHADES = tuple((red, green, blue) for red in (0, 140, 255) for green in (0, 200) for blue in (30, 250))
TITLES = ("red scarf", "green scarf", "blue cup", "red green cup", "samovar", "SAMOVAR red", "hat 4711", "plain hat")
DESCRIPTIONS = ("", "Warm wool.", "A zeppelin is printed on it.")
FIELDS = ("id", "title", "image", "price", "availability", "category", "brand", "colour", "size", "description")
OPTIONS = BuildOptions(PipelineOptions(batch_size=4))
# Where a run breaks off: before its commit, between the commit and the move of the pointer, and after that.
BREAKS = ("catalogue.before-commit", "catalogue.committed", "generation.adopted", "pointer.moved", "update.committed")

NARROWED = (
    {"category": "Apparel"},
    {"category": ["apparel > topwear", "Footwear"]},
    {"category": "Apparel > Topwear > Shirts"},
    {"brand": "puma"},
    {"brand": ["Nike", "耐克"]},
    {"price": {"min": 10}},
    {"price": {"max": 12.9}},
    {"price": {"min": 0, "max": 10, "currency": "EUR"}},
    {"price": {"currency": "USD"}},
    {"in_stock": True},
    {"in_stock": False},
    {"colour": "red"},
    {"colour": ["navy blue", "pink"]},
    {"attributes": {"size": "M"}},
    {"attributes": {"size": {"min": 9, "max": 12.2}}},
    {"attributes": {"size": "s, m"}},
    {"id": [*IDS[:4], "nobody"]},
    {"not": {"brand": "Puma"}},
    {"not": {"in_stock": True}, "price": {"min": 5}},
    {"any": [{"colour": "blue"}, {"price": {"max": 9.99}}]},
    {"any": [{"category": "Footwear"}, {"not": {"attributes": {"size": "M"}}}], "in_stock": True},
)
TEXTS = (
    "red scarf",
    "samovar",
    "samovr",
    "zeppelin",
    "4711",
    "puma",
    "green cup, not red",
    "p03",
    "红 围巾",
    "nothing of that",
)


def products_of(feed, chance, ids):
    """Products by chance, as another process may put them: one or two pictures, any category, price, stock ..."""
    return [_product(feed, chance, product_id) for product_id in ids]


def _product(feed, chance, product_id):
    price, colour, size = chance.choice(PRICES), chance.choice(("", *COLOURS)), chance.choice(("", *SIZES))
    shown = [save_picture(feed, shade) for shade in chance.sample(SHADES, chance.choice((1, 1, 2)))]
    return Product(
        product_id,
        chance.choice(TITLES),
        tuple(shown),
        chance.choice(CATEGORIES),
        None if price is None else Decimal(price),
        "" if price is None else chance.choice(("EUR", "EUR", "USD")),
        chance.choice((True, True, False)),
        chance.choice(BRANDS).strip(),
        MappingProxyType({name: text for name, text in (("colour", colour), ("size", size)) if text}),
        chance.choice(DESCRIPTIONS),
    )


def write_feed(path, products):
    """Write products as a feed."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for product in products:
            price = "" if product.price is None else f"{product.price} {product.currency}"
            pictures = "|".join(Path(shown.path).name for shown in product.pictures)
            stock = "in stock" if product.in_stock else "out of stock"
            facts = (product.category, product.brand, *(product.attributes.get(name, "") for name in FIELDS[7:9]))
            writer.writerow((product.id, product.title, pictures, price, stock, *facts, product.description))
    return path


class ShopLife:
    """One shop in a folder, the processes that change it, and a server that follows. Close it."""

    def __init__(self, folder):
        self.home, self.feed = folder / "shop", folder / "feed"
        self.feed.mkdir(parents=True)
        build_index(self.home, self._written(products_of(self.feed, random.Random(0), IDS[:6])), FakeEncoder(), OPTIONS)
        self.catalogue = Catalogue.open(ShopHome(self.home).catalogue)
        self.server = SearchEngine.open(self.home)

    def close(self):
        self.server.close()
        self.catalogue.close()

    def restart(self):
        self.server.close()
        self.server = SearchEngine.open(self.home)

    def put(self, chance):
        """Add or change a product over the server: all of it, or a few fields."""
        wanted = _product(self.feed, chance, chance.choice(IDS))
        values = {
            "title": wanted.title,
            "category": wanted.category,
            "price": "" if wanted.price is None else str(wanted.price),
            "currency": wanted.currency or "EUR",
            "in_stock": wanted.in_stock,
            "brand": wanted.brand,
            "attributes": dict(wanted.attributes),
            "description": wanted.description,
        }
        pictures = [Path(shown.path).read_bytes() for shown in wanted.pictures]
        if wanted.id in self.server.find([wanted.id]):
            values = {name: values[name] for name in chance.sample(sorted(values), chance.randint(0, 3))}
            pictures = chance.choice((None, pictures))
        self.server.put(edit_of(wanted.id, values, pictures))

    def remove(self, chance):
        """Remove a product over the server, if there are some left."""
        ids = self._ids()
        if len(ids) > 2:
            self.server.remove(chance.choice(ids))

    def write_elsewhere(self, chance):
        """Put and remove products in another process, at once or one after the other; one may be without a picture."""
        ids = chance.sample(IDS, chance.randint(1, 4))
        if chance.random() < 0.5 and len(self._ids()) > 6:
            self.catalogue.remove(ids[:2])
        self.catalogue.put(products_of(self.feed, chance, ids[1:]))
        if chance.random() < 0.2:
            self.catalogue.put([Product("bare", "hat without a picture", (), "Footwear", Decimal(10), "EUR")])

    def update(self, chance, prices_only, broken=""):
        """Bring the shop up to date with a feed that drops, adds and changes products, or prices and stock only."""
        products = {product.id: product for _, product in self.catalogue.iterate() if product.pictures}
        others = products_of(self.feed, chance, chance.sample(IDS, chance.randint(1, 6)))
        if prices_only:
            for other in others:
                if other.id in products:
                    products[other.id] = _priced(products[other.id], other)
        else:
            products |= {other.id: other for other in others}
            for product_id in chance.sample(sorted(products), min(len(products) - 1, chance.randint(0, 3))):
                del products[product_id]
        options = UpdateOptions(self._written(products.values()), allow_shrink=True, build=OPTIONS)
        with self._broken(broken):
            update_index(self.home, FakeEncoder(), options)

    def update_from_catalogue(self):
        update_index(self.home, FakeEncoder(), UpdateOptions(from_catalogue=True, build=OPTIONS))

    def build(self, chance, broken=""):
        """Index a feed of other products."""
        products = products_of(self.feed, chance, chance.sample(IDS, chance.randint(2, len(IDS))))
        with self._broken(broken):
            build_index(self.home, self._written(products), FakeEncoder(), OPTIONS)

    def index_while_written(self, chance, builds, broken=""):
        """Update or build as above, while somebody puts and removes products over the server and elsewhere."""
        acts = [self.put, self.put, self.remove, self.write_elsewhere]
        writing = Mock(side_effect=lambda *arguments: [act(chance) for act in acts[chance.randrange(3) :]])
        with patch.object(generation_builder, "failpoint", writing):  # every step of building comes here
            if builds:
                self.build(chance, broken)
            else:
                self.update(chance, prices_only=False, broken=broken)

    def roll_back(self):
        with suppress(GenerationError), build_lock(self.home):
            rollback(self.home)

    def finish_broken_run(self):
        recover(self.home)

    def differences(self, *servers):
        """Return where servers answer another thing than one that is opened now, or than the products themselves."""
        catalogue = Catalogue.open(ShopHome(self.home).catalogue)
        fresh = SearchEngine(self.home, open_serving(self.home), catalogue, FakeEncoder())  # leaves a pending run alone
        try:
            fresh.follow()
            products = [product for _, product in self.catalogue.iterate()]
            opened = answers(fresh, products)
            every = [answers(server, products) for server in servers or (self.server,)]
        finally:
            fresh.close()
        wrong = [
            (name, followed[name], opened[name])
            for followed in every
            for name in opened
            if not same(followed[name], opened[name])
        ]
        for narrowed in NARROWED:
            currency = narrowed.get("price", {}).get("currency")
            priced = [product for product in products if currency in (None, product.currency)]
            ids = sorted(product.id for product in priced if passes(narrowed, product))
            if sorted(opened[f"browse {narrowed}"]["ids"]) != ids:
                wrong.append((f"browse {narrowed}", opened[f"browse {narrowed}"]["ids"], ids))
        return wrong

    def _ids(self):
        return [product_id for _, product_id in self.catalogue.ids()]

    def _written(self, products):
        return write_feed(self.feed / "feed.csv", products)

    @contextmanager
    def _broken(self, point):
        """Let the run within the block break off at a failpoint, if it comes there."""
        if not point:
            yield
            return
        os.environ[VARIABLE] = f"{point}:raise"
        try:
            with suppress(Failed):
                yield
        finally:
            os.environ.pop(VARIABLE, None)


def _priced(product, other):
    facts = {name: getattr(product, name) for name in ("id", "title", "pictures", "category", "brand", "attributes")}
    priced = {name: getattr(other, name) for name in ("price", "currency", "in_stock")}
    return Product(**facts, **priced, description=product.description)


def answers(engine, products):
    """Every answer that a server can give, by name: every filter, facet, order, text, picture and product."""
    queries = {f"browse {narrowed}": _browse(narrowed, SORTS[i % 4], i % 2 > 0) for i, narrowed in enumerate(NARROWED)}
    for sort in SORTS:
        queries[f"browse by {sort}"] = _browse({}, sort)
        queries[f"text by {sort}"] = _query(TextTerm("red cup"), sort=sort)
        queries[f"picture by {sort}"] = _query(PictureTerm(picture(SHADES[-3])), sort=sort, filter={"in_stock": True})
    for i, text in enumerate(TEXTS):
        narrowed = NARROWED[5 * i % len(NARROWED)] if i % 2 else None
        queries[f"text {text}"] = _query(text=text, filter=narrowed, facets=i % 3 == 0)
    for shade in SHADES[::6]:
        queries[f"picture {shade}"] = _query(PictureTerm(picture(shade)), facets=True)
    pages = dict(zip(queries, engine.search_many(tuple(queries.values())), strict=True))
    found = {name: _page(page) for name, page in pages.items()}
    for product in products[len(products) % 3 :: 3]:
        found[f"id {product.id}"] = _page(engine.search(_browse({"id": product.id}, "newest")))
        found[f"similar {product.id}"] = _attempt(lambda id=product.id: _page(engine.similar(id, 50)))
        modified = _query(ProductTerm(product.id), TextTerm("red"), facets=True)
        found[f"modified {product.id}"] = _attempt(lambda query=modified: _page(engine.search(query)))
        instead = _attempt(lambda id=product.id: [(r.product.id, r.reason) for r in engine.recommender.substitutes(id)])
        found[f"instead of {product.id}"] = {"value": instead}
    status = engine.status()
    names = ("generation", "products", "pictures", "live", "texts", "degraded", "fingerprint")
    found["status"] = {name: getattr(status, name) for name in names}
    found["categories"] = {"value": list(engine.categories().items())}
    found["drawn"] = {"value": [product.id for product in engine.browse(5, seed=3)]}
    return found


def _browse(narrowed, sort, facets=True):
    return Query((), k=50, filter=parse_filter(narrowed), sort=sort, facets=facets)


def _query(*terms, text=None, filter=None, **options):
    if text is not None:
        return Query.of(text=text, k=50, filter=filter, **options)
    return Query(tuple(terms), k=50, filter=None if filter is None else parse_filter(filter), **options)


def _attempt(act):
    try:
        return act()
    except WindowshopError as error:
        return {"error": error.code}


def _page(page):
    return {
        "ids": [hit.product.id for hit in page.hits],
        "hits": [(hit.product, hit.picture.sha256, hit.found_by, hit.duplicates) for hit in page.hits],
        "scores": [(hit.score, *sorted(hit.parts.items())) for hit in page.hits],
        "facets": page.facets,
        "total": page.total,
        "notes": page.notes,
        "degraded": page.degraded,
        "verdict": page.verdict,
        "generation": page.generation,
    }


def same(first, second):
    """Return whether two answers are one; scores may differ by rounding."""
    if first.keys() != second.keys() or any(first[name] != second[name] for name in first if name != "scores"):
        return False
    pairs = zip(first.get("scores", ()), second.get("scores", ()), strict=True)
    return all(_near(a, b) for a, b in pairs)


def _near(first, second):
    names = [name for name, _ in first[1:]] == [name for name, _ in second[1:]]
    values = [(first[0], second[0]), *zip((v for _, v in first[1:]), (v for _, v in second[1:]), strict=True)]
    return names and all(abs(a - b) <= 1e-5 for a, b in values)
