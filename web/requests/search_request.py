"""Read a search request, as JSON or as a form, into a `Query`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Request, current_app, g

from catalog.errors import BadQuery, Overloaded
from search.query.builder import QueryBuilder
from search.query.terms import PictureTerm, ProductTerm, Query, Term, TextTerm
from web.middleware.uploads import picture_of_bytes
from web.requests.search_models import Search, SearchTerm
from web.requests.validation import names, read_fields, source_bytes, validate

if TYPE_CHECKING:
    from PIL.Image import Image

    from search.engine import SearchEngine

JSON_IN_FORMS = ("weights", "crop", "filter", "terms", "more_like", "less_like")
OPTION_FIELDS = ("k", "offset", "sort", "filter", "facets", "collapse", "group_variants")
DETAILED_TIMEOUT_MS = 3_000  # the default for heatmaps and object detection, which take longer than a search


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """The query of a request, and the picture to detect objects in, if the request asks for that."""

    query: Query
    detect_objects: Image | None = None


def read_search_request(request: Request, engine: SearchEngine, detailed: bool = False) -> SearchRequest:
    """Return the query of an API request. Raises BadQuery, MalformedRequest, BadPicture, UnsupportedMediaType.

    `detailed` raises the default timeout for answers that look closer at pictures.
    """
    if request.args:
        raise BadQuery(f"{names(list(request.args))} came in the address.", "Put the fields into the body.")
    search = validate(Search, read_fields(request, Search, files="image", as_json=JSON_IN_FORMS))
    options = {name: getattr(search, name) for name in OPTION_FIELDS if name in search.model_fields_set}
    options["timeout_ms"] = effective_timeout(
        search.timeout_ms, DETAILED_TIMEOUT_MS if detailed or search.regions else 0
    )
    query = _build(search, engine.query_of(search.refine) if search.refine is not None else None, options)
    if not search.regions:
        return SearchRequest(query)
    if query.cropped:
        raise BadQuery("crop and regions were given together.", "Send the whole picture with regions.")
    pictures = [term.picture for term in query.terms if isinstance(term, PictureTerm)]
    if len(pictures) != 1:
        raise BadQuery(f"regions came with {len(pictures)} pictures.", "Send one image with it.")
    return SearchRequest(query, pictures[0])


def effective_timeout(timeout_ms: int | None, least_default_ms: int = 0) -> int:
    """Return the milliseconds that are left of the requested timeout or else of the default.

    The time that the request waited for its turn counts. Raises Overloaded when none is left.
    """
    allowed: int = timeout_ms or max(least_default_ms, current_app.config["TIMEOUT_MS"])
    left: int = allowed - round(1000 * g.get("queued_s", 0.0))
    if left <= 0:
        raise Overloaded(f"All of the {allowed} ms went by in a queue.", "Try again in a moment, or allow more time.")
    return left


def _build(search: Search, base: Query | None, options: Mapping[str, Any]) -> Query:
    """Return the query of a request; `base` is that of its refine token."""
    if search.crop is not None and not search.image:
        raise BadQuery("crop was given without an image.", "Send the image to be cropped, or leave crop out.")
    for name in ("more_like", "less_like"):
        if base is None and getattr(search, name) is not None:
            raise BadQuery(f"{name} was given without refine.", "Send the refine token of the page to continue from.")
    weights = search.weights
    builder = QueryBuilder(base, **options).feedback(search.more_like or (), search.less_like or ())
    # Text and ids first: they are cheap to refuse, a picture is expensive to decode.
    if search.text is not None:
        builder.text(search.text, weights.text)
    if search.product_id is not None:
        builder.product(search.product_id, weights.product_id)
    builder.terms(map(_term, search.terms), cropped=any(term.crop is not None for term in search.terms))
    builder.expect_pictures(len(search.image))
    for source in search.image:
        picture = picture_of_bytes(source_bytes(source), search.crop)
        builder.picture(picture, weights.image, cropped=search.crop is not None)
    return builder.build()


def _term(term: SearchTerm) -> Term:
    if term.image is not None:
        return PictureTerm(picture_of_bytes(source_bytes(term.image), term.crop), term.weight)
    if term.text is not None:
        return TextTerm(term.text, term.weight)
    return ProductTerm(term.product_id or "", term.weight)
