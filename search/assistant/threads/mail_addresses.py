"""Read addresses of e-mail in what customers write: for orders, for contacts, and to find conversations by them."""

from __future__ import annotations

import re
import unicodedata

# Letters of scripts without spaces stand right before and after an address; any other letter there belongs to it.
_LETTER = r"[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_LATIN = r"a-z0-9\u00c0-\u024f"
# It begins with a letter or digit of ASCII, so that quotes, brackets and "email=" before it stay out of it.
_ADDRESS = re.compile(
    rf"(?<!{_LETTER})(?<!{_LETTER}[.%+'&_-])[a-z0-9][a-z0-9.%+'&_-]{{0,63}}(?<!['&.])"
    rf"@[{_LATIN}][{_LATIN}-]{{0,62}}(?:\.[{_LATIN}][{_LATIN}-]{{0,62}}){{1,5}}(?!\.?{_LETTER})",
    re.IGNORECASE,
)


def addresses_in(text: str) -> tuple[str, ...]:
    """Return the addresses of a text as they are typed, wide characters as usual ones."""
    return tuple(found.rstrip("-") for found in _ADDRESS.findall(unicodedata.normalize("NFKC", text)))


def without_addresses(text: str) -> str:
    """Return a text with a blank for each address, wide characters as usual ones."""
    return _ADDRESS.sub(" ", unicodedata.normalize("NFKC", text))


def ascii_address(text: str) -> str:
    """Return an address as mail servers take it: "anna@münchen.de" is "anna@xn--mnchen-3ya.de"."""
    name, _, domain = unicodedata.normalize("NFKC", text.strip()).rpartition("@")
    try:
        return f"{name}@{domain.encode('idna').decode()}"
    except UnicodeError:  # a label that is empty, too long, or has what no domain has
        return f"{name}@{domain}"
