"""The command group `python -m web`: serve, demo, key, openapi."""

from __future__ import annotations

import click

from indexer.cli.common import Commands, LazyCommand

COMMANDS = {
    "demo": LazyCommand("web.cli.demo", "demo", "Index the sample shop if needed, and serve it."),
    "key": LazyCommand("web.cli.key_commands", "key", "Create, list and revoke API keys."),
    "openapi": LazyCommand("web.cli.openapi", "openapi", "Print the API's OpenAPI document."),
    "serve": LazyCommand("web.cli.serve", "serve", "Serve a shop over HTTP."),
}


@click.group(cls=Commands, lazy=COMMANDS)
def main() -> None:
    """Serve a shop over HTTP, and manage its keys."""


if __name__ == "__main__":
    main(prog_name="python -m web")
