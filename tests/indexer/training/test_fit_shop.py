"""python -m indexer train: a shop's own heads, from its catalogue to an answer to words."""

import json
import shutil
from contextlib import closing
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.errors import NoGeneration, TooFewPairs, TrainingError, UnknownEncoder
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.__main__ import main
from indexer.build.build import build_index
from indexer.encoders import exported_encoder, projection_encoder, registry
from indexer.encoders.backends import feature_maps
from indexer.encoders.backends.runtime import open_runner
from indexer.encoders.backends.texts.towers import TextTower
from indexer.encoders.base import BaseEncoder
from indexer.encoders.projection_heads import load_heads
from indexer.encoders.registry import open_encoder, shop_heads
from indexer.training import fit_shop as shop
from indexer.training.fit_shop import fit_shop, free_name, shop_recipe
from indexer.types import Block, EncoderSpec
from search.engine import SearchEngine
from search.query.terms import PictureTerm, Query, TextTerm
from tests.fake_encoder import FakeEncoder
from tests.indexer.encoders.tiny import short_vit, timm_checkpoint
from tests.indexer.shop_fixtures import colour_shop
from tests.indexer.training.datasets import SHADES, draw_shape, shape_feed

pytestmark = [pytest.mark.torch, pytest.mark.weights, pytest.mark.timeout(1500)]


class LastingTower(TextTower):
    """Keeps the features of every text."""

    def __init__(self):
        super().__init__("onnx")
        self._rows = {}

    def __call__(self, texts):
        if missing := [text for text in texts if text not in self._rows]:
            self._rows.update(zip(missing, super().__call__(missing), strict=True))
        return np.stack([self._rows[text] for text in texts])


@pytest.fixture(scope="module", autouse=True)
def one_tower():
    """All fits read the same titles: one tower for all of them, which reads each once."""
    with pytest.MonkeyPatch.context() as patch:
        opened = cache(LastingTower)
        for module in (projection_encoder, registry):
            patch.setattr(module, "TextTower", lambda runtime: opened())
        yield


@pytest.fixture(scope="module", autouse=True)
def no_exports():
    """The small model runs in torch, as it is: each of its two exports takes seconds, and other tests are of them."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (exported_encoder, feature_maps):
            patch.setattr(module, "open_runner", lambda source, runtime="auto", **more: open_runner(source, "torch"))
        yield


@pytest.fixture
def one_epoch(monkeypatch):
    """A fit whose heads need not be good."""
    recipe = shop_recipe
    monkeypatch.setattr(shop, "shop_recipe", lambda pairs, warm: replace(recipe(pairs, warm=warm), epochs=1))


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    return shape_feed(tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    model = short_vit()
    return f"timm:{model}@{timm_checkpoint(tmp_path_factory.mktemp('timm'), model)}"


@pytest.fixture(scope="module")
def home(tmp_path_factory, feed):
    """A shop of 260 products, indexed by colour alone."""
    home = tmp_path_factory.mktemp("shop")
    assert build_index(home, feed, open_encoder("colour")).products == 260
    return home


@pytest.fixture(scope="module")
def trained(home, base):
    """What the command printed when it fitted heads on top of a timm model."""
    result = CliRunner().invoke(main, ["train", "--home", str(home), "--encoder", base])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def by_colour(home):
    """The figures of heads named so, fitted on top of the encoder that needs no weights."""
    return fit_shop(home, "colour", "by-colour")


def fit_home(home, *arguments):
    return CliRunner().invoke(main, ["train", "--home", str(home), *arguments])


def test_it_says_what_it_did(trained, home):
    assert trained["recall_at_10_before"] is None  # the base reads no words
    assert trained["recall_at_10_after"] > 0.6
    assert trained["pairs"] + trained["kept_aside"] == 260 and 30 < trained["kept_aside"] < 80
    assert trained["saved"] == str(home / "encoders" / "shop.safetensors")
    assert f"--home {home} --encoder shop" in trained["next"]


def test_the_card_tells_how_it_was_made(trained, home, base):
    card = load_heads(shop_heads(home, "shop")).card
    assert card["base"] == base and card["name"] == "shop" and card["seed"] == 0
    assert card["figures"]["recall_at_10_after"] == trained["recall_at_10_after"]
    assert card["recipe"]["epochs"] == 30


def test_the_shop_is_built_and_searched_with_its_own_encoder(trained, home, feed):
    encoder = open_encoder("shop", home=home)
    assert [block.name for block in encoder.blocks] == ["look", "meaning", "colour"]
    assert build_index(home, feed, encoder).products == 260
    with SearchEngine.open(home) as engine:
        assert engine.status().encoder == "shop" and engine.status().texts
        right = 0
        for colour in SHADES:
            page = engine.search(Query((TextTerm(f"{colour} ring"),), k=4))
            right += sum(hit.product.attributes["colour"] == colour for hit in page.hits)
        assert right / (4 * len(SHADES)) > 0.8
        page = engine.search(Query((PictureTerm(draw_shape("triangle", SHADES["teal"], 1)),), k=1))
        assert page.hits[0].product.id == "teal-triangle-1"


def test_on_top_of_an_encoder_without_weights(home, by_colour):
    assert by_colour["recall_at_10_after"] > 0.6
    encoder = open_encoder("by-colour", home=home)
    red, blue = encoder.encode_texts(["red bar", "blue bar"])
    picture = encoder.encode_images([draw_shape("bar", SHADES["red"])])[0]
    meaning = slice(encoder.blocks[0].dim, encoder.blocks[0].dim + encoder.blocks[1].dim)
    assert picture[meaning] @ red[meaning] > picture[meaning] @ blue[meaning] + 0.2


def test_the_same_seed_gives_the_same_heads(home, by_colour):
    assert fit_shop(home, "colour", "twin")["recall_at_10_after"] == by_colour["recall_at_10_after"]
    one, two = (load_heads(shop_heads(home, name)) for name in ("by-colour", "twin"))
    assert np.array_equal(one.picture.linear, two.picture.linear) and np.array_equal(one.text.inner, two.text.inner)


def test_the_heads_in_use_are_never_overwritten(tmp_path, monkeypatch):
    monkeypatch.setattr(shop, "open_encoder", lambda *a, **k: pytest.fail("work began"))
    home = tmp_path / "home"
    build_index(home, colour_shop(tmp_path / "feed"), FakeEncoder())
    file = shop_heads(home, "fake")
    file.parent.mkdir()
    file.write_bytes(b"what the index was made with")
    result = fit_home(home, "--name", "fake")
    assert result.exit_code == 1 and "--name shop." in result.stderr
    assert file.read_bytes() == b"what the index was made with"


def test_without_a_name_it_is_the_first_free_one(tmp_path):
    assert free_name(tmp_path) == "shop"
    (tmp_path / "encoders").mkdir()
    for name in ("shop", "shop2"):
        shop_heads(tmp_path, name).touch()
    assert free_name(tmp_path) == "shop3"


def test_on_top_of_a_shops_own_even_under_the_same_name(home, by_colour, one_epoch, monkeypatch):
    """What comes out stands on the first base's towers; it needs the heads it began with no more."""
    monkeypatch.setattr(shop, "_require_better", lambda figures, base: None)
    shutil.copy(shop_heads(home, "by-colour"), shop_heads(home, "again"))
    assert fit_shop(home, "again", "again")["recall_at_10_before"] == by_colour["recall_at_10_after"]
    assert load_heads(shop_heads(home, "again")).card["base"] == "colour"
    assert open_encoder("again", home=home).encode_texts(["red"]).shape[0] == 1


def test_heads_that_are_no_better_are_not_saved(home, by_colour, monkeypatch):
    kept = shop_heads(home, "by-colour").read_bytes()

    def collapsed(pairs, recipe, seed, start):
        return tuple(replace(head, linear=head.linear * 0, outer=head.outer * 0) for head in start)

    monkeypatch.setattr(shop, "fit", collapsed)
    for name in ("by-colour", "bad"):
        with pytest.raises(TrainingError, match="no better than 'by-colour'") as refused:
            fit_shop(home, "by-colour", name)
        assert "Nothing was saved" in refused.value.message and "--encoder by-colour" in refused.value.hint
    assert not shop_heads(home, "bad").exists()
    assert shop_heads(home, "by-colour").read_bytes() == kept
    assert not list((home / "encoders").glob(".*"))


def test_fewer_than_200_products_are_refused(tmp_path):
    build_index(tmp_path / "home", shape_feed(tmp_path / "feed", copies=3), open_encoder("colour"))
    result = fit_home(tmp_path / "home", "--encoder", "colour")
    assert result.exit_code == 1 and "195 products" in result.stderr and "at least 200" in result.stderr
    assert not (tmp_path / "home" / "encoders").exists()


def test_pictures_that_have_gone_or_broken_do_not_count(tmp_path, one_epoch):
    feed = shape_feed(tmp_path / "feed")
    build_index(tmp_path / "home", feed, open_encoder("colour"))
    files = sorted(feed.parent.glob("*.png"))
    for file in files[:40]:
        file.unlink()
    for file in files[40:70]:
        file.write_bytes(b"broken")
    with pytest.raises(TooFewPairs, match="190 products"):
        fit_shop(tmp_path / "home", "colour", "shop")
    for file in files[60:70]:
        draw_shape("bar", (1, 2, 3)).save(file)
    figures = fit_shop(tmp_path / "home", "colour", "shop")
    assert figures["pairs"] + figures["kept_aside"] == 200


def test_a_product_without_pictures_does_not_count(tmp_path):
    build_index(tmp_path, shape_feed(tmp_path / "feed", copies=1), open_encoder("colour"))
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        count = catalogue.count()
        catalogue.put([Product("bare", "red ring", ())])
    with pytest.raises(TooFewPairs, match=f"{count} products"):
        fit_shop(tmp_path, "colour")


def test_a_shop_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(NoGeneration, match="There is no shop"):
        fit_shop(tmp_path / "typo", "colour", "shop")
    assert fit_home(tmp_path / "typo", "--encoder", "colour").exit_code == 1
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("name", ["starter", "../x", "", "a b"])
def test_a_bad_name_is_refused_before_the_work(home, name, monkeypatch):
    monkeypatch.setattr(shop, "open_encoder", lambda *a, **k: pytest.fail("work began"))
    with pytest.raises(UnknownEncoder, match="cannot name"):
        fit_shop(home, "colour", name)


def test_an_unknown_base_is_a_typed_error(home):
    assert fit_home(home, "--encoder", "nobody").exit_code == 1


def test_recipes_grow_with_the_shop():
    small, large = shop_recipe(200, warm=False), shop_recipe(50_000, warm=True)
    assert (small.epochs, small.batch) == (30, 64) and (large.epochs, large.batch) == (6, 1024)
    assert large.rate < small.rate
    for pairs in (160, 200, 512, 5_000, 100_000):
        assert shop_recipe(pairs, warm=False).steps(pairs) > 10


def test_the_encoder_protocol_is_all_a_base_needs(home, one_epoch):
    """Any BaseEncoder can stand below, also one that reads words."""

    class Words(BaseEncoder):
        spec = EncoderSpec("colour", "fake", "fake", "none", ("meaning",), "Apache-2.0")
        blocks = (Block("meaning", 3, texts=True),)
        fingerprint = "f" * 64

        def __init__(self):
            self.preprocessing = {}

        def prepare(self, picture):
            return np.asarray(picture.resize((4, 4)))

        def _image_rows(self, pixels):
            return pixels.reshape(len(pixels), -1, 3).mean(axis=1).astype(np.float32) + 1

        def _text_rows(self, words):
            return np.array([[len(word) % 7 + 1, len(word) % 5 + 1, 1] for word in words], np.float32)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop, "open_encoder", lambda name, home: Words())
        patch.setattr(shop, "_require_better", lambda figures, base: None)
        figures = fit_shop(home, "fake", "on-fake")
    assert 0 <= figures["recall_at_10_before"] <= 1 and 0 <= figures["recall_at_10_after"] <= 1
