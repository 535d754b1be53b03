"""Tell whether a sentence says where a product comes from: it names a country, or another name behind "from"."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale

from catalog.text.folding import normalise
from search.assistant.products.reading.expressions import alternatives, expression, words_of
from search.assistant.products.reading.topics import LANGUAGES

_MADE_IN = "made in|from|grown in|produced in|hergestellt in|fabriqué en|hecho en"
_PLACE = re.compile(rf"(?i:\b(?:{_MADE_IN})) (?:the |our |real )?[A-ZÅÄÖÉ]\w")


def names_origin(text: str) -> bool:
    """Return whether a sentence says where something is from."""
    return bool(_countries().search(normalise(text)) or _PLACE.search(text))


@cache
def _countries() -> re.Pattern[str]:
    names = {normalise(name) for code in LANGUAGES for name in Locale.parse(code).territories.values()}
    words = [*(name for name in names if name.isascii() and len(name) > 3), *words_of("nationality")]
    chinese = "|".join(re.escape(name) for name in Locale.parse("zh").territories.values() if not name.isascii())
    from_ = alternatives(words_of("made in", "zh"))
    return re.compile(
        rf"(?:{expression('made')}|100 ?%)(?: [\w%]+){{0,3}}? {alternatives(words)}"
        rf"|{from_}[^，。]{{0,4}}(?:{chinese})|(?:{chinese})(?:制造|生产|原产|进口)"
    )
