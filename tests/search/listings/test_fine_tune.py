"""A network fine-tuned on a shop's own pictures: measured on holdout pictures, and used in suggestions."""

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.errors import TooFewPairs
from catalog.home import ShopHome
from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from indexer.labels.heads import FusionWeights, LabelHeads
from indexer.labels.network import LabelNetwork
from indexer.training import label_finetune as training
from indexer.training.label_finetune import NetworkRecipe
from search.__main__ import main
from search.engine import SearchEngine
from search.listings import fine_tune as module
from search.listings.feedback_suggester import SuggesterCache
from search.listings.fine_tune import fine_tune, format_network_figures
from search.listings.fit_heads import shop_examples_with_pictures
from tests.indexer.training.datasets import SHADES, draw_shape, shape_feed

pytestmark = [pytest.mark.torture, pytest.mark.weights, pytest.mark.torch, pytest.mark.timeout(2000)]
SMALL = NetworkRecipe(shown=1_000, epochs=(1, 8), batch=32)


@pytest.fixture(scope="module")
def shop(tmp_path_factory, shared_models):
    """Shapes of 13 colours, by an encoder that knows nothing but colours; and what fine-tuning said."""
    home = tmp_path_factory.mktemp("shapes")
    build_index(home, shape_feed(home / "feed"), open_encoder("colour"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MIN_PICTURES", 100)
        patch.setattr(module, "NetworkRecipe", lambda: SMALL)
        figures = fine_tune(home)
    return home, figures


def test_the_network_is_used_where_it_helps(shop):
    _, figures = shop
    category = figures["fields"]["category"]
    assert figures["pictures"] == 260 and figures["swapped"] and category["used"]
    assert category["kept_aside"] == 52
    assert category["accuracy_before"] < 0.75 and category["accuracy_after"] > category["accuracy_before"] + 0.1, (
        category
    )
    assert category["loss_after"] < 0.7 * category["loss_before"]
    assert "category: the network is used." in format_network_figures(figures)


def test_suggestions_are_made_with_it(shop):
    home, _ = shop
    pictures = [draw_shape(shape, SHADES["teal"], 5) for shape in ("ring", "bar", "triangle")]
    with SearchEngine.open(home) as engine:
        lister = SuggesterCache(home).get(engine)
        found = [lister.suggest([picture]).category.top[0] for picture in pictures]
        assert [one.name for one in found] == ["Shapes > Ring", "Shapes > Bar", "Shapes > Triangle"]
        both = lister.suggest([pictures[0], draw_shape("ring", SHADES["red"], 6)]).category.top[0]
        assert both.name == "Shapes > Ring"
        assert lister.labels("category", pictures)[1].top[0].name == "Shapes > Bar"


def test_another_encoders_network_is_not_used(shop):
    home, _ = shop
    with SearchEngine.open(home) as engine:
        fingerprint = engine.encoder.fingerprint
        listers = SuggesterCache(home)
        with_it = listers.get(engine)
        data = ShopHome(home).label_network.read_bytes()
        try:
            ShopHome(home).label_network.write_bytes(data.replace(fingerprint.encode(), b"0" * len(fingerprint)))
            assert LabelNetwork.load(home, fingerprint) is None
            assert listers.get(engine) is not with_it
        finally:
            ShopHome(home).label_network.write_bytes(data)


def test_pictures_come_in_the_order_of_the_examples(shop):
    home, _ = shop
    with SearchEngine.open(home) as engine:
        examples, products, files = shop_examples_with_pictures(home, engine.generation)
    assert [file.stem for file in files] == [product.id for product in products]
    assert len(files) == len(examples.rows)


def test_too_few_pictures_are_refused(shop):
    home, _ = shop
    with pytest.raises(TooFewPairs, match="260 pictures"):
        fine_tune(home)


def test_a_shop_whose_pictures_are_gone_is_told_so(shop, monkeypatch):
    home, _ = shop
    monkeypatch.setattr(module, "MIN_PICTURES", 100)
    moved = (home / "feed").rename(home / "gone")
    try:
        with pytest.raises(TooFewPairs, match="Only 0 of 260 pictures"):
            fine_tune(home)
    finally:
        moved.rename(home / "feed")


def test_the_command_says_what_was_measured(shop, monkeypatch):
    home, figures = shop
    monkeypatch.setattr(module, "fine_tune", lambda home: figures)
    LabelHeads(open_encoder("colour").fingerprint, {}).save(home)
    result = CliRunner().invoke(main, ["learn", "--home", str(home), "--fine-tune"])
    assert result.exit_code == 0, result.output
    assert "Fine-tuned on 260 pictures." in result.stdout and "category: the network is used." in result.stdout


def test_fewer_pictures_are_shown_more_often():
    recipe = NetworkRecipe()
    assert (recipe.rounds(20_000), recipe.rounds(8_000), recipe.rounds(1_000)) == (5, 10, 30)


def test_a_network_that_equals_the_head_is_not_used():
    rng = np.random.default_rng(0)
    truth = np.eye(4, dtype=np.float32)[rng.integers(4, size=400)]
    head = np.asarray(0.7 * truth + 0.3 * rng.dirichlet(np.ones(4), 400), np.float32)
    voted = np.full_like(truth, 0.25)
    part, figures = training._network_weight(head, voted, truth, head)
    assert (
        part.weight == 0 and figures["loss_after"] <= figures["loss_before"] and isinstance(part.fusion, FusionWeights)
    )
    part, figures = training._network_weight(np.full_like(head, 0.25), voted, truth, head)
    assert part.weight > 0 and figures["accuracy_after"] > figures["accuracy_before"]
