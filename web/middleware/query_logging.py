"""Log text queries that found nothing or were slow, for the operator; the setting `kept_questions` turns it off."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from flask import Flask, current_app

from catalog.errors import DeadlineExceeded, StepFailed, StoreError
from search.ops.query_log import EMPTY, SLOW, QueryLog
from web.middleware.request_context import query_text
from web.settings import Settings

if TYPE_CHECKING:
    from search.engine import SearchEngine
    from search.hits import SearchPage
    from search.query.terms import Query

EXTENSION = "windowshop.kept_questions"
SLOW_SHARE = 0.5  # share of the setting timeout_ms, from which a query is slow
log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Open the query log; when the settings switch it off, delete the queries logged before."""
    queries = QueryLog(settings.home, settings.kept_questions)
    app.extensions[EXTENSION] = queries if settings.kept_questions else None
    if not settings.kept_questions:
        try:
            queries.clear()
        except StoreError as error:
            log.error("The queries logged before could not be deleted: %s", error)


def query_log(app: Flask) -> QueryLog | None:
    """Return the app's query log; None when the settings switch it off."""
    queries: QueryLog | None = app.extensions[EXTENSION]
    return queries


def logged_search(engine: SearchEngine, query: Query) -> SearchPage:
    """Search, and log the query's text when it found nothing or was slow.

    A search is slow when it takes half of the shop's time limit, or fails or degrades within the full limit. A query
    with a shorter limit of its own does not count as slow when it misses that.
    """
    queries, text = query_log(current_app), query_text(query)
    if queries is None or not text:
        return engine.search(query)
    limit_ms: int = current_app.config["TIMEOUT_MS"]
    shortened = query.timeout_ms is not None and query.timeout_ms < limit_ms
    started = monotonic()
    try:
        page = engine.search(query)
    except (DeadlineExceeded, StepFailed):
        if not shortened:
            queries.add(SLOW, text, (monotonic() - started) * 1000)
        raise
    if not page.hits and not page.offset:
        queries.add(EMPTY, text, page.took_ms)
    if page.took_ms >= SLOW_SHARE * limit_ms or (page.degraded and not shortened):
        queries.add(SLOW, text, page.took_ms)
    return page
