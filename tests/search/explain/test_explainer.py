"""Objects of a scene and explanations of hits, with the real starter on a part of the sample shop."""

import csv
import json
import re
import shutil
import threading
import time

import pytest

from catalog.errors import UnknownProduct
from catalog.images.crop import load_picture
from catalog.sample import SAMPLE_FOLDER
from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from search.engine import SearchEngine
from search.explain.explainer import HitExplainer, propose_objects
from search.query.filters import parse_filter
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm
from tests.search.shop_fixtures import RED, picture

SCENE = "photos/s14.jpg"


def rows(name):
    with (SAMPLE_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def in_scene():
    scene = next(row for row in rows("scenes.csv") if row["photo"] == SCENE)
    return [box["product_id"] for box in json.loads(scene["boxes"])]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """One product of each group, and those of the scene."""
    folder = tmp_path_factory.mktemp("sample")
    wanted = {*in_scene(), "mug-2a"}
    chosen, groups = [], set()
    for row in rows("products.csv"):
        if row["id"] in wanted or (row["item_group_id"].endswith("-1") and row["item_group_id"] not in groups):
            chosen.append(row)
            groups.add(row["item_group_id"])
    with (folder / "products.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, chosen[0])
        writer.writeheader()
        writer.writerows(chosen)
    for row in chosen:
        for name in row["images"].split("|"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(SAMPLE_FOLDER / name, folder / name)
    build_index(folder / "home", folder / "products.csv", open_encoder("starter"))
    with SearchEngine.open(folder / "home") as engine:
        yield engine


def test_the_things_of_a_scene_are_found_one_by_one(shop):
    found = shop.detect_objects(load_picture(SAMPLE_FOLDER / SCENE), k=5)
    assert found.degraded == () and len(found.items) == len(in_scene())
    brought = {hit.product.id for region in found.items for hit in region.hits}
    assert set(in_scene()) <= brought
    firsts = [region.hits[0].product.id for region in found.items]
    assert len(set(firsts)) == len(firsts), "no two boxes for one thing"
    kinds = {region.kind: region.translated_kinds.get("zh", "") for region in found.items}
    assert all(kind and re.search("[\u4e00-\u9fff]", translated) for kind, translated in kinds.items())
    region = found.items[0].to_dict()
    assert region["kind"] in kinds and region["kind_zh"] == kinds[region["kind"]]
    assert len(region["box"]) == 4 and region["hits"][0]["rank"] == 1


def test_a_photo_of_one_product_has_no_boxes(shop):
    photos = [row["photo"] for row in rows("photos.csv") if row["product_id"] in ("mug-1a", "table-lamp-1a")]
    assert photos
    for photo in photos:
        assert shop.detect_objects(load_picture(SAMPLE_FOLDER / photo), k=5).items == ()


def test_a_filter_holds_in_every_box(shop):
    found = shop.detect_objects(
        load_picture(SAMPLE_FOLDER / SCENE), k=3, narrowed=parse_filter({"category": "Tableware > Mugs"})
    )
    hits = [hit for region in found.items for hit in region.hits]
    assert hits and all(hit.product.category == "Tableware > Mugs" for hit in hits)


def test_why_a_photo_found_a_product(shop):
    photo = load_picture(
        next(SAMPLE_FOLDER / row["photo"] for row in rows("photos.csv") if row["product_id"] == "mug-1a")
    )
    explained = shop.explain_hit(Query((PictureTerm(photo),)), "mug-1a")
    assert explained.hit.product.id == "mug-1a" and explained.why.reasons
    explanation = explained.to_dict()
    for side in ("asked_region", "found_region"):
        assert len(explanation[side]["cells"]) == 14 and max(map(max, explanation[side]["cells"])) == 255
        left, top, right, bottom = explanation[side]["box"]
        assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        assert explanation[side]["png"].startswith("data:image/png;base64,")


def test_why_a_product_is_like_another(shop):
    explanation = shop.explain_hit(Query((ProductTerm("mug-1a"), TextTerm("cheaper", 0.1))), "mug-2a")
    assert explanation.why.agrees["category"] == "Tableware > Mugs"
    assert "colour" in explanation.why.differs and explanation.hit_heatmap is not None


def test_words_have_reasons_but_no_region(shop):
    explanation = shop.explain_hit(Query((TextTerm("speckled mug"),)), "mug-1a")
    assert explanation.query_heatmap is None and explanation.why.agrees["pattern"] == "speckled"
    assert explanation.to_dict()["found_region"] is None


def test_a_product_that_is_no_answer_is_refused(shop):
    with pytest.raises(UnknownProduct, match="not among the answers"):
        shop.explain_hit(Query((TextTerm("mug"),), filter=parse_filter({"category": "Furniture"})), "mug-1a")
    with pytest.raises(UnknownProduct, match="not among the answers"):
        shop.explain_hit(Query((ProductTerm("mug-1a"),)), "mug-1a")


def test_late_hits_are_left_out_and_reported_as_degraded(shop, monkeypatch):
    ahead, ended = [0.0], threading.Event()

    def propose_until_late(*args):
        found = propose_objects(*args)
        ahead[0] = 3_600.0
        return found

    monkeypatch.setattr("search.execution.deadlines.monotonic", lambda: time.monotonic() + ahead[0])
    monkeypatch.setattr("search.explain.explainer.propose_objects", propose_until_late)
    monkeypatch.setattr(HitExplainer, "_search", lambda *_: ended.wait(600) and [])
    try:
        late = shop.detect_objects(load_picture(SAMPLE_FOLDER / SCENE), timeout_ms=600_000)
    finally:
        ended.set()
    assert late.degraded == ("detector",) and len(late.items) == len(in_scene())
    assert all(region.hits == () for region in late.items)
    monkeypatch.setattr("search.explain.explainer.propose_objects", lambda *_: 1 / 0)
    assert shop.detect_objects(picture(RED), timeout_ms=60_000).items == ()


def test_an_encoder_without_maps_proposes_nothing(engine):
    assert engine.detect_objects(picture(RED, 64)).items == ()
    assert engine.explain_hit(Query((PictureTerm(picture(RED, 64)),)), "r").query_heatmap is None
