"""Admission: `threads` requests are answered at once, `queue` more wait for their turn, and any others get 503.

Waiting takes at most half of the time that a search may take, so that the other half is left for the answer. Health
checks, metrics, pictures of products and static files do not wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

from flask import Flask, current_app, g, request
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from catalog.errors import Overloaded, WindowshopError
from search.execution.queue_statistics import QueueCounts
from search.execution.request_queue import RequestQueue
from web.engine import holder_of
from web.middleware.metrics import metrics_of
from web.middleware.policies import UNLIMITED_ENDPOINTS, is_of_shoppers
from web.middleware.request_context import QUEUE, add_ms, note
from web.middleware.uploads import limit_of
from web.settings import MIB, Settings

EXTENSION = "windowshop.admission"
WAIT_SHARE = 0.5  # of the time that a search may take
STAFF_PATIENCE_S = 10.0  # programs of merchants and owners rather wait
READ_FIRST = MIB  # bytes: no more is read before a request waits, so a larger photo from a slow client holds a slot
SPARE_THREADS = 8  # of the server, for what does not wait


def init_app(app: Flask, settings: Settings) -> None:
    """Queue every request but those of UNLIMITED_ENDPOINTS. Registered after the hooks that refuse requests."""
    queue = RequestQueue(settings.threads, settings.queue)
    app.extensions[EXTENSION] = queue
    metrics_of(app).registry.register(QueueCollector(app, queue))
    app.before_request(_enter)
    app.teardown_request(_leave)


def _enter() -> None:
    if request.endpoint is None or request.endpoint in UNLIMITED_ENDPOINTS or request.method == "OPTIONS":
        return
    if 0 < (request.content_length or 0) <= min(READ_FIRST, limit_of(request)):
        request.get_data(cache=True)
    queue: RequestQueue = current_app.extensions[EXTENSION]
    try:
        g.queued_s = queue.enter(*shoppers_patience(current_app)) if _of_shopper() else queue.enter(STAFF_PATIENCE_S)
    except Overloaded:
        note(overloaded=True)
        raise
    g.admitted_at = monotonic()
    if g.queued_s:
        add_ms(QUEUE, g.queued_s * 1000)


def _leave(error: BaseException | None) -> None:
    if "admitted_at" in g:
        queue: RequestQueue = current_app.extensions[EXTENSION]
        held_s = monotonic() - g.pop("admitted_at")
        queue.leave(min(held_s, _answer_seconds(current_app)) if _of_shopper() else None)


def _of_shopper() -> bool:
    return is_of_shoppers(request.endpoint or "")


def shoppers_patience(app: Flask) -> tuple[float, float]:
    """Return the seconds that a shopper's request may wait for its turn, and those in which its answer is wanted."""
    wanted_s = _answer_seconds(app)
    return WAIT_SHARE * wanted_s, wanted_s


def _answer_seconds(app: Flask) -> float:
    """Return the time that a search may take, unless the request sets its own."""
    milliseconds: int = app.config["TIMEOUT_MS"]
    return milliseconds / 1000


class QueueCollector(Collector):
    """The queue of requests and the queues of the engine's batches, read at each scrape."""

    def __init__(self, app: Flask, requests: RequestQueue) -> None:
        self._app = app
        self._requests = requests

    def describe(self) -> Iterator[Metric]:
        """Return no descriptions, as the engine may not be open when the collector is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the length of each queue, the waits, the sizes of batches, and what was dropped."""
        length = GaugeMetricFamily("windowshop_queue_length", "Items that wait in a queue.", labels=["queue"])
        dropped = CounterMetricFamily(
            "windowshop_queue_dropped",
            "Items refused because they came too late or too many waited.",
            labels=["queue", "reason"],
        )
        waits = HistogramMetricFamily("windowshop_queue_wait_seconds", "Waiting in a queue.", labels=["queue"])
        sizes = HistogramMetricFamily("windowshop_batch_rows", "Pictures or texts of a batch.", labels=["queue"])
        for counts in self._counts():
            length.add_metric([counts.name], counts.pending)
            for reason, count in counts.dropped:
                dropped.add_metric([counts.name, reason], count)
            waits.add_metric([counts.name], *counts.waits)
            if counts.sizes is not None:
                sizes.add_metric([counts.name], *counts.sizes)
        yield from (length, dropped, waits, sizes)

    def _counts(self) -> list[QueueCounts]:
        try:
            batches = holder_of(self._app).engine().batch_counts()
        except WindowshopError:
            batches = []
        return [self._requests.counts(), *batches]
