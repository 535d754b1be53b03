"""Open the catalogue of a shop in the database that the shop's settings name."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

from catalog.errors import BadInput, NoGeneration, StoreError
from catalog.extras import import_extra
from catalog.files.atomic import sync, write_atomically
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from catalog.storage.sqlite_catalogue import SqliteCatalogue

SETTING = "WINDOWSHOP_CATALOGUE"
IN_FILE = "file"  # the place of a catalogue: the home
POSTGRES = ("postgresql://", "postgres://")


def open_catalogue(home: Path, *, create: bool = False) -> Catalogue:
    """Open the catalogue of a shop: the file in its home, or in the database that WINDOWSHOP_CATALOGUE names.

    Raises NoGeneration where there is none and `create` is not set, DamagedStore, NewerStore and StoreError where it
    cannot be used, BadInput for an address that cannot be read, MissingExtra without the packages of its database.
    Raises StoreError too where the home is of a shop in a database, and WINDOWSHOP_CATALOGUE is not set.
    """
    address = _address()
    if address:
        opened: Catalogue = _postgres().open_shop(address, home, create=create)
        if create:
            mark_shared(home, address)
        return opened
    _refuse_shared(home)
    if not create:
        require_catalogue(home)
    return SqliteCatalogue.open(ShopHome(home).catalogue)


def has_catalogue(home: Path) -> bool:
    """Return whether a shop has a catalogue. Raises as `open_catalogue` does."""
    address = _address()
    if address:
        return bool(_postgres().has_shop(address, home))
    _refuse_shared(home)
    return ShopHome(home).catalogue.is_file()


def shares_catalogue() -> bool:
    """Return whether the catalogue is in a database, which other machines of the shop use too."""
    return bool(_address())


def mark_shared(home: Path, address: str = "") -> None:
    """Note in the home that its catalogue is in a database, by default that of the settings, if they name one.

    Without the settings, a command would make another catalogue, whose keys mean other products than the index has.
    """
    address = address or _address()
    marker = ShopHome(home).shared_catalogue
    if not address:
        return
    place = f"{_postgres().describe(address, home)}\n"
    if not marker.is_file() or marker.read_text(encoding="utf-8") != place:
        home.mkdir(parents=True, exist_ok=True)
        write_atomically(marker, lambda path: path.write_text(place, encoding="utf-8"))


def _refuse_shared(home: Path) -> None:
    marker = ShopHome(home).shared_catalogue
    if marker.is_file():
        raise StoreError(
            f"The products of {home} are in a database: {marker.read_text(encoding='utf-8').strip()}.",
            f"Set {SETTING} to its address for every command, or bring them back: windowshop catalogue copy --to file.",
        )


def require_catalogue(home: Path) -> None:
    """Raise NoGeneration where there is no shop yet, and else as `open_catalogue` does."""
    if not has_catalogue(home):
        raise no_shop(home)


def copy_catalogue(home: Path, to: str) -> Catalogue:
    """Copy the catalogue of a shop to another database, `to` its address or IN_FILE; return the copy, open.

    Keys, changes and histories are the same in the copy, so the shop's index serves with it. Nothing is overwritten:
    raises StoreError where there is a catalogue already. Nobody may write meanwhile. Raises as `open_catalogue` does.
    """
    if to != IN_FILE and not to.startswith(POSTGRES):
        raise BadInput("That is no place for a catalogue.", f"Write postgresql://user@host/database, or {IN_FILE}.")
    file = ShopHome(home).catalogue
    draft = file.with_name(f".{file.name}.tmp")
    with closing(open_catalogue(home)) as source:
        in_file = isinstance(source, SqliteCatalogue)
        if to == IN_FILE and (in_file or file.exists()):
            raise StoreError(f"There is a catalogue in {file} already.", "Move it away first.")
        if to != IN_FILE and in_file:
            copy: Catalogue = _postgres().copy_in(file, to, home)
        else:
            draft.unlink(missing_ok=True)
            source.copy_to(draft)
            sync(draft)
            if to == IN_FILE:
                draft.rename(file)
                sync(file.parent)
                copy = SqliteCatalogue.open(file)
            else:
                copy = _postgres().copy_in(draft, to, home)
                draft.unlink()
        if (copy.seq, copy.count()) != (source.seq, source.count()):
            copy.close()
            raise StoreError("The catalogue was written while it was copied.", "Stop whoever writes, and copy again.")
        if to == IN_FILE:
            ShopHome(home).shared_catalogue.unlink(missing_ok=True)
        else:
            mark_shared(home, to)
        return copy


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
