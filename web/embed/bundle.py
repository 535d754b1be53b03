"""Put the embedded search together: one script of the files in `source`, with its styles and its words."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from web.i18n.languages import LANGUAGES
from web.i18n.messages import EMBED, VOICE, page_messages

FOLDER = Path(__file__).parent
STATIC = FOLDER.parent / "static"
SHARED = ("recorder", "voice")  # files that the shop's own pages use too
PARTS = ("setup", "api", "photo", "crop", "suggest", "cards", "voice", "search", "similar", "start")
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
    styles = (FOLDER / "embed.css").read_text(encoding="utf-8")
    words = {language: page_messages(EMBED, language) | page_messages(VOICE, language) for language in LANGUAGES}
    files = (*(STATIC / f"{part}.js" for part in SHARED), *(FOLDER / "source" / f"{part}.js" for part in PARTS))
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    source = source.replace('"@styles@"', _literal(styles)).replace('"@words@"', _literal(words))
    return _script(f'{HEAD}(() => {{\n"use strict";\n\n{source}}})();\n')


@cache
def adapter_script() -> Script:
    """Return the module that lets InstantSearch search the shop."""
    return _script((FOLDER / "instantsearch.js").read_text(encoding="utf-8"))


@cache
def worklet_script() -> Script:
    """Return the module that passes the microphone's samples to the page."""
    return _script((STATIC / "recorder_worklet.js").read_text(encoding="utf-8"))


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _script(text: str) -> Script:
    plain = text.encode()
    return Script(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:12])
