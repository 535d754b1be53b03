"""Pictures to show: small, ours, made once."""

import io
from pathlib import Path

import pytest
from PIL import Image

from catalog.errors import BadQuery, UnknownProduct
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from search.live.thumbnails import Thumbnails
from tests.search.shop_fixtures import RED, save_picture


@pytest.fixture
def catalogue(tmp_path):
    catalogue = Catalogue.open(tmp_path / "catalog.sqlite")
    yield catalogue
    catalogue.close()


@pytest.fixture
def stored(catalogue, tmp_path):
    record = save_picture(tmp_path / "feed", RED, 900)
    catalogue.put([Product("r", "red", (record,))])
    return record


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(("requested", "returned"), [(64, 64), (100, 64), (320, 320), (639, 576), (640, 640)])
def test_a_thumbnail_is_a_jpeg_no_larger_than_requested(catalogue, stored, tmp_path, requested, returned):
    small = opened(Thumbnails(catalogue, tmp_path / "thumbs").get(stored.sha256, requested))
    assert small.format == "JPEG" and small.size == (returned, returned)


def test_it_is_made_once_and_nothing_half_made_is_left(catalogue, stored, tmp_path):
    thumbnails = Thumbnails(catalogue, tmp_path / "thumbs")
    first = thumbnails.get(stored.sha256, 128)
    Path(stored.path).unlink()
    assert thumbnails.get(stored.sha256, 128) == first
    files = [path for path in (tmp_path / "thumbs").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [f"{stored.sha256}-128.jpg"]


def test_an_interrupted_write_leaves_nothing(catalogue, stored, tmp_path, monkeypatch):
    def fail(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        Thumbnails(catalogue, tmp_path / "thumbs").get(stored.sha256, 128)
    assert not [path for path in (tmp_path / "thumbs").rglob("*") if path.is_file()]


@pytest.mark.parametrize("sha256", ["0" * 64, "", "../../catalog.sqlite", "A" * 64, "0" * 63 + "\n"])
def test_only_pictures_of_products_are_shown(catalogue, stored, tmp_path, sha256):
    with pytest.raises(UnknownProduct):
        Thumbnails(catalogue, tmp_path / "thumbs").get(sha256, 128)
    assert not (tmp_path / "thumbs").exists()


@pytest.mark.parametrize("size", [0, -1, 63, 1281, 10**9])
def test_sizes_are_limited(catalogue, stored, tmp_path, size):
    with pytest.raises(BadQuery, match="64 to 1280"):
        Thumbnails(catalogue, tmp_path / "thumbs").get(stored.sha256, size)


def test_a_missing_or_changed_file_is_reported_without_its_path(catalogue, stored, tmp_path):
    thumbnails = Thumbnails(catalogue, tmp_path / "thumbs")
    Image.new("RGB", (9, 9)).save(stored.path)
    with pytest.raises(UnknownProduct, match="has changed") as changed:
        thumbnails.get(stored.sha256, 128)
    Path(stored.path).unlink()
    with pytest.raises(UnknownProduct, match="no longer") as vanished:
        thumbnails.get(stored.sha256, 128)
    assert str(tmp_path) not in f"{changed.value}{vanished.value}"


def test_a_folder_that_cannot_be_written_still_shows(catalogue, stored, tmp_path):
    (tmp_path / "thumbs").write_text("in the way")
    assert Thumbnails(catalogue, tmp_path / "thumbs").get(stored.sha256, 128)


def test_a_shared_picture_is_found(catalogue, stored, tmp_path):
    catalogue.put([Product("s", "same", (Picture(stored.path, stored.sha256, 900, 900),))])
    catalogue.remove(["r"])
    assert Thumbnails(catalogue, tmp_path / "thumbs").get(stored.sha256, 64)
