"""Put the scripts for other pages together: the embedded search, of the files in `source`, and the panel of the
assistant, of those in `assistant`. Each is one file, with its styles and its words."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from web.i18n.languages import LANGUAGES
from web.i18n.messages import ASSISTANT_PANEL, EMBED, VOICE, page_messages

FOLDER = Path(__file__).parent
STATIC = FOLDER.parent / "static"
SHARED = ("recorder", "voice")  # files that the shop's own pages use too
PARTS = ("setup", "api", "photo", "crop", "suggest", "cards", "voice", "search", "similar", "assistant", "start")
PANEL_PARTS = ("elements", "thread", "requests", "replies", "panel", "shop")
HEAD = "// The search of a Windowshop shop, for other pages. Apache-2.0.\n"


@dataclass(frozen=True, slots=True)
class Script:
    """A script as it is served: its text, the same compressed, and its digest, which is its version."""

    plain: bytes
    compressed: bytes
    version: str


@cache
def embed_script() -> Script:
    """Return the script that defines the web components; nothing of it is visible to other scripts of the page."""
    words = {language: page_messages(EMBED, language) | page_messages(VOICE, language) for language in LANGUAGES}
    files = (*(STATIC / f"{part}.js" for part in SHARED), *(FOLDER / "source" / f"{part}.js" for part in PARTS))
    return _script(f'{HEAD}(() => {{\n"use strict";\n\n{_joined(files, FOLDER / "embed.css", words)}}})();\n')


@cache
def assistant_script() -> Script:
    """Return the module with the panel of the assistant, which the shop's own pages load too."""
    words = {language: page_messages(ASSISTANT_PANEL, language) for language in LANGUAGES}
    folder = FOLDER / "assistant"
    return _script(_joined((folder / f"{part}.js" for part in PANEL_PARTS), folder / "panel.css", words))


def panel_url() -> str:
    """Return the address of the panel in its present version, for the shop's own pages."""
    return f"/embed/{assistant_script().version}/assistant.js"


@cache
def adapter_script() -> Script:
    """Return the module that lets InstantSearch search the shop."""
    return _script((FOLDER / "instantsearch.js").read_text(encoding="utf-8"))


@cache
def worklet_script() -> Script:
    """Return the module that passes the microphone's samples to the page."""
    return _script((STATIC / "recorder_worklet.js").read_text(encoding="utf-8"))


def _joined(files: Iterable[Path], styles: Path, words: Mapping[str, Mapping[str, str]]) -> str:
    """Return the source of the files with the styles and the words, by language, in it."""
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    source = source.replace('"@styles@"', _literal(styles.read_text(encoding="utf-8")))
    return source.replace('"@words@"', _literal(words))


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _script(text: str) -> Script:
    plain = text.encode()
    return Script(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:12])
