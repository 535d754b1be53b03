"""The command `python -m web openapi`."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path

import click

from web import create_app
from web.engine import holder_of
from web.openapi.document import document
from web.settings import Settings


@click.command()
def openapi() -> None:
    """Print the API's OpenAPI document."""
    logging.disable()
    with tempfile.TemporaryDirectory() as empty:
        app = create_app(Settings(home=Path(empty)))
        holder_of(app).close()
    click.echo(json.dumps(document(app), indent=1))
