"""What an owner should know of the reviews of a month: aspects that fell, sizes and colours that disappoint.

A month is thirty days. It is compared with the ninety days before by a test of two proportions, so that chance is not
called a change. A review counts once for an aspect, as negative where any of its clauses is.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalog.reviews.review import COLOUR, NEGATIVE, NEUTRAL, POSITIVE, SIZE
from catalog.reviews.review_query import DatedOpinion
from catalog.reviews.review_reader import ReviewReader
from search.reviews.insights.colour_difference import says_difference
from search.reviews.insights.size_direction import LARGER, SMALLER, size_direction

DAY_S = 86_400
MONTH_DAYS, BEFORE_DAYS, YEAR_DAYS = 30, 90, 365
MIN_REVIEWS = 8  # of a month that speak of an aspect, before a fall is named
MIN_CUSTOMERS = 3  # who say the same of a size or colour
MIN_SHARE = 0.3  # of those who speak of it
Z = 1.96  # standard errors within which 95 % of chance results lie
MAX_QUOTES = 3
MAX_ROWS = 100


@dataclass(frozen=True, slots=True)
class FallenAspect:
    """An aspect of a product, or of the whole shop (`product_id` ""), of which customers speak worse than before.

    `now` and `before` are counts (positive, all) of reviews that speak well or badly of it.
    """

    product_id: str
    aspect: str
    now: tuple[int, int]
    before: tuple[int, int]
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disappointment:
    """What `customers` of the `speaking` ones say of a product: that it is smaller, larger, or of another colour."""

    product_id: str
    kind: str
    customers: int
    speaking: int
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewInsights:
    """The findings, the most telling first, and how many opinions of the month and of the year there are."""

    fallen: tuple[FallenAspect, ...]
    sizes: tuple[Disappointment, ...]
    colours: tuple[Disappointment, ...]
    month_opinions: int
    year_opinions: int


def review_insights(reader: ReviewReader, now: float | None = None) -> ReviewInsights:
    """Return what the approved reviews of the last year tell. Raises StoreError."""
    until = int(time.time() if now is None else now) + 1
    opinions = reader.opinions(until - YEAR_DAYS * DAY_S, until)
    month = [opinion for opinion in opinions if opinion.at >= until - MONTH_DAYS * DAY_S]
    begin = until - (MONTH_DAYS + BEFORE_DAYS) * DAY_S
    before = [opinion for opinion in opinions if begin <= opinion.at < until - MONTH_DAYS * DAY_S]
    return ReviewInsights(
        fallen_aspects(month, before)[:MAX_ROWS],
        size_disappointments(opinions)[:MAX_ROWS],
        colour_disappointments(opinions)[:MAX_ROWS],
        len(month),
        len(opinions),
    )


def fallen_aspects(month: Sequence[DatedOpinion], before: Sequence[DatedOpinion]) -> tuple[FallenAspect, ...]:
    """Return the aspects that fell, of the shop first, then those of products that fell most surely."""
    now_counts, then_counts = _votes(month), _votes(before)
    found = []
    for (product_id, aspect), votes in now_counts.items():
        earlier = then_counts.get((product_id, aspect), [])
        now, then = (sum(votes), len(votes)), (sum(earlier), len(earlier))
        score = _fall(now, then)
        if min(now[1], then[1]) >= MIN_REVIEWS and score > Z:
            own = [o for o in month if o.aspect == aspect and product_id in ("", o.product_id)]
            found.append((product_id != "", -score, FallenAspect(product_id, aspect, now, then, _quotes(own))))
    return tuple(fallen for *_, fallen in sorted(found, key=lambda row: row[:2]))


def size_disappointments(opinions: Iterable[DatedOpinion]) -> tuple[Disappointment, ...]:
    """Return the products that customers call smaller, or larger, than expected, and mean only one of them."""
    found = []
    for product_id, of_product in _by_product(opinions, SIZE).items():
        directions: dict[str, dict[str, DatedOpinion]] = {SMALLER: {}, LARGER: {}}
        for opinion in of_product:
            if opinion.polarity != POSITIVE and (direction := size_direction(opinion.text)):
                directions[direction].setdefault(opinion.review_id, opinion)
        speaking = len({opinion.review_id for opinion in of_product})
        for kind, other in ((SMALLER, LARGER), (LARGER, SMALLER)):
            count = len(directions[kind])
            if count > 2 * len(directions[other]):
                found += _disappointed(product_id, kind, list(directions[kind].values()), speaking)
    return _most_telling(found)


def colour_disappointments(opinions: Iterable[DatedOpinion]) -> tuple[Disappointment, ...]:
    """Return the products whose colour is not as pictured, as customers say."""
    found = []
    for product_id, of_product in _by_product(opinions, COLOUR).items():
        negative = {o.review_id: o for o in reversed(of_product) if o.polarity == NEGATIVE and says_difference(o.text)}
        speaking = len({opinion.review_id for opinion in of_product})
        found += _disappointed(product_id, COLOUR, list(negative.values()), speaking)
    return _most_telling(found)


def _disappointed(
    product_id: str, kind: str, complaints: Sequence[DatedOpinion], speaking: int
) -> list[Disappointment]:
    if len(complaints) < MIN_CUSTOMERS or len(complaints) < MIN_SHARE * speaking:
        return []
    return [Disappointment(product_id, kind, len(complaints), speaking, _texts(complaints))]


def _most_telling(found: Sequence[Disappointment]) -> tuple[Disappointment, ...]:
    return tuple(
        sorted(found, key=lambda found: (-found.customers, -found.customers / found.speaking, found.product_id))
    )


def _votes(opinions: Iterable[DatedOpinion]) -> Mapping[tuple[str, str], list[bool]]:
    """Return whether each review speaks well of an aspect, by product and aspect, and of the shop under ""."""
    verdicts: dict[tuple[str, str, str], bool] = {}
    for opinion in opinions:
        if opinion.polarity != NEUTRAL:
            key = (opinion.product_id, opinion.aspect, opinion.review_id)
            verdicts[key] = verdicts.get(key, True) and opinion.polarity == POSITIVE
    votes: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for (product_id, aspect, _), good in verdicts.items():
        votes[product_id, aspect].append(good)
        votes["", aspect].append(good)
    return votes


def _fall(now: tuple[int, int], before: tuple[int, int]) -> float:
    """Return by how many standard errors a share fell, 0 where it did not: a test of two proportions."""
    if not now[1] or not before[1]:
        return 0.0
    share = (now[0] + before[0]) / (now[1] + before[1])
    error = math.sqrt(share * (1 - share) * (1 / now[1] + 1 / before[1]))
    return max(0.0, (before[0] / before[1] - now[0] / now[1]) / error) if error else 0.0


def _by_product(opinions: Iterable[DatedOpinion], aspect: str) -> Mapping[str, list[DatedOpinion]]:
    products: dict[str, list[DatedOpinion]] = defaultdict(list)
    for opinion in opinions:
        if opinion.aspect == aspect:
            products[opinion.product_id].append(opinion)
    return products


def _quotes(opinions: Iterable[DatedOpinion]) -> tuple[str, ...]:
    return _texts([opinion for opinion in opinions if opinion.polarity == NEGATIVE])


def _texts(opinions: Sequence[DatedOpinion]) -> tuple[str, ...]:
    """Return the clauses of the surest opinions, each once."""
    surest = sorted(opinions, key=lambda opinion: (-opinion.probability, -opinion.at))
    return tuple(Counter(opinion.text.strip() for opinion in surest))[:MAX_QUOTES]
