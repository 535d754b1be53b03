"""The operator's API: health, generations, reports, logged queries, a map, rollback. Keys need the scope "admin"."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

from catalog.errors import StoreError, UnknownProduct, WindowshopError
from search import ops
from search.ops.catalogue_map import CatalogueMapper
from search.ops.query_log import EMPTY, SLOW
from search.recommend.learning.background.fit_supervisor import FitSupervisor
from web.api.jobs import supervisor_of
from web.api.search import status_json
from web.engine import get_engine
from web.errors import public_words
from web.i18n.language import path_of, title_of
from web.middleware import query_logging
from web.middleware.response_headers import csv_file
from web.requests.operator_request import ModelRollback, Rollback, RollbackParameters
from web.requests.validation import read_json, validate
from web.settings import Settings

if TYPE_CHECKING:
    from catalog.product import Product

MAPPER = "windowshop.mapper"
FITS = "windowshop.fits"
MAX_TITLE = 48  # characters, on the map
COLOURED_CATEGORIES = 7  # first-level categories with a colour on the map
bp = Blueprint("ops", __name__)
log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the API. Comes after `web.api.jobs`, whose jobs it reports."""
    query_logging.init_app(app, settings)
    app.extensions[MAPPER] = CatalogueMapper(settings.home)
    app.extensions[FITS] = FitSupervisor(settings.home)
    app.register_blueprint(bp)


@bp.get("/api/v1/ops")
def overview() -> Response:
    """Return the state of the shop: the server's health, the generations, the last report, logged queries, jobs."""
    home = supervisor_of(current_app).home
    return jsonify(
        server=_health(),
        generations=ops.generations_of(home),
        back_to=ops.way_back(home),
        report=ops.last_report(home),
        questions=_logged_queries(),
        label_heads=_label_heads(),
        jobs=_jobs(),
        request_id=g.request_id,
    )


@bp.get("/api/v1/ops/map")
def catalogue_map() -> Response:
    """Return a map of the pictures. Drawing it takes seconds, once per generation; until then `state` is "making"."""
    engine = get_engine()
    generation = engine.status().generation
    mapper: CatalogueMapper = current_app.extensions[MAPPER]
    state, drawn = mapper.get(generation)
    points = drawn.points if drawn is not None else ()
    products = engine.find([point.id for point in points])
    colours = _category_colours(products.values())
    described = [
        {"id": point.id, "title": title_of(product)[:MAX_TITLE], "x": point.x, "y": point.y}
        | {"top": colours[_top_category(product)]}
        for point in points
        if (product := products.get(point.id)) is not None
    ]
    return jsonify(
        state=state,
        generation=generation,
        products=drawn.products if drawn is not None else 0,
        categories=[name for name, colour in colours.items() if colour < COLOURED_CATEGORIES],
        points=described,
        request_id=g.request_id,
    )


@bp.get("/api/v1/ops/rejected.csv")
def rejected() -> Response:
    """Return the rows that the last build or update rejected. Formulas are escaped for spreadsheets."""
    return csv_file(ops.rejected_csv(supervisor_of(current_app).home), "rejected.csv")


@bp.get("/api/v1/ops/rollback")
def preview() -> Response:
    """Return how many products would come back, go away, change or keep later edits with another generation."""
    requested = validate(RollbackParameters, request.args.to_dict()).generation
    return jsonify(**ops.preview_move(supervisor_of(current_app).home, requested), request_id=g.request_id)


@bp.post("/api/v1/ops/rollback")
def rollback() -> Response:
    """Make another generation current, an earlier or a later one, with its products; servers follow.

    Edits of single products that were made since remain. The request names the generation, so that a repeated request
    does not go further.
    """
    requested = read_json(Rollback, request).generation
    done = ops.move_to(supervisor_of(current_app).home, requested)
    log.warning("Generation %(current)s is current again, in place of %(left)s", done)
    return jsonify(**done, request_id=g.request_id)


@bp.get("/api/v1/ops/recommender")
def recommender() -> Response:
    """Return the versions of the recommender's models, the running and the last fit, and what it measured."""
    home = supervisor_of(current_app).home
    return jsonify(**ops.recommender_status(home, current_app.extensions[FITS]), request_id=g.request_id)


@bp.post("/api/v1/ops/recommender/fit")
def fit_models() -> tuple[Response, int]:
    """Fit the models in the background, unless that is going on; they are served if they are better."""
    home = supervisor_of(current_app).home
    return jsonify(**ops.start_fit(home, current_app.extensions[FITS]), request_id=g.request_id), 202


@bp.post("/api/v1/ops/recommender/rollback")
def roll_back_models() -> Response:
    """Make another version of the models current; servers follow. A repeated request does not go further."""
    requested = read_json(ModelRollback, request).version
    done = ops.roll_back_models(supervisor_of(current_app).home, requested)
    log.warning("Version %(current)s of the recommender models is current again, in place of %(left)s", done)
    return jsonify(**done, request_id=g.request_id)


def _health() -> dict[str, Any]:
    """Return what this process serves, and why parts of it are degraded or missing."""
    try:
        status = get_engine().status()
    except WindowshopError as error:
        return {"ready": False, "reason": " ".join(public_words(error)), "degraded": []}
    return {"reason": "", **status_json(status, "generation products pictures live encoder runtime")}


def _label_heads() -> dict[str, Any] | None:
    """Return the state of the label heads; None until the shop is open."""
    try:
        engine = get_engine()
    except WindowshopError:
        return None
    return ops.heads_status(engine, supervisor_of(current_app).learning)


def _jobs() -> list[dict[str, Any]]:
    """Return the state of the bulk jobs, without those that are damaged or were deleted meanwhile."""
    states = []
    for job in supervisor_of(current_app).jobs.all():
        try:
            states.append(job.status())
        except (StoreError, UnknownProduct) as error:
            log.error("%s", error)
    return states


def _logged_queries() -> dict[str, Any]:
    queries: dict[str, Any] = {EMPTY: [], SLOW: []}
    query_log = query_logging.query_log(current_app)
    if query_log is not None:
        try:
            least = current_app.config["LEAST_VISITORS"]
            queries = {kind: query_log.most_frequent(kind, least=least) for kind in (EMPTY, SLOW)}
        except StoreError as error:
            log.error("%s", error)
    return {"kept": query_log is not None, "least_visitors": current_app.config["LEAST_VISITORS"], **queries}


def _top_category(product: Product) -> str:
    path = path_of(product)
    return path[0] if path else ""


def _category_colours(products: Iterable[Product]) -> dict[str, int]:
    """Return the colour of each first-level category, the most frequent first.

    Categories without a colour of their own share `COLOURED_CATEGORIES`, as do products without a category.
    """
    counts = Counter(filter(None, map(_top_category, products)))
    named = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: min(place, COLOURED_CATEGORIES) for place, name in enumerate(named)} | {"": COLOURED_CATEGORIES}
