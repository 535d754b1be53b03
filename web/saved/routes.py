"""The pages of favourites and comparisons. The list is in the address, so a page can be shared and needs no account.

The server stores nothing: the browser remembers the ids and makes the address.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request

from catalog.product import Product
from web.engine import get_engine
from web.personal.shelves import goes_with_all
from web.prices.lowest_prices import note_products
from web.saved.comparison import compared_facts
from web.urls import compare_url

MAX_FAVOURITES = 100  # products; as many as saved.js remembers
MAX_COMPARED = 4
MAX_RECOMMENDED = 5
bp = Blueprint("saved", __name__)


@bp.get("/favourites")
def favourites() -> str:
    """Render the products that the address lists; without any, how to save one."""
    products = _listed(MAX_FAVOURITES)
    ids = [product.id for product in products[:MAX_COMPARED]]
    return render_template(
        "favourites.html",
        products=products,
        compare=compare_url(ids) if len(ids) > 1 else "",
        MOST=MAX_COMPARED,
        goes_with=goes_with_all([product.id for product in products], MAX_RECOMMENDED) if products else (),
    )


@bp.get("/compare")
def compare() -> str:
    """Render a table of up to MAX_COMPARED products that the address lists, with what differs between them."""
    products = _listed(MAX_COMPARED)
    ids = [product.id for product in products]
    without = {product_id: compare_url(other for other in ids if other != product_id) for product_id in ids}
    facts = compared_facts(products) if products else ()
    return render_template("compare.html", products=products, compared=facts, without=without)


def _listed(most: int) -> list[Product]:
    """Return the products of the fields `ids`, each once, in their order; those that the shop lacks are left out."""
    ids = list(dict.fromkeys(request.args.getlist("ids")))
    found = get_engine().find(ids[: most + 1]) if ids else {}
    if len(ids) == 1 and not found:  # written by hand: an id may hold a comma, so it is tried whole first
        ids = list(dict.fromkeys(part.strip() for part in ids[0].split(",")))
        found = get_engine().find(ids[: most + 1])
    products = [found[product_id] for product_id in ids if product_id in found][:most]
    note_products(products)
    return products
