"""python -m indexer: the commands that make, check and copy the index of a shop."""

from __future__ import annotations

import click

from indexer.cli.common import Commands, LazyCommand

INDEX, PRODUCTS = "indexer.cli.index_commands", "indexer.cli.product_commands"
MAINTENANCE, TRAINING = "indexer.cli.maintenance_commands", "indexer.cli.training_commands"
COMMANDS = {
    "add": LazyCommand(PRODUCTS, "add_command", "Add or change a few products; servers show them in seconds."),
    "backup": LazyCommand(MAINTENANCE, "backup_command", "Copy the shop while it is served."),
    "build": LazyCommand(INDEX, "build_command", "Index a feed; what was encoded before is reused."),
    "cache": LazyCommand(MAINTENANCE, "cache_command", "List or shrink stored vectors and pictures."),
    "catalogue": LazyCommand(MAINTENANCE, "catalogue_command", "Move the catalogue to PostgreSQL or back."),
    "detector": LazyCommand(TRAINING, "detector_command", "Train what finds the objects of a photo, from scratch."),
    "fetch": LazyCommand(MAINTENANCE, "fetch_command", "Fetch the index that another machine built."),
    "info": LazyCommand(INDEX, "info_command", "Print what the current index is made of, as JSON."),
    "kinds": LazyCommand(TRAINING, "kinds_command", "Fit the kinds that a photo's verdict knows."),
    "phrases": LazyCommand(TRAINING, "phrases_command", "Encode the phrases about kinds of all shops."),
    "remove": LazyCommand(PRODUCTS, "remove_command", "Remove products by id; servers follow in seconds."),
    "restore": LazyCommand(MAINTENANCE, "restore_command", "Restore a shop from a backup, checking every file."),
    "rollback": LazyCommand(INDEX, "rollback_command", "Return to another generation of the index."),
    "setup": LazyCommand(
        "indexer.cli.setup_command", "setup_command", "Install the text weights, and build the starter's models."
    ),
    "starter": LazyCommand(TRAINING, "starter_command", "Train the starter's heads from scratch."),
    "train": LazyCommand(TRAINING, "train_command", "Fit heads on the shop's own products."),
    "update": LazyCommand(INDEX, "update_command", "Bring the shop up to date with its feed."),
    "verify": LazyCommand(MAINTENANCE, "verify_command", "Check that catalogue, cache and index are whole and agree."),
}


@click.group(cls=Commands, lazy=COMMANDS)
def main() -> None:
    """Make and check the index of a shop.

    Exit codes: 0 all went well, 3 the index was built but some rows were rejected, 1 an error, 130 interrupted.
    """


if __name__ == "__main__":
    main(prog_name="python -m indexer")
