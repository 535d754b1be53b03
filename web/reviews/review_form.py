"""The form to leave a review: what was typed, and what is wrong with it, in the page's language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone

from flask import Request

from catalog import images
from catalog.errors import BadPicture, BadQuery
from catalog.reviews.review import MAX_RATING
from catalog.text.strings import SURROGATES
from web.middleware.consent import check_visitor, random_visitor
from web.requests.validation import validate
from web.reviews.api.requests import SentReview
from web.reviews.wording import review_text


@dataclass(frozen=True, slots=True)
class FormLimits:
    """The most characters of each field, and the most photos."""

    title: int
    text: int
    author: int
    photos: int


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with a field, for people."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class FormPhoto:
    """A file that was chosen for the form, and its name on the customer's machine."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ReviewForm:
    """The form as it was sent; a new one is empty. `rating` is 0 until one is chosen."""

    rating: int = 0
    title: str = ""
    text: str = ""
    author: str = ""
    visitor: str = ""
    photos: tuple[FormPhoto, ...] = ()
    errors: tuple[FieldError, ...] = ()

    @property
    def photos_lost(self) -> bool:
        """Whether photos were chosen, which no page can put into the form again."""
        return bool(self.photos) and bool(self.errors)

    @property
    def photo_names(self) -> str:
        """The names of the photos, for a message."""
        return ", ".join(photo.name for photo in self.photos)

    def error_of(self, field: str) -> FieldError | None:
        """Return what is wrong with a field; None where nothing is."""
        return next((error for error in self.errors if error.field == field), None)

    def with_error(self, field: str, key: str, **values: object) -> ReviewForm:
        """Return the form with one more error, the message of a key."""
        return replace(self, errors=(*self.errors, FieldError(field, review_text(key, **values))))

    def review(self) -> SentReview:
        """Return the review as the API takes it, without photos. Raises BadQuery."""
        fields = {"title": self.title, "text": self.text, "author": self.author}
        return validate(SentReview, {"visitor": self.visitor, "rating": self.rating, **fields})


def read_form(request: Request, limits: FormLimits) -> ReviewForm:
    """Return a sent form with all its errors."""
    title, text, author = (_typed(request.form.get(name, "")) for name in ("title", "text", "author"))
    chosen = request.form.get("rating", "")
    rating = int(chosen) if chosen in map(str, range(1, MAX_RATING + 1)) else 0
    files = [file for file in request.files.getlist("photos") if file.filename]
    photos = tuple(FormPhoto(file.filename or "", file.stream.read()) for file in files)
    form = ReviewForm(rating, title, text, author, random_visitor(request.form.get("visitor", "")), photos)
    if not rating:
        form = form.with_error("rating", "error_rating")
    if len(title) > limits.title:
        form = form.with_error("title", "error_title_long", count=limits.title)
    if len(text) > limits.text:
        form = form.with_error("text", "error_text_long", count=limits.text)
    if len(author) > limits.author:
        form = form.with_error("author", "error_author_long", count=limits.author)
    if len(photos) > limits.photos:
        return form.with_error("photos", "error_photos_many", count=limits.photos)
    unreadable = next((photo for photo in photos if not _is_picture(photo.data)), None)
    return form.with_error("photos", "error_photo", name=unreadable.name) if unreadable else form


def voter_of(sent: str, caller: str) -> str:
    """Return the number that a browser sent, else one of its address and the day, of which a keyed hash is stored."""
    try:
        check_visitor(sent)
    except BadQuery:
        return f"{datetime.now(timezone.utc).date()} {caller}"  # no browser can send a space
    return sent


def _is_picture(data: bytes) -> bool:
    try:
        images.size_of(data)
    except BadPicture:
        return False
    return True


def _typed(text: str) -> str:
    """Return a text with plain line ends, without what cannot be stored."""
    return SURROGATES.sub("", text.replace("\r\n", "\n").replace("\x00", "")).strip()
