"""Looking closer: the things in a picture, each asked for by itself, and where one hit's picture matches."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from catalog.errors import BadInput, UnknownProduct, WindowshopError
from catalog.images.crop import load_picture
from catalog.product import Product
from search.execution.deadlines import DETECTOR, Deadline, StepRunner
from search.explain.heatmap import HEATMAP_SIDE, MatchHeatmap, matched_regions, overlay_png
from search.explain.object_proposals import Box, crop_object, picture_maps, propose_boxes
from search.explain.reasons import MatchReasons, why
from search.hits import SearchHit
from search.query.filters import ID, AnyOf, Filter, OneOf
from search.query.terms import PictureTerm, ProductTerm, Query
from search.retrieval.pipeline import SearchPipeline
from search.retrieval.serving_state import ServingState

MAX_REGIONS = 6  # things told of in one picture
PNG_SIDE = 16 * HEATMAP_SIDE


@dataclass(frozen=True, slots=True)
class Region:
    """A box in which a thing was found, in fractions of the picture, and the products that it brings."""

    box: Box
    hits: tuple[SearchHit, ...]

    def to_dict(self) -> dict[str, Any]:
        """The region as JSON values."""
        hits = [hit.to_dict(rank) for rank, hit in enumerate(self.hits, 1)]
        return {"box": [round(side, 4) for side in self.box.sides], "score": round(self.box.score, 4), "hits": hits}


@dataclass(frozen=True, slots=True)
class Regions:
    """What was found in a picture; the boxes alone, or nothing, when the time was over, which `degraded` then says."""

    items: tuple[Region, ...] = ()
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """Why one product answers a query, and where: overlays of the picture that was asked, and of the hit's."""

    hit: SearchHit
    why: MatchReasons
    asked: MatchHeatmap | None = None
    found: MatchHeatmap | None = None
    degraded: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The evidence as JSON values; overlays as their box, their cells (0 to 255), and a picture to lay over."""
        return {
            "id": self.hit.product.id,
            "score": round(self.hit.score, 6),
            "parts": {name: round(part, 6) for name, part in self.hit.parts.items()},
            "picture": self.hit.picture.sha256,
            **self.why.to_dict(),
            "asked_region": _overlay_json(self.asked),
            "found_region": _overlay_json(self.found),
            "degraded": list(self.degraded),
        }


class HitExplainer:
    """Looks closer at pictures and hits of one shop."""

    def __init__(self, answers: SearchPipeline, steps: StepRunner) -> None:
        self._answers = answers
        self._steps = steps

    def detect_objects(
        self,
        served: ServingState,
        picture: Image.Image,
        k: int,
        narrowed: Filter | None = None,
        timeout_ms: int | None = None,
    ) -> Regions:
        """The things in a picture: up to MOST boxes, each with the k products it brings. Raises BadQuery."""
        deadline = Deadline.within(timeout_ms)
        boxes: tuple[Box, ...] = ()
        try:
            boxes = self._steps.run(DETECTOR, deadline, lambda: propose_boxes(served.encoder, picture))
            found = self._steps.run(DETECTOR, deadline, lambda: self._asked(served, picture, boxes, k, narrowed))
        except BadInput:
            raise
        except WindowshopError:
            return Regions(tuple(Region(box, ()) for box in boxes), (DETECTOR,))
        return Regions(tuple(_different(found)[:MAX_REGIONS]))

    def explain_hit(
        self, served: ServingState, query: Query, product: Product, resembled: Sequence[Product]
    ) -> HitExplanation:
        """Why a product answers a query, and where its picture matches. Raises UnknownProduct when it does not."""
        deadline = Deadline.within(query.timeout_ms)
        only = OneOf(ID, (product.id,))
        narrowed = Filter((only,)) if query.filter is None else _both(query.filter, only)
        page = self._answers.pages(served, (replace(query, filter=narrowed, k=1, offset=0, facets=False),))[0]
        if not page.hits:
            raise UnknownProduct(
                f"The product {product.id!r} is not among the answers to that.", "Ask about one of the hits."
            )
        hit = page.hits[0]
        told = why(hit, query, resembled)
        try:
            shown = self._steps.run(DETECTOR, deadline, lambda: self._overlays(served, query, hit, resembled))
        except WindowshopError:
            return HitExplanation(hit, told, degraded=(*page.degraded, DETECTOR))
        asked, found = shown or (None, None)
        return HitExplanation(hit, told, asked, found, page.degraded)

    def _asked(
        self, served: ServingState, picture: Image.Image, boxes: Sequence[Box], k: int, narrowed: Filter | None
    ) -> list[Region]:
        """Each box with its answer."""
        queries = [
            Query((PictureTerm(crop_object(picture, box)),), k=k, filter=narrowed, cropped=True) for box in boxes
        ]
        pages = self._answers.pages(served, queries) if queries else []
        return [Region(box, page.hits) for box, page in zip(boxes, pages, strict=True)]

    def _overlays(
        self, served: ServingState, query: Query, hit: SearchHit, resembled: Sequence[Product]
    ) -> tuple[MatchHeatmap, MatchHeatmap] | None:
        """Where the query's picture and the hit's match; None when there is no picture, or the encoder has no maps."""
        asked = _picture_of(query, resembled)
        ours = None if asked is None else picture_maps(served.encoder, asked)
        if ours is None:
            return None
        theirs = picture_maps(served.encoder, load_picture(Path(hit.picture.path)))
        return None if theirs is None else matched_regions(ours, theirs)


def _different(found: Sequence[Region]) -> list[Region]:
    """Without boxes that overlap an earlier one and bring the same product first: they show the same thing.

    What only they bring is added to the earlier box's products.
    """
    kept: list[Region] = []
    for region in found:
        twin = next((i for i, one in enumerate(kept) if _same_thing(one, region)), None)
        if twin is None:
            kept.append(region)
        else:
            kept[twin] = replace(kept[twin], hits=_merged(kept[twin].hits, region.hits))
    return kept


def _same_thing(one: Region, other: Region) -> bool:
    if not one.hits or not other.hits or one.hits[0].product.id != other.hits[0].product.id:
        return False
    a, b = one.box, other.box
    return min(a.right, b.right) > max(a.left, b.left) and min(a.bottom, b.bottom) > max(a.top, b.top)


def _merged(ours: Sequence[SearchHit], theirs: Sequence[SearchHit]) -> tuple[SearchHit, ...]:
    best: dict[str, SearchHit] = {}
    for hit in (*ours, *theirs):
        known = best.get(hit.product.id)
        best[hit.product.id] = hit if known is None or hit.score > known.score else known
    ranked = sorted(best.values(), key=lambda hit: (-hit.score, hit.product.id))
    return tuple(ranked[: max(len(ours), len(theirs))])


def _picture_of(query: Query, resembled: Sequence[Product]) -> Image.Image | None:
    """The picture that counts most: a shopper's own, else that of the product to resemble."""
    shown = [term for term in query.terms if isinstance(term, PictureTerm) and term.weight > 0]
    if shown:
        return max(shown, key=lambda term: term.weight).picture
    pictures = [product.pictures[0] for product in resembled if product.pictures]
    named = any(isinstance(term, ProductTerm) for term in query.terms)
    return load_picture(Path(pictures[0].path)) if named and pictures else None


def _both(narrowed: Filter, only: OneOf) -> Filter:
    """A filter, and one id besides; `any` of one, because a filter has one condition a field."""
    return Filter((AnyOf((narrowed,)), only))


def _overlay_json(overlay: MatchHeatmap | None) -> Mapping[str, Any] | None:
    if overlay is None:
        return None
    png = base64.b64encode(overlay_png(overlay, (PNG_SIDE, PNG_SIDE))).decode("ascii")
    box = None if overlay.box is None else [round(side, 4) for side in overlay.box]
    return {"box": box, "cells": overlay.cells.tolist(), "png": f"data:image/png;base64,{png}"}
