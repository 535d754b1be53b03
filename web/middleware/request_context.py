"""What is noted of a request while it is answered: how long its steps took, and facts for the log and the metrics."""

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
STEPS = (DECODE, ENCODE, SEARCH, METADATA, RENDER)


class TimedJson(DefaultJSONProvider):
    """Flask's JSON, whose writing counts as rendering."""

    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """The object as JSON."""
        with step(RENDER):
            return super().dumps(obj, **kwargs)


def init_app(app: Flask) -> None:
    """Time what is rendered, templates and JSON, and the steps that the engine tells of."""
    app.json = TimedJson(app)
    before_render_template.connect(_begin_render, app)
    template_rendered.connect(_end_render, app)
    answer = app.wsgi_app

    def listening(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with listen(lambda name, seconds: add_ms(name, seconds * 1000)):
            return answer(environ, start_response)

    app.wsgi_app = listening  # type: ignore[method-assign]


@contextmanager
def step(name: str) -> Iterator[None]:
    """Count the time of the block for one of the STEPS of the request; outside of a request nothing happens."""
    began = perf_counter()
    try:
        yield
    finally:
        add_ms(name, (perf_counter() - began) * 1000)


def add_ms(name: str, milliseconds: float) -> None:
    """Count milliseconds that were measured elsewhere for a step of the request."""
    if has_request_context():
        steps = noted().setdefault("steps", {})
        steps[name] = steps.get(name, 0.0) + milliseconds


def note(**facts: Any) -> None:
    """Keep facts for the request's line in the log; values are JSON values."""
    if has_request_context():
        noted().update(facts)


def noted() -> dict[str, Any]:
    """What was noted of this request so far."""
    if "noted" not in g:
        g.noted = {}
    facts: dict[str, Any] = g.noted
    return facts


def note_page(page: SearchPage, words: str = "") -> SearchPage:
    """Keep what a page of results tells of its making, and what words it answers; returns the page."""
    note(generation=page.generation, hits=len(page.hits), degraded=list(page.degraded), words=words)
    return page


def words_of(query: Query) -> str:
    """The words of a question, to be noted."""
    return " ".join(term.words for term in query.terms if isinstance(term, TextTerm))


def _begin_render(sender: Flask, **_: Any) -> None:
    g.render_began = perf_counter()


def _end_render(sender: Flask, **_: Any) -> None:
    add_ms(RENDER, (perf_counter() - g.pop("render_began", perf_counter())) * 1000)
