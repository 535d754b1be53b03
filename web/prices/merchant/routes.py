"""The page of prices for merchants, and its API. The page holds no data: its script sends a key with scope "write"."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, TextIO

from flask import Blueprint, Flask, Response, current_app, g, jsonify, make_response, render_template, request

from search.pricing.demand.price_advice import VERDICTS
from search.pricing.owners.cost_limits import CostLimits
from search.pricing.owners.overview_maker import OverviewMaker
from search.pricing.owners.price_list import PriceSources, list_rows
from search.pricing.owners.rules.price_finding import CODES
from web.engine import get_engine
from web.errors import NotReady
from web.i18n.language import language, offer_staff_languages
from web.i18n.messages import MERCHANT_PRICES, merchant_messages
from web.middleware.response_headers import csv_file, no_store
from web.prices.merchant import shop_advice
from web.prices.merchant.price_json import advice_json, finding_json, product_facts, row_json
from web.prices.merchant.requests import PriceAdviceParameters, PriceListParameters
from web.requests.validation import validate
from web.settings import Settings
from web.urls import ends_inside_id

MAKER, LIMITS = "windowshop.price_overview", "windowshop.cost_limits"
WORST = 20  # findings of each code in the operator's overview
FIRST_CHECK_S = 20.0  # for how long the table of advice waits for the first check
PART = 2**16  # characters of it that are sent at once
bp = Blueprint("merchant_prices", __name__)
bp.before_request(offer_staff_languages)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the page and the API."""
    app.extensions[MAKER] = OverviewMaker(settings.home)
    app.extensions[LIMITS] = CostLimits(settings.home)
    shop_advice.init_app(app, settings)
    app.register_blueprint(bp)


@bp.get("/merchant/prices")
def page() -> Response:
    """Render the page; it differs by language only."""
    words = merchant_messages(language(), MERCHANT_PRICES)
    return no_store(make_response(render_template("merchant_prices.html", words=words, codes=CODES, verdicts=VERDICTS)))


@bp.get("/api/v1/prices")
def prices() -> Response:
    """Return products with their prices, what is found in them and what demand says; the most urgent come first."""
    wanted = validate(PriceListParameters, request.args.to_dict())
    engine, maker = get_engine(), _maker()
    state, summary = maker.state()
    if wanted.product_id is not None:
        ids: tuple[str, ...] = (wanted.product_id,)
        total = 1
        engine.product(wanted.product_id)
    else:
        found = maker.overview.page(wanted.shown, wanted.contains, wanted.offset, wanted.k)
        ids, total = found.ids, found.total
    products = engine.find(ids)
    rows = list_rows(
        [products[product_id] for product_id in ids if product_id in products], _sources(), int(time.time())
    )
    return no_store(
        jsonify(
            prices=[row_json(row, engine.prices.expected(row.product)) for row in rows],
            total=total,
            counts=dict(summary.counts) if summary else {},
            checked_at=summary.at if summary else None,
            state=state,
            problems=list(map(str, _limits().problems())),
            request_id=g.request_id,
        )
    )


@bp.get("/api/v1/products/<id:product_id>/price-advice")
def product_advice(product_id: str) -> Response:
    """Return what demand says of a product's price, and what it and others would bring. Nothing is changed by it."""
    if ends_inside_id(request):
        return make_response(current_app.view_functions["api.product"](product_id=f"{product_id}/price-advice"))
    wanted = validate(PriceAdviceParameters, request.args.to_dict())
    engine = get_engine()
    product = engine.product(product_id)
    advice = shop_advice.shop_advice()
    found = advice.of_product(product, wanted.price, wanted.cost)
    look_alikes = advice.look_alikes(engine, product)
    return no_store(jsonify(advice_json(found, look_alikes) | {"request_id": g.request_id}))


@bp.get("/api/v1/price-advice.csv")
def advice_table() -> Response:
    """Return the advice on every price as a table, as of the last check. Formulas are escaped for spreadsheets."""
    get_engine()  # without a shop there is nothing to advise on
    for problem in _limits().problems():
        raise problem
    table = _maker().open_table(FIRST_CHECK_S)
    if table is None:
        raise NotReady("The prices are being checked for the first time.", "Try again in a few minutes.")
    at = datetime.fromtimestamp(os.fstat(table.fileno()).st_mtime, timezone.utc)
    answer = csv_file(_parts(table), f"price-advice-{at:%Y-%m-%d}.csv")
    answer.last_modified = at
    return answer


def _parts(table: TextIO) -> Iterator[str]:
    with table:
        yield from iter(lambda: table.read(PART), "")


@bp.get("/merchant/prices/chart")
def chart() -> Response:
    """Render the section of a product's prices as its page has it, for the script of the page of prices."""
    product = get_engine().product(request.args.get("product", ""))
    return no_store(make_response(render_template("merchant_price_chart.html", product=product)))


@bp.get("/api/v1/ops/prices")
def overview() -> Response:
    """Return what the last check of all prices found: counts, the worst of each sort, and what promotions did."""
    engine, maker = get_engine(), _maker()
    state, summary = maker.state()
    worst = {code: maker.overview.worst(code, WORST) for code in CODES}
    products = engine.find([product_id for rows in worst.values() for product_id, _ in rows])

    def listed(code: str) -> list[dict[str, Any]]:
        found = [(products[product_id], finding) for product_id, finding in worst[code] if product_id in products]
        return [product_facts(product) | {"finding": finding_json(finding)} for product, finding in found]

    return no_store(
        jsonify(
            state=state,
            checked_at=summary.at if summary else None,
            counts=dict(summary.counts) if summary else {},
            findings={code: listed(code) for code in CODES},
            promotions=[dict(row) for row in summary.promotions] if summary else [],
            problems=list(map(str, _limits().problems())),
            request_id=g.request_id,
        )
    )


def _maker() -> OverviewMaker:
    maker: OverviewMaker = current_app.extensions[MAKER]
    return maker


def _limits() -> CostLimits:
    limits: CostLimits = current_app.extensions[LIMITS]
    return limits


def _sources() -> PriceSources:
    return PriceSources(get_engine().price_history.changes, _limits().of_product, _maker().overview)
