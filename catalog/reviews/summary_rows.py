"""Make the summaries of products from their approved reviews, in an open file, and read them."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

from catalog.reviews.review import (
    ASPECTS,
    MAX_RATING,
    NEGATIVE,
    NEUTRAL,
    POLARITIES,
    POSITIVE,
    AspectSummary,
    Quote,
    ReviewSummary,
)
from catalog.reviews.review_query import ProductRating

QUOTES = 2  # of each polarity of an aspect
SHORTEST_QUOTE, LONGEST_QUOTE = 8, 220  # characters
EMPTY = ReviewSummary(0, 0.0, (0, 0, 0, 0, 0))

_COUNT = "SELECT rating, count(*) FROM reviews WHERE product_id = ? AND state = 'approved' GROUP BY rating"
_OPINIONS = """SELECT o.aspect, o.polarity, o.probability, o.number, o.start, o.end
    FROM reviews AS r CROSS JOIN opinions AS o ON o.product_id = r.product_id AND o.number = r.number
    WHERE r.product_id = ? AND r.state = 'approved'"""
_TEXT = "SELECT text, language FROM reviews WHERE number = ?"
_SAVE_COUNTS = """INSERT INTO summaries (product_id, count, total, distribution, stale) VALUES (?, ?, ?, ?, 1)
    ON CONFLICT (product_id) DO UPDATE SET count = excluded.count, total = excluded.total,
    distribution = excluded.distribution, stale = 1"""
_SAVE_ASPECTS = "UPDATE summaries SET aspects = ?, stale = 0 WHERE product_id = ?"
_REMOVE = "DELETE FROM summaries WHERE product_id = ?"
_READ = "SELECT count, total, distribution, aspects, stale FROM summaries WHERE product_id = ?"
_READ_RATINGS = "SELECT product_id, count, total FROM summaries"
_READ_SOME = "SELECT product_id, count, total FROM summaries WHERE product_id IN (SELECT value FROM json_each(?))"
_MARK = "UPDATE summaries SET stale = 1 WHERE product_id = ?"


class _Found(NamedTuple):
    aspect: str
    polarity: str
    probability: float
    number: int
    start: int
    end: int


def count(db: sqlite3.Connection, product_ids: Iterable[str]) -> None:
    """Count the approved reviews of products again; their aspects are then stale."""
    for product_id in product_ids:
        stars = dict(db.execute(_COUNT, (product_id,)).fetchall())
        distribution = [stars.get(rating, 0) for rating in range(1, MAX_RATING + 1)]
        if not any(distribution):
            db.execute(_REMOVE, (product_id,))
            continue
        total = sum(rating * number for rating, number in stars.items())
        db.execute(_SAVE_COUNTS, (product_id, sum(distribution), total, json.dumps(distribution)))


def mark_stale(db: sqlite3.Connection, product_ids: Iterable[str]) -> None:
    """Note that the aspects of products are to be made again."""
    db.executemany(_MARK, [(product_id,) for product_id in product_ids])


def refresh(db: sqlite3.Connection, product_ids: Iterable[str]) -> None:
    """Make the aspects of products again, from the opinions in their approved reviews."""
    for product_id in product_ids:
        aspects = [asdict(aspect) for aspect in _aspects(db, product_id)]
        db.execute(_SAVE_ASPECTS, (json.dumps(aspects, ensure_ascii=False), product_id))


def read(db: sqlite3.Connection, product_id: str) -> ReviewSummary:
    """Return what the approved reviews of a product come to; stale aspects are made for this answer alone."""
    row = db.execute(_READ, (product_id,)).fetchone()
    if row is None:
        return EMPTY
    number, total, distribution, aspects, stale = row
    found = _aspects(db, product_id) if stale else tuple(_parsed(aspect) for aspect in json.loads(aspects))
    stars: tuple[int, int, int, int, int] = tuple(json.loads(distribution))
    return ReviewSummary(number, total / number, stars, found)


def ratings(db: sqlite3.Connection, product_ids: Iterable[str] | None = None) -> dict[str, ProductRating]:
    """Return the ratings of products, all without `product_ids`, by product; none without approved reviews."""
    if product_ids is None:
        rows = db.execute(_READ_RATINGS)
    else:
        rows = db.execute(_READ_SOME, (json.dumps(list(product_ids)),))
    return {product_id: ProductRating(number, total) for product_id, number, total in rows}


def _aspects(db: sqlite3.Connection, product_id: str) -> tuple[AspectSummary, ...]:
    by_aspect: dict[str, list[_Found]] = defaultdict(list)
    for row in db.execute(_OPINIONS, (product_id,)):
        by_aspect[row[0]].append(_Found(*row))
    return tuple(_summary(db, aspect, by_aspect[aspect]) for aspect in ASPECTS if aspect in by_aspect)


def _summary(db: sqlite3.Connection, aspect: str, found: list[_Found]) -> AspectSummary:
    """Count the reviews of each polarity; a neutral clause counts only where the review says nothing else of it."""
    polarities: dict[int, set[str]] = defaultdict(set)
    for opinion in found:
        polarities[opinion.number].add(opinion.polarity)
    counts = Counter(
        polarity for words in polarities.values() for polarity in words if polarity != NEUTRAL or words == {NEUTRAL}
    )
    quotes = tuple(quote for polarity in POLARITIES for quote in _quotes(db, polarity, found))
    return AspectSummary(aspect, counts[POSITIVE], counts[NEGATIVE], counts[NEUTRAL], quotes)


def _quotes(db: sqlite3.Connection, polarity: str, found: list[_Found]) -> list[Quote]:
    """Return the surest clauses of a polarity, each of another review; the newer review comes first among equals."""
    quotes: list[Quote] = []
    seen: set[int] = set()
    texts: set[str] = set()
    of_polarity = [opinion for opinion in found if opinion.polarity == polarity]
    for opinion in sorted(
        of_polarity, key=lambda opinion: (-round(opinion.probability, 2), -opinion.number, opinion.start)
    ):
        if len(quotes) == QUOTES:
            break
        if opinion.number in seen or not SHORTEST_QUOTE <= opinion.end - opinion.start <= LONGEST_QUOTE:
            continue
        text, language = db.execute(_TEXT, (opinion.number,)).fetchone()
        clause = text[opinion.start : opinion.end].strip()
        if clause and clause.casefold() not in texts:
            quotes.append(Quote(str(opinion.number), clause, polarity, language))
            texts.add(clause.casefold())
            seen.add(opinion.number)
    return quotes


def _parsed(aspect: dict[str, Any]) -> AspectSummary:
    return AspectSummary(**{**aspect, "quotes": tuple(Quote(**quote) for quote in aspect["quotes"])})
