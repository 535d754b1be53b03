"""The command `windowshop`: the commands of `python -m indexer`, `python -m search` and `python -m web` in one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

from indexer.cli.common import Commands, LazyCommand

# Command -> the module of its group, and its name there where that differs.
COMMANDS: dict[str, tuple[str, str]] = {
    "setup": ("indexer", "setup"),
    "index": ("indexer", "build"),
    "update": ("indexer", "update"),
    "add": ("indexer", "add"),
    "remove": ("indexer", "remove"),
    "rollback": ("indexer", "rollback"),
    "info": ("indexer", "info"),
    "verify": ("indexer", "verify"),
    "backup": ("indexer", "backup"),
    "fetch": ("indexer", "fetch"),
    "restore": ("indexer", "restore"),
    "cache": ("indexer", "cache"),
    "catalogue": ("indexer", "catalogue"),
    "train": ("indexer", "train"),
    "search": ("search", "query"),
    "evaluate": ("search", "evaluate"),
    "calibrate": ("search", "calibrate"),
    "categorise": ("search", "categorise"),
    "learn": ("search", "learn"),
    "doctor": ("search", "doctor"),
    "rules": ("search", "rules"),
    "events": ("search", "events"),
    "prices": ("search", "prices"),
    "recommend": ("search", "recommend"),
    "reconcile": ("search", "reconcile"),
    "reviews": ("search", "reviews"),
    "speech": ("search", "speech"),
    "assistant": ("search", "assistant"),
    "demo": ("web", "demo"),
    "serve": ("web", "serve"),
    "key": ("web", "key"),
    "openapi": ("web", "openapi"),
}


def _lazy(room: str, name: str) -> LazyCommand:
    commands: Mapping[str, LazyCommand] = import_module(f"{room}.__main__").COMMANDS
    return commands[name]


class _JoinedGroup(Commands):
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order in which a shop needs them."""
        return list(self.lazy)


@click.group(cls=_JoinedGroup, lazy={name: _lazy(*place) for name, place in COMMANDS.items()})
@click.version_option(package_name="windowshop")
def main() -> None:
    """Index a shop's pictures, search them, and serve the shop."""


if __name__ == "__main__":
    main(prog_name="windowshop")
