"""Search for each object in a photo, and explain a hit: its reasons, and heatmaps of where the pictures match."""

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

MAX_REGIONS = 6  # objects returned for one picture
PNG_SIDE = 16 * HEATMAP_SIDE


@dataclass(frozen=True, slots=True)
class Region:
    """The box of one object, in fractions of the picture, and the products that match its crop."""

    box: Box
    hits: tuple[SearchHit, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the region as JSON values."""
        hits = [hit.to_dict(rank) for rank, hit in enumerate(self.hits, 1)]
        return {"box": [round(side, 4) for side in self.box.sides], "score": round(self.box.score, 4), "hits": hits}


@dataclass(frozen=True, slots=True)
class Regions:
    """The objects of a picture; after a timeout, which `degraded` names, boxes without hits, or none."""

    items: tuple[Region, ...] = ()
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """Why one product matches a query, with heatmaps of the query's picture and of the hit's."""

    hit: SearchHit
    why: MatchReasons
    query_heatmap: MatchHeatmap | None = None
    hit_heatmap: MatchHeatmap | None = None
    degraded: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as JSON values; a heatmap as its box, its cells (0 to 255) and a PNG overlay."""
        return {
            "id": self.hit.product.id,
            "score": round(self.hit.score, 6),
            "parts": {name: round(part, 6) for name, part in self.hit.parts.items()},
            "picture": self.hit.picture.sha256,
            **self.why.to_dict(),
            "asked_region": _heatmap_json(self.query_heatmap),
            "found_region": _heatmap_json(self.hit_heatmap),
            "degraded": list(self.degraded),
        }


class HitExplainer:
    """Detects the objects of pictures, and explains the hits of one shop."""

    def __init__(self, pipeline: SearchPipeline, steps: StepRunner) -> None:
        self._pipeline = pipeline
        self._steps = steps

    def detect_objects(
        self, served: ServingState, picture: Image.Image, k: int, narrowed: Filter | None, timeout_ms: int | None
    ) -> Regions:
        """Return up to MAX_REGIONS objects of a picture, each with k products that match it. Raises BadQuery."""
        deadline = Deadline.within(timeout_ms)
        boxes: tuple[Box, ...] = ()
        try:
            boxes = self._steps.run(DETECTOR, deadline, lambda: propose_boxes(served.encoder, picture))
            regions = self._steps.run(DETECTOR, deadline, lambda: self._search(served, picture, boxes, k, narrowed))
        except BadInput:
            raise
        except WindowshopError:
            return Regions(tuple(Region(box, ()) for box in boxes), (DETECTOR,))
        return Regions(tuple(_distinct(regions)[:MAX_REGIONS]))

    def explain_hit(
        self, served: ServingState, query: Query, product: Product, resembled: Sequence[Product]
    ) -> HitExplanation:
        """Explain why and where a product matches a query. Raises UnknownProduct when it is no hit of the query."""
        deadline = Deadline.within(query.timeout_ms)
        only = OneOf(ID, (product.id,))
        # The query's own filter is wrapped in `any`, because a filter has one condition a field.
        narrowed = Filter((only,) if query.filter is None else (AnyOf((query.filter,)), only))
        page = self._pipeline.pages(served, (replace(query, filter=narrowed, k=1, offset=0, facets=False),))[0]
        if not page.hits:
            reason = f"The product {product.id!r} is not among the answers to that."
            raise UnknownProduct(reason, "Ask about one of the hits.")
        hit = page.hits[0]
        reasons = why(hit, query, resembled)
        try:
            heatmaps = self._steps.run(DETECTOR, deadline, lambda: self._heatmaps(served, query, hit, resembled))
        except WindowshopError:
            return HitExplanation(hit, reasons, degraded=(*page.degraded, DETECTOR))
        query_heatmap, hit_heatmap = heatmaps or (None, None)
        return HitExplanation(hit, reasons, query_heatmap, hit_heatmap, page.degraded)

    def _search(
        self, served: ServingState, picture: Image.Image, boxes: Sequence[Box], k: int, narrowed: Filter | None
    ) -> list[Region]:
        crops = [PictureTerm(crop_object(picture, box)) for box in boxes]
        queries = [Query((crop,), k=k, filter=narrowed, cropped=True) for crop in crops]
        pages = self._pipeline.pages(served, queries) if queries else []
        return [Region(box, page.hits) for box, page in zip(boxes, pages, strict=True)]

    def _heatmaps(
        self, served: ServingState, query: Query, hit: SearchHit, resembled: Sequence[Product]
    ) -> tuple[MatchHeatmap, MatchHeatmap] | None:
        """Return where both pictures match; None when the query has no picture, or the encoder no feature maps."""
        picture = _picture_of(query, resembled)
        query_maps = None if picture is None else picture_maps(served.encoder, picture)
        if query_maps is None:
            return None
        hit_maps = picture_maps(served.encoder, load_picture(Path(hit.picture.path)))
        return None if hit_maps is None else matched_regions(query_maps, hit_maps)


def _distinct(regions: Sequence[Region]) -> list[Region]:
    """Merge a region into an earlier one that overlaps it and has the same first hit: both show one object."""
    merged: list[Region] = []
    for region in regions:
        twin = next((i for i, earlier in enumerate(merged) if _same_object(earlier, region)), None)
        if twin is None:
            merged.append(region)
        else:
            merged[twin] = replace(merged[twin], hits=_merge_hits(merged[twin].hits, region.hits))
    return merged


def _same_object(earlier: Region, later: Region) -> bool:
    if not earlier.hits or not later.hits or earlier.hits[0].product.id != later.hits[0].product.id:
        return False
    a, b = earlier.box, later.box
    return min(a.right, b.right) > max(a.left, b.left) and min(a.bottom, b.bottom) > max(a.top, b.top)


def _merge_hits(earlier: Sequence[SearchHit], later: Sequence[SearchHit]) -> tuple[SearchHit, ...]:
    best: dict[str, SearchHit] = {}
    for hit in sorted((*earlier, *later), key=lambda hit: (-hit.score, hit.product.id)):
        best.setdefault(hit.product.id, hit)
    return tuple(best.values())[: max(len(earlier), len(later))]


def _picture_of(query: Query, resembled: Sequence[Product]) -> Image.Image | None:
    """Return the query's picture of the highest weight, else the picture of the product to resemble."""
    terms = [term for term in query.terms if isinstance(term, PictureTerm) and term.weight > 0]
    if terms:
        return max(terms, key=lambda term: term.weight).picture
    pictures = [product.pictures[0] for product in resembled if product.pictures]
    named = any(isinstance(term, ProductTerm) for term in query.terms)
    return load_picture(Path(pictures[0].path)) if named and pictures else None


def _heatmap_json(heatmap: MatchHeatmap | None) -> Mapping[str, Any] | None:
    if heatmap is None:
        return None
    png = base64.b64encode(overlay_png(heatmap, (PNG_SIDE, PNG_SIDE))).decode("ascii")
    box = None if heatmap.box is None else [round(side, 4) for side in heatmap.box]
    return {"box": box, "cells": heatmap.cells.tolist(), "png": f"data:image/png;base64,{png}"}
