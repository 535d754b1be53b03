"""The shop's pages: home and results, a product, and the pictures on them. They work without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from flask import Blueprint, Response, abort, current_app, make_response, redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from catalog.errors import BadInput, DeadlineExceeded, StepFailed, UnknownProduct
from catalog.product import Product
from search.query.terms import ProductTerm
from web.engine import get_engine
from web.i18n.language import language, path_of, title_of, value_label
from web.i18n.messages import CHINESE
from web.middleware.query_logging import logged_search
from web.middleware.request_context import note_page, query_text
from web.middleware.uploads import preview
from web.pages.view_models import view_of
from web.requests.page_request import MOST_VIEWED, PageRequest, compact, query_from_page, read_page_request
from web.try_photos import get_try_photo, thumbnail_of, try_photos
from web.urls import THUMBNAIL_SIZES, address_with, try_photo_url

if TYPE_CHECKING:
    from search.explain.explainer import HitExplanation
    from search.recommend.substitutes import Recommendation

SIMILAR = 12
BESIDE = 5
FOR_YOU = 5
EXAMPLES = 6
AN_HOUR = "public, max-age=3600"
A_YEAR = "public, max-age=31536000, immutable"
bp = Blueprint("pages", __name__)
Found = TypeVar("Found")


@bp.get("/")
def home() -> str | AnyResponse:
    """The search box; with words, a product to resemble, an offered photo, a filter or a refine token, the results."""
    asked = read_page_request(request)
    return _results(asked) if asked else _front()


@bp.post("/")
def search_with_photo() -> str | AnyResponse:
    """Results for a photo, with words if there are any; words alone get an address that can be shared.

    With `viewed`, ids of products that the browser remembers, the front page with rows for them.
    """
    viewed = request.form.getlist("viewed")
    if viewed:
        return _front(viewed[:MOST_VIEWED])
    asked = read_page_request(request)
    upload = next((file for file in request.files.getlist("photo") if file.filename), None)
    if upload is None:
        told = {"refine": asked.refine, "shown": asked.shown, "filter": compact(asked.filter), "sort": asked.sort}
        return redirect(address_with(asked.fields() | told), 303)
    return _results(PageRequest(asked.words, asked.like, shown=asked.shown), upload)


@bp.get("/products/<id:product_id>")
def product(product_id: str) -> str:
    """One product, why it was found where it comes from a search, and what resembles it."""
    engine = get_engine()
    found = engine.product(product_id)
    try:
        page = engine.similar(product_id, SIMILAR)
    except UnknownProduct:  # in the catalogue already, in the index not yet
        page = None
    within = current_app.config["TIMEOUT_MS"]
    recommender = engine.recommender
    none: tuple[Recommendation, ...] = ()
    instead = none if found.in_stock else _if_ready(lambda: recommender.substitutes(product_id, BESIDE, within), none)
    beside = _if_ready(lambda: recommender.goes_with(product_id, BESIDE, within), none)
    refine = request.args.get("refine", "")
    return render_template(
        "product.html",
        product=found,
        page=page,
        instead=instead,
        beside=beside,
        why=_if_ready(lambda: _why(refine, product_id), None) if refine else None,
        back=address_with({"refine": refine, "shown": request.args.get("shown", "")}) if refine else "",
    )


def _why(refine: str, product_id: str) -> HitExplanation | None:
    """Why a search found the product; None when the token is of no use any more, or it did not."""
    engine = get_engine()
    try:
        return engine.explain_hit(engine.query_of(refine), product_id)
    except BadInput:
        return None


def _if_ready(ask: Callable[[], Found], otherwise: Found) -> Found:
    """What stands beside a page, which is of use without it."""
    try:
        return ask()
    except (DeadlineExceeded, StepFailed):
        return otherwise


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


def _front(viewed: Sequence[str] = ()) -> str:
    engine = get_engine()
    products = engine.browse(current_app.config["PAGE_HITS"], date.today().toordinal())
    status = engine.status()
    known = engine.find(viewed) if viewed else {}
    seen = [known[each] for each in dict.fromkeys(viewed) if each in known]
    within = current_app.config["TIMEOUT_MS"]
    oldest_first = [each.id for each in reversed(seen)]
    suited: tuple[Recommendation, ...] = ()
    if seen:
        suited = _if_ready(lambda: engine.recommender.session(oldest_first, FOR_YOU, within), suited)
    return render_template(
        "home.html",
        products=products,
        examples=example_queries(products) if status.texts else (),
        photos=try_photos().values(),
        status=status,
        recent=seen[:FOR_YOU],
        suited=suited,
    )


def _results(asked: PageRequest, upload: FileStorage | None = None) -> str | AnyResponse:
    engine = get_engine()
    question = query_from_page(asked, engine, upload, request.form.get("crop", "") if upload else "")
    query = question.query
    if asked.drop is not None and not query.terms and not (query.filter and query.filter.conditions):
        return redirect("/", 303)
    page = note_page(logged_search(engine, query), query_text(query))
    query = page.query
    tried = get_try_photo(asked.photo) if asked.photo else None
    likes = [term.product_id for term in query.terms if isinstance(term, ProductTerm)]
    others = [sku for hit in page.hits for sku in hit.duplicates]
    titles = engine.find([*likes, *others]) if likes or others else {}
    photo = try_photo_url(tried.name) if tried is not None else ""
    if upload is not None and question.picture is not None:  # it has no address, so it is part of the page
        photo = preview(question.picture)
    return render_template(
        "results.html",
        page=page,
        view=view_of(asked, query, page, titles, sent=upload is not None),
        asked=asked.words,
        refine=asked.refine,
        shown=asked.shown,
        liked=titles.get(asked.like) if asked.like else None,
        titles=titles,
        tried=tried,
        browsed=not query.terms,
        counted=query.sort != "relevance" or not query.terms,
        offset=asked.offset,
        photo_preview=photo,
        status=engine.status(),
    )


def example_queries(products: Iterable[Product]) -> tuple[str, ...]:
    """Words to try, made from the shop's own products: "navy blue shirts"."""
    examples: dict[str, str] = {}
    for each in products:
        path = path_of(each)
        kind = path[-1] if path else title_of(each)
        colour = value_label("colour", each.attributes.get("colour") or each.attributes.get("color") or "")
        between = "" if language() == CHINESE else " "
        examples.setdefault(kind, f"{colour}{between}{kind}".strip().lower())
    return tuple(examples.values())[:EXAMPLES]
