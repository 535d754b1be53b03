"""Voice: whether shoppers may speak their questions here, and who recognises them.

"server": this server does. "browser": the page may use the browser's own recogniser, which sends the recording to the
browser's maker. "off": the page has no microphone.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING

from flask import Flask, current_app

from catalog.errors import VoiceUnavailable
from catalog.extras import missing_modules
from search.speech.languages import MEASURED
from web.settings import Settings

if TYPE_CHECKING:
    from search.speech.recogniser import SpeechRecogniser

SERVER, BROWSER, OFF = "server", "browser", "off"
EXTRA = "voice"
EXTENSION = "windowshop.voice"


class Voice:
    """The recogniser of an app, which is made when somebody first speaks."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._is_on = settings.voice == "auto"
        self._lock = threading.Lock()
        self._recogniser: SpeechRecogniser | None = None
        self.mode = SERVER if self._is_on and not missing_modules(EXTRA) else BROWSER if settings.voice_browser else OFF

    def recogniser(self) -> SpeechRecogniser:
        """Return the recogniser. Raises VoiceUnavailable where it is switched off or not installed."""
        if self.mode != SERVER:
            reason = "is not installed" if self._is_on else "is switched off"
            hint = f"Type it. The shop's owner can install it with pip install 'windowshop[{EXTRA}]'."
            raise VoiceUnavailable(f"Speech recognition {reason} here.", hint if self._is_on else "Type it.")
        with self._lock:
            if self._recogniser is None:
                # Imported here: numpy and what reads words take a while to load, and most servers start without them.
                module = import_module("search.speech.recogniser")
                self._recogniser = module.SpeechRecogniser(self._home)
            return self._recogniser


def init_app(app: Flask, settings: Settings) -> None:
    """Find out how questions may be spoken, and let templates ask."""
    app.extensions[EXTENSION] = Voice(settings)
    app.jinja_env.globals.update(voice_mode=voice_mode, voice_measured=voice_measured)


def voice_of(app: Flask) -> Voice:
    """Return the app's voice."""
    voice: Voice = app.extensions[EXTENSION]
    return voice


def voice_mode() -> str:
    """Return SERVER, BROWSER or OFF."""
    return voice_of(current_app).mode


def voice_measured(language: str) -> bool:
    """Return whether recognition of a language was measured; of another the page says that it is unproved."""
    return language in MEASURED
