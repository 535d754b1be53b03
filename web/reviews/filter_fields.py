"""The filter, the order and the page of a list of reviews, as fields of its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field
from werkzeug.datastructures import MultiDict

from catalog.reviews.review import ASPECTS, MAX_RATING, POLARITIES
from catalog.reviews.review_query import HELPFUL, SORTS, ReviewFilter
from web.requests.validation import ChoiceOf, Flag, Parameters, Whole, validate

MAX_PAGE = 10_000
FIELDS = ("rating", "aspect", "polarity", "verified", "photos", "language", "sort", "page")


class ReviewParameters(Parameters):
    """Which reviews of a product to show, in which order, and which page of them."""

    rating: Annotated[int, Field(ge=1, le=MAX_RATING, examples=[5]), Whole] | None = None
    aspect: Annotated[str, ChoiceOf(ASPECTS)] | None = None
    polarity: Annotated[str, ChoiceOf(POLARITIES)] | None = None
    verified: Flag = False
    photos: Flag = False
    language: Annotated[str, Field(max_length=16, pattern=r"^[A-Za-z][A-Za-z0-9-]*$", examples=["en"])] | None = None
    sort: Annotated[str, ChoiceOf(SORTS)] = HELPFUL
    page: Annotated[int, Field(ge=1, le=MAX_PAGE, examples=[2]), Whole] = 1

    def review_filter(self) -> ReviewFilter:
        """Return the filter of the store."""
        return ReviewFilter(
            rating=self.rating or 0,
            aspect=self.aspect or "",
            polarity=self.polarity or "",
            verified=self.verified,
            photos=self.photos,
            language=self.language or "",
            sort=self.sort,
        )


def read_review_parameters(arguments: MultiDict[str, str]) -> ReviewParameters:
    """Return the fields of an address; those of the page alone are left out, as are empty ones. Raises BadQuery."""
    return validate(ReviewParameters, {name: value for name in FIELDS if (value := arguments.get(name))})


def filter_fields(wanted: ReviewFilter, page: int = 1, **changed: Any) -> Mapping[str, Any]:
    """Return the fields of the address of a list of reviews, with `changed` ones; defaults are left out."""
    wanted = replace(wanted, **changed)
    fields = {
        "rating": wanted.rating,
        "aspect": wanted.aspect,
        "polarity": wanted.polarity,
        "verified": int(wanted.verified),
        "photos": int(wanted.photos),
        "language": wanted.language,
        "sort": "" if wanted.sort == HELPFUL else wanted.sort,
        "page": page if page > 1 else 0,
    }
    return {name: value for name, value in fields.items() if value}
