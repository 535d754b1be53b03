"""The match calibration of a shop: fitted on its own catalogue, deterministic, stored in its manifest."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.ann.index_plan import IndexPlan
from indexer.build.build import build_index
from indexer.generations.manifest import Manifest
from indexer.generations.match_curve import ODDS, Curve, MatchCalibration
from indexer.generations.match_curve_fit import logistic, with_match_curve
from indexer.generations.store import open_current
from indexer.layout import RowLayout
from indexer.numeric import sigmoid, unit
from indexer.types import Block
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import colour_shop, write_picture
from tests.search.shop_fixtures import publish_rows

DIM = 24


class Blocks(FakeEncoder):
    """Blocks as wide as the rows that the tests make; it encodes nothing."""

    def __init__(self, name="look"):
        super().__init__()
        self.blocks = (Block(name, DIM), Block("meaning", DIM, texts=True))


def shop(home, kinds=6, products=10, views=2, blur=0.5, name="look", category=lambda kind: f"kind {kind}"):
    """A generation and its catalogue: products scatter about their kind, a product's pictures about the product."""
    rng = np.random.default_rng(3)
    encoder = Blocks(name)
    layout = RowLayout.of_encoder(encoder.blocks)
    kind_at = rng.standard_normal((kinds, layout.dim))
    rows, made = [], []
    for kind in range(kinds):
        for number in range(products):
            at = kind_at[kind] + 0.5 * rng.standard_normal(layout.dim)
            pictures = at + blur * rng.standard_normal((views, layout.dim))
            rows.append(np.concatenate([unit(pictures[:, layout.slice(b)]) for b in layout.names], axis=1))
            shown = tuple(Picture("", f"{kind:032x}{number:031x}{view:x}", 1, 1) for view in range(views))
            made.append(Product(f"{kind}-{number}", "thing", shown, category(kind)))
    catalogue = Catalogue.open(home / "catalog.sqlite")
    catalogue.replace(made)
    keys = [catalogue.key_of(product.id) for product in made for _ in product.pictures]
    hashes = [picture.sha256.encode() for product in made for picture in product.pictures]
    weights = {"picture": dict.fromkeys(layout.names, 1.0), "text": {"meaning": 1.0}}
    publish_rows(home, encoder, np.concatenate(rows), keys, hashes, IndexPlan("flat"), weights)
    return open_current(home), catalogue


def curves(*args, **kwargs):
    generation, catalogue = shop(*args, **kwargs)
    try:
        return with_match_curve(generation, catalogue).manifest.match
    finally:
        catalogue.close()


def by_name(match):
    return {curve.evidence: curve for curve in match.curves}


def test_the_curve_crosses_one_half_where_the_classes_meet():
    x = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    slope, offset = logistic(x, np.array([0, 0, 0, 1, 0, 1, 1, 1.0]))
    assert slope > 0
    assert -offset / slope == pytest.approx(0.5, abs=0.02)


def test_the_curve_separates_other_views_from_strangers(tmp_path):
    match = curves(tmp_path)
    assert (match.queries, match.with_views) == (60, 60) and match.spread > 0.01
    look = by_name(match)["look"]
    assert look.slope > 0 and look.logit(0.95, "") > 2 and look.logit(-0.3, "") < -2
    assert set(look.by_category) == {f"kind {kind}" for kind in range(6)}  # ten products each are enough
    assert all(abs(middle - look.middle) < 0.1 for middle in look.by_category.values())


def test_the_more_a_product_s_views_differ_the_lower_is_the_threshold(tmp_path):
    alike, unlike = (by_name(curves(tmp_path / str(blur), blur=blur))["look"] for blur in (0.1, 1.0))
    assert unlike.middle < alike.middle


def test_too_few_products_of_a_category_get_no_threshold(tmp_path):
    match = curves(tmp_path, products=7)
    assert match.with_views == 42 and not by_name(match)["look"].by_category


def test_one_picture_a_product_is_judged_by_what_strangers_reach(tmp_path):
    match = curves(tmp_path, views=1)
    assert (match.queries, match.with_views) == (60, 0)
    look = by_name(match)["look"]
    assert not look.by_category and -0.5 < look.middle < 0.9 and look.slope > 0


@pytest.mark.parametrize(
    "kwargs",
    [
        {"category": lambda kind: ""},  # no categories
        {"category": lambda kind: "all one"},  # no strangers
        {"products": 1, "kinds": 40},  # nothing has its like
        {"products": 3, "kinds": 6},  # fewer than 20
        {"name": "shape"},  # no block "look"
    ],
)
def test_a_catalogue_that_cannot_tell_says_nothing(tmp_path, kwargs):
    assert curves(tmp_path, **kwargs) is None


def test_the_same_catalogue_gives_the_same_curves(tmp_path):
    generation, catalogue = shop(tmp_path)
    first, second = (with_match_curve(generation, catalogue).manifest.match for _ in range(2))
    assert first == second
    assert with_match_curve(generation, catalogue, seed=1).manifest.match.queries == first.queries


def test_a_manifest_keeps_the_curves_and_opens_without_them(tmp_path):
    generation, catalogue = shop(tmp_path)
    manifest = with_match_curve(generation, catalogue).manifest
    assert Manifest.from_json(manifest.to_json(), "here") == manifest
    body = json.loads(replace(manifest, match=None).to_json())
    del body["match"]  # as before there was one
    del body["digest"]
    body["digest"] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    assert Manifest.from_json(json.dumps(body), "here") == replace(manifest, match=None)


def test_a_build_fits_them(tmp_path):
    """Four colours are too few to tell; sixty-four mixed ones, by the strongest of the three, are enough."""
    rows = ["id,title,image,category"]
    for number, colour in enumerate(np.random.default_rng(0).integers(0, 256, (64, 3)).tolist()):
        write_picture(tmp_path / f"{number}.png", tuple(colour))
        rows.append(f"p{number},thing {number},{number}.png,kind {np.argmax(colour)}")
    (tmp_path / "products.csv").write_text("\n".join(rows))
    build_index(tmp_path / "home", tmp_path / "products.csv", FakeEncoder())
    assert open_current(tmp_path / "home").manifest.match.queries == 64
    build_index(tmp_path / "few", colour_shop(tmp_path / "four"), FakeEncoder())
    assert open_current(tmp_path / "few").manifest.match is None


def test_exact_is_never_surer_than_that_the_shop_has_it():
    match = MatchCalibration((Curve("look", 10.0, 0.5),), spread=0.05, queries=100)
    assert match.exact(-2.0, 5.0) == sigmoid(-2.0 + ODDS)
    assert match.exact(2.0, 0.0) < match.exact(2.0, 0.1) < match.exact(3.0, 0.1)
    assert match.exact(2.0, -0.1) == match.exact(2.0, 0.0)
