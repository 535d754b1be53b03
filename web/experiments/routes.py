"""Experiments on the feed over HTTP: define, start, stop, report, remove. Keys need the scope "admin"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, make_response, request

from search import ops
from search.recommend.experiments.experiment import RUNNING, Experiment
from search.recommend.experiments.experiment_store import ExperimentStore
from web.engine import get_engine
from web.experiments.requests import ExperimentFields, ExperimentState
from web.requests.validation import read_json

MAX_EVENTS = 500_000  # the newest events that a report reads, 150 MB
bp = Blueprint("experiments", __name__)


@bp.get("/api/v1/experiments")
def experiments() -> Response:
    """Return all experiments: drafts, and then the latest first."""
    return jsonify(experiments=[_described(experiment) for experiment in _store().all()], request_id=g.request_id)


@bp.put("/api/v1/experiments/<name>")
def save(name: str) -> Response:
    """Save an experiment. Of one that runs, only the shares of the arms may change."""
    saved = _store().save(read_json(ExperimentFields, request).experiment(name))
    return jsonify(experiment=_described(saved), request_id=g.request_id)


@bp.post("/api/v1/experiments/<name>/state")
def change_state(name: str) -> Response:
    """Start or stop an experiment; the next answers of every server follow within a second. One may run at a time."""
    change = _store().start if read_json(ExperimentState, request).state == RUNNING else _store().stop
    return jsonify(experiment=_described(change(name)), request_id=g.request_id)


@bp.delete("/api/v1/experiments/<name>")
def remove(name: str) -> Response:
    """Remove an experiment, and the record of who has seen it."""
    _store().remove(name)
    return make_response("", 204)


@bp.get("/api/v1/experiments/<name>/report")
def report(name: str) -> Response:
    """Return what the visitors of each arm did, with 95 % intervals; a conclusion only after the planned days."""
    experiment = _store().get(name)
    log = get_engine().recommender.events
    events = [] if log is None or experiment.started is None else log.newest(MAX_EVENTS, experiment.started)
    figures = ops.report_experiment(
        experiment, _store().exposures(name), events, _prices, current_app.config["LEAST_VISITORS"]
    )
    figures["all_events"] = len(events) < MAX_EVENTS
    return jsonify(experiment=_described(experiment), **figures, request_id=g.request_id)


def _store() -> ExperimentStore:
    return get_engine().recommender.experiments.store


def _described(experiment: Experiment) -> dict[str, Any]:
    times = {"started": experiment.started, "stopped": experiment.stopped, "due": experiment.due}
    return experiment.to_dict() | {"state": experiment.state} | times


def _prices(ids: Sequence[str]) -> dict[str, float]:
    found = get_engine().find(ids)
    return {sku: float(product.price) for sku, product in found.items() if product.price is not None}
