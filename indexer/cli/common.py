"""What the command lines share: options, exit codes, errors as one line on stderr, never a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from catalog.errors import WindowshopError

FAILED = 1
SOME_REJECTED = 3
INTERRUPTED = 130

home_option = click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), default="var/shop", show_default=True, help="The shop."
)

fetch_option = click.option(
    "--fetch-pictures/--no-fetch-pictures",
    "fetch",
    default=None,
    help="Fetch pictures that the feed names by web address; by default as the last time with this feed, else not.",
)


class Commands(click.Group):
    """Turns our errors and the system's into "Error: message hint" and exit code 1, an interruption into 130."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except WindowshopError as error:
            _end(ctx, f"Error: {error}", FAILED)
        except BrokenPipeError:  # whoever read our output has had enough of it; click knows what to do
            raise
        except OSError as error:
            _end(ctx, f"Error: {explain(error)}", FAILED)
        except KeyboardInterrupt:
            _end(ctx, "Interrupted.", INTERRUPTED)


def explain(error: OSError) -> str:
    """What the system refused, as one line: "var/shop: Permission denied." and what to look at."""
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}. Check that path, who may write there, and the disk's free space."


def _end(ctx: click.Context, message: str, code: int) -> None:
    click.echo(message, err=True)
    ctx.exit(code)
