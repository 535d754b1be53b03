"""R6: damage is detected, never served: every flipped bit, cut or swapped file, and the generation before answers."""

import random
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.errors import GenerationError
from catalog.home import ShopHome
from indexer import __main__ as command
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.generations.store import open_current, open_serving
from tests.fake_encoder import FakeEncoder
from tests.promises.feed_writer import answers, draw_feed, draw_pictures

FILES = (
    "rows.npy",
    "products.npy",
    "pictures.npy",
    "index.faiss",
    "columns.uint8.npy",
    "manifest.json",
)
FLIPS, CUTS = 200, 50


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A home with two generations, the files of both, and what each answers."""
    folder = tmp_path_factory.mktemp("damage")
    draw_pictures(folder / "feed", 5, 60)
    home = folder / "home"
    build_index(home, draw_feed(folder / "feed", "1.csv", 1, 40, 60), FakeEncoder())
    update_index(home, FakeEncoder(), UpdateOptions(draw_feed(folder / "feed", "2.csv", 2, 40, 60)))
    return home


@pytest.fixture
def home(shop, tmp_path):
    shutil.copytree(shop, tmp_path / "home")
    return tmp_path / "home"


def refused(home, told, same=None):
    """The current generation is refused and the one before is served; or nothing that matters was changed."""
    try:
        found = open_current(home)
    except GenerationError:
        served = open_serving(home)
        assert (served.number, served.fallback_from) == (1, 2), told
        assert "generation 1 is served instead" in served.degraded
        assert CliRunner().invoke(command.main, ["verify", "--home", str(home)]).exit_code == 1
        return True
    assert same is not None and found.manifest == same.manifest, told  # a space in the manifest became a tab
    assert open_serving(home).fallback_from is None
    return False


@pytest.mark.promise("R6")
def test_every_flipped_bit_and_every_cut_is_refused(home, seed):
    rng = random.Random(seed)
    folder, whole = ShopHome(home).generation(2), open_current(home)
    before = answers(home, open_serving(home))
    harmless = 0
    for turn in range(FLIPS + CUTS):
        path = folder / FILES[turn % len(FILES)]
        data = path.read_bytes()
        damaged = bytearray(data)
        if turn < FLIPS:
            damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        else:
            damaged = damaged[: rng.randrange(len(data))]
        path.write_bytes(damaged)
        harmless += not refused(home, f"turn {turn}: {path.name}", whole if path.name == "manifest.json" else None)
        path.write_bytes(data)
    assert harmless <= FLIPS // 20
    assert answers(home, open_serving(home)) == before


@pytest.mark.promise("R6")
@pytest.mark.parametrize("name", FILES)
def test_zeroed_swapped_and_missing_files_are_refused(home, name):
    path = ShopHome(home).generation(2) / name
    data = path.read_bytes()
    path.write_bytes(bytes(min(4096, len(data))) + data[4096:])
    assert refused(home, "a zeroed page")
    path.write_bytes((ShopHome(home).generation(1) / name).read_bytes())
    assert refused(home, "the file of the generation before")
    path.write_bytes((ShopHome(home).generation(2) / FILES[FILES.index(name) - 1]).read_bytes())
    assert refused(home, "another file of the same generation")
    path.unlink()
    assert refused(home, "no file")
    path.mkdir()
    assert refused(home, "a folder in its place")


@pytest.mark.promise("R6")
def test_both_damaged_is_an_error_and_a_broken_pointer_is_told(home):
    wanted = np.asarray(open_current(home).rows).tolist()
    for pointer in (b"", b"../../etc\n", b"000009\n", b"\xff"):
        (home / "current").write_bytes(pointer)
        served = open_serving(home)
        assert served.fallback_from in (0, 9) and np.asarray(served.rows).tolist() == wanted
    (home / "current").unlink()
    assert open_serving(home).fallback_from == 0
    for number in (1, 2):
        (ShopHome(home).generation(number) / "rows.npy").write_bytes(b"")
    with pytest.raises(GenerationError):
        open_serving(home)


@pytest.mark.promise("R6")
def test_the_next_update_repairs(home):
    before = np.asarray(open_current(home).rows).tolist()
    (ShopHome(home).generation(2) / "rows.npy").write_bytes(b"")
    assert refused(home, "emptied")
    encoder = FakeEncoder()
    report = update_index(home, encoder, UpdateOptions(from_catalogue=True))
    assert report.made and encoder.pictures_encoded == 0
    assert open_serving(home).fallback_from is None
    assert np.asarray(open_current(home).rows).tolist() == before
