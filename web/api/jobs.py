"""Bulk jobs: upload a file of pictures, follow the suggestions, decide on them, publish them, download tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, current_app, g, jsonify, make_response, request

from catalog import images
from catalog.errors import UnknownProduct, WindowshopError
from search import ops
from search.bulk import exports, publication, review
from search.bulk.input_files import open_pictures
from search.bulk.job_rows import picture_names
from search.bulk.job_store import WAITING, Job
from search.bulk.review import RowDecision
from search.bulk.supervisor import WorkerSupervisor
from search.connect.product_batch import RowResult
from web.api.listings import bp, product_ids, product_summaries
from web.engine import get_engine
from web.errors import public_error
from web.middleware.response_headers import csv_file, no_store
from web.middleware.uploads import body_of
from web.requests.job_request import PAGE_ROWS, Decisions, FilePart, JobState, NewJob, PublishRows, RowsPage
from web.requests.validation import read_json, validate
from web.settings import Settings

if TYPE_CHECKING:
    from search.engine import SearchEngine

DETAILED_NEIGHBOURS = 3  # neighbours of each row that are sent with title, address and picture
ENLARGED_SIDE = 1_024  # pixels of an enlarged picture
SUPERVISOR = "windowshop.supervisor"
_SUFFIX = re.compile(r"\.(?:zip|csv|tsv|txt)$", re.IGNORECASE)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the routes of listings and jobs, and resume the jobs that were unfinished when the server stopped."""
    app.register_blueprint(bp)
    app.extensions[SUPERVISOR] = supervisor = WorkerSupervisor(settings.home, settings.runtime)
    supervisor.ensure()


def learner(app: Flask) -> Callable[[SearchEngine], None]:
    """Return a function that has the label heads of an open shop learnt, in the worker, where they are missing."""

    def learn_if_missing(engine: SearchEngine) -> None:
        if ops.heads_missing(engine):
            supervisor_of(app).learn()

    return learn_if_missing


def supervisor_of(app: Flask) -> WorkerSupervisor:
    """Return the app's bulk jobs and the supervisor of their worker."""
    supervisor: WorkerSupervisor = app.extensions[SUPERVISOR]
    return supervisor


@bp.get("/api/v1/jobs")
def jobs() -> Response:
    """Return all bulk jobs, the newest first."""
    supervisor = supervisor_of(current_app)
    supervisor.ensure()
    return jsonify(jobs=[job.status() for job in supervisor.jobs.all()], request_id=g.request_id)


@bp.post("/api/v1/jobs")
def create() -> Response:
    """Create a job for a file, whose bytes are then sent in parts."""
    body = read_json(NewJob, request)
    return make_response(_status(supervisor_of(current_app).jobs.create(body.name, body.bytes)), 201)


@bp.get("/api/v1/jobs/<job_id>")
def job(job_id: str) -> Response:
    """Return the state and the progress of a job."""
    supervisor_of(current_app).ensure()
    return _status(_job(job_id))


@bp.delete("/api/v1/jobs/<job_id>")
def remove(job_id: str) -> Response:
    """Delete a job; decisions made in it are kept."""
    supervisor_of(current_app).jobs.delete(job_id)
    return make_response("", 204)


@bp.put("/api/v1/jobs/<job_id>/file")
def receive(job_id: str) -> Response:
    """Store the body as the part of the job's file that begins at byte `offset`. A part may be sent again."""
    offset = validate(FilePart, request.args.to_dict()).offset
    _job(job_id).receive(offset, body_of(request))
    return _status(_job(job_id))


@bp.post("/api/v1/jobs/<job_id>/state")
def state(job_id: str) -> Response:
    """Start or resume a job with "waiting", stop it with "cancelled"."""
    requested = read_json(JobState, request).state
    job = _job(job_id)
    if requested == WAITING:
        job.begin()
        supervisor_of(current_app).ensure()
    else:
        job.cancel()
    return _status(job)


@bp.get("/api/v1/jobs/<job_id>/rows")
def rows(job_id: str) -> Response:
    """Return rows with their suggestions, those after the row number `after`; `show` selects them by state."""
    page = validate(RowsPage, request.args.to_dict())
    found = _job(job_id).rows(page.show, page.after, page.limit)
    return jsonify(rows=found, products=_detailed_products(found), request_id=g.request_id)


@bp.post("/api/v1/jobs/<job_id>/decisions")
def decide(job_id: str) -> Response:
    """Decide on rows, set one field of many, accept all above a confidence or all reliable ones, or undo the last step.

    The answer holds the number of changed rows and the first of them.
    """
    body = read_json(Decisions, request)
    home, job = supervisor_of(current_app).home, _job(job_id)
    if body.decisions is not None:
        decisions = [RowDecision(decision.row, decision.accept, decision.values) for decision in body.decisions]
        numbers = review.decide(home, job, decisions)
    elif body.accept_above is not None:
        numbers = review.accept_above(home, job, body.accept_above)
    elif body.set_field is not None:
        numbers = review.set_field(home, job, body.set_field.field, body.set_field.value, body.set_field.rows)
    elif body.accept_sure:
        numbers = review.accept_sure(home, job)
    else:
        numbers = review.undo(home, job)
    return jsonify(changed=len(numbers), **_changed(job, numbers))


@bp.post("/api/v1/jobs/<job_id>/publish")
def publish(job_id: str) -> Response:
    """Publish accepted rows as products, some rows at a time; `last` and `publication` of the answer continue.

    The answer has a result for each row. A publication as a whole can be taken back.
    """
    body, job = read_json(PublishRows, request), _job(job_id)
    done = publication.publish(get_engine(), job, body.rows, body.after, body.publication)
    results = [_result(number, result) for number, result in done.results.items()]
    counts = {name: sum(result["status"] == name for result in results) for name in publication.STATUSES}
    return jsonify(
        publication=done.number, last=done.last, results=results, **counts, **_changed(job, list(done.results))
    )


@bp.post("/api/v1/jobs/<job_id>/unpublish")
def unpublish(job_id: str) -> Response:
    """Take rows of the last publication back, some rows at a time; `left` of the answer are still to be taken back.

    Products that it added are removed and products that it changed are restored, unless they changed since.
    """
    job = _job(job_id)
    done = publication.take_back(get_engine(), job)
    counts = {"removed": len(done.removed), "restored": len(done.restored), "unchanged": len(done.unchanged)}
    return jsonify(left=done.left, **counts, **_changed(job, [*done.removed, *done.restored, *done.unchanged]))


@bp.get("/api/v1/jobs/<job_id>/rows/<int:number>/pictures/<int:position>")
def picture(job_id: str, number: int, position: int) -> Response:
    """Return a picture of a row as a JPEG of at most 1,024 pixels; the first one is 0."""
    job = _job(job_id)
    with job.db() as db:
        names = picture_names(db, number)
    if position >= len(names):
        raise UnknownProduct(f"Row {number} has no picture {position}.", "Look at its number of pictures.")
    pictures = open_pictures(job.source, job.root)
    try:
        decoded = images.decode(pictures.read(names[position]), at_least=ENLARGED_SIDE)
    finally:
        pictures.close()
    response = make_response(images.thumbnail(decoded, ENLARGED_SIDE))
    response.content_type = "image/jpeg"
    return no_store(response)


def _changed(job: Job, numbers: Sequence[int]) -> dict[str, Any]:
    """Return the job and the first of some rows that changed, as every answer to a change has them."""
    rows = review.rows_of(job, numbers[:PAGE_ROWS])
    return {
        "job": job.status(),
        "rows": rows,
        "products": _detailed_products(rows),
        "request_id": g.request_id,
    }


def _result(number: int, result: RowResult) -> dict[str, Any]:
    row = {"row": number, "id": result.product_id, "status": result.status}
    return row if result.error is None else row | {"error": public_error(result.error)}


@bp.get("/api/v1/jobs/<job_id>/corrected.csv")
def corrected(job_id: str) -> Response:
    """Return the table to review: rows, suggestions and decisions. Formulas are escaped for spreadsheets."""
    return _table(_job(job_id), exports.corrected_csv, "review")


@bp.get("/api/v1/jobs/<job_id>/listings.csv")
def listings(job_id: str) -> Response:
    """Return a feed of the accepted and corrected rows. Formulas are escaped for spreadsheets."""
    return _table(_job(job_id), exports.listings_csv, "listings")


def _table(job: Job, export: Callable[[Job], Iterable[str]], kind: str) -> Response:
    """Return a table as a download named after the job's file."""
    name = _SUFFIX.sub("", re.split(r"[/\\]", job.status()["name"])[-1])
    return csv_file(export(job), f"{name or 'job'}-{kind}.csv")


def _detailed_products(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the first neighbours and the duplicates of rows, and the products with their ids; none without a shop."""
    ids: list[str] = [row["decided"].get("id", row["id"]) for row in rows]
    for row in rows:
        if row["suggestion"]:
            neighbours = product_ids(neighbour["id"] for neighbour in row["suggestion"]["neighbours"])
            ids += neighbours[:DETAILED_NEIGHBOURS]
            ids += [duplicate["id"] for duplicate in row["suggestion"].get("duplicates", ())]
    try:
        return product_summaries(ids)
    except WindowshopError:
        return {}


def _job(job_id: str) -> Job:
    return supervisor_of(current_app).jobs.get(job_id)


def _status(job: Job) -> Response:
    return jsonify(job.status() | {"request_id": g.request_id})
