"""Facts about the current request for the log and the metrics: how long its steps took, and what they found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, before_render_template, g, has_request_context, template_rendered
from flask.json.provider import DefaultJSONProvider

from search.execution.step_timing import ENCODE, METADATA, SEARCH, listen
from search.query.terms import TextTerm

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from search.hits import SearchPage
    from search.query.terms import Query

DECODE, RENDER = "decode", "render"
QUEUE = "queue"  # the step of those requests that waited for their turn
TIMED_STEPS = (DECODE, ENCODE, SEARCH, METADATA, RENDER)


class TimedJson(DefaultJSONProvider):
    """Flask's JSON provider; serialising counts as rendering."""

    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Return the object as JSON."""
        with step(RENDER):
            return super().dumps(obj, **kwargs)


def init_app(app: Flask) -> None:
    """Time the rendering of templates and JSON, and the steps that the engine reports."""
    app.json = TimedJson(app)
    before_render_template.connect(_begin_render, app)
    template_rendered.connect(_end_render, app)
    wsgi_app = app.wsgi_app

    def listening(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with listen(lambda name, seconds: add_ms(name, seconds * 1000)):
            return wsgi_app(environ, start_response)

    app.wsgi_app = listening  # type: ignore[method-assign]


@contextmanager
def step(name: str) -> Iterator[None]:
    """Count the duration of the block for one of the request's TIMED_STEPS; outside a request do nothing."""
    started = perf_counter()
    try:
        yield
    finally:
        add_ms(name, (perf_counter() - started) * 1000)


def add_ms(name: str, milliseconds: float) -> None:
    """Add milliseconds measured elsewhere to a step of the request."""
    if has_request_context():
        steps = request_facts().setdefault("steps", {})
        steps[name] = steps.get(name, 0.0) + milliseconds


def note(**facts: Any) -> None:
    """Add facts, as JSON values, to the request's line in the log."""
    if has_request_context():
        request_facts().update(facts)


def request_facts() -> dict[str, Any]:
    """Return the facts noted for the current request so far."""
    facts: dict[str, Any] = g.setdefault("request_facts", {})
    return facts


def note_page(page: SearchPage, words: str = "") -> SearchPage:
    """Note generation, hits and degraded parts of a page of results, and its query's text; return the page."""
    note(generation=page.generation, hits=len(page.hits), degraded=list(page.degraded), words=words)
    return page


def query_text(query: Query) -> str:
    """Return the texts of a query, joined, for the log."""
    return " ".join(term.words for term in query.terms if isinstance(term, TextTerm))


def _begin_render(sender: Flask, **_: Any) -> None:
    g.render_started = perf_counter()


def _end_render(sender: Flask, **_: Any) -> None:
    add_ms(RENDER, (perf_counter() - g.pop("render_started", perf_counter())) * 1000)
