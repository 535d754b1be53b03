"""The shop's pages: home and results, a product, and the pictures on them. They work without JavaScript."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from catalog.errors import UnknownProduct
from catalog.product import Product
from search.query import PictureTerm, ProductTerm, Query, Term, TextTerm
from web.addresses import THUMBNAIL_SIZES, address_of
from web.engine import get_engine
from web.questions import whole
from web.uploads import picture_of_file, preview

SIMILAR = 12
EXAMPLES = 6
A_YEAR = "public, max-age=31536000, immutable"
bp = Blueprint("pages", __name__)


@bp.get("/")
def home() -> str:
    """The search box; with words or a product to resemble, the results too."""
    asked, like, offset = _asked()
    if not (asked or like):
        return _front()
    return _results(asked, like, offset)


@bp.post("/")
def search_with_photo() -> str | AnyResponse:
    """Results for a photo, with words if there are any; words alone get an address that can be shared."""
    asked, like, offset = _asked()
    upload = next((file for file in request.files.getlist("photo") if file.filename), None)
    if upload is None:
        return redirect(address_of(asked, like), 303)
    return _results(asked, like, offset, upload)


@bp.get("/products/<id:product_id>")
def product(product_id: str) -> str:
    """One product, and what resembles it."""
    engine = get_engine()
    found = engine.product(product_id)
    try:
        page = engine.similar(product_id, SIMILAR)
    except UnknownProduct:  # in the catalogue already, in the index not yet
        page = None
    return render_template("product.html", product=found, page=page)


@bp.get("/pictures/<sha256>/<int:size>.jpg")
def picture(sha256: str, size: int) -> Response:
    """A picture of a product, re-encoded by us; it never changes, so it may be kept for ever."""
    if size not in THUMBNAIL_SIZES or len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        abort(404)
    answer = make_response(get_engine().thumbnail(sha256, size))
    answer.content_type = "image/jpeg"
    answer.headers["Cache-Control"] = A_YEAR
    answer.set_etag(f"{sha256}-{size}")
    answer.make_conditional(request)
    return answer


def _asked() -> tuple[str, str, int]:
    given = request.values
    return given.get("q", "").strip(), given.get("like", ""), whole(given.get("offset") or 0, "offset")


def _front() -> str:
    engine = get_engine()
    products = engine.browse(current_app.config["PAGE_HITS"], date.today().toordinal())
    status = engine.status()
    return render_template(
        "home.html", products=products, examples=examples_of(products) if status.texts else (), status=status
    )


def _results(asked: str, like: str, offset: int, upload: FileStorage | None = None) -> str:
    engine = get_engine()
    terms: list[Term] = []
    liked = None
    if asked:
        terms.append(TextTerm(asked))
    if like:
        liked = engine.product(like)
        terms.append(ProductTerm(like))
    photo = None
    if upload is not None:
        photo = picture_of_file(upload)
        terms.append(PictureTerm(photo))
    k = current_app.config["PAGE_HITS"]
    page = engine.search(Query(tuple(terms), k=k, offset=offset))
    return render_template(
        "results.html",
        page=page,
        asked=asked,
        liked=liked,
        offset=offset,
        photo_preview=preview(photo) if photo is not None else "",
        next_offset=offset + k if len(page.hits) == k else None,
        status=engine.status(),
    )


def examples_of(products: Iterable[Product]) -> tuple[str, ...]:
    """Words to try, made from the shop's own products: "navy blue shirts"."""
    examples: dict[str, str] = {}
    for each in products:
        kind = each.category_path[-1] if each.category_path else each.title
        colour = each.attributes.get("colour") or each.attributes.get("color") or ""
        examples.setdefault(kind, f"{colour} {kind}".strip().lower())
    return tuple(examples.values())[:EXAMPLES]
