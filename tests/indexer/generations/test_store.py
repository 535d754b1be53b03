"""Generations: published whole or not at all, checked on every open."""

import numpy as np
import pytest

from catalog.errors import DamagedGeneration, GenerationError, NoGeneration
from catalog.files import atomic, version_folders
from indexer.ann.faiss_index import VectorIndex
from indexer.generations import store
from indexer.generations.manifest import Manifest
from indexer.generations.store import begin, current_number, numbers, open_current, open_generation
from indexer.layout import RowLayout
from indexer.types import Block, EncoderSpec, IndexRecord, Recall
from tests.indexer.shop_fixtures import publish

LAYOUT = RowLayout((Block("look", 3),))
ROWS = np.array([[1, 0, 0], [0, 1, 0], [0, 0.6, 0.8], [1, 0, 0]], np.float16)


def make_generation(home, rows=ROWS):
    number, folder = begin(home)
    np.save(folder / "rows.npy", rows)
    np.save(folder / "products.npy", np.arange(len(rows), dtype=np.int64) + 10)
    np.save(folder / "pictures.npy", np.array([b"%064d" % i for i in range(len(rows))], "S64"))
    VectorIndex.build(rows).save(folder / "index.faiss")
    manifest = Manifest(
        number=number,
        created="2026-01-01T00:00:00+00:00",
        encoder=EncoderSpec("fake", "fake", "mean-colour", "none", ("look",), "Apache-2.0"),
        fingerprint="fa" * 32,
        preprocessing={"size": 4},
        blocks=LAYOUT.blocks,
        rows=len(rows),
        products=len(rows),
        seq=7,
        index=IndexRecord("flat"),
        weights={"picture": {"look": 1.0}, "text": {}},
        words_gate=1.0,
        recall=Recall(),
        files={},
    )
    publish(home, folder, manifest)
    return number


def test_a_shop_never_indexed_says_how_to_index_it(tmp_path):
    with pytest.raises(NoGeneration, match="make index"):
        open_current(tmp_path)


def test_published_generations_open_and_search(tmp_path):
    assert make_generation(tmp_path) == 1
    generation = open_current(tmp_path)
    assert (generation.number, generation.manifest.seq, generation.layout) == (1, 7, LAYOUT)
    assert generation.rows.dtype == np.float16
    assert generation.picture_hashes[3] == b"0" * 63 + b"3"
    scores, rows = generation.search(np.array([1, 0.1, 0], np.float32), 3)
    np.testing.assert_array_equal(rows, [0, 3, 1])  # equal scores: by row number
    np.testing.assert_allclose(scores, [1, 1, 0.1], atol=1e-6)
    _, rows = generation.search(np.array([1, 0.1, 0], np.float32), 3, np.array([False, True, True, False]))
    np.testing.assert_array_equal(rows, [1, 2])


def test_numbers_rise_and_the_last_three_stay_on_disk(tmp_path):
    assert [make_generation(tmp_path) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert numbers(tmp_path) == [3, 4, 5]
    assert current_number(tmp_path) == 5
    assert open_generation(tmp_path, 4).number == 4


def test_the_current_generation_is_never_pruned(tmp_path):
    for _ in range(3):
        make_generation(tmp_path)
    (tmp_path / "current").write_text("000001\n")
    store._versions(tmp_path).prune()
    assert 1 in numbers(tmp_path)


def test_what_an_interrupted_build_left_is_swept_and_the_old_one_stays(tmp_path):
    make_generation(tmp_path)
    _, leftover = begin(tmp_path)
    (leftover / "rows.npy").write_bytes(b"half")
    assert open_current(tmp_path).number == 1
    number, folder = begin(tmp_path)
    assert number == 2
    assert list(folder.iterdir()) == []
    assert [p.name for p in folder.parent.iterdir() if p.name.startswith(".")] == [folder.name]


def test_a_crash_before_the_pointer_moves_leaves_the_old_one_current(tmp_path, monkeypatch):
    make_generation(tmp_path)
    whole = version_folders.write_atomically

    def crash(path, write):
        if path.name == "current":
            raise KeyboardInterrupt
        whole(path, write)

    monkeypatch.setattr(version_folders, "write_atomically", crash)
    with pytest.raises(KeyboardInterrupt):
        make_generation(tmp_path)
    monkeypatch.undo()
    assert open_current(tmp_path).number == 1
    assert make_generation(tmp_path) == 3
    assert not list(tmp_path.rglob("*.tmp"))


def test_everything_is_on_disk_before_the_pointer_moves(tmp_path, monkeypatch):
    steps = []
    sync, rename = atomic.sync, type(tmp_path).replace
    for module in (version_folders, atomic):
        monkeypatch.setattr(module, "sync", lambda path: (steps.append(f"sync {path.name}"), sync(path)))
    monkeypatch.setattr(
        type(tmp_path), "replace", lambda self, to: (steps.append(f"replace {to.name}"), rename(self, to))[1]
    )
    make_generation(tmp_path)
    pointer = steps.index("replace current")
    for name in ("rows.npy", "products.npy", "pictures.npy", "index.faiss", ".manifest.json.tmp", "generations"):
        assert steps.index(f"sync {name}") < pointer
    assert steps[pointer - 1] == "sync .current.tmp"
    assert steps[pointer + 1] == f"sync {tmp_path.name}"


@pytest.mark.parametrize("name", ["rows.npy", "products.npy", "pictures.npy", "index.faiss", "manifest.json"])
@pytest.mark.parametrize("damage", ["missing", "short", "flipped"])
def test_damage_is_refused_naming_the_file_and_the_repair(tmp_path, name, damage):
    make_generation(tmp_path)
    path = tmp_path / "generations" / "000001" / name
    data = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "short":
        path.write_bytes(data[:-5])
    else:
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    with pytest.raises(DamagedGeneration, match=f"{name}.*make index"):
        open_current(tmp_path)


def test_every_single_bit_of_the_manifest_counts(tmp_path):
    make_generation(tmp_path)
    path = tmp_path / "generations" / "000001" / "manifest.json"
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    for position in rng.integers(0, len(whole) - 1, 150):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            manifest = open_current(tmp_path).manifest
        except GenerationError:
            continue
        path.write_bytes(whole)
        assert manifest == open_current(tmp_path).manifest, f"bit at {position} changed the meaning unnoticed"


def test_a_manifest_of_another_generation_is_refused(tmp_path):
    make_generation(tmp_path)
    make_generation(tmp_path)
    folder = tmp_path / "generations"
    (folder / "000002" / "manifest.json").write_bytes((folder / "000001" / "manifest.json").read_bytes())
    with pytest.raises(DamagedGeneration, match="belongs to generation 000001"):
        open_current(tmp_path)


@pytest.mark.parametrize("pointer", ["", "../../etc", "12", "\xff\n", "000009\n"])
def test_a_senseless_pointer_is_damage(tmp_path, pointer):
    make_generation(tmp_path)
    (tmp_path / "current").write_text(pointer, encoding="latin-1")
    with pytest.raises(DamagedGeneration):
        open_current(tmp_path)
    assert make_generation(tmp_path) == (10 if pointer == "000009\n" else 2)
    assert open_current(tmp_path).number in (2, 10)
