"""A shop that is opened after a crash between the catalogue's commit and the pointer: mended, if nobody is at it."""

import shutil
from contextlib import closing, contextmanager

import pytest

from catalog.files.failpoints import VARIABLE, Failed
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.generations import publishing
from indexer.generations.publishing import PENDING, recover, recover_pending, rollback
from indexer.generations.store import current_number, open_serving
from indexer.maintenance.consistency import check_consistency
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import COLOURS, colour_shop, write_feed
from tests.timing import Lateness


@pytest.fixture
def crashed(tmp_path, monkeypatch):
    """A home in which generation 2 is sealed and its products are committed, while the pointer says 1."""
    home = tmp_path / "home"
    build_index(home, colour_shop(tmp_path / "feed"), FakeEncoder())
    feed = write_feed(tmp_path / "feed", [(f"p-{name}", f"{name} hat", f"{name}.png") for name in COLOURS], "2.csv")
    with monkeypatch.context() as patch, pytest.raises(Failed):
        patch.setenv(VARIABLE, "catalogue.committed:raise")
        update_index(home, FakeEncoder(), UpdateOptions(feed))
    assert (current_number(home), noted(home)) == (1, "2")
    return home


def noted(home):
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        return catalogue.get_meta(PENDING)


@contextmanager
def writer(home):
    """Another build that is running, as far as its lock tells."""
    with locked_file(ShopHome(home).build_lock) as mine:
        assert mine
        yield


def test_a_committed_generation_is_published_when_the_shop_is_opened(crashed, caplog):
    assert recover_pending(crashed) == "Generation 000002 was ready when the last run ended; it is current now."
    assert "Generation 000002" in caplog.text
    serving = open_serving(crashed)
    with closing(Catalogue.open(crashed / "catalog.sqlite")) as catalogue:
        assert (serving.number, serving.manifest.seq) == (2, catalogue.seq)
    assert noted(crashed) is None
    assert (recover_pending(crashed), recover(crashed)) == ("", "")


def test_a_running_build_is_neither_waited_for_nor_disturbed(crashed):
    with writer(crashed):
        with Lateness() as wait:
            assert recover_pending(crashed) == ""
        assert wait.within(1.0)
        assert (current_number(crashed), noted(crashed)) == (1, "2")
        assert open_serving(crashed).number == 1
    assert recover_pending(crashed) and current_number(crashed) == 2


def test_where_nothing_is_left_over_the_lock_is_not_even_taken(tmp_path, monkeypatch):
    build_index(tmp_path / "home", colour_shop(tmp_path / "feed"), FakeEncoder())
    monkeypatch.setattr(publishing, "locked_file", None)
    assert recover_pending(tmp_path / "home") == ""


def test_a_copy_that_a_killed_build_left_is_removed(tmp_path):
    home = tmp_path / "home"
    build_index(home, colour_shop(tmp_path / "feed"), FakeEncoder())
    staging = ShopHome(home).staging
    staging.mkdir()
    (staging / "catalog.sqlite").write_bytes(b"a copy")
    with writer(home):
        assert recover_pending(home) == "" and staging.exists()
    assert recover_pending(home) == "" and not staging.exists()


def test_a_home_that_may_not_be_written_is_served_as_it_is(crashed, caplog):
    caplog.set_level("INFO")
    ShopHome(crashed).build_lock.unlink()
    ShopHome(crashed).build_lock.mkdir()  # nobody can open it for writing
    assert recover_pending(crashed) == "" and "is left to the next update" in caplog.text
    assert open_serving(crashed).number == 1


def test_what_others_are_writing_is_left_alone(crashed):
    """A lock of builds says nothing of a calibration that is being saved, nor of a folder begun by hand."""
    others = [crashed / ".calibration.json.tmp", crashed / "generations" / ".building-000009"]
    others[0].touch()
    others[1].mkdir()
    recover_pending(crashed)
    assert all(path.exists() for path in others)


def test_a_damaged_one_is_not_published(crashed):
    (ShopHome(crashed).generation(2).with_name(".building-000002") / "rows.npy").write_bytes(b"")
    assert "was to be published but is damaged" in recover_pending(crashed)
    assert (current_number(crashed), noted(crashed)) == (1, None)
    assert not ShopHome(crashed).generation(2).exists()
    assert check_consistency(crashed, open_serving(crashed)).all() == []
    update_index(crashed, FakeEncoder(), UpdateOptions(from_catalogue=True))
    assert current_number(crashed) == 2 and check_consistency(crashed, open_serving(crashed)).all() == []


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_without_a_shop_nothing_is_done(tmp_path, name):
    assert recover_pending(tmp_path / name) == ""
    assert not list(tmp_path.iterdir())


def test_a_generation_that_another_machine_builds_is_left_to_it(crashed, tmp_path, monkeypatch):
    """Two machines of one catalogue: the one without the folder must not take the record away from the other."""
    monkeypatch.setattr(publishing, "shares_catalogue", lambda: True)
    other = tmp_path / "other"
    shutil.copytree(crashed, other, ignore=shutil.ignore_patterns("generations"))
    shutil.copytree(ShopHome(crashed).generation(1), ShopHome(other).generation(1))
    assert (recover(other), recover_pending(other)) == ("", "")
    assert (current_number(other), noted(other)) == (1, "2")
    assert recover_pending(crashed) == "Generation 000002 was ready when the last run ended; it is current now."


def test_a_move_between_generations_on_disk_is_left_to_the_home_that_began_it(crashed, tmp_path, monkeypatch):
    """Every machine of the shop has the generation, and only one of them was interrupted on its way to it."""
    recover(crashed)
    monkeypatch.setattr(publishing, "shares_catalogue", lambda: True)
    other = tmp_path / "other"
    with monkeypatch.context() as patch, pytest.raises(Failed):
        patch.setenv(VARIABLE, "rollback.committed:raise")
        rollback(crashed)
    shutil.copytree(crashed, other, ignore=shutil.ignore_patterns("home.id"))
    record = noted(other)
    assert record.startswith("1 again by ")
    for _ in range(2):
        assert (recover(other), recover_pending(other)) == ("", "")
        assert (current_number(other), noted(other)) == (2, record)
        ShopHome(other).home_id.write_text("another")
    assert recover_pending(crashed) == "Generation 000001 was ready when the last run ended; it is current now."
    assert (current_number(crashed), noted(crashed)) == (1, None)
