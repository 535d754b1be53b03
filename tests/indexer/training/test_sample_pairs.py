"""What the starter may learn of the sample shop: everything of the training products, nothing of the others."""

from collections import Counter

import pytest

from catalog.errors import BadFeed
from indexer.training.sample_pairs import SHOPPERS_COPIES, STUDIO_COPIES, sample_examples
from tests.indexer.training.datasets import sample_shop, write_table


@pytest.fixture
def shop(tmp_path):
    return sample_shop(tmp_path / "sample")


def test_pictures_and_photos_of_training_products_only(shop):
    seen = Counter(example.file.name for example in sample_examples(shop))
    studio = {f"{colour}-{side}.png": STUDIO_COPIES for colour in ("red", "green") for side in (1, 2)}
    assert seen == studio | {"red.png": SHOPPERS_COPIES, "green.png": SHOPPERS_COPIES}


def test_words_of_six_languages(shop):
    example = next(example for example in sample_examples(shop) if example.key == "red mug")
    english, others = Counter(example.captions), Counter(example.translations)
    assert [english[text] for text in ("red mug", "red mugs", "a red cup")] == [38, 20, 42]
    assert [others[text] for text in ("red 杯", "red 杯子")] == [12, 21]
    assert {"rote Tasse", "Tasse in Rot"} & set(others) and {"赤いマグカップ", "红色马克杯"} <= set(others)
    assert example.domain == 0
    assert not any("blue" in words for each in sample_examples(shop) for words in each.captions)


@pytest.mark.parametrize("missing", ["products.csv", "photos.csv", "captions.csv"])
def test_a_table_that_is_missing_is_named(shop, missing):
    (shop / missing).unlink()
    with pytest.raises(BadFeed, match=missing):
        sample_examples(shop)


@pytest.mark.parametrize("row", [("photos/red.png", "red"), ("photos/red.png", "", "train"), ("", "red", "train")])
def test_a_row_that_is_not_whole_is_named(shop, row):
    write_table(shop / "photos.csv", ("photo", "product_id", "split"), row)
    with pytest.raises(BadFeed, match=r"photos\.csv:2"):
        sample_examples(shop)


def test_a_photo_of_a_product_that_has_no_words_is_refused(shop):
    write_table(shop / "photos.csv", ("photo", "product_id", "split"), ("photos/blue.png", "blue", "train"))
    with pytest.raises(BadFeed, match="'blue' is no training product"):
        sample_examples(shop)
