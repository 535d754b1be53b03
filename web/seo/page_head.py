"""What the head of a page tells search engines and messengers: description, canonical address, picture, languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, request

from catalog.product import Picture, Product
from web.i18n.language import description_of, path_of, t, title_of
from web.i18n.languages import LANGUAGES, language_tag
from web.pages.templating import asset, price
from web.seo.structured_data import IMAGE_SIZE, breadcrumb_data, graph, product_data, rating_data, website_data
from web.settings import Settings
from web.urls import absolute_url, picture_url, product_url, reviews_url

if TYPE_CHECKING:
    from search.engine_status import EngineStatus
    from search.hits import SearchPage
    from web.pages.view_models import ResultsView
    from web.reviews.review_list import ProductReviews, ReviewList

MAX_DESCRIPTION = 160  # characters, as many as result pages of search engines show
ICON_SIZE = 512  # pixels
NOT_LISTED = "noindex, follow"


@dataclass(frozen=True, slots=True)
class HeadImage:
    """The picture of a page for messengers: absolute address, size in pixels, and what it shows."""

    address: str
    width: int
    height: int
    alt: str
    large: bool = True


@dataclass(frozen=True, slots=True)
class PageHead:
    """The head of a page. `languages` are the addresses in each language, `properties` those of OpenGraph's type.

    `address` is the canonical one, "" for a page without; `robots` is "" where search engines may list the page;
    `data` is JSON-LD.
    """

    title: str
    description: str
    address: str = ""
    kind: str = "website"
    image: HeadImage | None = None
    robots: str = ""
    languages: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] | None = None


def init_app(app: Flask, settings: Settings) -> None:
    """Let templates make the heads of their pages."""
    app.config["SEARCH_PAGES_INDEXED"] = settings.search_pages_indexed
    app.jinja_env.globals.update(home_head=home_head, product_head=product_head, results_head=results_head)
    app.jinja_env.globals.update(reviews_head=reviews_head)


def home_head(status: EngineStatus) -> PageHead:
    """Return the head of the front page."""
    shop: str = current_app.config["SHOP_NAME"]
    icon = HeadImage(absolute_url(asset("icon-512.png")), ICON_SIZE, ICON_SIZE, shop, large=False)
    words = t("head_home" if status.texts else "head_home_photo", shop=shop, count=status.products)
    data = graph(website_data(shop))
    return PageHead(shop, words, _canonical("/"), image=icon, languages=_languages("/"), data=data)


def product_head(
    product: Product, variants: Sequence[Product] = (), reviewed: ProductReviews | None = None
) -> PageHead:
    """Return the head of a product's page; `variants` are those of its item group."""
    title, path = title_of(product), product_url(product.id)
    shown = next((picture for picture in product.pictures if picture.sha256), None)
    properties = {"product:availability": "in stock" if product.in_stock else "out of stock"}
    if product.price is not None and product.currency:
        properties |= {"product:price:amount": f"{product.price:f}", "product:price:currency": product.currency}
    if product.brand:
        properties["product:brand"] = product.brand
    return PageHead(
        title,
        _product_description(product),
        _canonical(path),
        "product",
        _image(shown, title) if shown is not None else None,
        languages=_languages(path),
        properties=properties,
        data=graph(
            product_data(product, variants) | (rating_data(reviewed.found, reviewed.reviews) if reviewed else {}),
            breadcrumb_data(product, current_app.config["SHOP_NAME"]),
        ),
    )


def reviews_head(product: Product, title: str, view: ReviewList) -> PageHead:
    """Return the head of a page of reviews, of which search engines may list the one of all reviews."""
    shown = next((picture for picture in product.pictures if picture.sha256), None)
    whole = view.total > 0 and not view.chosen and view.page == 1
    path = reviews_url(product.id)
    return PageHead(
        title,
        view.summary.rated if view.summary.count else title,
        _canonical(path),
        image=_image(shown, title_of(product)) if shown is not None else None,
        robots="" if whole else NOT_LISTED,
        languages=_languages(path) if whole else {},
    )


def results_head(title: str, view: ResultsView, page: SearchPage) -> PageHead:
    """Return the head of a page of results, which search engines may list only if a setting says so.

    A page with a token in its address has no canonical one: nobody else has that address.
    """
    named = view.full and "refine" not in view.base
    first = page.hits[0] if page.hits else None
    shown = first.picture if first is not None and first.picture and first.picture.sha256 else None
    title = " ".join(unescape(title).split())  # what a template's block returns is HTML
    count = page.total if page.total is not None else len(page.hits)
    return PageHead(
        title,
        t("head_results", what=title, shop=current_app.config["SHOP_NAME"], count=count),
        _canonical(view.address(view.page)) if named else "",
        image=_image(shown, title_of(first.product)) if first is not None and shown is not None else None,
        robots="" if named and current_app.config["SEARCH_PAGES_INDEXED"] else NOT_LISTED,
    )


def _canonical(path: str) -> str:
    """Return the absolute address of a page; with its language where this request names one that there is."""
    language = request.args.get("lang", "")
    return absolute_url(_in_language(path, language) if language in LANGUAGES else path)


def _in_language(path: str, language: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang={language}"


def _languages(path: str) -> dict[str, str]:
    """Return a page's absolute address by language tag; "x-default" is the one that goes by the browser's languages."""
    tags = {language_tag(code): _in_language(path, code) for code in LANGUAGES}
    return {tag: absolute_url(address) for tag, address in (tags | {"x-default": path}).items()}


def _image(picture: Picture, alt: str) -> HeadImage:
    scale = min(1.0, IMAGE_SIZE / max(picture.width, picture.height, 1))
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return HeadImage(absolute_url(picture_url(picture.sha256, IMAGE_SIZE)), *size, alt)


def _product_description(product: Product) -> str:
    """Return a product's description, cut at a word; its facts where the shop has no description."""
    words = " ".join(description_of(product).split())
    if not words:
        stock = t("in_stock" if product.in_stock else "out_of_stock")
        facts = (title_of(product), product.brand, *path_of(product)[-1:], price(product), stock)
        words = " · ".join(filter(None, facts))
    if len(words) <= MAX_DESCRIPTION:
        return words
    cut = words[: MAX_DESCRIPTION - 1]
    head, space, _ = cut.rpartition(" ")
    return f"{head if space and len(head) > MAX_DESCRIPTION // 2 else cut}…"
