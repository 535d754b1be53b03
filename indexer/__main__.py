"""python -m indexer: the commands that make, check and copy the index of a shop."""

from __future__ import annotations

import click

from indexer.cli.common import Commands
from indexer.cli.index_commands import build_command, info_command, rollback_command, update_command
from indexer.cli.maintenance_commands import (
    backup_command,
    cache_command,
    catalogue_command,
    fetch_command,
    restore_command,
    verify_command,
)
from indexer.cli.product_commands import add_command, remove_command
from indexer.cli.setup_command import setup_command
from indexer.cli.training_commands import (
    detector_command,
    kinds_command,
    phrases_command,
    starter_command,
    train_command,
)

COMMANDS = [
    add_command,
    backup_command,
    build_command,
    cache_command,
    fetch_command,
    catalogue_command,
    info_command,
    remove_command,
    restore_command,
    rollback_command,
    setup_command,
    starter_command,
    kinds_command,
    phrases_command,
    detector_command,
    train_command,
    update_command,
    verify_command,
]


@click.group(cls=Commands, commands=COMMANDS)
def main() -> None:
    """Make and check the index of a shop.

    Exit codes: 0 all went well, 3 the index was built but some rows were rejected, 1 an error, 130 interrupted.
    """


if __name__ == "__main__":
    main(prog_name="python -m indexer")
