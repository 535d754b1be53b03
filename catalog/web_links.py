"""Read the web addresses that pages link to: what a feed or an edit calls a link may be anything."""

from __future__ import annotations

from urllib.parse import urlsplit

MAX_LINK = 2_000  # characters
_SCHEMES = ("http", "https")


def read_link(text: str) -> tuple[str, str]:
    """Return an absolute http or https address, its spaces escaped, and ""; or "" and why pages cannot link to it."""
    link = text.strip().replace(" ", "%20")
    fault = _fault(link)
    return ("" if fault else link), fault


def is_link(text: str) -> bool:
    """Tell whether pages may link to an address. One that was stored before it was checked may be anything."""
    return bool(text) and not _fault(text)


def _fault(link: str) -> str:
    if len(link) > MAX_LINK:
        return f"it is longer than {MAX_LINK:,} characters"
    # Browsers read a backslash as a slash, and leave out tabs and line breaks: such an address is not what it seems.
    if not link.isprintable() or "\\" in link or " " in link:
        return "it holds spaces, control characters or backslashes"
    try:
        parts = urlsplit(link)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is not a web address"
    if parts.scheme not in _SCHEMES or not host:
        return "it does not begin with http:// or https:// and a host"
    return "it holds a user name or a password" if "@" in parts.netloc else ""
