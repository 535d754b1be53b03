"""The view models of reviews: how pages show the stars of a product, what people say, and each review."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.reviews.review import (
    MAX_RATING,
    NEGATIVE,
    NEUTRAL,
    POLARITIES,
    POSITIVE,
    AspectSummary,
    Opinion,
    Quote,
    Review,
    ReviewSummary,
)
from catalog.reviews.review_query import ReviewFilter
from web.i18n.dates import date_text, day_of
from web.i18n.language import language
from web.reviews.filter_fields import filter_fields
from web.reviews.wording import language_name, mean_text, rated_text, review_text
from web.urls import reviews_url

QUOTES = 2  # of an aspect


@dataclass(frozen=True, slots=True)
class StarRow:
    """How many reviews gave a number of stars, their share in percent, and the address of their list."""

    stars: int
    count: int
    percent: int
    url: str
    selected: bool


@dataclass(frozen=True, slots=True)
class OpinionCount:
    """How many reviews speak well or badly of an aspect, in words, and the address of their list."""

    polarity: str
    label: str
    url: str
    selected: bool


@dataclass(frozen=True, slots=True)
class AspectView:
    """What is said about an aspect: its name, its counts, and a few quotes with the addresses of their lists."""

    name: str
    counts: tuple[OpinionCount, ...]
    quotes: tuple[tuple[Quote, str], ...]


@dataclass(frozen=True, slots=True)
class SummaryView:
    """The stars of a product and what people say; `rated` is the mean and the count in words."""

    count: int
    mean: float
    mean_text: str
    rated: str
    rows: tuple[StarRow, ...]
    aspects: tuple[AspectView, ...]
    url: str


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A part of a review's text; `marked` where it says what the list is filtered by."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review with its author and day in words; `language` is named where it is not that of the page.

    `day` and `iso_day` are "" where the day is not known, `replied` where the shop has not replied.
    """

    review: Review
    author: str
    day: str
    iso_day: str
    pieces: tuple[TextPiece, ...]
    language: str
    replied: str


@dataclass(frozen=True, slots=True)
class ChosenFilter:
    """A part of the filter in words, and the address of the list without it."""

    label: str
    url: str


def summary_view(product_id: str, summary: ReviewSummary, wanted: ReviewFilter | None = None) -> SummaryView:
    """Return the view of a summary; a part that is in the filter `wanted` leads to the list without it."""
    wanted = wanted or ReviewFilter()
    rows = []
    for stars in range(MAX_RATING, 0, -1):
        count, selected = summary.distribution[stars - 1], wanted.rating == stars
        fields = filter_fields(wanted, rating=0 if selected else stars)
        percent = round(100 * count / summary.count) if summary.count else 0
        rows.append(StarRow(stars, count, percent, reviews_url(product_id, **fields) + "#list", selected))
    return SummaryView(
        count=summary.count,
        mean=summary.mean,
        mean_text=mean_text(summary.mean),
        rated=rated_text(summary.mean, summary.count),
        rows=tuple(rows),
        aspects=tuple(_aspect(product_id, aspect, wanted) for aspect in summary.aspects if _mentioned(aspect)),
        url=reviews_url(product_id),
    )


def review_view(review: Review, opinions: Collection[Opinion] = ()) -> ReviewView:
    """Return the view of a review, with what the `opinions` rest on marked in its text."""
    spoken = review.language.partition("-")[0]
    foreign = bool(spoken) and spoken != language()
    return ReviewView(
        review=review,
        author=review.author or review_text("anonymous"),
        day=date_text(review.at) if review.at else "",
        iso_day=day_of(review.at).isoformat() if review.at else "",
        pieces=pieces_of(review.text, ((opinion.start, opinion.end) for opinion in opinions)),
        language=language_name(review.language) if foreign else "",
        replied=date_text(review.reply_at) if review.reply and review.reply_at else "",
    )


def pieces_of(text: str, spans: Iterable[tuple[int, int]]) -> tuple[TextPiece, ...]:
    """Return the text in pieces, those inside a span marked; spans may overlap and reach beyond the text."""
    pieces: list[TextPiece] = []
    at = 0
    for start, end in sorted(spans):
        start, end = max(at, start), min(end, len(text))
        clause = text[start:end].strip()
        if not clause:
            continue
        start = text.index(clause, start)
        end = start + len(clause)
        pieces += [TextPiece(text[at:start], False), TextPiece(text[start:end], True)]
        at = end
    pieces.append(TextPiece(text[at:], False))
    return tuple(piece for piece in pieces if piece.text)


def chosen_filters(product_id: str, wanted: ReviewFilter) -> tuple[ChosenFilter, ...]:
    """Return the parts of a filter in words, each with the way to take it away."""

    def without(label: str, **changed: Any) -> ChosenFilter:
        return ChosenFilter(label, reviews_url(product_id, **filter_fields(wanted, **changed)))

    chosen = []
    if wanted.rating:
        chosen.append(without(review_text("star_count", count=wanted.rating), rating=0))
    if wanted.aspect:
        chosen.append(without(topic_text(wanted.aspect, wanted.polarity), aspect="", polarity=""))
    elif wanted.polarity:
        chosen.append(without(review_text(f"only_{wanted.polarity}"), polarity=""))
    if wanted.verified:
        chosen.append(without(review_text("verified_only"), verified=False))
    if wanted.photos:
        chosen.append(without(review_text("with_photos"), photos=False))
    if wanted.language:
        chosen.append(without(language_name(wanted.language), language=""))
    return tuple(chosen)


def topic_text(aspect: str, polarity: str) -> str:
    """Return an aspect in words, with the polarity where there is one."""
    name = review_text(f"aspect_{aspect}")
    return review_text("about", aspect=name, polarity=review_text(f"only_{polarity}")) if polarity else name


def _mentioned(aspect: AspectSummary) -> bool:
    return aspect.positive + aspect.negative > 0


def _aspect(product_id: str, aspect: AspectSummary, wanted: ReviewFilter) -> AspectView:
    def url(polarity: str, selected: bool = False) -> str:
        name, chosen = ("", "") if selected else (aspect.aspect, polarity)
        return reviews_url(product_id, **filter_fields(wanted, aspect=name, polarity=chosen)) + "#list"

    counts = []
    known = {POSITIVE: aspect.positive, NEGATIVE: aspect.negative, NEUTRAL: aspect.neutral}
    for polarity in POLARITIES:
        selected = (wanted.aspect, wanted.polarity) == (aspect.aspect, polarity)
        if known[polarity]:
            label = review_text(polarity, count=known[polarity])
            counts.append(OpinionCount(polarity, label, url(polarity, selected), selected))
    quotes = _one_of_each(aspect.quotes, known)[:QUOTES]
    return AspectView(
        review_text(f"aspect_{aspect.aspect}"),
        tuple(counts),
        tuple((quote, url(quote.polarity)) for quote in quotes),
    )


def _one_of_each(quotes: Sequence[Quote], counts: Mapping[str, int]) -> list[Quote]:
    """Return the quotes with one of each polarity first, in the page's language if there is one.

    The commoner polarity is the first.
    """
    quotes = sorted(quotes, key=lambda quote: quote.language.partition("-")[0] != language())
    first = list({quote.polarity: quote for quote in reversed(quotes)}.values())
    leading = sorted(first, key=lambda quote: (-counts[quote.polarity], POLARITIES.index(quote.polarity)))
    return leading + [quote for quote in quotes if quote not in first]
