"""The log on stderr: readable lines where it is a terminal, one JSON object a line elsewhere; WINDOWSHOP_LOG_FORMAT.

A record may carry `facts`, JSON values for a JSON line, and `brief`, the message of a readable line; a record whose
`brief` is empty has no readable line. The formatters are our own: a few lines that escape everything a terminal or a
log reader could obey need no dependency.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from datetime import datetime, timezone
from typing import Any, TextIO

from catalog.errors import BadInput

TEXT, JSON, AUTO = "text", "json", "auto"
VARIABLE = "WINDOWSHOP_LOG_FORMAT"
PACKAGES = ("catalog", "indexer", "search", "web")
CLEAR_LINE = "\r\x1b[K"  # removes what a progress bar drew


class JsonLines(logging.Formatter):
    """Format a record as one line of ASCII JSON, with line breaks and terminal codes escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        at = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        line["message"] = record.getMessage()
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


class TextLines(logging.Formatter):
    """Format a record as "14:03:59 info     message" in local time; an exception follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines of a record, with terminal codes escaped."""
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        text = printable(getattr(record, "brief", None) or record.getMessage())
        line = f"{at} {record.levelname.lower():<8} {text}"
        if record.exc_info:
            line = "\n".join((line, *map(printable, self.formatException(record.exc_info).splitlines())))
        return line


class LogHandler(logging.StreamHandler[TextIO]):
    """Writes records to what stderr is at the time, in one of the formats."""

    def __init__(self, log_format: str) -> None:
        logging.Handler.__init__(self)  # not StreamHandler's, which would set the stream
        self._is_text = log_format == TEXT
        self.setFormatter(TextLines() if self._is_text else JsonLines())
        if self._is_text:
            self.addFilter(lambda record: getattr(record, "brief", None) != "")

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Return the present stderr."""
        return sys.stderr

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, which replaces a progress bar that is on the terminal."""
        return (CLEAR_LINE if self._is_text and is_terminal() else "") + super().format(record)


def is_terminal() -> bool:
    """Return whether stderr is a terminal that obeys control codes."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def chosen_format(setting: str | None = None) -> str:
    """Return "text" or "json": the setting, by default WINDOWSHOP_LOG_FORMAT, else by whether stderr is a terminal.

    Raises BadInput for any other word.
    """
    wanted = (setting or os.environ.get(VARIABLE) or AUTO).lower()
    if wanted not in (TEXT, JSON, AUTO):
        raise BadInput(f"{VARIABLE} is {wanted!r}.", f"It can be {AUTO}, {TEXT} or {JSON}.")
    if wanted == AUTO:
        return TEXT if sys.stderr.isatty() else JSON
    return wanted


def write_logs(setting: str | None = None, *, replace: bool = False) -> None:
    """Make this process log to stderr; our own packages log from the level info on. Raises BadInput.

    The handlers of a program that has set up its own log stay, unless they are to be replaced.
    """
    log_format, root = chosen_format(setting), logging.getLogger()
    if not replace and not all(isinstance(handler, LogHandler) for handler in root.handlers):
        return
    logging.basicConfig(handlers=[LogHandler(log_format)], force=True)
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)


def printable(text: str) -> str:
    """Return the text on one line, with every character escaped that steers a terminal or reverses the text."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
