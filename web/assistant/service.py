"""The app's assistant: opened when it is first needed, because its models take a while to load."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from flask import Flask, abort, current_app

from catalog.errors import WindowshopError
from search.assistant.dialogue.state_token import StateTokens
from web.conversations.desk import desk_of
from web.engine import get_engine
from web.settings import Settings

if TYPE_CHECKING:
    from search.assistant.answering.assistant import Assistant
    from search.assistant.answering.parts import LanguageModel
    from search.assistant.answering.service_hint import ServiceHints
    from search.engine import SearchEngine

EXTENSION = "windowshop.assistant"
log = logging.getLogger(__name__)


class AssistantService:
    """The assistant of an app and its tokens, of the engine that is open."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.is_on = settings.assistant
        self.trusts_proxies = settings.trusted_proxies > 0
        self._settings = settings
        self._app = app
        self._lock = threading.Lock()
        self._assistant: Assistant | None = None
        self._opener: threading.Thread | None = None

    def assistant(self) -> Assistant:
        """Return the assistant. Raises NotReady."""
        return self._open(get_engine())

    def hints(self) -> ServiceHints | None:
        """Return what recognises questions among searches; None until the assistant is open, which this begins.

        A shop whose encoder reads no sentences has none: their models would be loaded for the sake of hints alone.
        """
        if self._assistant is not None:
            return self._assistant.hints
        engine = get_engine()
        if self.is_on and self._opener is None and getattr(engine.encoder, "multilingual", False):
            self._opener = threading.Thread(
                target=self._open_behind, args=(engine,), name="open-assistant", daemon=True
            )
            self._opener.start()
        return None

    def tokens(self) -> StateTokens:
        """Return the tokens of the shop. Raises NotReady."""
        return StateTokens(get_engine().key)

    def _open(self, engine: SearchEngine) -> Assistant:
        with self._lock:
            if self._assistant is None:
                # Imported here: numpy takes a while to load, and the server starts without it.
                opening, parts = (import_module(f"search.assistant.answering.{name}") for name in ("opening", "parts"))
                desk = desk_of(self._app)
                service = parts.ServiceParts(desk.orders, desk.store, desk.handovers, desk.queues)
                self._assistant = opening.open_assistant(engine, service, self._model(parts.LanguageModel))
                threading.Thread(target=_warm_up, args=(self._assistant,), name="warm-assistant", daemon=True).start()
            return self._assistant

    def _model(self, make: Callable[[str, str | None, str], LanguageModel]) -> LanguageModel | None:
        settings = self._settings
        if not settings.assistant_llm_url:
            return None
        key = settings.assistant_llm_key
        return make(settings.assistant_llm_url, settings.assistant_llm_model, key.get_secret_value() if key else "")

    def _open_behind(self, engine: SearchEngine) -> None:
        try:
            self._open(engine)
        except WindowshopError as error:
            log.error("The assistant cannot be opened: %s", error)


def _warm_up(assistant: Assistant) -> None:
    """Let models and policies be ready for the first question, while the greeting is read."""
    try:
        assistant.warm_up()
    except WindowshopError as error:  # the question itself says what is wrong
        log.warning("The assistant is not warm: %s", error)


def init_app(app: Flask, settings: Settings) -> None:
    """Note whether the shop has an assistant, and let templates ask."""
    app.extensions[EXTENSION] = AssistantService(app, settings)
    app.jinja_env.globals.update(assistant_is_on=assistant_is_on)


def assistant_is_on() -> bool:
    """Return whether the shop has an assistant."""
    service: AssistantService = current_app.extensions[EXTENSION]
    return service.is_on


def assistant_service() -> AssistantService:
    """Return the app's assistant; aborts with 404 where the settings switch it off."""
    service: AssistantService = current_app.extensions[EXTENSION]
    if not service.is_on:
        abort(404)
    return service
