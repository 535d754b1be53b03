"""The merchant's desk: suggestions for one listing, bulk jobs, decisions on them; and the page that shows it all.

The page itself holds nothing of the shop: its script asks for a key with the scope "write" and sends it as a header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, make_response, render_template, request

from catalog import images
from catalog.errors import BadQuery, WindowshopError
from search.bulk import exports, review
from search.bulk.job_store import CANCELLED, WAITING, Job
from search.bulk.worker import WorkerSupervisor
from web.engine import get_engine
from web.i18n.language import field_label, language, title_of, value_label
from web.i18n.messages import merchant_messages
from web.middleware.response_headers import csv_file, no_store
from web.middleware.uploads import body_of, picture_of_bytes
from web.requests.listing_request import address_of, choices_of, listing_of, new_job, object_of, share_of, which_picture
from web.requests.search_request import whole
from web.settings import Settings
from web.urls import THUMBNAIL_SIZES, picture_url, product_url

if TYPE_CHECKING:
    from search.listings.feedback_suggester import FeedbackSuggester, SuggesterCache

PAGE = 40
ALIKE = 6  # look-alikes that are told in full
DUPLICATES = 8
EVIDENCE = 3  # look-alikes of a row that are told in full
STEPS = ("decisions", "accept_above", "accept_sure", "undo")
KEY = "windowshop.desk"
LISTERS = "windowshop.listers"
bp = Blueprint("merchant", __name__)
_ENDING = re.compile(r"\.(?:zip|csv|tsv|txt)$", re.IGNORECASE)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the desk, and go on with the jobs that were not done when the server stopped."""
    app.register_blueprint(bp)
    desk = WorkerSupervisor(settings.home, settings.runtime)
    app.extensions[KEY] = desk
    app.extensions[LISTERS] = None
    desk.ensure()


def desk_of(app: Flask) -> WorkerSupervisor:
    """The app's jobs and who works on them."""
    desk: WorkerSupervisor = app.extensions[KEY]
    return desk


@bp.get("/merchant")
def page() -> Response:
    """The page; but for its language it is the same for everybody."""
    return no_store(make_response(render_template("merchant.html", words=merchant_messages(language()))))


@bp.post("/api/v1/listings/suggest")
def suggest() -> Response:
    """What to list the pictures of one product as: category, attributes, title words, price, notes, duplicates."""
    from search.dedup.listing_duplicates import find_duplicates  # numpy comes with it

    files, title = listing_of()
    pictures = []
    for number, data in enumerate(files, 1):
        with which_picture(number, len(files)):
            pictures.append(picture_of_bytes(data))
    told = _lister().suggest(pictures, title).to_dict()
    found = find_duplicates(get_engine(), pictures, title, hashes=[images.content_hash(data) for data in files])
    duplicates = [one.to_dict() for one in found]
    alike = [one for label in told["category"]["top"] for one in _listed(label["neighbours"])[:ALIKE]]
    alike += _listed(one["id"] for one in told["neighbours"])[:ALIKE]
    alike += [one["id"] for one in duplicates[:DUPLICATES]]
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
    job = desk_of(current_app).jobs.create(*new_job())
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
    offset = whole(address_of("offset").get("offset", "0"), "offset")
    _job(job_id).receive(offset, body_of(request))
    return _status(_job(job_id))


@bp.post("/api/v1/jobs/<job_id>/state")
def state(job_id: str) -> Response:
    """Begin, or go on, with "waiting"; stop with "cancelled"."""
    wanted = object_of('{"state": "waiting"}', "state").get("state")
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
    asked = address_of("show", "after", "limit")
    after, limit = whole(asked.get("after", "0"), "after"), whole(asked.get("limit", PAGE), "limit")
    found = _job(job_id).rows(asked.get("show", "all"), after, limit)
    return jsonify(rows=found, products=_evidence(found), request_id=g.request_id)


@bp.post("/api/v1/jobs/<job_id>/decisions")
def decide(job_id: str) -> Response:
    """Decide on rows, accept all above a confidence or all that are sure, or undo the last step; tells what changed."""
    given = object_of('{"accept_above": 0.9}', *STEPS)
    if len(given) != 1:
        raise BadQuery(f"Give one of {', '.join(STEPS)}.", 'For example {"accept_above": 0.9}.')
    if given.get("accept_sure", True) is not True:
        raise BadQuery("accept_sure is not true.", 'Only {"accept_sure": true} does anything.')
    home, job = desk_of(current_app).home, _job(job_id)
    if "decisions" in given:
        numbers = review.decide(home, job, choices_of(given["decisions"]))
    elif "accept_above" in given:
        numbers = review.accept_above(home, job, share_of(given["accept_above"]))
    elif "accept_sure" in given:
        numbers = review.accept_sure(home, job)
    else:
        numbers = review.undo(home, job)
    shown = review.rows_of(job, numbers[:PAGE])
    told = {"job": job.status(), "changed": len(numbers), "rows": shown, "products": _evidence(shown)}
    return jsonify(told | {"request_id": g.request_id})


@bp.get("/api/v1/jobs/<job_id>/corrected.csv")
def corrected(job_id: str) -> Response:
    """The table to review: its rows, what is suggested, what was decided; cells cannot run in a spreadsheet."""
    job = _job(job_id)
    return _table(job, exports.corrected_csv(job), "review")


@bp.get("/api/v1/jobs/<job_id>/listings.csv")
def listings(job_id: str) -> Response:
    """A feed of the rows that were accepted or corrected, as the shop reads it; safe in a spreadsheet, too."""
    job = _job(job_id)
    return _table(job, exports.listings_csv(job), "listings")


def _table(job: Job, pieces: Iterable[str], kind: str) -> Response:
    """A table of a job, to download under the job's name; its file is read before anything is sent."""
    name = _ENDING.sub("", re.split(r"[/\\]", job.status()["name"])[-1])
    return csv_file(pieces, f"{name or 'job'}-{kind}.csv")


def _products(ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Title, address and picture of the products among these ids; decisions are none."""
    found: dict[str, dict[str, str]] = {}
    for one, product in get_engine().find(list(dict.fromkeys(ids))).items():
        picture = picture_url(product.pictures[0].sha256, min(THUMBNAIL_SIZES)) if product.pictures else ""
        found[one] = {"title": title_of(product), "url": product_url(one), "picture_url": picture}
    return found


def _evidence(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """The products that rows are most like or repeat; none while the shop is not open."""
    suggestions = [row["suggestion"] for row in rows if row["suggestion"]]
    ids = [one for each in suggestions for one in _listed(one["id"] for one in each["neighbours"])[:EVIDENCE]]
    ids += [one["id"] for each in suggestions for one in each.get("duplicates", ())]
    try:
        return _products(ids)
    except WindowshopError:
        return {}


def _listed(ids: Iterable[str]) -> list[str]:
    """Those of these ids that are of products, not of earlier decisions."""
    from search.listings.feedback_suggester import DECIDED  # numpy comes with it

    return [one for one in ids if not one.startswith(DECIDED)]


def _labels(field: str, values: Sequence[str]) -> dict[str, str]:
    return {value: label for value in values if (label := value_label(field, value)) != value}


def _job(job_id: str) -> Job:
    return desk_of(current_app).jobs.get(job_id)


def _status(job: Job) -> Response:
    return jsonify(job.status() | {"request_id": g.request_id})


def _lister() -> FeedbackSuggester:
    """The lister of the open shop; made where it is first asked for, because numpy comes with it."""
    from search.listings.feedback_suggester import SuggesterCache

    engine = get_engine()
    listers: SuggesterCache | None = current_app.extensions[LISTERS]
    if listers is None:
        listers = current_app.extensions[LISTERS] = SuggesterCache(desk_of(current_app).home)
    return listers.get(engine)
