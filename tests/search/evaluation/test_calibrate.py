"""The verdict's curve: fitted by hand-checkable logistic regression, and by photos of a small shop's own products."""

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.errors import BadQuery, UnknownProduct
from indexer.generations.match_curve_fit import logistic
from search.__main__ import main
from search.engine import SearchEngine
from search.evaluation.calibrate import calibrate
from search.query.terms import PictureTerm, Query
from tests.search.shop_fixtures import BLUE, GREEN, RED, make_shop, picture


def test_the_curve_crosses_one_half_where_the_classes_meet():
    x = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    slope, offset = logistic(x, np.array([0, 0, 0, 1, 0, 1, 1, 1.0]))
    assert slope > 0
    assert -offset / slope == pytest.approx(0.5, abs=0.02)


def test_the_curve_says_what_share_is_sold():
    x = np.repeat([0.2, 0.8], 10)
    slope, offset = logistic(x, np.array([1, *[0] * 9, *[1] * 9, 0], float))  # one in ten, nine in ten
    assert 1 / (1 + np.exp(-(0.2 * slope + offset))) == pytest.approx(0.1, abs=0.02)
    assert 1 / (1 + np.exp(-(0.8 * slope + offset))) == pytest.approx(0.9, abs=0.02)


def photos(folder, count=24, product="r", extra=""):
    """Photos of the red scarf and the blue hat in turn, each of another size, and the table of them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["photo,product_id,split"]
    for number in range(count):
        owner, colour = ((product, RED), ("b", BLUE))[number % 2]
        picture(colour, 20 + number).save(folder / f"{number}.png")
        lines.append(f"{number}.png,{owner},train")
    (folder / "photos.csv").write_text("\n".join(lines) + f"\n{extra}")
    return folder / "photos.csv"


def test_what_is_sold_is_told_from_what_is_not(engine, tmp_path):
    curve = calibrate(engine, photos(tmp_path / "asked"))
    assert (curve.block, curve.photos, curve.fingerprint) == ("look", 24, engine.encoder.fingerprint)
    assert curve.has(1.0) > 0.9 and curve.has(0.0) < 0.1


def test_where_look_says_nothing_the_whole_score_is_asked(engine, tmp_path, monkeypatch):
    """A photo has the look of the other product, as on a shelf, but what it means is still its own."""
    honest = engine.encoder.encode_pixels
    order = [2, 1, 0]

    def confused(pixels):
        rows = honest(pixels)
        rows[:, :3] = rows[:, :3][:, order]
        return rows

    monkeypatch.setattr(engine.encoder, "encode_pixels", confused)
    curve = calibrate(engine, photos(tmp_path / "asked"))
    assert curve.block == "score" and curve.has(0.8) > curve.has(0.2)


def test_photos_kept_for_tests_teach_nothing(engine, tmp_path):
    picture(GREEN).save(tmp_path / "test.png")
    table = photos(tmp_path, extra="test.png,nobody,test\n")
    assert calibrate(engine, table).photos == 24


def test_too_few_photos_are_refused(engine, tmp_path):
    with pytest.raises(BadQuery, match="has 18 photos that can be used"):
        calibrate(engine, photos(tmp_path, count=18))


def test_a_product_that_the_shop_does_not_have_is_named(engine, tmp_path):
    with pytest.raises(UnknownProduct, match="nobody"):
        calibrate(engine, photos(tmp_path, product="nobody"))


def test_the_command_keeps_it_with_the_shop(home, tmp_path, fake_encoder):
    make_shop(home).close()
    table = photos(tmp_path / "asked")
    arguments = ["calibrate", "--home", str(home), "--photos", str(table)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0 and "photos" in done.output
    with SearchEngine.open(home) as engine:
        assert engine.search(Query((PictureTerm(picture(RED)),))).verdict.kind == "similar"
    table.write_text("photo,product_id\n")
    assert CliRunner().invoke(main, [*arguments, "--missing"]).exit_code == 0
    assert CliRunner().invoke(main, arguments).exit_code == 1
