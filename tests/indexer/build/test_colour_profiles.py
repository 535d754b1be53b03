"""A picture with a colour profile is encoded again once in a shop that was indexed before profiles were applied."""

import sqlite3

import numpy as np
from PIL import Image

from catalog.home import ShopHome
from catalog.images import content_hash
from indexer.build import generation_builder
from indexer.build.build import build_index, update_index
from indexer.build.index_run import UpdateOptions
from indexer.cache.vector_cache import PICTURE_VECTORS, VectorCache, cache_path
from tests.catalog.images.profiles import SPACES, SRGB, in_space
from tests.fake_encoder import FakeEncoder
from tests.indexer.build.test_build import rows_by_product
from tests.indexer.shop_fixtures import write_feed

PROFILE = SPACES["swapped channels"]
NAMES = ("plain", "usual", "swapped")


def shop(folder):
    """Three red pictures: without a profile, with one of sRGB, and one that is stored in blue and says so."""
    folder.mkdir()
    red = Image.new("RGB", (16, 12), (255, 0, 0))
    red.save(folder / "plain.png")
    red.resize((16, 14)).save(folder / "usual.png", icc_profile=SRGB)
    in_space(red, PROFILE).save(folder / "swapped.png", icc_profile=PROFILE)
    return write_feed(folder, [(name, "shirt", f"{name}.png") for name in NAMES])


def as_before(home, folder, encoder):
    """Give the caches the vectors of an earlier version: the swapped picture is another colour."""
    path = cache_path(home, encoder.fingerprint, PICTURE_VECTORS)
    path.unlink()
    pictures = [Image.open(folder / f"{name}.png") for name in NAMES]
    with VectorCache(path, encoder.fingerprint, encoder.dim) as cache:
        keys = [bytes.fromhex(content_hash((folder / f"{name}.png").read_bytes())) for name in NAMES]
        cache.put(keys, encoder.encode_images(pictures))
    for picture in pictures:
        picture.close()
    with sqlite3.connect(ShopHome(home).file_stats) as db:
        db.execute("PRAGMA user_version = 0")
    db.close()


def test_the_colours_of_a_profile_are_indexed(tmp_path):
    build_index(tmp_path / "home", shop(tmp_path / "feed"), FakeEncoder())
    for row in rows_by_product(tmp_path / "home").values():
        np.testing.assert_allclose(row[0][:3], [1, 0, 0], atol=0.02)


def test_only_pictures_that_look_otherwise_now_are_encoded_again(tmp_path, monkeypatch):
    home, feed = tmp_path / "home", shop(tmp_path / "feed")
    with monkeypatch.context() as earlier:
        earlier.setattr(generation_builder, "DECODING", {})
        build_index(home, feed, FakeEncoder())
    as_before(home, feed.parent, FakeEncoder())
    encoder = FakeEncoder()
    report = update_index(home, encoder, UpdateOptions(feed=feed))
    assert (encoder.pictures_encoded, report.encoded, report.generation) == (1, 1, 2)
    for row in rows_by_product(home).values():
        np.testing.assert_allclose(row[0][:3], [1, 0, 0], atol=0.02)
    again = FakeEncoder()
    assert update_index(home, again, UpdateOptions(feed=feed)).generation == 2
    assert again.pictures_encoded == 0
    build_index(home, feed, again)
    assert again.pictures_encoded == 0
