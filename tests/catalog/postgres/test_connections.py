"""Connections come and go; errors are ours, say what to do, and never have the password."""

import logging
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.database import StoreBusy
from catalog.errors import BadInput, DamagedStore, NewerStore, NoGeneration, StoreError
from catalog.product import Product

psycopg = pytest.importorskip("psycopg", reason="the extra [postgres] is not installed")
from catalog.postgres import connections, words  # noqa: E402
from catalog.postgres import schema as schemas  # noqa: E402
from catalog.postgres.address import read_address, schema_of  # noqa: E402
from catalog.postgres.opening import has_shop, open_shop  # noqa: E402

PASSWORD = "s3cret-pw"
MUG = Product("mug", "Red mug", ())
HOME = Path("unused")


def ended(catalogue):
    """End the sessions of a catalogue on the server, as an administrator or a failing network would."""
    with psycopg.connect(catalogue._connections.address.conninfo, autocommit=True) as db:
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'windowshop'")


def test_an_address_names_a_schema_or_the_home_does():
    found = read_address("postgresql://me:s3cret-pw@db.example:5433/shops?schema=Corner&sslmode=require", HOME)
    assert (found.schema, found.password) == ("Corner", PASSWORD)
    assert "sslmode=require" in found.conninfo and "schema" not in found.conninfo
    assert str(found) == "postgresql://me@db.example:5433/shops, schema 'Corner'" and PASSWORD not in repr(found)
    assert read_address("postgresql:///shops", Path("/srv/Corner shop")).schema == "shop_corner_shop"


def test_a_home_whose_name_gives_no_schema_needs_one_in_the_address():
    home = Path("/srv/店")
    with pytest.raises(BadInput, match=r"\?schema=NAME"):
        schema_of(home)
    assert read_address("postgresql:///shops?schema=kitchen", home).schema == "kitchen"


def test_a_writer_sees_what_others_committed_whatever_the_default_isolation_is(address, schema):
    default = "&options=-c%20default_transaction_isolation%3Dserializable"
    with closing(open_shop(address + default, HOME, create=True)) as catalogue:
        for begin, level in ((catalogue._write, "read committed"), (catalogue._read, "repeatable read")):
            with begin() as db:
                assert db.execute("SHOW transaction_isolation").fetchone() == (level,)


def test_a_lock_that_another_holds_is_named_apart():
    found = connections.PostgresConnections(read_address("postgresql:///shops", Path("/srv/corner")))
    with pytest.raises(StoreBusy), found.store_errors():
        raise psycopg.errors.LockNotAvailable("canceling statement due to lock timeout")


@pytest.mark.parametrize("address", ["postgresql://me:s3cret-pw@host:x/db", "postgresql://h/db?nothing=s3cret-pw"])
def test_an_unreadable_address_is_not_repeated(address):
    with pytest.raises(BadInput, match="cannot be read") as raised:
        read_address(address, HOME)
    assert PASSWORD not in str(raised.value) and raised.value.__cause__ is None


@pytest.mark.parametrize("schema", ["pg_catalog", "information_schema", "x" * 64])
def test_a_schema_that_no_shop_may_have(schema):
    with pytest.raises(BadInput, match="schema"):
        read_address(f"postgresql://host/db?schema={schema}", HOME)


def test_a_server_that_is_not_there(caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(StoreError, match="cannot be used") as raised:
        open_shop("postgresql://shop:s3cret-pw@127.0.0.1:1/db", HOME, create=True)
    assert PASSWORD not in str(raised.value) + caplog.text and "127.0.0.1" in str(raised.value)


def test_a_shop_that_is_not_there(address):
    assert not has_shop(address, HOME)
    with pytest.raises(NoGeneration):
        open_shop(address, HOME, create=False)
    open_shop(address, HOME, create=True).close()
    assert has_shop(address, HOME)


def test_shops_share_a_database(postgres_server):
    one, other = (postgres_server.opener(name)() for name in ('Ein "Laden"', postgres_server.new_schema()))
    with closing(one), closing(other):
        one.put([MUG])
        assert (one.count(), other.count()) == (1, 0)


def test_a_schema_of_another_program_is_left_alone(address, schema):
    with psycopg.connect(read_address(address, HOME).conninfo, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA {schema}")
        db.execute(f"CREATE TABLE {schema}.notes (text text)")
    with pytest.raises(DamagedStore, match="not a catalogue"):
        open_shop(address, HOME, create=True)


def test_a_newer_schema_is_refused(catalogue, opener):
    with catalogue._write() as db:
        db.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    with pytest.raises(NewerStore, match="newer Windowshop"):
        opener()


def test_an_older_schema_is_upgraded_once(catalogue, opener, monkeypatch):
    monkeypatch.setattr(schemas, "SCHEMA_VERSION", 3)
    steps = {1: ("ALTER TABLE products ADD COLUMN one text",), 2: ("ALTER TABLE products ADD COLUMN two text",)}
    monkeypatch.setattr(schemas, "UPGRADES", steps)
    opener().close()
    opener().close()
    with catalogue._read() as db:
        assert db.execute("SELECT one, two FROM products").fetchall() == []
        assert db.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone() == ("3",)


def test_words_of_an_older_tokeniser_are_made_again_and_those_of_a_newer_one_stay(catalogue, opener, monkeypatch):
    catalogue.put([MUG])
    monkeypatch.setattr(words, "words_of", lambda product: (f"other{product.id}", "", "", ""))
    for analysis, known in ((99, True), (1, True)):
        monkeypatch.setattr(words, "ANALYSIS", analysis)
        with closing(opener()) as opened, opened.words() as index:
            assert index.known(("othermug",)) == known and index.vocabulary() == [("othermug", 1)]


def test_a_lost_connection_is_reported_once_and_opened_again(catalogue):
    catalogue.put([MUG])
    with pytest.raises(StoreError, match="cannot be used"), catalogue._read() as db:
        ended(catalogue)
        db.execute("SELECT 1")
    assert catalogue.get("mug") == MUG
    with pytest.raises(StoreError), catalogue.applying([replace(MUG, title="Other")], []):
        ended(catalogue)
    assert catalogue.get("mug") == MUG and catalogue.seq == 1
    ended(catalogue)  # idle ones
    catalogue.put([replace(MUG, title="Other")])
    assert catalogue.seq == 2


def test_a_server_that_restarts_is_waited_for(postgres_server, catalogue):
    catalogue.put([MUG])
    postgres_server.stop("immediate")
    starting = threading.Timer(0.5, postgres_server.start)
    starting.start()
    try:
        # On a slow machine the server takes longer to start than a request may wait.
        connections_patience, connections.RETRY_SECONDS = connections.RETRY_SECONDS, 120.0
        assert catalogue.get("mug") == MUG
    finally:
        connections.RETRY_SECONDS = connections_patience
        starting.join()
    catalogue.put([replace(MUG, id="cup")])
    assert catalogue.seq == 2


def test_a_writer_waits_for_another_only_so_long(catalogue, opener, monkeypatch):
    monkeypatch.setattr(connections, "_BEGIN_WRITE", connections._BEGIN_WRITE.replace("30s", "100ms"))
    with closing(opener()) as other, other.applying([MUG], []):
        with pytest.raises(StoreError, match="lock"):
            catalogue.put([MUG])
        assert catalogue.count() == 0


def test_long_words_and_quotes_are_found(catalogue):
    long_word = "x" * 5_000
    text = " ".join(f"word{number}" for number in range(110_000))
    catalogue.put([replace(MUG, title=f"it's a\\b {long_word}"), replace(MUG, id="book", description=text)])
    with catalogue.words() as index:
        assert index.postings((long_word,), "name") == "1" and index.known((long_word,))
        assert index.postings(("word7",), "text") == "2" and index.holding(("word7", "word8"), "text", 5) == [2]
        assert index.postings(("it's", "\\"), "name") == "" and index.count(("a", "word9"), 9) == 2
        assert index.postings((), "name") == "" and index.count((), 9) == 0 and index.holding((), "name", 9) == []


def test_a_thread_that_reads_may_not_begin_to_write(catalogue):
    with pytest.raises(StoreError, match="transaction already"), catalogue._read():
        catalogue.put([MUG])


def test_a_closed_one_says_so_also_to_others(catalogue):
    catalogue.close()
    with pytest.raises(StoreError, match="closed"):
        catalogue.put([MUG])


def test_wrong_counters_and_words_are_found(catalogue):
    catalogue.put([MUG])
    with catalogue._write() as db:
        db.execute("UPDATE counters SET key = 0, seq = 5")
        db.execute("UPDATE word_counts SET products = 7 WHERE word = 'mug'")
        db.execute("DELETE FROM words")
    assert catalogue.faults() == [
        "the product with key 1 has no words",
        "the counter of keys is behind the products",
        "the counter of changes is not at the last change",
        "3 words have wrong counts",
    ]
