"""The app's search engine: opened once, in the background, kept up to date, and reached by `get_engine()`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, current_app

from catalog.errors import GenerationError, StoreError, WindowshopError
from search.recommend.events.retention import EventLimits
from web.errors import NotReady
from web.settings import Settings

if TYPE_CHECKING:
    from search.engine import SearchEngine

EXTENSION = "windowshop.engine"
log = logging.getLogger(__name__)


class EngineHolder:
    """Open the engine in a thread, so that the server can answer "not ready" meanwhile.

    The same thread then follows new generations of the index and the changes that other processes write.
    """

    def __init__(self, settings: Settings, on_generation: Callable[[SearchEngine], None] | None = None) -> None:
        self._settings = settings
        self._on_generation = on_generation
        self._announced: tuple[object, ...] = ()
        self._engine: SearchEngine | None = None
        self._error: WindowshopError = NotReady("The shop is being opened.", "Try again in a few seconds.")
        self._attempted = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._open, name="open-engine", daemon=True)

    def start(self) -> None:
        """Start opening and warming up the engine, without waiting for it."""
        self._thread.start()

    def engine(self) -> SearchEngine:
        """Return the warm engine; raise NotReady, or why the shop could not be opened."""
        if self._engine is None:
            raise self._error
        return self._engine

    def wait(self, timeout: float) -> SearchEngine:
        """Return the engine after the first attempt to open it; for tests and tools, not for requests."""
        self._attempted.wait(timeout)
        return self.engine()

    def close(self) -> None:
        """Close the engine, and stop opening and following it."""
        self._closing.set()
        self._thread.join()
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _open(self) -> None:
        while not self._closing.is_set():
            retry = self._try_to_open()
            self._attempted.set()
            if not retry:
                break
            self._closing.wait(self._settings.reopen_seconds)
        while self._engine is not None:
            self._announce(self._engine)
            if self._closing.wait(self._settings.follow_seconds):
                break
            self._follow(self._engine)

    def _try_to_open(self) -> bool:
        """Open the engine or note the error; return whether a later attempt may succeed, as with a missing index."""
        try:
            self._engine = self._open_engine()
        except WindowshopError as error:
            if str(error) != str(self._error):  # logged once, not at every attempt
                log.error("The shop at %s cannot be opened: %s", self._settings.home, error)
            self._error = error
            return isinstance(error, GenerationError | StoreError)
        except Exception:
            log.exception("The shop at %s could not be opened", self._settings.home)
            self._error = NotReady("The shop could not be opened.", "The server's log says why.")
        return False

    def _follow(self, engine: SearchEngine) -> None:
        """Apply new generations and changes of other processes; on an error the engine serves its present state."""
        try:
            engine.follow(self._settings.follow_seconds)
        except WindowshopError as error:
            log.error("Changes of the shop at %s could not be applied: %s", self._settings.home, error)
        except Exception:
            log.exception("Changes of the shop at %s could not be applied", self._settings.home)

    def _announce(self, engine: SearchEngine) -> None:
        """Call `on_generation` when another generation is served than before."""
        manifest = engine.generation.manifest
        mark = (manifest.number, manifest.created, manifest.fingerprint)
        if self._on_generation is None or mark == self._announced:
            return
        self._announced = mark
        try:
            self._on_generation(engine)
        except WindowshopError as error:
            log.error("%s", error)
        except Exception:  # whatever it is, the shop goes on following changes
            log.exception("What follows a new generation of the shop at %s failed", self._settings.home)

    def _open_engine(self) -> SearchEngine:
        # Imported here: FAISS takes seconds to load, and the server answers meanwhile.
        from search.engine import SearchEngine

        settings = self._settings
        engine = SearchEngine.open(settings.home, runtime=settings.runtime, live_rows=settings.live_rows)
        engine.recommender.experiments.enabled = settings.record_events  # an exposure is a record of a visitor
        engine.ratings.enabled = settings.ratings_rank
        engine.recommender.limit_events(EventLimits(settings.event_days, settings.event_rows))
        try:
            engine.warm_up()
        except BaseException:
            engine.close()
            raise
        if settings.analyse_reviews:
            engine.review_models.worker.start()
        status = engine.status()
        log.info("Ready: %s products, generation %s, encoder %s", status.products, status.generation, status.encoder)
        return engine


def init_app(app: Flask, settings: Settings, on_generation: Callable[[SearchEngine], None] | None = None) -> None:
    """Open the app's engine in the background; each generation that it serves is passed to `on_generation`."""
    holder = EngineHolder(settings, on_generation)
    app.extensions[EXTENSION] = holder
    holder.start()


def holder_of(app: Flask) -> EngineHolder:
    """Return the app's engine holder, to wait for the engine or to close it."""
    holder: EngineHolder = app.extensions[EXTENSION]
    return holder


def get_engine() -> SearchEngine:
    """Return the current app's engine. Raises NotReady, or why the shop cannot be opened."""
    return holder_of(current_app).engine()
