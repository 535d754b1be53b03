"""Photos of several products: what is found with the whole photo, with each product's box, and with proposed boxes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from catalog import images
from catalog.errors import BadPicture
from catalog.images.crop import load_picture
from catalog.sample.generator.catalogue.plan import TEST
from search.engine import SearchEngine
from search.evaluation.evaluate import MRR_DEPTH, RECALLS, first_rank, mean_reciprocal_rank, recall_at
from search.evaluation.statistics import mean, measured
from search.explain.object_proposals import MAX_BOXES, Box, crop_object
from search.hits import SearchHit
from search.query.terms import PictureTerm, Query
from tests.quality.measures import Rank, ratio
from tests.quality.report.failures import hits_shown, picture_of, product_shown, rank_note
from tests.quality.report.plots import Dot, dots
from tests.quality.report.rank_tables import rank_headline, rank_table
from tests.quality.report.records import Failure, Gallery, Headline, Outcome, Plot, Section, Share, Table
from tests.quality.sample_shop import SampleShop, Scene

NEAR = 5
ANY_NEAR = f"any_at_{NEAR}"
SHOWN = 8
PRODUCTS_PER_BOX = "products_per_box"
FOUND_FLOOR = 0.85
BOX_FLOOR = round(1 / 1.3, 3)  # at most 1.3 boxes a product
WHOLE, BOX, PROPOSED = "whole", "box", "proposed"
NAMES = {WHOLE: "whole photo", BOX: "its box", PROPOSED: "proposed boxes"}


@dataclass(frozen=True, slots=True)
class Sought:
    """A product of a photo, the box it is in, and its rank by asking with the whole photo and with the box alone.

    `proposed` is its best rank among the answers of the boxes that are proposed without knowing where it is.
    """

    product_id: str
    box: images.Box
    whole: Rank = None
    cut: Rank = None
    proposed: Rank = None


@dataclass(frozen=True, slots=True)
class SceneAnswer:
    """What a photo of several products brought: the first hits of the whole photo, and each product's ranks."""

    photo: Path
    sought: tuple[Sought, ...]
    hits: tuple[SearchHit, ...] = ()
    boxes: int = 0  # that were proposed

    @property
    def any_near(self) -> bool:
        """Whether the whole photo brought at least one of its products near the top."""
        return recall_at([min((one.whole for one in self.sought if one.whole), default=None)], NEAR) > 0

    def ranks(self, how: str, wanted: Collection[str]) -> list[Rank]:
        """The ranks of the wanted products, asked with the whole photo, the box, or the proposed boxes."""
        found = {WHOLE: lambda one: one.whole, BOX: lambda one: one.cut, PROPOSED: lambda one: one.proposed}[how]
        return [found(one) for one in self.sought if one.product_id in wanted]


def products_in_scenes(shop: SampleShop) -> Outcome:
    """Whether each product of a scene is found, asked with the whole photo and with its box alone."""
    answers = [ask_scene(shop.engine, scene) for scene in shop.scenes]
    sets = {TEST: {one for one, split in shop.splits.items() if split == TEST}, "all": set(shop.products)}
    found = {
        how: {split: scene_figures([a.ranks(how, wanted) for a in answers]) for split, wanted in sets.items()}
        for how in NAMES
    }
    near = {"scenes": len(answers), **measured(ANY_NEAR, mean, [answer.any_near for answer in answers])}
    counts = np.array([(len(answer.sought), answer.boxes) for answer in answers])
    near |= measured(PRODUCTS_PER_BOX, ratio, counts)
    rows = {f"{NAMES[how]}, {split}": figures for how in NAMES for split, figures in found[how].items()}
    any_near = Share.of(near, ANY_NEAR)
    section = Section(
        title="Photos of several products",
        how="Each photo shows two or three products. Every one of them is looked for three times: with the whole "
        "photo, with only the part inside its box, as a shopper would crop it, and with the boxes that are proposed, "
        f"up to {MAX_BOXES} a photo, where the best of their answers counts. R@k is the share of products among the "
        "first k hits. Intervals come from resampling photos.",
        tables=(
            rank_table("asked with", rows),
            Table(("whole photos", "n", f"any product in the first {NEAR}"), (("all", str(len(answers)), any_near),)),
            Table(
                ("proposed boxes", "n", "products for each box"),
                (("all", str(counts[:, 1].sum()), Share.of(near, PRODUCTS_PER_BOX)),),
            ),
        ),
        plots=(Plot(_plot(found), "All products of the photos; diamonds: asked with the box."),),
        galleries=(_gallery(answers, shop),),
    )
    headlines = [
        rank_headline(f"Scene to products, {NAMES[how]}", found[how][TEST], column)
        for how in NAMES
        for column in ("recall_at_1", "recall_at_5")
    ]
    headlines += [
        rank_headline(f"Scene to products, {NAMES[PROPOSED]}, all", found[PROPOSED]["all"], "recall_at_5", FOUND_FLOOR),
        Headline("Scene, products for each proposed box", Share.of(near, PRODUCTS_PER_BOX), len(answers), BOX_FLOOR),
    ]
    headlines.append(Headline(f"Scene, whole photo, any product in {NEAR} (all)", any_near, len(answers)))
    return Outcome("scenes", found | near, section, tuple(headlines))


def ask_scene(engine: SearchEngine, scene: Scene) -> SceneAnswer:
    """Ask with the whole photo and with each box; a photo that cannot be read finds nothing."""
    nowhere = tuple(Sought(product_id, box) for product_id, box in scene.products)
    try:
        picture = load_picture(scene.photo)
    except BadPicture:
        return SceneAnswer(scene.photo, nowhere)
    whole = engine.search(Query((PictureTerm(picture),), k=MRR_DEPTH)).hits
    proposed = [[hit.product.id for hit in region.hits] for region in engine.detect_objects(picture, MRR_DEPTH).items]
    sought = []
    for one in nowhere:
        ranks = [first_rank(found, {one.product_id}) for found in proposed]
        sought.append(
            Sought(
                one.product_id,
                one.box,
                _rank(whole, one.product_id),
                first_rank(answer_of_box(engine, picture, one.box), {one.product_id}),
                min((rank for rank in ranks if rank), default=None),
            )
        )
    return SceneAnswer(scene.photo, tuple(sought), whole, len(proposed))


def answer_of_box(engine: SearchEngine, picture: Image.Image, box: Box | images.Box) -> list[str]:
    """The ids of the products that a box brings, best first, as for a shopper who drew it."""
    page = engine.search(Query((PictureTerm(crop_object(picture, box)),), k=MRR_DEPTH, cropped=True))
    return [hit.product.id for hit in page.hits]


def scene_figures(ranks: Sequence[Sequence[Rank]]) -> dict[str, Any]:
    """Rank figures over all products, from each scene's ranks; scenes are resampled, not the products in them."""
    asked = [scene for scene in ranks if scene]
    sizes = [len(scene) for scene in asked]
    shares = {f"recall_at_{k}": [recall_at(scene, k) for scene in asked] for k in RECALLS}
    shares["mrr"] = [mean_reciprocal_rank(scene) for scene in asked]
    figures: dict[str, Any] = {"queries": sum(sizes)}
    for name, values in shares.items():
        figures |= measured(name, ratio, np.array([(v * size, size) for v, size in zip(values, sizes, strict=True)]))
    return figures


def _rank(hits: Sequence[SearchHit], product_id: str) -> Rank:
    return first_rank([hit.product.id for hit in hits], {product_id})


def _plot(found: dict[str, dict[str, Any]]) -> str:
    rows = []
    for k in RECALLS:
        for how, name in NAMES.items():
            share = Share.of(found[how]["all"], f"recall_at_{k}")
            count = found[how]["all"]["queries"]
            rows.append(Dot(f"R@{k}, {name}", share.figure or 0.0, share.interval, count, leads=how == BOX))
    return dots(rows, "scenes", "share of the products found")


def _gallery(answers: Sequence[SceneAnswer], shop: SampleShop) -> Gallery:
    missed = sorted((answer for answer in answers if not answer.any_near), key=lambda answer: answer.photo)
    return Gallery(
        f"Photos that, asked whole, brought none of their products into the first {NEAR}",
        tuple(_failure(answer, shop) for answer in missed[:SHOWN]),
        empty="Every photo brought at least one.",
    )


def _ranks_note(one: Sought) -> str:
    return f"whole: {rank_note(one.whole)}, box: {rank_note(one.cut)}, proposed: {rank_note(one.proposed)}"


def _failure(answer: SceneAnswer, shop: SampleShop) -> Failure:
    expected = [product_shown(shop.products[one.product_id], _ranks_note(one)) for one in answer.sought]
    hits = hits_shown(answer.hits, [one.product_id for one in answer.sought])
    return Failure(picture_of(answer.photo, answer.photo.stem), tuple(expected), hits)
