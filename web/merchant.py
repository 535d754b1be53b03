"""The merchant's desk: suggestions for one listing, bulk jobs, decisions on them; and the page that shows it all.

The page itself holds nothing of the shop: its script asks for a key with the scope "write" and sends it as a header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, make_response, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import UnsupportedMediaType

from catalog import images
from catalog.errors import BadQuery
from search import review
from search.jobs import CANCELLED, WAITING, Job, checked_numbers
from search.query import MAX_PICTURES
from search.worker import Desk
from web.addresses import THUMBNAIL_SIZES, picture_url, product_url
from web.engine import get_engine
from web.headers import csv_file, not_kept
from web.language import field_label, language, title_of, value_label
from web.merchant_words import desk_words
from web.questions import json_object, whole, words
from web.settings import Settings
from web.uploads import body_of, bytes_of_base64, picture_of_bytes

if TYPE_CHECKING:
    from search.taught import Listers, TaughtLister

MOST_CHOICES = 500  # decided at once
PAGE = 40
ALIKE = 6  # look-alikes that are told in full
DUPLICATES = 8
KEY = "windowshop.desk"
LISTERS = "windowshop.listers"
bp = Blueprint("merchant", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the desk, and go on with the jobs that were not done when the server stopped."""
    app.register_blueprint(bp)
    desk = Desk(settings.home, settings.runtime)
    app.extensions[KEY] = desk
    app.extensions[LISTERS] = None
    desk.ensure()


def desk_of(app: Flask) -> Desk:
    """The app's jobs and who works on them."""
    desk: Desk = app.extensions[KEY]
    return desk


@bp.get("/merchant")
def page() -> Response:
    """The page; but for its language it is the same for everybody."""
    return not_kept(make_response(render_template("merchant.html", words=desk_words(language()))))


@bp.post("/api/v1/listings/suggest")
def suggest() -> Response:
    """What to list the pictures of one product as: category, attributes, title words, price, notes, duplicates."""
    from search.same_listing import find_duplicates  # numpy comes with it

    files, title = _listing()
    pictures = [picture_of_bytes(data) for data in files]
    told = _lister().suggest(pictures, title).to_dict()
    found = find_duplicates(get_engine(), pictures, title, hashes=[images.content_hash(data) for data in files])
    duplicates = [one.to_dict() for one in found]
    alike = [one for label in told["category"]["top"] for one in label["neighbours"][:ALIKE]]
    alike += [one["id"] for one in [*told["neighbours"][:ALIKE], *duplicates[:DUPLICATES]]]
    return jsonify(told | {"duplicates": duplicates, "products": _products(alike), "request_id": g.request_id})


@bp.get("/api/v1/listings/choices")
def choices() -> Response:
    """What can be chosen for each field; and what fields, and values where the shop tells, are called in a language."""
    fields = _lister().choices()
    names = {field: field_label(field) for field in fields}
    values = {field: _labels(field, of) for field, of in fields.items()}
    return jsonify(fields=fields, names=names, values=values, request_id=g.request_id)


@bp.get("/api/v1/jobs")
def jobs() -> Response:
    """All bulk jobs, the newest first."""
    desk = desk_of(current_app)
    desk.ensure()
    return jsonify(jobs=[job.status() for job in desk.jobs.all()], request_id=g.request_id)


@bp.post("/api/v1/jobs")
def create() -> Response:
    """A new job for a file of a name and a size in bytes, which is then sent in parts."""
    given = _object("name", "bytes")
    job = desk_of(current_app).jobs.create(words(given.get("name", ""), "name"), whole(given.get("bytes"), "bytes"))
    return make_response(_status(job), 201)


@bp.get("/api/v1/jobs/<job_id>")
def job(job_id: str) -> Response:
    """How far a job is."""
    desk_of(current_app).ensure()
    return _status(_job(job_id))


@bp.delete("/api/v1/jobs/<job_id>")
def remove(job_id: str) -> Response:
    """Remove a job; what was decided stays known."""
    desk_of(current_app).jobs.delete(job_id)
    return make_response("", 204)


@bp.put("/api/v1/jobs/<job_id>/file")
def receive(job_id: str) -> Response:
    """Take a part of a job's file: the body, from the byte `offset` on. A part may be sent again."""
    _job(job_id).receive(whole(request.args.get("offset", "0"), "offset"), body_of(request))
    return _status(_job(job_id))


@bp.post("/api/v1/jobs/<job_id>/state")
def state(job_id: str) -> Response:
    """Begin, or go on, with "waiting"; stop with "cancelled"."""
    wanted = _object("state").get("state")
    job = _job(job_id)
    if wanted == WAITING:
        job.begin()
        desk_of(current_app).ensure()
    elif wanted == CANCELLED:
        job.cancel()
    else:
        raise BadQuery("That is no state to bring a job to.", f'It is "{WAITING}" or "{CANCELLED}".')
    return _status(job)


@bp.get("/api/v1/jobs/<job_id>/rows")
def rows(job_id: str) -> Response:
    """Rows with their suggestions, those behind the row `after`; `show` is all, review, decided or failed."""
    asked = request.args
    after, limit = whole(asked.get("after", "0"), "after"), whole(asked.get("limit", PAGE), "limit")
    return jsonify(rows=_job(job_id).rows(asked.get("show", "all"), after, limit), request_id=g.request_id)


@bp.post("/api/v1/jobs/<job_id>/decisions")
def decide(job_id: str) -> Response:
    """Decide on rows, accept all above a confidence, or undo the last step; answers with the job and what changed."""
    given = _object("decisions", "accept_above", "undo")
    if len(given) != 1:
        raise BadQuery("Give one of decisions, accept_above and undo.", 'For example {"accept_above": 0.9}.')
    home, job = desk_of(current_app).home, _job(job_id)
    if "decisions" in given:
        numbers = review.decide(home, job, _choices(given["decisions"]))
    elif "accept_above" in given:
        numbers = review.accept_above(home, job, _share(given["accept_above"]))
    else:
        numbers = review.undo(home, job)
    shown = review.rows_of(job, numbers[:PAGE])
    return jsonify(job=job.status(), changed=len(numbers), rows=shown, request_id=g.request_id)


@bp.get("/api/v1/jobs/<job_id>/corrected.csv")
def corrected(job_id: str) -> Response:
    """The table with what was decided; cells cannot run in a spreadsheet."""
    job = _job(job_id)
    job.status()
    return csv_file(review.corrected_csv(job), "corrected.csv")


def _products(ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Title, address and picture of the products among these ids; decisions are none."""
    found: dict[str, dict[str, str]] = {}
    for one, product in get_engine().find(list(dict.fromkeys(ids))).items():
        picture = picture_url(product.pictures[0].sha256, min(THUMBNAIL_SIZES)) if product.pictures else ""
        found[one] = {"title": title_of(product), "url": product_url(one), "picture_url": picture}
    return found


def _labels(field: str, values: Sequence[str]) -> dict[str, str]:
    return {value: label for value in values if (label := value_label(field, value)) != value}


def _job(job_id: str) -> Job:
    return desk_of(current_app).jobs.get(job_id)


def _status(job: Job) -> Response:
    return jsonify(job.status() | {"request_id": g.request_id})


def _object(*fields: str) -> dict[str, Any]:
    if not request.is_json:
        raise UnsupportedMediaType
    given = json_object(body_of(request))
    if unknown := [name for name in given if name not in fields]:
        raise BadQuery(f"There is no field {unknown[0][:40]!r}.", f"The fields are {', '.join(fields)}.")
    return given


def _lister() -> TaughtLister:
    """The lister of the open shop; made where it is first asked for, because numpy comes with it."""
    from search.taught import Listers

    engine = get_engine()
    listers: Listers | None = current_app.extensions[LISTERS]
    if listers is None:
        listers = current_app.extensions[LISTERS] = Listers(desk_of(current_app).home)
    return listers.get(engine)


def _listing() -> tuple[list[bytes], str]:
    """The picture files and the title of a request, a form or JSON. Raises BadQuery, BadPicture."""
    if request.is_json:
        given = _object("pictures", "title")
        sent: Sequence[Any] = given.get("pictures", [])
        if not isinstance(sent, list):
            raise BadQuery("pictures is not a list.", 'For example {"pictures": ["..."]}, each a file in base64.')
        title: object = given.get("title", "")
    elif request.mimetype == "multipart/form-data":
        unknown = [name for name in [*request.files, *request.form] if name not in ("pictures", "title")]
        if unknown:
            raise BadQuery(f"There is no field {unknown[0][:40]!r}.", "The fields are pictures and title.")
        sent, title = request.files.getlist("pictures"), request.form.get("title", "")
    else:
        raise UnsupportedMediaType
    if not 1 <= len(sent) < MAX_PICTURES:
        raise BadQuery(f"{len(sent)} pictures came.", f"Send 1 to {MAX_PICTURES - 1} pictures of one product.")
    told = words(title, "title")
    if len(told) > 1_000:
        raise BadQuery(f"The title has {len(told):,} characters.", "At most 1,000.")
    return [_file(one) for one in sent], told


def _file(sent: object) -> bytes:
    return sent.stream.read() if isinstance(sent, FileStorage) else bytes_of_base64(words(sent, "a picture"))


def _choices(given: object) -> list[review.Choice]:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_CHOICES:
        raise BadQuery("decisions is no list.", f"1 to {MOST_CHOICES} of them are taken at once.")
    return [_choice(each) for each in given]


def _choice(given: object) -> review.Choice:
    if not isinstance(given, dict) or set(given) - {"row", "accept", "values"}:
        raise BadQuery("A decision is no object of row, accept and values.", 'For example {"row": 1, "accept": true}.')
    values, accept = given.get("values", {}), given.get("accept", False)
    if not isinstance(values, Mapping) or not isinstance(accept, bool):
        raise BadQuery("accept is true or false, values an object.", 'For example {"values": {"category": "Hats"}}.')
    (number,) = checked_numbers([given.get("row")])
    return review.Choice(number, accept, {name: words(value, name[:40]).strip() for name, value in values.items()})


def _share(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise BadQuery("accept_above is no number.", "For example 0.9.")
    return float(given)
