"""Known kinds: how much of a photo resembles what a shop does not sell; 3-d vectors whose answers are seen by eye."""

from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import EncoderUnavailable
from indexer.encoders.registry import open_encoder
from indexer.generations.known_kinds import KINDS_FILE, KnownKinds, known_kinds, save_kinds
from indexer.generations.match_curve import MIN_VIEWS, Curve, MatchCalibration
from indexer.generations.match_curve_fit import with_match_curve
from tests.indexer.generations.test_match_curve_fit import Blocks, shop

SHIRT, APPLE, FAR = (np.array(one, np.float32) for one in ([1, 0, 0], [0, 1, 0], [0, 0, 1]))
KINDS = KnownKinds(
    ("owners: shirt", "shelf: apple"),
    np.stack([SHIRT, APPLE]),
    home=np.array([[0.9, 0.5], [0.9, 0.7]], np.float32),
    head=np.array([2.0, -2.0, 0.5], np.float32),  # of a "look" of two numbers
    fingerprint="fa" * 32,
)
PLAIN = np.zeros(2, np.float32)
ALL_SOLD = np.zeros(2, np.float32)


def photo(meaning, look=PLAIN):
    return np.concatenate([look, meaning]).astype(np.float32)


def unsold(of, sold, hits):
    return KINDS.resemblance(of, 1 - np.array(sold, np.float32), hits).unsold


def no_product(look):
    return KINDS.resemblance(photo(FAR, np.array(look)), ALL_SOLD, []).no_product


def test_what_is_usual_is_that_of_the_kind_that_a_photo_resembles():
    shirt, apple, other = (KINDS.resemblance(photo(of), ALL_SOLD, []).usual for of in (SHIRT, APPLE, FAR))
    assert (shirt, apple) == pytest.approx((0.7, 0.8), abs=0.01) and other == pytest.approx(0.63, abs=0.01)


def test_a_photo_of_a_kind_that_is_not_sold_is_all_doubt():
    assert unsold(photo(APPLE), (1.0, 0.0), [0.2]) > 0.99
    assert unsold(photo(APPLE), (0.0, 1.0), [0.2]) < 0.01
    assert unsold(photo(APPLE), (1.0, 0.6), [0.2]) == pytest.approx(0.4, abs=0.01)


def test_a_product_that_is_nearer_than_the_kind_removes_the_doubt():
    between = photo(np.array([0, 0.7, 0.714]))
    far, near = (unsold(between, (1.0, 0.0), [cosine]) for cosine in (0.1, 0.9))
    assert far > 0.8 and near < 0.05


def test_a_photo_of_nothing_known_raises_no_doubt():
    assert unsold(photo(FAR), (0.0, 0.0), [0.1]) < 0.01


def test_the_head_speaks_only_against_a_product():
    assert no_product([1, 0]) == pytest.approx(2.5)
    assert no_product([0, 1]) == 0.0
    assert no_product([9, 0]) == 4.0


def test_a_shop_sells_the_kinds_that_its_rows_come_near(tmp_path):
    """Six kinds of products; the first is known, and so is one that no row comes near."""
    generation, catalogue = shop(tmp_path)
    catalogue.close()
    layout = generation.layout
    rows = np.asarray(generation.rows, dtype=np.float32)
    sold = rows[:20, layout.slice("meaning")].mean(axis=0)
    other = np.zeros_like(sold)
    other[np.argmin(np.abs(rows[:, layout.slice("meaning")]).max(axis=0))] = 1
    means = np.stack([sold / np.linalg.norm(sold), other])
    kinds = replace(KINDS, means=means, home=np.array([[0.9, 0.5], [0.9, 0.7]], np.float32))
    first, second = kinds.sold(generation)
    assert 0.8 < first <= 1.0 and second < first


def test_kinds_survive_their_file(tmp_path):
    save_kinds(KINDS, tmp_path / "kinds.safetensors", {"seed": 0})
    read = known_kinds(tmp_path / "kinds.safetensors")
    assert read.names == KINDS.names and read.fingerprint == KINDS.fingerprint and len(read.digest) == 64
    assert np.allclose(read.means, KINDS.means) and np.allclose(read.head, KINDS.head)


def test_a_damaged_file_is_refused_by_name(tmp_path):
    (tmp_path / "kinds.safetensors").write_bytes(b"no tensors")
    with pytest.raises(EncoderUnavailable, match=r"kinds\.safetensors"):
        known_kinds(tmp_path / "kinds.safetensors")


@pytest.mark.weights
def test_the_kinds_that_ship_are_of_the_starter_that_ships():
    assert known_kinds().fingerprint == open_encoder("starter").fingerprint
    assert len(known_kinds().names) == len(known_kinds().means) and KINDS_FILE.stat().st_size < 500_000


def test_a_shop_without_views_is_judged_by_the_score():
    curves = (Curve("look", 10.0, 0.5), Curve("score", 20.0, 0.6))
    alone = MatchCalibration(curves, spread=0.1, queries=100)
    seen = replace(alone, with_views=MIN_VIEWS)
    assert alone.kind_logit(-3.0, 0.6, 0.63) > 0 > alone.kind_logit(3.0, 0.2, 0.63)
    assert seen.kind_logit(-3.0, 0.6, 0.63) == -3.0
    assert alone.kind_logit(0.0, 0.6, 0.8) < alone.kind_logit(0.0, 0.6, 0.63)
    small = replace(alone, products=1_000)
    assert small.kind_logit(0.0, 0.4, 0.63) > alone.kind_logit(0.0, 0.4, 0.63)  # its best product is less like a photo
    assert replace(alone, products=20).kind_logit(0.0, 0.4, 0.63) == replace(alone, products=100).kind_logit(
        0.0, 0.4, 0.63
    )
    assert seen.doubt(0.5, 1.0) == alone.doubt(0.5, 1.0) / 2
    assert alone.doubt(0.0, 0.0) == 0.0 and alone.doubt(0.5, 0.0) == 4 and alone.doubt(0.0, 4.0) >= 4


def test_kinds_of_another_encoder_are_left_out_of_the_manifest(tmp_path):
    generation, catalogue = shop(tmp_path)
    match = with_match_curve(generation, catalogue).manifest.match
    catalogue.close()
    assert Blocks().fingerprint != known_kinds().fingerprint
    assert match.sold == () and match.kinds == ""
    assert MatchCalibration.from_body(match.body() | {"sold": [0.5], "kinds": "fa"}).sold == (0.5,)
    old = {name: value for name, value in match.body().items() if name not in ("sold", "kinds", "products")}
    assert MatchCalibration.from_body(old) == match  # as manifests of earlier versions are
