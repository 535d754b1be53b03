"""Questions that found nothing, or were slow, kept for the operator; the setting `kept_questions` switches that off."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from flask import Flask, current_app

from catalog.errors import DeadlineExceeded, StepFailed, StoreError
from search.ops.query_log import EMPTY, SLOW, QueryLog
from web.middleware.request_context import words_of
from web.settings import Settings

if TYPE_CHECKING:
    from search.engine import SearchEngine
    from search.hits import SearchPage
    from search.query.terms import Query

KEY = "windowshop.kept_questions"
SLOW_SHARE = 0.5  # of the time that a search may take
log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Keep questions as the settings say; where none are to be kept, those of before are forgotten."""
    kept = QueryLog(settings.home, settings.kept_questions)
    app.extensions[KEY] = kept if settings.kept_questions else None
    if not settings.kept_questions:
        try:
            kept.clear()
        except StoreError as error:
            log.error("Questions that were kept could not be forgotten: %s", error)


def kept_questions(app: Flask) -> QueryLog | None:
    """The app's log of questions; None when none are kept."""
    kept: QueryLog | None = app.extensions[KEY]
    return kept


def logged_search(engine: SearchEngine, query: Query) -> SearchPage:
    """The engine's answer; its words are kept when it found nothing, or was slow.

    Slow is what takes half of the time that the shop allows, and what was not done in all of it. Whoever allows less
    does not make the shop slow.
    """
    kept, words = kept_questions(current_app), words_of(query)
    if kept is None or not words:
        return engine.search(query)
    allowed: int = current_app.config["TIMEOUT_MS"]
    hurried = query.timeout_ms is not None and query.timeout_ms < allowed
    began = monotonic()
    try:
        page = engine.search(query)
    except (DeadlineExceeded, StepFailed):
        if not hurried:
            kept.add(SLOW, words, (monotonic() - began) * 1000)
        raise
    if not page.hits and not page.offset:
        kept.add(EMPTY, words, page.took_ms)
    if page.took_ms >= SLOW_SHARE * allowed or (page.degraded and not hurried):
        kept.add(SLOW, words, page.took_ms)
    return page
