"""Render a report as one HTML file that holds its pictures, so that it can be sent to somebody."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from catalog import images
from catalog.errors import BadPicture


def render_report(package: str, template: str, **values: Any) -> str:
    """Return `template` of the folder `templates` in `package`; it may extend `report_base.html.jinja`.

    Values are escaped, unless they are `markupsafe.Markup`.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # few commands render a report

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("indexer")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)


def thumbnail_uri(path: str | Path, side: int) -> str | None:
    """Return a picture as a `data:` URI of a JPEG of at most `side` pixels a side; None when it cannot be read."""
    try:
        picture = images.decode(images.read_file(Path(path)), at_least=side)
    except BadPicture:
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(images.thumbnail(picture, side)).decode()}"
