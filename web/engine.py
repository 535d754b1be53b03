"""The search engine of an app: opened once, in the background, kept up to date, and reached by `get_engine()`."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from flask import Flask, current_app

from catalog.errors import GenerationError, StoreError, WindowshopError
from web.errors import NotReady
from web.settings import Settings

if TYPE_CHECKING:
    from search.engine import SearchEngine

KEY = "windowshop.engine"
log = logging.getLogger(__name__)


class EngineHolder:
    """Opens the engine beside the running server, so that the server can say at once that it is not ready yet.

    The same thread then follows new generations of the index and what other processes write.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: SearchEngine | None = None
        self._error: WindowshopError = NotReady("The shop is being opened.", "Try again in a few seconds.")
        self._tried = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._open, name="open-engine", daemon=True)

    def start(self) -> None:
        """Begin to open and warm up the engine, without waiting for it."""
        self._thread.start()

    def engine(self) -> SearchEngine:
        """The warm engine; raises the reason when there is none yet."""
        if self._engine is None:
            raise self._error
        return self._engine

    def wait(self, timeout: float) -> SearchEngine:
        """The warm engine, once opening it was tried; for tests and tools, never for requests."""
        self._tried.wait(timeout)
        return self.engine()

    def close(self) -> None:
        """Close the engine and stop trying to open it."""
        self._closing.set()
        self._thread.join()
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _open(self) -> None:
        while not self._closing.is_set():
            again = self._try()
            self._tried.set()
            if not again:
                break
            self._closing.wait(self._settings.reopen_seconds)
        while self._engine is not None and not self._closing.wait(self._settings.follow_seconds):
            self._follow(self._engine)

    def _try(self) -> bool:
        """Open the engine or note why not; whether to try again: an index gets built, a lock let go."""
        try:
            self._engine = self._opened()
        except WindowshopError as error:
            if str(error) != str(self._error):  # said once, not at every try
                log.error("The shop at %s cannot be opened: %s", self._settings.home, error)
            self._error = error
            return isinstance(error, GenerationError | StoreError)
        except Exception:
            log.exception("The shop at %s could not be opened", self._settings.home)
            self._error = NotReady("The shop could not be opened.", "The server's log says why.")
        return False

    def _follow(self, engine: SearchEngine) -> None:
        """Let the engine see what others did to the shop; whatever fails, it serves on as it is."""
        try:
            engine.follow()
        except WindowshopError as error:
            log.error("The shop at %s could not be followed: %s", self._settings.home, error)
        except Exception:
            log.exception("The shop at %s could not be followed", self._settings.home)

    def _opened(self) -> SearchEngine:
        # Imported here: FAISS and the encoder take seconds, and the server answers meanwhile.
        from search.engine import SearchEngine

        settings = self._settings
        engine = SearchEngine.open(settings.home, runtime=settings.runtime, live_rows=settings.live_rows)
        try:
            engine.warm_up()
        except BaseException:
            engine.close()
            raise
        status = engine.status()
        log.info("Ready: %s products, generation %s, encoder %s", status.products, status.generation, status.encoder)
        return engine


def init_app(app: Flask, settings: Settings) -> None:
    """Give the app an engine that opens in the background."""
    holder = EngineHolder(settings)
    app.extensions[KEY] = holder
    holder.start()


def holder_of(app: Flask) -> EngineHolder:
    """The app's engine holder, to wait for the engine or to close it."""
    holder: EngineHolder = app.extensions[KEY]
    return holder


def get_engine() -> SearchEngine:
    """The engine of the app that is answering; raises NotReady, or why the shop cannot be opened."""
    return holder_of(current_app).engine()
