"""Prometheus metrics: counts of requests, durations of their steps, and the state and age of the served index."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from http import HTTPStatus
from time import perf_counter

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from catalog.errors import WindowshopError
from web.engine import holder_of
from web.middleware.request_context import request_facts

EXTENSION = "windowshop.metrics"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
bp = Blueprint("metrics", __name__)


class Metrics:
    """The counters of one app, in their own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.requests = Counter(
            "windowshop_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self.took = Histogram(
            "windowshop_request_seconds", "Duration of a request.", ("route",), buckets=BUCKETS_S, registry=registry
        )
        self.steps = Histogram(
            "windowshop_step_seconds",
            "Duration of a step of a request.",
            ("step",),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.degraded = Counter(
            "windowshop_degraded", "Responses that lack a part, which was late or failed.", ("part",), registry=registry
        )
        self.limited = Counter(
            "windowshop_rate_limited", "Requests refused by a rate limit.", ("kind",), registry=registry
        )
        self.bad_pictures = Counter("windowshop_bad_pictures", "Pictures that could not be decoded.", registry=registry)
        ProcessCollector(registry=registry)

    def count(self, response: Response, seconds: float) -> None:
        """Count a request by its route; addresses are unbounded, as callers can invent them."""
        route = request.url_rule.rule if request.url_rule is not None else "none"
        self.requests.labels(request.method if request.url_rule else "any", route, response.status_code).inc()
        self.took.labels(route).observe(seconds)
        facts = request_facts()
        for name, milliseconds in facts.get("steps", {}).items():
            self.steps.labels(name).observe(milliseconds / 1000)
        for part in facts.get("degraded", ()):
            self.degraded.labels(part).inc()
        if "limited" in facts:
            self.limited.labels(facts["limited"]).inc()
        if "bad_picture" in facts:
            self.bad_pictures.inc()

    def count_refused(self, method: str, route: str) -> None:
        """Count a request that was refused before the app was reached."""
        self.requests.labels(method, route, HTTPStatus.SERVICE_UNAVAILABLE.value).inc()
        self.took.labels(route).observe(0.0)


class EngineCollector(Collector):
    """Gauges of the open engine, read at each scrape."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Return no descriptions, as the engine may not be open when the collector is registered."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges; only `windowshop_ready` while the engine is not open."""
        try:
            engine = holder_of(self._app).engine()
            status, created = engine.status(), engine.generation.manifest.created
        except WindowshopError:
            yield GaugeMetricFamily("windowshop_ready", "Whether the shop can be searched.", 0)
            return
        age = (datetime.now(timezone.utc) - datetime.fromisoformat(created)).total_seconds()
        for name, description, value in (
            ("ready", "Whether the shop can be searched.", 1),
            ("generation", "The generation of the index in use.", status.generation),
            ("products", "Products that can be found.", status.products),
            ("pictures", "Pictures that can be found.", status.pictures),
            ("live_rows", "Pictures changed since the index was built.", status.live),
            ("index_age_seconds", "Age of the index.", age),
            ("warnings", "Problems that /readyz lists.", len(status.degraded)),
        ):
            yield GaugeMetricFamily(f"windowshop_{name}", description, value)


def init_app(app: Flask) -> None:
    """Count every request, and serve the metrics at /metrics."""
    metrics = Metrics()
    metrics.registry.register(EngineCollector(app))
    app.extensions[EXTENSION] = metrics

    def start() -> None:
        g.metrics_started = perf_counter()

    def finish(response: Response) -> Response:
        metrics.count(response, perf_counter() - g.get("metrics_started", perf_counter()))
        return response

    app.before_request(start)
    app.after_request(finish)
    app.register_blueprint(bp)


def metrics_of(app: Flask) -> Metrics:
    """Return the app's counters."""
    counters: Metrics = app.extensions[EXTENSION]
    return counters


@bp.get("/metrics")
def metrics() -> Response:
    """Return the metrics for Prometheus; open to programs on this machine and keys with the scope admin."""
    return Response(generate_latest(metrics_of(current_app).registry), content_type=CONTENT_TYPE_LATEST)
