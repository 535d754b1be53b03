"""Search for each object in a photo, and explain a hit: its reasons, and heatmaps of where the pictures match."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from catalog.errors import BadInput, UnknownProduct, WindowshopError
from catalog.images.crop import MARGIN_SHARE, load_picture
from catalog.product import Product
from search.execution.deadlines import DETECTOR, Deadline, StepRunner
from search.explain.heatmap import HEATMAP_SIDE, MatchHeatmap, matched_regions, overlay_png
from search.explain.object_proposals import (
    Proposals,
    crop_object,
    picture_maps,
    propose_objects,
)
from search.explain.reasons import MatchReasons, why
from search.explain.regions import KIND_HITS, Region, Regions, distinct, named_region
from search.hits import SearchHit
from search.query.filters import ID, AnyOf, Filter, OneOf
from search.query.terms import PictureTerm, ProductTerm, Query
from search.retrieval.pipeline import SearchPipeline
from search.retrieval.serving_state import ServingState

CROP_MARGINS = (MARGIN_SHARE, 0.25)  # of the crops of one object, whose mean is searched with: see docs/decisions
MIN_REGIONS = 2  # one object is what the whole picture shows
PNG_SIDE = 16 * HEATMAP_SIDE


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
        """Return the objects of a picture that shows several, each with k products that match it. Raises BadQuery."""
        deadline = Deadline.within(timeout_ms)
        proposals = Proposals()
        try:
            proposals = self._steps.run(DETECTOR, deadline, lambda: propose_objects(served.encoder, picture))
            if not proposals.several:
                return Regions()
            regions = self._steps.run(
                DETECTOR, deadline, lambda: distinct(self._search(served, picture, proposals, k, narrowed))
            )
        except BadInput:
            raise
        except WindowshopError:
            boxes = proposals.boxes if proposals.several else ()
            return Regions(tuple(Region(box, ()) for box in boxes), (DETECTOR,))
        return Regions(tuple(regions) if len(regions) >= MIN_REGIONS else ())

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
        self, served: ServingState, picture: Image.Image, proposals: Proposals, k: int, narrowed: Filter | None
    ) -> list[Region]:
        depth = max(k, KIND_HITS)
        crops = [[crop_object(picture, box, margin) for margin in CROP_MARGINS] for box in proposals.boxes]
        queries = [Query(tuple(map(PictureTerm, own)), k=depth, filter=narrowed, cropped=True) for own in crops]
        pages = self._pipeline.pages(served, queries)
        return [named_region(box, page.hits, k) for box, page in zip(proposals.boxes, pages, strict=True)]

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
