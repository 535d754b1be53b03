"""The page about another encoder: both sides of every question, whatever products are called or have become."""

import re

import pytest

from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.generations.encoder_diff import page
from indexer.generations.golden_queries import GoldenQuery
from tests.indexer.shop_fixtures import write_picture

SIDE = {"encoder": "fake", "generation": 1, "numbers_a_row": 9, "search_ms_median": 0.5, "search_ms_p95": 1.25}
FIGURES = {
    "golden_queries": 4,
    "overlap_at_10": {"picture": 0.25, "text": 0.5},
    "before": SIDE | {"recall": {"picture": 1.0, "text": None}},
    "after": SIDE | {"encoder": "<b>", "generation": 2, "recall": {"picture": 0.987, "text": 1.0}},
}


def golden(kind, key, before, after):
    return GoldenQuery(kind, key, "0" * 64, before, after, 1.0, 1.0)


@pytest.fixture
def catalogue(tmp_path):
    catalogue = Catalogue.open(tmp_path / "catalog.sqlite")
    for number in range(4):
        path = write_picture(tmp_path / f"{number}.png", (number * 50, 0, 0))
        catalogue.put(
            [Product(f"p{number}", f"<i>thing {number}</i>", (Picture(str(path), f"{number}" * 64, 16, 12),))]
        )
    (tmp_path / "3.png").unlink()
    yield catalogue
    catalogue.close()


def test_both_sides_are_shown_with_pictures_and_what_they_share(catalogue):
    shown = page(FIGURES, [golden("picture", 1, (1, 2, 3), (1, 3, 4))], catalogue)
    before, after = re.findall(r"<ol>(.*?)</ol>", shown, re.DOTALL)
    assert re.findall(r"thing (\d)", before) == ["0", "1", "2"] and re.findall(r"thing (\d)", after) == ["0", "2", "3"]
    assert re.findall(r'class="both">.*?thing (\d)', before) == ["0", "2"]
    assert before.count("data:image/jpeg") == 3 and after.count("data:image/jpeg") == 2, (
        "one file is not there any more"
    )
    assert "2 of the first 3 are the same" in shown and "Before: fake" in shown


def test_figures_of_both_are_shown_side_by_side(catalogue):
    rows = re.findall(r"<tr><th>(.*?)</th>(.*?)</tr>", page(FIGURES, [], catalogue))
    figures = {name: re.findall(r"<td.*?>(.*?)</td>", cells) for name, cells in rows}
    assert figures["overlap@10, pictures"] == ["0.25"] and figures["overlap@10, words"] == ["0.50"]
    assert figures["recall@10, words"] == ["–", "1.000"] and figures["search, 95th percentile ms"] == ["1.25", "1.25"]


def test_names_and_titles_are_no_markup_and_nothing_is_fetched(catalogue):
    shown = page(FIGURES, [golden("text", 2, (2,), (4, 99)), golden("picture", 99, (), (1,))], catalogue)
    assert "<i>" not in shown and "From fake to &lt;b&gt;" in shown
    assert "“&lt;i&gt;thing 1&lt;/i&gt;”" in shown and "a product that is gone" in shown
    assert "http" not in shown and 'name="viewport"' in shown and "prefers-color-scheme: dark" in shown
