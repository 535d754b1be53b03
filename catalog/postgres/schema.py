"""Create and upgrade the tables of a shop's schema, in one transaction."""

from __future__ import annotations

from pathlib import Path

from psycopg import sql

from catalog.errors import DamagedStore, NewerStore, StoreError
from catalog.files.failpoints import failpoint
from catalog.postgres import product_rows, words
from catalog.postgres.connections import Connection, PostgresConnections
from catalog.storage.sqlite import read_statements

SCHEMA_VERSION = 1
# What converts a schema of an older version, by that version: statements that make it the next one.
UPGRADES: dict[int, tuple[str, ...]] = {}

_STATEMENTS = read_statements(Path(__file__).with_name("schema.sql"))
_SELECT_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
_SELECT_VERSION = "SELECT value FROM meta WHERE name = 'schema_version'"
_INSERT_META = "INSERT INTO meta VALUES (%s, %s)"
_UPDATE_VERSION = "UPDATE meta SET value = %s WHERE name = 'schema_version'"


def has_tables(connections: PostgresConnections) -> bool:
    """Return whether the schema has a catalogue. Raises DamagedStore, NewerStore, StoreError."""
    with connections.snapshot() as db:
        return _version(db, connections) is not None


def create(connections: PostgresConnections) -> None:
    """Create the schema and its tables, where another process has not. Raises StoreError."""
    with connections.defining() as db:
        encoding = db.execute("SHOW server_encoding").fetchone()
        if encoding != ("UTF8",):
            problem = f"The database of {connections.address} has the encoding {encoding and encoding[0]}."
            raise StoreError(problem, "Create one with ENCODING 'UTF8'.")
        if _version(db, connections) is not None:
            return
        name = sql.Identifier(connections.address.schema)
        make_schema = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name)  # quoted by the driver
        db.execute(make_schema)
        for statement in _STATEMENTS:
            db.execute(statement)
        db.execute(_INSERT_META, ("schema_version", str(SCHEMA_VERSION)))
        db.execute(_INSERT_META, (words.ANALYSIS_NAME, words.current_analysis()))
        failpoint("postgres.created")


def upgrade(connections: PostgresConnections) -> None:
    """Bring an older schema and older words up to date, each in one transaction; nothing where they are."""
    with connections.snapshot() as db:
        version, older = _version(db, connections), words.is_older(db)
    if version is not None and version < SCHEMA_VERSION:
        with connections.defining() as db:
            for number in range(_version(db, connections) or SCHEMA_VERSION, SCHEMA_VERSION):
                for statement in UPGRADES[number]:
                    db.execute(statement)
            db.execute(_UPDATE_VERSION, (str(SCHEMA_VERSION),))
    if older:
        with connections.transaction() as db:
            if words.is_older(db):
                product_rows.index_again(db)


def _version(db: Connection, connections: PostgresConnections) -> int | None:
    """Return the version of the schema, None where there is no table. Raises DamagedStore, NewerStore."""
    address = connections.address
    tables = {row[0] for row in db.execute(_SELECT_TABLES, (address.schema,))}
    if not tables:
        return None
    complete = {"meta", "counters", "products", "pictures", "changes"} <= tables
    found = db.execute(_SELECT_VERSION).fetchone() if complete else None
    if found is None or not str(found[0]).isdecimal():
        problem = f"The schema of {address} has tables, but they are not a catalogue."
        raise DamagedStore(problem, "Give the shop another schema: ?schema=NAME in the address.")
    if int(found[0]) > SCHEMA_VERSION:
        schemas = f"its schema is {found[0]}, this one reads {SCHEMA_VERSION}"
        hint = "Upgrade Windowshop, or index the feed into another schema."
        raise NewerStore(f"{address} was written by a newer Windowshop: {schemas}.", hint)
    return int(found[0])
