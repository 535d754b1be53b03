"""Open the catalogue of a shop in PostgreSQL by its address."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from catalog.errors import NoGeneration
from catalog.postgres import schema
from catalog.postgres.address import read_address
from catalog.postgres.catalogue import PostgresCatalogue
from catalog.postgres.connections import PostgresConnections


def open_shop(address: str, home: Path, *, create: bool) -> PostgresCatalogue:
    """Open the catalogue of a shop; `create` makes its schema and tables where they are absent.

    Raises NoGeneration where there is none, BadInput, DamagedStore, NewerStore, StoreError.
    """
    connections = PostgresConnections(read_address(address, home))
    try:
        if not schema.has_tables(connections):
            if not create:
                shop = f"There is no shop in {connections.address}."
                raise NoGeneration(shop, "Index a feed first: make index FEED=...; or copy one: windowshop catalogue.")
            schema.create(connections)
        schema.upgrade(connections)
    except BaseException:
        connections.close()
        raise
    return PostgresCatalogue(connections)


def has_shop(address: str, home: Path) -> bool:
    """Return whether there is a catalogue of the shop. Raises as `open_shop` does."""
    with closing(PostgresConnections(read_address(address, home))) as connections:
        return schema.has_tables(connections)


def describe(address: str, home: Path) -> str:
    """Return an address and the shop's schema in it as they may be shown, without a password. Raises BadInput."""
    return str(read_address(address, home))


def copy_in(file: Path, address: str, home: Path) -> PostgresCatalogue:
    """Copy a catalogue in a file of SQLite to a schema without products, which is created; return it open.

    Raises StoreError where the schema has a catalogue with changes, and as `open_shop` does.
    """
    catalogue = open_shop(address, home, create=True)
    try:
        catalogue.copy_from(file)
    except BaseException:
        catalogue.close()
        raise
    return catalogue
