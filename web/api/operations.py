"""The operator's page: indexes, freshness, the last report, a map, questions, jobs, health; and the way back.

The page itself holds nothing of the shop: its script asks for a key with the scope "admin" and sends it as a header.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import UnsupportedMediaType

from catalog.errors import BadQuery, StoreError, UnknownProduct, WindowshopError
from search.ops.catalogue_map import CatalogueMapper
from search.ops.query_log import EMPTY, SLOW
from web.api.listings import desk_of
from web.engine import get_engine
from web.errors import public_words
from web.i18n.language import language, path_of, title_of
from web.i18n.messages import OPERATOR, page_messages
from web.middleware import query_logging
from web.middleware.response_headers import csv_file, no_store
from web.middleware.uploads import body_of
from web.requests.search_request import json_object, whole
from web.settings import Settings

if TYPE_CHECKING:
    from catalog.product import Product

KEY = "windowshop.mapper"
LONGEST_TITLE = 48  # characters, on the map
TOPS = 7  # categories of the first level that have a colour of their own
bp = Blueprint("ops", __name__)
log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the page and its API. Comes after the merchant's desk, whose jobs are shown."""
    query_logging.init_app(app, settings)
    app.extensions[KEY] = CatalogueMapper(settings.home)
    app.register_blueprint(bp)


@bp.get("/ops")
def page() -> Response:
    """The page; but for its language it is the same for everybody."""
    return no_store(make_response(render_template("ops.html", words=page_messages(OPERATOR, language()))))


@bp.get("/api/v1/ops")
def overview() -> Response:
    """How the shop is: the server's health, the indexes kept, the last report, questions, jobs."""
    from search.ops.index_status import generations_of, last_report, way_back  # numpy comes with it

    desk = desk_of(current_app)
    return jsonify(
        server=_health(),
        generations=generations_of(desk.home),
        back_to=way_back(desk.home),
        report=last_report(desk.home),
        questions=_questions(),
        jobs=_jobs(),
        request_id=g.request_id,
    )


@bp.get("/api/v1/ops/map")
def catalogue_map() -> Response:
    """A map of the pictures; `state` is "making" while it is drawn, which takes seconds, once for each index."""
    engine = get_engine()
    generation = engine.status().generation
    mapper: CatalogueMapper = current_app.extensions[KEY]
    state, made = mapper.get(generation)
    drawn = made.points if made is not None else ()
    known = engine.find([point.id for point in drawn])
    tops = _tops(list(known.values()))
    points = [
        {"id": each.id, "title": title_of(found)[:LONGEST_TITLE], "x": each.x, "y": each.y, "top": tops[_top(found)]}
        for each in drawn
        if (found := known.get(each.id)) is not None
    ]
    names = [name for name, place in tops.items() if place < TOPS]
    return jsonify(
        state=state,
        generation=generation,
        products=made.products if made is not None else 0,
        categories=names,
        points=points,
        request_id=g.request_id,
    )


@bp.get("/api/v1/ops/rejected.csv")
def rejected() -> Response:
    """The rows that the last build or update rejected; cells cannot run in a spreadsheet."""
    from search.ops.index_status import rejected_csv

    return csv_file(rejected_csv(desk_of(current_app).home), "rejected.csv")


@bp.post("/api/v1/ops/rollback")
def rollback() -> Response:
    """Make the index before the current one current again, named so that nobody goes back twice; servers follow."""
    from search.ops.index_status import go_back

    if not request.is_json:
        raise UnsupportedMediaType
    given = json_object(body_of(request))
    if set(given) != {"generation"}:
        raise BadQuery("The generation to go back to is missing.", 'For example {"generation": 7}.')
    left, current = go_back(desk_of(current_app).home, whole(given["generation"], "generation"))
    log.warning("Generation %s is current again, in place of %s", current, left)
    return jsonify(left=left, current=current, request_id=g.request_id)


def _health() -> dict[str, Any]:
    """What is served by the process that answers, and what is amiss."""
    try:
        status = get_engine().status()
    except WindowshopError as error:
        return {"ready": False, "reason": " ".join(public_words(error)), "degraded": []}
    return {
        "ready": True,
        "reason": "",
        "generation": status.generation,
        "products": status.products,
        "pictures": status.pictures,
        "live": status.live,
        "encoder": status.encoder,
        "runtime": status.runtime,
        "degraded": list(status.degraded),
    }


def _jobs() -> list[dict[str, Any]]:
    """The bulk jobs; one that is broken, or was removed just now, hides nothing else from the operator."""
    told = []
    for job in desk_of(current_app).jobs.all():
        try:
            told.append(job.status())
        except (StoreError, UnknownProduct) as error:
            log.error("%s", error)
    return told


def _questions() -> dict[str, Any]:
    kept = query_logging.kept_questions(current_app)
    if kept is None:
        return {"kept": False, EMPTY: [], SLOW: []}
    try:
        return {"kept": True, EMPTY: kept.most(EMPTY), SLOW: kept.most(SLOW)}
    except StoreError as error:
        log.error("%s", error)
        return {"kept": True, EMPTY: [], SLOW: []}


def _top(product: Product) -> str:
    path = path_of(product)
    return path[0] if path else ""


def _tops(products: list[Product]) -> dict[str, int]:
    """The place of each category of the first level, the most frequent first; TOPS for those without a colour."""
    counts: dict[str, int] = {}
    for each in products:
        counts[_top(each)] = counts.get(_top(each), 0) + 1
    named = sorted((name for name in counts if name), key=lambda name: (-counts[name], name))
    return {name: min(place, TOPS) for place, name in enumerate(named)} | {"": TOPS}
