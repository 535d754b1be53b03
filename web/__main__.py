"""The command group `python -m web`: serve, demo, key, openapi."""

from __future__ import annotations

import click

from indexer.cli.common import Commands
from web.cli.demo import demo
from web.cli.key_commands import key
from web.cli.openapi import openapi
from web.cli.serve import serve


@click.group(cls=Commands)
def main() -> None:
    """Serve a shop over HTTP, and manage its keys."""


for command in (serve, demo, key, openapi):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="python -m web")
