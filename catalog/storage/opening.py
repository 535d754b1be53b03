"""Open the catalogue of a shop in the database that the shop's settings name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from catalog.errors import BadInput, NoGeneration
from catalog.extras import import_extra
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from catalog.storage.sqlite_catalogue import SqliteCatalogue

SETTING = "WINDOWSHOP_CATALOGUE"
POSTGRES = ("postgresql://", "postgres://")


def open_catalogue(home: Path, *, create: bool = False) -> Catalogue:
    """Open the catalogue of a shop: the file in its home, or in the database that WINDOWSHOP_CATALOGUE names.

    Raises NoGeneration where there is none and `create` is not set, DamagedStore, NewerStore and StoreError where it
    cannot be used, BadInput for an address that cannot be read, MissingExtra without the packages of its database.
    """
    address = _address()
    if address:
        opened: Catalogue = _postgres().open_shop(address, home, create=create)
        return opened
    if not create:
        require_catalogue(home)
    return SqliteCatalogue.open(ShopHome(home).catalogue)


def has_catalogue(home: Path) -> bool:
    """Return whether a shop has a catalogue. Raises as `open_catalogue` does."""
    address = _address()
    return bool(_postgres().has_shop(address, home)) if address else ShopHome(home).catalogue.is_file()


def shares_catalogue() -> bool:
    """Return whether the catalogue is in a database, which other machines of the shop use too."""
    return bool(_address())


def require_catalogue(home: Path) -> None:
    """Raise NoGeneration where there is no shop yet, and else as `open_catalogue` does."""
    if not has_catalogue(home):
        raise no_shop(home)


def no_shop(home: Path) -> NoGeneration:
    """Return the error for a home without a catalogue."""
    return NoGeneration(f"There is no shop in {home}.", "Index a feed first: make index FEED=...")


def _address() -> str:
    """Return the address of a database, "" for the file in the home."""
    address = os.environ.get(SETTING, "").strip()
    if address and not address.startswith(POSTGRES):
        problem = f"{SETTING} names no database that a catalogue can be in."
        raise BadInput(problem, "Write postgresql://user@host/database, or unset it for a file in the home.")
    return address


def _postgres() -> Any:
    return import_extra("postgres", "catalog.postgres.opening", f"A catalogue in PostgreSQL ({SETTING})")
