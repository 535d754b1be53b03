"""Verify, the care of the cache, backup and the rest on the command line."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.files.atomic import record
from catalog.files.failpoints import VARIABLE, Failed, failpoint
from catalog.files.version_folders import VersionFolders, json_digest, records, seal
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer import __main__ as command
from indexer.cache.vector_cache import PICTURE_VECTORS, TITLE_VECTORS, VectorCache, cache_path
from indexer.cli import index_commands, maintenance_commands
from indexer.generations.manifest import read_manifest
from indexer.generations.store import current_number, open_current
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import COLOURS, colour_shop, write_feed, write_picture


@pytest.fixture
def encoder():
    return FakeEncoder()


@pytest.fixture
def run(monkeypatch, encoder):
    for module in (maintenance_commands, index_commands):
        monkeypatch.setattr(module, "open_encoder", lambda name, **_: encoder)
    return lambda *words: CliRunner().invoke(command.main, [str(word) for word in words])


@pytest.fixture
def home(run, tmp_path):
    assert run("build", "--home", tmp_path / "home", "--feed", colour_shop(tmp_path / "feed")).exit_code == 0
    return tmp_path / "home"


def rewrite_rows(home, change):
    """Rows that are not what they should be, under a manifest that says they are: as a fault of ours would leave."""
    folder = ShopHome(home).generation(1)
    rows = np.load(folder / "rows.npy")
    change(rows)
    np.save(folder / "rows.npy", rows)
    manifest = read_manifest(folder)
    files = {**manifest.files, "rows.npy": record(folder / "rows.npy")}
    (folder / "manifest.json").write_text(replace(manifest, files=files).to_json())


def test_a_whole_shop_agrees(run, home):
    for words in ((), ("--deep",), ("--all",)):
        result = run("verify", "--home", home, *words)
        assert (result.exit_code, result.output.splitlines()[-1]) == (0, "Catalogue, cache and index agree.")


def seal_models(folder):
    """A version of models with one file, as a fit leaves it; returns the file."""
    versions = VersionFolders(folder, folder / "current", 1)
    number, building = versions.begin()
    (building / "facts.npz").write_bytes(b"0123456789")
    body = json.loads(json.dumps({"files": {name: asdict(file) for name, file in records(building).items()}}))
    seal(building, records(building), "manifest.json", json.dumps(body | {"digest": json_digest(body)}))
    versions.finalise(number)
    versions.make_current(number)
    return versions.path(number) / "facts.npz"


def test_a_history_of_prices_that_differs_from_the_products_is_found(run, home):
    with closing(sqlite3.connect(home / "catalog.sqlite")) as db:
        db.execute("DELETE FROM price_segments WHERE product_id = (SELECT min(product_id) FROM price_segments)")
        db.execute("UPDATE price_segments SET changes = x'01' WHERE product_id = (SELECT max(id) FROM products)")
        db.commit()
    result = run("verify", "--home", home)
    lines = [line for line in result.output.splitlines() if line.startswith("price history: ")]
    assert result.exit_code == 1 and len(lines) == 2 and "has no history. To do: restore a backup" in result.output
    deep = run("verify", "--home", home, "--deep").output
    assert "A part of the price history cannot be read" in deep


@pytest.mark.parametrize(
    ("kind", "repair"), [("recommender", "windowshop recommend fit"), ("prices", "windowshop prices fit")]
)
def test_damaged_models_are_found_by_size_and_with_deep_by_digest(run, home, kind, repair):
    path = seal_models(getattr(ShopHome(home), kind))
    assert run("verify", "--home", home, "--deep").exit_code == 0
    path.write_bytes(b"01234?6789")
    assert run("verify", "--home", home).exit_code == 0
    found = run("verify", "--home", home, "--deep")
    assert found.exit_code == 1 and "version 1 is damaged" in found.output and "facts.npz" in found.output
    path.write_bytes(b"01234")
    found = run("verify", "--home", home)
    assert found.exit_code == 1 and f"has 5 bytes where the manifest says 10. To do: {repair}" in found.output


def test_changes_since_the_index_are_no_finding(run, home):
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        catalogue.remove(["p-red"])
        product = catalogue.get("p-blue")
        catalogue.put([type(product)("new", "new", product.pictures), type(product)("p-blue", "b", product.pictures)])
    result = run("verify", "--home", home)
    assert result.exit_code == 0 and "3 changes since" in result.output


def test_rows_and_products_without_each_other_are_found(run, home):
    with closing(sqlite3.connect(home / "catalog.sqlite")) as db, db:
        db.execute("DELETE FROM products WHERE id = 'p-red'")
        db.execute("DELETE FROM pictures WHERE product_key = 1")
        db.execute("UPDATE pictures SET sha256 = ? WHERE product_key = 2", ("ab" * 32,))
    result = run("verify", "--home", home)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert any("product 2 ('green shirt') has no row for picture 1. To do:" in line for line in lines)
    assert any("a row belongs to product 1, which is not in the catalogue" in line for line in lines)
    assert any("product 2 has a row for a picture that it does not show" in line for line in lines)
    assert run("update", "--home", home).exit_code == 0
    checked = run("verify", "--home", home, "--deep")
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize(("column", "kind"), [(0, "vectors"), (7, "titles")])
def test_a_row_that_is_not_what_was_encoded_is_found(run, home, column, kind):
    def change(rows):
        rows[2, column] += 0.01

    rewrite_rows(home, change)
    result = run("verify", "--home", home)
    assert result.exit_code == 1 and f"row 2 of product 3 differs from the cache of {kind}" in result.output


def test_a_deep_look_reads_the_files_and_encodes_again(run, home, encoder, tmp_path):
    write_picture(tmp_path / "feed" / "red.png", (250, 1, 1))
    (tmp_path / "feed" / "blue.png").unlink()
    result = run("verify", "--home", home, "--deep")
    assert result.exit_code == 1
    assert "red.png has changed since" in result.output and "blue.png cannot be read" in result.output
    assert "update --check-pictures" in result.output
    encoder.encode_pixels = lambda pixels: np.full((len(pixels), 6), 0.4, np.float32)
    assert "encoded again has cosine" in run("verify", "--home", home, "--deep").output
    encoder.fingerprint = "fb" * 32
    assert "is not the one that made the index" in run("verify", "--home", home, "--deep").output


def test_an_older_catalogue_is_found(run, home):
    (home / "catalog.sqlite").unlink()
    Catalogue.open(home / "catalog.sqlite").close()
    result = run("verify", "--home", home)
    assert result.exit_code == 1 and "older catalogue" in result.output
    (home / "catalog.sqlite").unlink()
    assert "there is no" in run("verify", "--home", home).output


def test_the_cache_is_listed_and_pruned(run, home, tmp_path):
    mark = FakeEncoder().fingerprint
    with VectorCache(cache_path(home, mark, PICTURE_VECTORS), mark, 6) as cache:
        cache.put([bytes(32)], np.ones((1, 6), np.float32))
    with VectorCache(cache_path(home, "fb" * 32, TITLE_VECTORS), "fb" * 32, 3) as cache:
        cache.put([bytes(32)], np.ones((1, 3), np.float32))
    listed = run("cache", "info", "--home", home).output
    assert f"{'fb' * 32}.titles  (of no use" in listed and f"{mark}.vectors\n" in listed and "files.sqlite\n" in listed
    result = run("cache", "prune", "--home", home)
    assert result.exit_code == 0 and "8 vectors kept, 1 dropped, 1 files" in result.output
    with VectorCache(cache_path(home, mark, PICTURE_VECTORS), mark, 6) as cache:
        assert len(cache) == 4 and cache.get(bytes(32)) is None
    assert "0 different pictures and 0 titles encoded" in run("update", "--home", home).output
    assert run("verify", "--home", home).exit_code == 0


def test_update_and_rollback_on_the_command_line(run, home, tmp_path):
    feed = write_feed(tmp_path / "feed", [(f"p-{name}", f"{name} hat", f"{name}.png") for name in COLOURS])
    planned = run("update", "--home", home, "--dry-run", "--json")
    assert json.loads(planned.stdout)["changes"]["words"]["count"] == 4
    assert current_number(home) == 1
    done = run("update", "--home", home, "--feed", feed)
    assert done.exit_code == 0 and "Generation 000002: 4 rows" in done.output and "gate overlap: passed" in done.output
    planned = run("rollback", "--home", home, "--dry-run")
    assert planned.exit_code == 0 and "4 products change" in planned.output and current_number(home) == 2
    back = run("rollback", "--home", home)
    assert back.exit_code == 0 and "Generation 000001 is current again" in back.output
    assert "4 products change" in back.output and "0 products come back" in back.output
    assert current_number(home) == 1
    forward = run("rollback", "--home", home, "--to", 2)
    assert forward.exit_code == 0 and current_number(home) == 2
    assert run("verify", "--home", home).exit_code == 0
    for number, reason in ((2, "is the current one already"), (7, "no generation 7")):
        refused = run("rollback", "--home", home, "--to", number)
        assert refused.exit_code == 1 and reason in refused.stderr
    run("rollback", "--home", home)
    again = run("rollback", "--home", home)
    assert again.exit_code == 1 and "no generation before 1" in again.stderr


def test_a_truncated_feed_and_rejected_rows_have_their_exit_codes(run, home, tmp_path):
    write_feed(tmp_path / "feed", [("p-red", "red shirt", "red.png")])
    refused = run("update", "--home", home)
    assert refused.exit_code == 1 and "--allow-shrink" in refused.stderr and refused.stderr.count("\n") == 1
    write_feed(tmp_path / "feed", [(f"p-{n}", f"{n} shirt", f"{n}.png") for n in COLOURS] + [("x", "x", "gone.png")])
    result = run("update", "--home", home)
    assert result.exit_code == 3 and "products.csv:6" in result.output
    assert "gone.png" in (home / "reports" / "rejected-update.csv").read_text()


def test_another_encoder_is_reported(run, home, encoder):
    encoder.fingerprint = "fb" * 32
    result = run("update", "--home", home, "--encoder", "other", "--dry-run")
    assert result.exit_code == 0 and "encoder-change.html" in result.stderr
    assert current_number(home) == 1


def test_backup_and_restore_on_the_command_line(run, home, tmp_path):
    taken = run("backup", "--home", home, "--to", tmp_path / "copy")
    assert taken.exit_code == 0 and "Generation 000001" in taken.output
    made = run("restore", "--from", tmp_path / "copy", "--home", tmp_path / "again")
    assert made.exit_code == 0 and "generation 000001, change 4" in made.output
    assert open_current(tmp_path / "again").rows.tolist() == open_current(home).rows.tolist()
    assert run("verify", "--home", tmp_path / "again").exit_code == 0
    assert run("restore", "--from", tmp_path / "copy", "--home", home).exit_code == 1


def test_failpoints_do_nothing_unless_armed(monkeypatch):
    failpoint("a")
    monkeypatch.setenv(VARIABLE, "a*2:raise")
    failpoint("b")
    failpoint("a")
    with pytest.raises(Failed):
        failpoint("a")
    monkeypatch.setenv(VARIABLE, "a:sleep:0.001")
    failpoint("a")
