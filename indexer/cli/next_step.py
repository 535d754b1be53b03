"""The last line of a command at a terminal: what to do next, as a command line to copy."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import click

from catalog.logs import TEXT, chosen_format


def say_next(words: str, *arguments: object) -> None:
    """Print "Next: words: windowshop ARGUMENTS" on stderr, where people read the log; without arguments only words."""
    if chosen_format() == TEXT:
        command = f": {command_line(*arguments)}" if arguments else "."
        click.echo(f"Next: {words}{command}", err=True)


def command_line(*arguments: object) -> str:
    """Return a command line that runs this installation's `windowshop` from the present folder."""
    return shlex.join([*_program(), *map(str, arguments)])


def _program() -> list[str]:
    script = Path(sys.executable).with_name("windowshop")
    if not script.is_file():
        return [sys.executable, "-m", "web.cli.windowshop"]
    on_path = shutil.which(script.name)
    if on_path is not None and script.samefile(on_path):
        return [script.name]
    return [os.path.relpath(script) if script.is_relative_to(Path.cwd()) else str(script)]
