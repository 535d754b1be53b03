"""The words for suggestions lie beside the index; what cannot be read is damage, and another version is not used."""

from contextlib import closing
from types import SimpleNamespace

import pytest

from catalog.errors import DamagedGeneration
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.columns.column_files import write_table
from indexer.columns.product_table import ShopTable
from indexer.suggestions import segment_files
from indexer.suggestions.segment_files import SuggestionWords, map_suggestions, write_suggestions

SHOP = (
    Product("a", "Café mug", (), "Tableware > Mugs", attributes={"category_zh": "餐具 > 马克杯"}),
    Product("b", "Red mug 750ml", (), "Tableware > Mugs", brand="Dune"),
    Product("c", "红色马克杯", (), "Tableware > Jugs"),
)


@pytest.fixture
def written(tmp_path):
    with closing(Catalogue.open(tmp_path / "catalog.sqlite")) as catalogue:
        catalogue.put(SHOP)
        table = ShopTable.read(catalogue)
        folder = tmp_path / "generation"
        folder.mkdir()
        write_table(folder, table, "c")
        write_suggestions(folder, table, catalogue)
        yield (
            folder,
            SimpleNamespace(files={path.name: None for path in folder.iterdir()}, seq=catalogue.seq),
            (SuggestionWords.read(table, catalogue)),
        )


def test_what_is_mapped_is_what_was_read(written):
    folder, manifest, read = written
    found = map_suggestions(folder, manifest)
    assert (found.alphabet, found.level_names, found.seq, found.changed) == (
        read.alphabet,
        read.level_names,
        manifest.seq,
        "c",
    )
    assert found.level_names["zh"] == {"Tableware": "餐具", "Mugs": "马克杯"}
    assert list(found.segment.words) == list(read.segment.words)
    for name in ("spelled", "visible", "title_shares", "holders", "starts", "dense", "bits", "texts", "text_starts"):
        assert getattr(found.segment, name).tolist() == getattr(read.segment, name).tolist(), name
    assert found.segment.counts.tolist() == read.segment.counts.tolist()
    assert found.segment.kinds.tolist() == read.segment.kinds.tolist()
    assert found.segment.spelling("cafe") == read.segment.spelling("cafe") == "café"
    assert found.segment.present.count == 3


def test_files_of_other_versions_are_not_used(written, monkeypatch):
    folder, manifest, _ = written
    assert map_suggestions(folder, SimpleNamespace(files={}, seq=1)) is None
    monkeypatch.setattr(segment_files, "current_analysis", lambda: "1 99.0.0")
    assert map_suggestions(folder, manifest) is None
    monkeypatch.undo()
    monkeypatch.setattr(segment_files, "FORMAT", 99)
    assert map_suggestions(folder, manifest) is None


@pytest.mark.parametrize("change", ["short", "missing", "no JSON", "of another shop"])
def test_files_that_cannot_be_read_are_damage(written, change):
    folder, manifest, _ = written
    path = folder / ("suggestions.json" if change == "no JSON" else "suggestions.int32.npy")
    if change == "of another shop":
        table = ShopTable.of([(1, SHOP[0])])
        write_table(folder, table)
    elif change == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DamagedGeneration, match="suggestions"):
        map_suggestions(folder, manifest)
