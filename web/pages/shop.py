"""The shop's pages: home, results and product, and the pictures on them. They work without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from catalog.errors import BadInput, DeadlineExceeded, StepFailed, UnknownProduct
from catalog.product import Product
from search.query.terms import ProductTerm
from web.assistant.hint import service_hint
from web.engine import get_engine
from web.facets.variants import variant_choices
from web.i18n.language import title_of
from web.middleware.query_logging import logged_search, query_id
from web.middleware.request_context import note_page, query_text
from web.middleware.uploads import preview
from web.pages.answer_view import answer_view
from web.pages.front_page import front_page
from web.pages.headings import combination, subject_of
from web.pages.origin import Origin, read_origin
from web.pages.photo_verdict import verdict_view
from web.pages.redirects import sent_on
from web.pages.short_titles import short_titles
from web.pages.view_models import results_view
from web.personal.consent_view import consent_view
from web.personal.shelves import ShelfCard, bought_together, shelves_of_everybody
from web.prices.lowest_prices import note_products
from web.questions.pages import questions_view
from web.requests.page_request import PageRequest, compact, query_from_page, read_page_request
from web.requests.validation import check, whole_number
from web.try_photos import get_try_photo, thumbnail_of, try_photos
from web.urls import THUMBNAIL_SIZES, search_url, try_photo_url

if TYPE_CHECKING:
    from search.explain.explainer import HitExplanation
    from search.hits import SearchPage
    from search.recommend.content.substitutes import Recommendation

MAX_SIMILAR = 12
MAX_RECOMMENDED = 5
MAX_ON_FRONT = 12  # products
NEAREST_HITS = 6  # one row, shown when the shop does not sell what a photo shows
CACHE_ONE_HOUR = "public, max-age=3600"
CACHE_FOREVER = "public, max-age=31536000, immutable"
bp = Blueprint("pages", __name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RelatedRows:
    """The rows below a product: what is bought with it, what can replace it, and what goes with it."""

    together: tuple[ShelfCard, ...]
    substitutes: tuple[Product, ...]
    goes_with: tuple[Product, ...]

    @property
    def products(self) -> tuple[Product, ...]:
        """The products of all rows."""
        return (*(card.product for card in self.together), *self.substitutes, *self.goes_with)


@bp.get("/")
def home() -> str | AnyResponse:
    """Render the results of a search by URL; without a text, product, photo to try, filter or token, the front page."""
    page_request = read_page_request(request)
    return _results(page_request) if page_request else _front()


@bp.post("/")
def search_with_photo() -> str | AnyResponse:
    """Render the results of an uploaded photo, with text if there is any; redirect a search without one to its URL."""
    sent = read_page_request(request)
    upload = next((file for file in request.files.getlist("photo") if file.filename), None)
    if upload is None:
        rest = {"refine": sent.refine, "shown": sent.shown, "filter": compact(sent.filter), "sort": sent.sort}
        return redirect(search_url(**sent.fields(), **rest), 303)
    before = request.form.get("before", "")
    # A new photo starts a search of its own: what the form still holds of the search before is offered, not added.
    words = "" if before and sent.words == request.form.get("was", "").strip() else sent.words
    fresh = PageRequest(words, "" if before else sent.like, shown=sent.shown)
    return _results(fresh, upload, before)


@bp.get("/products/<id:product_id>")
def product(product_id: str) -> str:
    """Render a product with recommendations; with a refine token, explain why that search found it."""
    engine = get_engine()
    shown_product = engine.product(product_id)
    rows, page = _product_rows(shown_product)
    note_products([shown_product, *rows.products, *(hit.product for hit in (page.hits if page else ()))])
    origin = read_origin(request)
    variants = engine.variants(product_id)
    return render_template(
        "product.html",
        product=shown_product,
        picture_number=check(whole_number, request.args.get("picture") or 1, "picture"),
        page=page,
        products=engine.find([sku for hit in page.hits for sku in (*hit.duplicates, *hit.variants)]) if page else {},
        variants=variants,
        choices=variant_choices(shown_product, variants),
        rows=rows,
        asked=questions_view(shown_product),
        why=_or_default(lambda: _explanation(origin, product_id), None) if origin else None,
        origin=origin,
        back=origin.back if origin else "",
        **(_search_box(origin.page_request) if origin else {}),
    )


def _product_rows(shown: Product) -> tuple[RelatedRows, SearchPage | None]:
    """Return the rows below a product and the products similar to it; no product is in two of them."""
    recommender, seen = get_engine().recommender, {shown.id}
    together = bought_together(shown.id, MAX_RECOMMENDED)
    seen.update(card.product.id for card in together)
    others = []
    for wanted, recommend in ((not shown.in_stock, recommender.substitutes), (True, recommender.goes_with)):
        found = _recommended(recommend, shown.id, MAX_RECOMMENDED + len(seen)) if wanted else ()
        row = [item.product for item in found if item.product.id not in seen][:MAX_RECOMMENDED]
        seen.update(product.id for product in row)
        others.append(tuple(row))
    rows = RelatedRows(together, *others)
    try:
        page = get_engine().similar(shown.id, MAX_SIMILAR + len(seen) - 1)
    except UnknownProduct:  # in the catalogue already, but not yet in the index
        return rows, None
    return rows, replace(page, hits=tuple(hit for hit in page.hits if hit.product.id not in seen)[:MAX_SIMILAR])


def _explanation(origin: Origin, product_id: str) -> HitExplanation | None:
    """Explain why a search found the product; None when it wants nothing, has expired or does not find the product."""
    engine = get_engine()
    try:
        query = query_from_page(origin.page_request, engine).query
        return engine.explain_hit(query, product_id) if query.terms else None
    except (BadInput, NotFound):
        return None


def _search_box(page_request: PageRequest) -> dict[str, object]:
    """Return what the search box shows of the search that led to a page."""
    refine, liked = page_request.refine, page_request.like
    photos = try_photos()
    return {
        "text": "" if refine else page_request.words,
        "liked": get_engine().find([liked]).get(liked) if liked else None,
        "photo": photos.get(page_request.photo),
        "refined": {"refine": refine, "shown": page_request.shown} if refine else {},
        "shown": page_request.shown,
    }


def _or_default(compute: Callable[[], T], default: T) -> T:
    """Return an optional part of a page, or `default` when it is late, fails or needs a product not yet indexed."""
    try:
        return compute()
    except (DeadlineExceeded, StepFailed, UnknownProduct):
        return default


def _recommended(
    recommend: Callable[[str, int, int], tuple[Recommendation, ...]], product_id: str, most: int
) -> tuple[Recommendation, ...]:
    """Return recommendations for a product; none when they are late or fail."""
    timeout_ms = current_app.config["TIMEOUT_MS"]
    nothing: tuple[Recommendation, ...] = ()
    return _or_default(lambda: recommend(product_id, most, timeout_ms), nothing)


@bp.get("/try/<name>.jpg")
def try_photo(name: str) -> Response:
    """Return a photo to try, re-encoded."""
    return _jpeg(thumbnail_of(get_try_photo(name)), CACHE_ONE_HOUR)


@bp.get("/pictures/<sha256>/<int:size>.jpg")
def picture(sha256: str, size: int) -> Response:
    """Return a product's picture, re-encoded; its URL names its content, so caches may store it forever."""
    if size not in THUMBNAIL_SIZES or len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        abort(404)
    response = _jpeg(get_engine().thumbnail(sha256, size), CACHE_FOREVER)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # pages that embed the search may have COEP
    response.set_etag(f"{sha256}-{size}")
    response.make_conditional(request)
    return response


def _jpeg(data: bytes, cache_control: str) -> Response:
    response = make_response(data)
    response.content_type = "image/jpeg"
    response.headers["Cache-Control"] = cache_control
    return response


def _front() -> str:
    """Render the front page as everybody sees it; its script fetches what a visitor's own has more."""
    engine = get_engine()
    products = engine.browse(min(current_app.config["PAGE_HITS"], MAX_ON_FRONT), date.today().toordinal())
    note_products(products)
    return render_template(
        "home.html",
        products=products,
        front=front_page(),
        photos=try_photos().values(),
        status=engine.status(),
        shelves=shelves_of_everybody(),
        consent=consent_view(),
    )


def _results(page_request: PageRequest, upload: FileStorage | None = None, before: str = "") -> str | AnyResponse:
    """Render results; `before` is the token of the search that a new photo takes the place of."""
    engine = get_engine()
    page_query = query_from_page(page_request, engine, upload, request.form.get("crop", "") if upload else "")
    query = page_query.query
    if page_request.drop is not None and not query.terms and not (query.filter and query.filter.conditions):
        return redirect("/", 303)
    if upload is None and (answer := sent_on(page_request, query)) is not None:
        return answer
    page = note_page(logged_search(engine, query), query_text(query))
    note_products(hit.product for hit in (*page.hits, *page.near))
    query = page.query
    photo = get_try_photo(page_request.photo) if page_request.photo else None
    mentioned = [term.product_id for term in query.terms if isinstance(term, ProductTerm)]
    mentioned += [sku for hit in (*page.hits, *page.near) for sku in (*hit.duplicates, *hit.variants)]
    products = engine.find(mentioned) if mentioned else {}
    photo_url = try_photo_url(photo.name) if photo is not None else ""
    if upload is not None and page_query.picture is not None:  # an upload has no URL, so the page contains it
        photo_url = preview(page_query.picture)
    view = results_view(page_request, query, page, products, uploaded=upload is not None)
    return render_template(
        "results.html",
        page=page,
        view=view,
        back=view.address(view.page).partition("?")[2] if view.full else "",
        heading=subject_of(page_request, query, products).heading(),
        refined=view.base if page_request.refine else {},
        combine=combination(before, page.refine, page_request.shown),
        text=page_request.words,
        query_id=query_id(query),
        refine=page_request.refine,
        shown=page_request.shown,
        liked=products.get(page_request.like) if page_request.like else None,
        products=products,
        short_titles=short_titles({hit.product.id: title_of(hit.product) for hit in (*page.hits, *page.near)}),
        photo=photo,
        browsing=not query.terms,
        answer=answer_view(page_request, page),
        offset=page_request.offset,
        photo_url=photo_url,
        verdict=verdict_view(page),
        NEAREST=NEAREST_HITS,
        hint=service_hint(page_request, page) if upload is None else None,
        status=engine.status(),
        customer_photos=() if page_request.offset else engine.review_photos.nearest(query),
    )
