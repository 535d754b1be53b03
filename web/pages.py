"""The shop's pages: home and results, a product, and the pictures on them. They work without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from catalog.errors import StepFailed, TooLate, UnknownProduct
from catalog.product import Product
from search.asking import spoken
from search.query import PictureTerm, ProductTerm, Query, Term
from web.addresses import THUMBNAIL_SIZES, address_of, try_photo_url
from web.engine import get_engine
from web.questions import whole
from web.try_photos import TryPhoto, get_try_photo, picture_of, thumbnail_of, try_photos
from web.uploads import picture_of_file, preview

if TYPE_CHECKING:
    from PIL.Image import Image

    from search.recommend import Recommendation

SIMILAR = 12
BESIDE = 5
EXAMPLES = 6
AN_HOUR = "public, max-age=3600"
A_YEAR = "public, max-age=31536000, immutable"
bp = Blueprint("pages", __name__)


@bp.get("/")
def home() -> str:
    """The search box; with words, a product to resemble or an offered photo, the results too."""
    asked = _asked()
    return _results(asked) if asked else _front()


@bp.post("/")
def search_with_photo() -> str | AnyResponse:
    """Results for a photo, with words if there are any; words alone get an address that can be shared."""
    asked = _asked()
    upload = next((file for file in request.files.getlist("photo") if file.filename), None)
    if upload is None:
        return redirect(address_of(asked.words, asked.like, asked.photo), 303)
    return _results(asked, upload)


@bp.get("/products/<id:product_id>")
def product(product_id: str) -> str:
    """One product, and what resembles it."""
    engine = get_engine()
    found = engine.product(product_id)
    try:
        page = engine.similar(product_id, SIMILAR)
    except UnknownProduct:  # in the catalogue already, in the index not yet
        page = None
    within = current_app.config["TIMEOUT_MS"]
    recommender = engine.recommender
    instead = () if found.in_stock else _if_ready(lambda: recommender.substitutes(product_id, BESIDE, within))
    beside = _if_ready(lambda: recommender.goes_with(product_id, BESIDE, within))
    return render_template("product.html", product=found, page=page, instead=instead, beside=beside)


def _if_ready(recommend: Callable[[], Sequence[Recommendation]]) -> Sequence[Recommendation]:
    """Recommendations beside a page, which is of use without them."""
    try:
        return recommend()
    except (TooLate, StepFailed):
        return ()


@bp.get("/try/<name>.jpg")
def try_photo(name: str) -> Response:
    """An offered photo, re-encoded by us."""
    answer = make_response(thumbnail_of(get_try_photo(name)))
    answer.content_type = "image/jpeg"
    answer.headers["Cache-Control"] = AN_HOUR
    return answer


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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a page was asked for: words, the id of a product to resemble, the name of an offered photo; from where."""

    words: str
    like: str
    photo: str
    offset: int

    def __bool__(self) -> bool:
        return bool(self.words or self.like or self.photo)


def _asked() -> _Asked:
    given = request.values
    offset = whole(given.get("offset") or 0, "offset")
    return _Asked(given.get("q", "").strip(), given.get("like", ""), given.get("photo", ""), offset)


def _front() -> str:
    engine = get_engine()
    products = engine.browse(current_app.config["PAGE_HITS"], date.today().toordinal())
    status = engine.status()
    return render_template(
        "home.html",
        products=products,
        examples=examples_of(products) if status.texts else (),
        photos=try_photos().values(),
        status=status,
    )


def _results(asked: _Asked, upload: FileStorage | None = None) -> str:
    engine = get_engine()
    terms: list[Term] = []
    liked = tried = picture = None
    wants_cheaper = False
    if asked.words:
        beside = bool(asked.like or asked.photo) or upload is not None
        terms, wants_cheaper = spoken(asked.words, beside=beside)
    if asked.like:
        liked = engine.product(asked.like)
        terms.append(ProductTerm(asked.like))
    if upload is not None:
        picture = picture_of_file(upload)
    elif asked.photo:
        tried = get_try_photo(asked.photo)
        picture = picture_of(tried)
    if picture is not None:
        terms.append(PictureTerm(picture))
    k = current_app.config["PAGE_HITS"]
    query = Query(tuple(terms), k=k, offset=asked.offset, timeout_ms=current_app.config["TIMEOUT_MS"])
    page = engine.search(engine.cheaper(query) if wants_cheaper else query)
    return render_template(
        "results.html",
        page=page,
        asked=asked.words,
        liked=liked,
        tried=tried,
        offset=asked.offset,
        photo_preview=_shown(picture, tried),
        next_offset=asked.offset + k if len(page.hits) == k else None,
        status=engine.status(),
    )


def _shown(picture: Image | None, tried: TryPhoto | None) -> str:
    """Where the page finds the picture that was asked with: an upload has no address, so it is part of the page."""
    if tried is not None:
        return try_photo_url(tried.name)
    return preview(picture) if picture is not None else ""


def examples_of(products: Iterable[Product]) -> tuple[str, ...]:
    """Words to try, made from the shop's own products: "navy blue shirts"."""
    examples: dict[str, str] = {}
    for each in products:
        kind = each.category_path[-1] if each.category_path else each.title
        colour = each.attributes.get("colour") or each.attributes.get("color") or ""
        examples.setdefault(kind, f"{colour} {kind}".strip().lower())
    return tuple(examples.values())[:EXAMPLES]
