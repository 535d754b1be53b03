"""The app's assistant: opened with the first message, because its models take a while to load."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING

from flask import Flask, abort, current_app

from search.assistant.dialogue.state_token import StateTokens
from web.engine import get_engine
from web.settings import Settings

if TYPE_CHECKING:
    from search.assistant.dialogue.assistant import Assistant

EXTENSION = "windowshop.assistant"


class AssistantService:
    """The assistant of an app and its tokens, of the engine that is open."""

    def __init__(self, settings: Settings) -> None:
        self.is_on = settings.assistant
        self._lock = threading.Lock()
        self._assistant: Assistant | None = None

    def assistant(self) -> Assistant:
        """Return the assistant. Raises NotReady."""
        engine = get_engine()
        with self._lock:
            if self._assistant is None:
                # Imported here: numpy takes a while to load, and the server starts without it.
                module = import_module("search.assistant.dialogue.assistant")
                self._assistant = module.Assistant(engine)
            return self._assistant

    def tokens(self) -> StateTokens:
        """Return the tokens of the shop. Raises NotReady."""
        return StateTokens(get_engine().key)


def init_app(app: Flask, settings: Settings) -> None:
    """Note whether the shop has an assistant, and let templates ask."""
    app.extensions[EXTENSION] = AssistantService(settings)
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
