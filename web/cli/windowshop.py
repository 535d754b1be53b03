"""The command `windowshop`: the commands of `python -m indexer`, `python -m search` and `python -m web` in one."""

from __future__ import annotations

from importlib import import_module

import click

from indexer.cli.common import Commands

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


class _JoinedGroup(Commands):
    """Load a command's room only when the command runs or help is printed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        room, name = COMMANDS[cmd_name]
        group: click.Group = import_module(f"{room}.__main__").main
        return group.commands[name]


@click.group(cls=_JoinedGroup)
@click.version_option(package_name="windowshop")
def main() -> None:
    """Index a shop's pictures, search them, and serve the shop."""


if __name__ == "__main__":
    main(prog_name="windowshop")
