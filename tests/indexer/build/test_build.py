"""Build: from a feed to a generation whose rows are worked out by eye."""

import json

import numpy as np
import pytest
from PIL import Image

from catalog.errors import BadFeed, GenerationError
from catalog.home import ShopHome
from catalog.product import split_origin
from catalog.storage.catalogue import Catalogue
from indexer import step_times
from indexer.build import generation_builder
from indexer.build.build import BuildOptions, build_index
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.generations.store import numbers, open_current
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import COLOURS, colour_shop, write_feed, write_picture


def rows_by_product(home):
    """Product id -> rows of the current generation, in order."""
    generation = open_current(home)
    catalogue = Catalogue.open(home / "catalog.sqlite")
    products = catalogue.get_many(sorted({int(key) for key in generation.product_keys}))
    catalogue.close()
    rows = {}
    for key, row in zip(generation.product_keys, generation.rows, strict=True):
        rows.setdefault(products[int(key)].id, []).append(np.asarray(row, np.float32))
    return rows


def test_rows_are_look_meaning_and_words(tmp_path):
    report = build_index(tmp_path / "home", colour_shop(tmp_path / "feed"), FakeEncoder())
    assert (report.generation, report.products, report.pictures, report.rows, report.encoded) == (1, 4, 4, 4, 4)
    assert report.rejected == ()
    rows = rows_by_product(tmp_path / "home")
    np.testing.assert_allclose(rows["p-red"], [[1, 0, 0] * 3])
    np.testing.assert_allclose(rows["p-blue"], [[0, 0, 1] * 3])
    half, third = 0.7071, 0.5774  # "yellow" names no colour that the fake encoder knows
    np.testing.assert_allclose(rows["p-yellow"], [[half, half, 0, half, half, 0, third, third, third]], atol=1e-3)


def test_the_manifest_says_what_it_was_made_from(tmp_path):
    encoder = FakeEncoder()
    build_index(tmp_path / "home", colour_shop(tmp_path / "feed"), encoder)
    generation = open_current(tmp_path / "home")
    manifest = generation.manifest
    assert manifest.encoder == encoder.spec
    assert (manifest.fingerprint, manifest.rows, manifest.products, manifest.seq) == (encoder.fingerprint, 4, 4, 4)
    assert manifest.preprocessing == {"size": 4, "colours": "sRGB"}
    assert [block.name for block in manifest.blocks] == ["look", "meaning", "words"]
    assert manifest.weights["text"].keys() == {"meaning", "words"}
    assert (manifest.index.kind, manifest.recall.picture, manifest.recall.text) == ("flat", 1.0, 1.0)
    query = generation.layout.weigh(
        generation.layout.queries(encoder.encode_texts(["green"])), manifest.weights["text"]
    )
    catalogue = Catalogue.open(tmp_path / "home" / "catalog.sqlite")
    best = generation.product_keys[generation.search(query[0], 1)[1][0]]
    assert catalogue.get_many([int(best)])[int(best)].id == "p-green"
    catalogue.close()


def test_the_same_feed_again_encodes_nothing(tmp_path):
    feed, home = colour_shop(tmp_path / "feed"), tmp_path / "home"
    build_index(home, feed, FakeEncoder())
    first = open_current(home)
    encoder = FakeEncoder()
    report = build_index(home, feed, encoder)
    assert (encoder.pictures_encoded, encoder.texts_encoded) == (0, 0)
    assert (report.generation, report.encoded, report.reused) == (2, 0, 4)
    second = open_current(home)
    assert second.manifest.seq == first.manifest.seq
    np.testing.assert_array_equal(first.rows, second.rows)
    np.testing.assert_array_equal(first.product_keys, second.product_keys)


def test_the_catalogue_knows_how_large_each_picture_is_upright(tmp_path):
    home, feed = tmp_path / "home", tmp_path / "feed"
    exif = Image.Exif()
    exif[0x0112] = 6
    feed.mkdir()
    Image.new("RGB", (60, 80)).save(feed / "tall.png")
    Image.new("RGB", (60, 80)).save(feed / "turned.jpg", exif=exif)
    path = write_feed(feed, [("1", "red", "tall.png"), ("2", "blue", "turned.jpg")])
    for _ in range(2):  # the second time every vector comes from the cache
        build_index(home, path, FakeEncoder())
        catalogue = Catalogue.open(home / "catalog.sqlite")
        sizes = [(p.width, p.height) for _, product in catalogue.iterate() for p in product.pictures]
        catalogue.close()
        assert sizes == [(60, 80), (80, 60)]
        (home / "catalog.sqlite").unlink()


def test_another_encoder_does_not_reuse_the_first_ones_vectors(tmp_path):
    feed, home = colour_shop(tmp_path / "feed"), tmp_path / "home"
    build_index(home, feed, FakeEncoder())
    other = FakeEncoder(fingerprint="fb" * 32)
    build_index(home, feed, other)
    assert other.pictures_encoded == 4
    assert open_current(home).manifest.fingerprint == other.fingerprint


def test_a_shared_photo_gives_each_product_its_row(tmp_path):
    write_picture(tmp_path / "feed" / "a.png", COLOURS["red"])
    write_picture(tmp_path / "feed" / "copy.png", COLOURS["red"])
    rows = [("1", "red one", "a.png"), ("2", "green two", "a.png"), ("3", "blue three", "copy.png")]
    encoder = FakeEncoder()
    build_index(tmp_path / "home", write_feed(tmp_path / "feed", rows), encoder)
    assert encoder.pictures_encoded == 1
    by_product = rows_by_product(tmp_path / "home")
    np.testing.assert_allclose(by_product["1"], [[1, 0, 0, 1, 0, 0, 1, 0, 0]])
    np.testing.assert_allclose(by_product["2"], [[1, 0, 0, 1, 0, 0, 0, 1, 0]])
    np.testing.assert_allclose(by_product["3"], [[1, 0, 0, 1, 0, 0, 0, 0, 1]])


def test_an_encoder_without_words_indexes_pictures_only(tmp_path):
    build_index(tmp_path / "home", colour_shop(tmp_path / "feed"), FakeEncoder(texts=False))
    generation = open_current(tmp_path / "home")
    assert generation.layout.names == ("look",)
    assert generation.manifest.weights["text"] == {}
    assert not list((tmp_path / "home" / "cache").glob("*.titles"))


def test_broken_pictures_are_rejected_with_line_and_reason(tmp_path):
    feed = tmp_path / "feed"
    write_picture(feed / "red.png", COLOURS["red"])
    (feed / "bad.jpg").write_bytes(b"not a picture")
    (feed / "products.jsonl").write_text(
        "\n".join(
            json.dumps(row)
            for row in (
                {"id": "whole", "title": "red", "image": "red.png"},
                {"id": "none", "title": "red", "image": "bad.jpg"},
                {"id": "half", "title": "red", "image": "bad.jpg", "additional_image_link": ["red.png"]},
            )
        )
    )
    report = build_index(tmp_path / "home", feed / "products.jsonl", FakeEncoder())
    assert rows_by_product(tmp_path / "home").keys() == {"whole", "half"}
    reasons = {row.line: row.reason for row in report.rejected}
    assert reasons.keys() == {2, 3}
    assert "no usable picture" in reasons[2] and "bad.jpg" in reasons[2]
    assert "picture left out" in reasons[3]
    assert "bad.jpg" in ShopHome(tmp_path / "home").rejected(1).read_text()
    assert json.loads(ShopHome(tmp_path / "home").report(1).read_text())["rejected"] == 2


def test_nothing_usable_is_a_bad_feed_and_changes_nothing(tmp_path):
    home = tmp_path / "home"
    build_index(home, colour_shop(tmp_path / "feed"), FakeEncoder())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.jpg").write_bytes(b"")
    feed = write_feed(tmp_path / "other", [("1", "thing", "x.jpg")])
    with pytest.raises(BadFeed, match=r"no product that can be indexed.*products\.csv:2"):
        build_index(home, feed, FakeEncoder())
    assert open_current(home).manifest.products == 4
    assert len(rows_by_product(home)) == 4


def test_products_gone_from_the_feed_leave_the_index(tmp_path):
    home = tmp_path / "home"
    build_index(home, colour_shop(tmp_path / "feed"), FakeEncoder())
    first_keys = open_current(home).product_keys[:2].tolist()
    feed = write_feed(tmp_path / "feed", [("p-red", "red shirt", "red.png"), ("p-green", "green shirt", "green.png")])
    build_index(home, feed, FakeEncoder())
    assert rows_by_product(home).keys() == {"p-red", "p-green"}
    assert open_current(home).product_keys.tolist() == first_keys
    assert open_current(home).manifest.seq == 6


def test_an_interrupted_build_goes_on_where_it_was(tmp_path):
    home, feed = tmp_path / "home", tmp_path / "feed"
    for i in range(20):
        write_picture(feed / f"{i}.png", (i + 1, 0, 100))
    path = write_feed(feed, [(f"{i}", f"title {i}", f"{i}.png") for i in range(20)])
    options = BuildOptions(PipelineOptions(batch_size=4))

    class Interrupted(FakeEncoder):
        def encode_pixels(self, pixels):
            if self.pictures_encoded == 12:
                raise KeyboardInterrupt
            return super().encode_pixels(pixels)

    with pytest.raises(KeyboardInterrupt):
        build_index(home, path, Interrupted(), options)
    assert numbers(home) == []
    encoder = FakeEncoder()
    report = build_index(home, path, encoder, options)
    assert encoder.pictures_encoded == 8
    assert (report.encoded, report.reused, report.rows) == (8, 12, 20)
    build_index(tmp_path / "clean", path, FakeEncoder(), options)
    np.testing.assert_array_equal(open_current(home).rows, open_current(tmp_path / "clean").rows)


@pytest.mark.promise("R20")
def test_an_index_that_loses_too_much_is_not_published(tmp_path, monkeypatch):
    home, feed = tmp_path / "home", colour_shop(tmp_path / "feed")
    build_index(home, feed, FakeEncoder())
    right = generation_builder.VectorIndex.build
    monkeypatch.setattr(
        generation_builder.VectorIndex,
        "build",
        lambda rows, plan, threads: right(np.roll(rows, 1, axis=1), plan, threads),
    )
    monkeypatch.setattr("indexer.ann.recall.RECALL_DEPTH", 1)
    fewer = write_feed(tmp_path / "feed", [("p-red", "red hat", "red.png"), ("p-new", "green", "green.png")])
    with pytest.raises(GenerationError, match="not published"):
        build_index(home, fewer, FakeEncoder())
    assert rows_by_product(home).keys() == {f"p-{name}" for name in COLOURS}  # the catalogue is the old one too
    assert open_current(home).number == 1
    assert [p.name for p in (home / "generations").iterdir()] == ["000001"]


def test_a_shop_is_open_to_readers_while_it_is_built(tmp_path, monkeypatch):
    home, feed = tmp_path / "home", colour_shop(tmp_path / "feed")
    build_index(home, feed, FakeEncoder())
    seal, seen = generation_builder.store.seal, []

    def watched(*arguments):
        seen.append(rows_by_product(home).keys())
        return seal(*arguments)

    monkeypatch.setattr(generation_builder.store, "seal", watched)
    build_index(home, write_feed(feed.parent, [("p-new", "red hat", "red.png")]), FakeEncoder())
    assert seen == [{f"p-{name}" for name in COLOURS}]
    assert rows_by_product(home).keys() == {"p-new"}


@pytest.mark.parametrize(("platform", "unit"), [("linux", 2**10), ("darwin", 2**20)])
def test_peak_memory_is_in_mebibytes_everywhere(monkeypatch, platform, unit):
    class Usage:
        ru_maxrss = 3 * unit

    monkeypatch.setattr(step_times.sys, "platform", platform)
    monkeypatch.setattr(step_times.resource, "getrusage", lambda _: Usage)
    assert step_times.peak_memory_mb() == 3


def test_two_builds_of_one_shop_do_not_meet(tmp_path):
    feed, home = colour_shop(tmp_path / "feed"), tmp_path / "home"

    class Nested(FakeEncoder):
        def encode_pixels(self, pixels):
            with pytest.raises(GenerationError, match="Another build"):
                build_index(home, feed, FakeEncoder())
            return super().encode_pixels(pixels)

    assert build_index(home, feed, Nested()).rows == 4


def test_every_kind_can_be_forced_and_is_measured(tmp_path):
    feed = tmp_path / "feed"
    rng = np.random.default_rng(2)
    for i, colour in enumerate(rng.integers(0, 256, (150, 3))):
        write_picture(feed / f"{i}.png", tuple(int(c) for c in colour), (4, 4))
    path = write_feed(feed, [(f"{i}", f"{list(COLOURS)[i % 3]} {i}", f"{i}.png") for i in range(150)])
    for kind in ("flat", "ivf_sq8"):
        report = build_index(tmp_path / "home", path, FakeEncoder(), BuildOptions(kind=kind))
        assert report.manifest.index.kind == kind
        assert min(report.manifest.recall.picture, report.manifest.recall.text) >= 0.99
        assert report.manifest.recall.queries == 600  # pictures, texts, texts alone, and what several titles share


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        ("products.csv:17", ("products.csv", 17)),
        ("a:b.csv:3", ("a:b.csv", 3)),
        ("x/y.jpg", ("x/y.jpg", 0)),
        ("", ("", 0)),
    ],
)
def test_origins_split_into_file_and_line(origin, place):
    assert split_origin(origin) == place
