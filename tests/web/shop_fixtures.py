"""A small shop with pictures made here: real catalogue, real index, real engine; only the encoder is fake."""

import hashlib
import io
import json
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from catalog import images
from catalog.errors import EncoderUnavailable
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.ann.block_weights import shop_weights
from indexer.ann.index_plan import IndexPlan
from indexer.encoders.base import Encoder
from indexer.layout import RowLayout
from search.text_heads.text_vectors import TextVectors
from tests.fake_encoder import FakeEncoder
from tests.search.shop_fixtures import publish_rows
from web import create_app
from web.api import operations
from web.api.jobs import supervisor_of
from web.connect.webhooks import receiver_of
from web.conversations.desk import desk_of
from web.engine import holder_of
from web.prices.alert_service import alerts_of
from web.settings import Settings

RED, GREEN, BLUE = (220, 10, 10), (10, 220, 10), (10, 10, 220)
WRITE_KEY, READ_KEY, ADMIN_KEY, SEARCH_KEY = "wsk_writer", "wsk_reader", "wsk_operator", "wsk_searcher"
WRITER = {"Authorization": f"Bearer {WRITE_KEY}"}
ODD_IDS = (
    "plain",
    "a/b",
    "a//b",
    "/leading",
    "trailing/",
    "with space",
    "100%",
    "%2F",
    "a?b=c&d#e",
    "日本語/é",
    "similar",
    "plain/similar",
    "a;b,c+d@e",
    "line\nbreak",
    "<script>alert(1)</script>",
)


def picture_bytes(colour=RED, size=(60, 80), kind="JPEG", **options) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


def products(folder: Path) -> list[Product]:
    """Red, green and blue things, then one product for each odd id."""
    listed = []
    for number, (name, colour) in enumerate((("red", RED), ("green", GREEN), ("blue", BLUE))):
        pictures = [_write(folder, f"{name}-{side}.jpg", picture_bytes(colour, (60 + side, 80))) for side in range(3)]
        details = {"colour": name.title(), "made of": "wool"}
        listed.append(
            Product(
                name,
                f"{name.title()} jumper",
                tuple(pictures),
                category="Apparel > Tops > Jumpers",
                price=Decimal("12.90") + number,
                currency="EUR",
                in_stock=name != "blue",
                brand="Acme",
                attributes=details,
                description=f"A {name} jumper.\nWarm.",
                origin="products.csv:2",
            )
        )
    for number, odd in enumerate(ODD_IDS):
        shade = (90 + number, 90, 90)
        shown = (_write(folder, f"odd-{number}.jpg", picture_bytes(shade)),)
        listed.append(Product(odd, f"Odd {odd}", shown, attributes={"place": f"shelf {number}"}))
    return listed


def write_keys(home: Path) -> None:
    """Let one key of each scope open the shop."""
    keys = [
        {"name": scope, "scope": scope, "sha256": hashlib.sha256(key.encode()).hexdigest(), "created": "2026-01-01"}
        for scope, key in (
            ("write", WRITE_KEY),
            ("read", READ_KEY),
            ("admin", ADMIN_KEY),
            ("search", SEARCH_KEY),
        )
    ]
    (home / "keys.json").write_text(json.dumps(keys))
    (home / "keys.json").chmod(0o600)


REAL_TEXT_VECTORS = TextVectors.of


def no_text_models(encoder, *more):
    """Stands for the models of texts in fake shops, as they take seconds to open; the assistant then only searches.

    Other tests run meanwhile, on shops with real models.
    """
    if encoder.spec.name == FakeEncoder().spec.name:
        raise EncoderUnavailable("There are no models of texts.", "Install the starter.")
    return REAL_TEXT_VECTORS(encoder, *more)


@contextmanager
def fake_app(home, **settings):
    """An app, ready, on a small shop made in `home`, with the fake encoder; closed at the end."""
    make_shop(home, FakeEncoder())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("search.engine.open_encoder", lambda name, **_: FakeEncoder())
        patch.setattr("search.assistant.answering.opening.TextVectors.of", no_text_models)
        app = create_app(Settings(home=home, **settings))
        holder_of(app).wait(300)
        yield app
        close_app(app)


def close_app(app):
    """End the threads and processes that an app began: some look for changes twenty times a second."""
    workers = (receiver_of(app), desk_of(app), alerts_of(app).worker, supervisor_of(app))
    for each in (*workers, app.extensions[operations.MAPPER], app.extensions[operations.FITS], holder_of(app)):
        each.close()


def make_shop(home: Path, encoder: Encoder) -> None:
    """Put the products into the home's catalogue and index them; two keys open it."""
    home.mkdir(parents=True, exist_ok=True)
    write_keys(home)
    catalogue = Catalogue.open(home / "catalog.sqlite")
    catalogue.put(products(home / "feed"))
    keyed = list(catalogue.iterate())
    entries = [(key, product.title, picture) for key, product in keyed for picture in product.pictures]
    layout = RowLayout.of_encoder(encoder.blocks)
    pictures = encoder.encode_images([images.decode(Path(each.path).read_bytes()) for _, _, each in entries])
    titles = None
    if layout.text_block:
        titles = encoder.encode_texts([title for _, title, _ in entries])[:, layout.slice(layout.text_block)]
    rows = layout.rows(pictures, titles)
    hashes = [each.sha256.encode() for _, _, each in entries]
    keys = [key for key, _, _ in entries]
    publish_rows(home, encoder, rows, keys, hashes, IndexPlan("flat"), shop_weights(layout), catalogue.seq)
    catalogue.close()


def _write(folder: Path, name: str, data: bytes) -> Picture:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    with Image.open(path) as opened:
        size = opened.size
    return replace(Picture(str(path)), sha256=images.content_hash(data), width=size[0], height=size[1])


def stored_bytes(folder, pattern):
    """Return each matching file's bytes by path, read again where one vanished, as SQLite's log does at a close."""
    while True:
        with suppress(FileNotFoundError):
            return {path: path.read_bytes() for path in folder.rglob(pattern) if path.is_file()}
