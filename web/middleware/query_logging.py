"""Log text queries: those that found nothing or were slow, for the operator, and those that found something.

The latter are suggested to others once enough visitors made them. No visitor is stored: this process remembers for some
days, in memory alone, which address has searched for what. The setting `kept_questions` turns all of it off.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from time import monotonic
from typing import TYPE_CHECKING

from flask import Flask, current_app

from catalog.errors import DeadlineExceeded, StepFailed, StoreError
from search.ops.query_log import EMPTY, FOUND, MAX_DAYS, SLOW, QueryLog, redact
from search.ops.search_counts import (
    PHOTO,
    PHOTO_QUERY,
    VISITOR_DAYS,
    CountedSearch,
    SearchCounts,
    query_id_of,
    texts_of,
)
from search.query.builder import QueryBuilder
from search.query.filters import Filter
from search.query.terms import PictureTerm, TextTerm, VectorTerm
from search.suggest.suggestions import MIN_OCCASIONS
from web.engine import get_engine
from web.middleware.count_writer import CountWriter
from web.middleware.rate_limits import KEY_CALLER, caller_name
from web.middleware.request_context import query_text
from web.settings import Settings

if TYPE_CHECKING:
    from search.engine import SearchEngine
    from search.hits import SearchPage
    from search.query.terms import Query

EXTENSION = "windowshop.kept_questions"
SLOW_SHARE = 0.5  # share of the setting timeout_ms, from which a query is slow
REREAD_SECONDS = 60.0  # between readings of the frequent searches
MAX_OCCASIONS = 100_000  # remembered of a day
UNANSWERED = ("near", "nothing")  # verdicts of pages whose hits are not what the query names
log = logging.getLogger(__name__)


class Occasions:
    """Remembers, as keyed hashes in memory alone, which address has searched for what within some days."""

    def __init__(self, days: int = 1) -> None:
        self._days = days
        self._key = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._seen: dict[bytes, int] = {}

    def is_new(self, caller: str, words: str, day: date | None = None) -> bool:
        """Return whether the caller has not been new to the words within the days; of one day, whether not today."""
        today = (day or date.today()).toordinal()
        mark = hashlib.blake2b(f"{caller}\n{words}".encode(errors="replace"), key=self._key, digest_size=8).digest()
        with self._lock:
            if is_new := today - self._seen.get(mark, -self._days) >= self._days:
                if len(self._seen) >= MAX_OCCASIONS:
                    self._seen = {seen: at for seen, at in self._seen.items() if today - at < self._days}
                if len(self._seen) >= MAX_OCCASIONS:
                    self._seen.clear()
                self._seen[mark] = today
        return is_new


@dataclass(slots=True)
class LoggedQueries:
    """The query log of an app with its counts, who has searched for what, and the frequent searches.

    The latter are as they were last read, of `least` visitors or more.
    """

    log: QueryLog
    counts: SearchCounts
    writer: CountWriter
    least: int
    occasions: Occasions = field(default_factory=lambda: Occasions(MAX_DAYS))
    counted: Occasions = field(default_factory=Occasions)
    visitors: Occasions = field(default_factory=lambda: Occasions(VISITOR_DAYS))
    frequent: Mapping[str, int] = field(default_factory=dict)
    read_at: float = float("-inf")


def init_app(app: Flask, settings: Settings) -> None:
    """Open the query log; when the settings switch it off, delete the queries logged before."""
    queries = QueryLog(settings.home, settings.kept_questions)
    counts = SearchCounts(settings.home)
    app.extensions[EXTENSION] = None
    if settings.kept_questions:
        least = max(MIN_OCCASIONS, settings.least_visitors)
        app.extensions[EXTENSION] = LoggedQueries(queries, counts, CountWriter(queries, counts), least)
    if not settings.kept_questions:
        try:
            queries.clear()
            counts.clear()
        except StoreError as error:
            log.error("The queries logged before could not be deleted: %s", error)


def query_log(app: Flask) -> QueryLog | None:
    """Return the app's query log; None when the settings switch it off."""
    logged = _written(app)
    return None if logged is None else logged.log


def search_counts(app: Flask) -> SearchCounts | None:
    """Return the app's counts of searches; None when the settings switch the query log off."""
    logged = _written(app)
    return None if logged is None else logged.counts


def write_counts(app: Flask) -> None:
    """Store the searches of the last second, which are still in memory."""
    _written(app)


def query_id(query: Query) -> str:
    """Return the id under which clicks on a query's results are logged; "" for a query that is not counted."""
    if any(isinstance(term, PictureTerm | VectorTerm) and term.weight > 0 for term in query.terms):
        return PHOTO_QUERY
    return query_id_of(query_text(query), get_engine().key)


def frequent_searches(app: Flask) -> Mapping[str, int]:
    """Return the searches that found something for enough visitors, at most REREAD_SECONDS old."""
    logged: LoggedQueries | None = app.extensions[EXTENSION]
    if logged is None:
        return {}
    if monotonic() - logged.read_at >= REREAD_SECONDS:
        logged.read_at = monotonic()
        logged.writer.flush()
        try:
            logged.frequent = logged.log.found(logged.least)
        except StoreError as error:
            log.warning("Frequent searches are not suggested: %s", error)
            logged.frequent = {}
    return logged.frequent


def logged_search(engine: SearchEngine, query: Query) -> SearchPage:
    """Search, and log the query's text when it found nothing or was slow, or for suggestions when it found something.

    A search is slow when it takes half of the shop's time limit, or fails or degrades within the full limit. A query
    with a shorter limit of its own does not count as slow when it misses that.
    """
    if current_app.extensions[EXTENSION] is None:
        return engine.search(query)
    text = query_text(query)
    if not text:
        return _counted(query, engine.search(query))
    limit_ms: int = current_app.config["TIMEOUT_MS"]
    shortened = query.timeout_ms is not None and query.timeout_ms < limit_ms
    started = monotonic()
    try:
        page = engine.search(query)
    except (DeadlineExceeded, StepFailed):
        if not shortened:
            _log_query(SLOW, text, (monotonic() - started) * 1000)
        raise
    unanswered = page.verdict is not None and page.verdict.kind in UNANSWERED
    if (unanswered or not page.hits) and not page.offset:
        _log_query(EMPTY, text, page.took_ms)
    elif _is_answered(query, page):
        _log_found(text)
    if page.took_ms >= SLOW_SHARE * limit_ms or (page.degraded and not shortened):
        _log_query(SLOW, text, page.took_ms)
    return _counted(query, page)


def _counted(query: Query, page: SearchPage) -> SearchPage:
    """Count a search and the products that it shows, for the owner's page; return the page.

    A text counts once a day for an address, whatever filters and pages follow. A photo counts when it is sent, and not
    again for a part of it.
    """
    logged: LoggedQueries = current_app.extensions[EXTENSION]
    words: str | None = None
    if not page.offset and not _is_filtered(query):
        if any(isinstance(term, PictureTerm) for term in query.terms):
            words = None if query.cropped else PHOTO  # clients send the whole photo before its parts
        elif query_id(query) not in ("", PHOTO_QUERY) and _is_new_occasion(logged.counted, query_text(query)):
            words = query_text(query)
    is_answer = page.verdict is None or page.verdict.kind not in UNANSWERED
    shown = [hit.product.id for hit in page.hits]
    if words is not None or shown:
        found = bool(page.hits) and is_answer
        new_to = [text for text in texts_of(words) if _is_new(logged.visitors, f"{found:d} {text}")]
        logged.writer.add(CountedSearch.of(words, found, shown, new_to=new_to))
    return page


def _is_filtered(query: Query) -> bool:
    """Return whether the filter has more than the limits that the words name: "mug under 20" is a question."""
    conditions = query.filter.conditions if query.filter else ()
    if not conditions or not query.typed:
        return bool(conditions)
    named = QueryBuilder(filter=Filter()).text(query.typed).build().filter or Filter()
    return any(condition not in named.conditions for condition in conditions)


def _is_new_occasion(occasions: Occasions, text: str) -> bool:
    """Return whether to count a text: each time for a program with a key of its own, which asks for many shoppers."""
    return _is_new(occasions, redact(text))


def _is_new(occasions: Occasions, mark: str) -> bool:
    caller = caller_name()
    return caller.startswith(KEY_CALLER) or occasions.is_new(caller, mark)


def _is_answered(query: Query, page: SearchPage) -> bool:
    """Return whether a query is a text alone, without a filter, and the first page has what it names."""
    alone = len(query.terms) == 1 and isinstance(query.terms[0], TextTerm) and query.terms[0].weight > 0
    whole = alone and not page.offset and not (query.filter and query.filter.conditions) and not page.degraded
    return whole and (page.verdict is None or page.verdict.kind not in UNANSWERED)


def _log_query(kind: str, text: str, ms: float) -> None:
    logged: LoggedQueries = current_app.extensions[EXTENSION]
    logged.log.add(kind, text, ms, new_visitor=_is_new(logged.occasions, f"{kind} {redact(text)}"))


def _log_found(text: str) -> None:
    logged: LoggedQueries = current_app.extensions[EXTENSION]
    words = redact(text)
    if words and logged.occasions.is_new(caller_name(), f"{FOUND} {words}"):
        logged.writer.add_found(words)


def _written(app: Flask) -> LoggedQueries | None:
    """Return what is logged, with nothing left in memory."""
    logged: LoggedQueries | None = app.extensions[EXTENSION]
    if logged is not None:
        logged.writer.flush()
    return logged
