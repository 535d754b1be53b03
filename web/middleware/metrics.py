"""Prometheus metrics: how many requests, how long their steps take, what is served and how old it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from time import perf_counter

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from catalog.errors import WindowshopError
from web.engine import holder_of
from web.middleware.request_context import noted

KEY = "windowshop.metrics"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
bp = Blueprint("metrics", __name__)


class Metrics:
    """The counters of one app, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        told = self.registry
        self.requests = Counter(
            "windowshop_requests", "Requests answered.", ("method", "route", "status"), registry=told
        )
        self.took = Histogram(
            "windowshop_request_seconds", "Time to answer.", ("route",), buckets=SECONDS, registry=told
        )
        self.steps = Histogram(
            "windowshop_step_seconds", "Time of a step of an answer.", ("step",), buckets=SECONDS, registry=told
        )
        self.degraded = Counter(
            "windowshop_degraded", "Answers that lacked a part: which was late or broke.", ("part",), registry=told
        )
        self.limited = Counter(
            "windowshop_rate_limited", "Requests refused for their number.", ("kind",), registry=told
        )
        self.bad_pictures = Counter("windowshop_bad_pictures", "Pictures that could not be read.", registry=told)
        ProcessCollector(registry=told)

    def count(self, answer: Response, seconds: float) -> None:
        """Count a request by its route, never by its address, which anybody can make up."""
        route = request.url_rule.rule if request.url_rule is not None else "none"
        self.requests.labels(request.method if request.url_rule else "any", route, answer.status_code).inc()
        self.took.labels(route).observe(seconds)
        facts = noted()
        for name, milliseconds in facts.get("steps", {}).items():
            self.steps.labels(name).observe(milliseconds / 1000)
        for part in facts.get("degraded", ()):
            self.degraded.labels(part).inc()
        if "limited" in facts:
            self.limited.labels(facts["limited"]).inc()
        if "bad_picture" in facts:
            self.bad_pictures.inc()


class EngineCollector(Collector):
    """What is being served, looked up whenever somebody asks."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: the engine is not asked before it is there."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges; of a shop that is not open only that."""
        try:
            engine = holder_of(self._app).engine()
            status, created = engine.status(), engine.generation.manifest.created
        except WindowshopError:
            yield GaugeMetricFamily("windowshop_ready", "Whether the shop can be searched.", 0)
            return
        age = (datetime.now(timezone.utc) - datetime.fromisoformat(created)).total_seconds()
        for name, said, value in (
            ("ready", "Whether the shop can be searched.", 1),
            ("generation", "The index that answers.", status.generation),
            ("products", "Products that can be found.", status.products),
            ("pictures", "Pictures that can be found.", status.pictures),
            ("live_rows", "Pictures that changed since the index was built.", status.live),
            ("index_age_seconds", "Since the index was built.", age),
            ("warnings", "Things amiss that /readyz tells.", len(status.degraded)),
        ):
            yield GaugeMetricFamily(f"windowshop_{name}", said, value)


def init_app(app: Flask) -> None:
    """Count every request, and serve the counts at /metrics."""
    metrics = Metrics()
    metrics.registry.register(EngineCollector(app))
    app.extensions[KEY] = metrics

    def begin() -> None:
        g.counted_from = perf_counter()

    def end(answer: Response) -> Response:
        metrics.count(answer, perf_counter() - g.get("counted_from", perf_counter()))
        return answer

    app.before_request(begin)
    app.after_request(end)
    app.register_blueprint(bp)


@bp.get("/metrics")
def metrics() -> Response:
    """What Prometheus reads; for programs on this machine, and keys with the scope admin."""
    counted: Metrics = current_app.extensions[KEY]
    return Response(generate_latest(counted.registry), content_type=CONTENT_TYPE_LATEST)
