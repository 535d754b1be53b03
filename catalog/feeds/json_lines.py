"""Read JSON lines into feed rows: one object a line, whose keys are the columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.errors import BadRow
from catalog.feeds.rows.columns import KNOWN_COLUMNS, PICTURE_COLUMNS, PRICE_COLUMNS, SINGLE_COLUMNS, column_name
from catalog.feeds.rows.line_reader import open_lines
from catalog.feeds.rows.row import MAX_VALUES, FeedRow, read_row
from catalog.money.amounts import number_text

_LEADING_ID = re.compile(r'\s*\{\s*"id"\s*:\s*(?:"([^"\\]{1,500})"|([0-9]{1,500}))\s*[,}]', re.IGNORECASE)
_ID_KEY = re.compile(r'"id"\s*:', re.IGNORECASE)


def read_json_lines(path: Path, encoding: str = "") -> Iterator[FeedRow]:
    """Yield a row for every line that is not blank; one that is not an object has a fault.

    `encoding` is that of a file without a byte order mark, "" to detect it.
    """
    with open_lines(path, encoding) as lines:
        while True:
            line = lines.begin_row()
            try:
                text = next(lines)
            except StopIteration:
                return
            except BadRow as error:
                yield FeedRow(line, fault=error.message)
                continue
            if text.strip():
                row = read_row(line, _object, text)
                yield replace(row, product_id=_leading_id(text)) if row.fault and not row.product_id else row


def _leading_id(text: str) -> str:
    """Return the id of a line that cannot be read, when it stands first and once; else ""."""
    found = _LEADING_ID.match(text)
    return (found[1] or found[2]) if found and len(_ID_KEY.findall(text)) == 1 else ""


def _object(text: str) -> dict[str, list[str]]:
    """Parse one JSON object into cells; numbers stay as written, so that 12.90 does not become 12.9."""
    if sum(map(text.count, ",[{")) > MAX_VALUES:  # parsed, each would take twenty times its length
        raise BadRow(f"the row holds more than {MAX_VALUES:,} values")
    try:
        value = json.loads(text, parse_float=_Number, parse_int=str, parse_constant=str, object_pairs_hook=_pairs)
    except json.JSONDecodeError as error:
        raise BadRow(f"not valid JSON: {error.msg} at character {error.colno}") from None
    except RecursionError:
        raise BadRow("not valid JSON: nested too deeply") from None
    if not isinstance(value, dict):
        raise BadRow('the line is valid JSON, but not an object like {"id": ...}')
    named: dict[str, list[str]] = {}
    for key, content in value.items():
        name = column_name(key) or "column"
        if name == "attributes" and isinstance(content, dict):
            for attribute, item in content.items():
                named.setdefault(column_name(attribute), []).extend(_texts("attribute", item))
            continue
        if name in SINGLE_COLUMNS and name in named:
            raise BadRow(f"{name} is given more than once")
        named.setdefault(name, []).extend(_texts(name, content))
    return named


class _Number(str):
    """The text of a JSON number with decimals: as a price it can be read in one way, unlike a string."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise BadRow("a key is given more than once in one JSON object")
    return value


def _texts(name: str, content: Any) -> list[str]:
    """Convert a JSON value to the texts of a cell: none for null, several for a list of pictures."""
    if isinstance(content, list) and all(isinstance(item, str) for item in content):
        texts = content if name in PICTURE_COLUMNS else [", ".join(content)]
    elif content is None:
        texts = []
    elif isinstance(content, bool):
        texts = [str(content).lower()]
    elif isinstance(content, str):
        texts = [number_text(content) if isinstance(content, _Number) and name in PRICE_COLUMNS else content]
    elif name in KNOWN_COLUMNS:
        raise BadRow(f"{name} is not a text or a number")
    else:
        texts = [json.dumps(content, ensure_ascii=False)]
    return [text.strip() for text in texts if text.strip()]
