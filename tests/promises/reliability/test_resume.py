"""R4: a build that was killed goes on where it was. R20: how much the index finds is measured each time, and known."""

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import GenerationError
from catalog.files.failpoints import KILLED
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.ann.recall import MIN_RECALL
from indexer.build import generation_builder
from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.build.generation_builder import BuildOptions
from indexer.generations.store import open_current
from indexer.types import IndexRecord
from tests.fake_encoder import FakeEncoder
from tests.promises.feed_writer import draw_feed, draw_pictures

PICTURES, BATCH = 48, 4


def rows_by_id(home):
    generation = open_current(home)
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        ids = dict(catalogue.ids())
    return [ids[key] for key in generation.product_keys.tolist()], np.asarray(generation.rows, np.float32)


@pytest.mark.promise("R4")
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("point", ["pictures.encoded", "cache.appended"])
@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_a_killed_build_encodes_at_most_one_batch_twice(kennel, tmp_path, seed, share, point, at_once):
    feed = tmp_path / "feed"
    draw_pictures(feed, seed, PICTURES)
    path = draw_feed(feed, "feed.csv", seed, 40, PICTURES)
    used = {name for line in path.read_text().splitlines()[1:] for name in line.split(",")[2].split("|")}
    log = tmp_path / "encoded.log"
    words = {"home": tmp_path / "home", "feed": path, "log": log, "at_once": at_once}
    part = BATCH // at_once  # that one thread encodes
    turn = int(share * len(used) / part)
    assert kennel.run("build", f"{point}*{turn}:exit", **words)[0] == KILLED
    assert 0 <= Path(log).stat().st_size - turn * part <= BATCH - part
    code, output = kennel.run("build", **words)
    assert code == 0, output
    twice = Path(log).stat().st_size - len(used)
    assert (
        (part if point == "pictures.encoded" else 0)
        <= twice
        <= (BATCH if point == "pictures.encoded" else BATCH - part)
    )
    assert kennel.run("build", **{**words, "home": tmp_path / "whole", "log": ""})[0] == 0
    (ids, rows), (whole_ids, whole_rows) = rows_by_id(tmp_path / "home"), rows_by_id(tmp_path / "whole")
    assert ids == whole_ids
    np.testing.assert_allclose(rows, whole_rows, atol=1e-6)


@pytest.mark.promise("R20")
@pytest.mark.parametrize("kind", ["flat", "ivf_sq8"])
def test_every_new_index_knows_how_much_it_finds(kennel, tmp_path, seed, kind, monkeypatch):
    feed, home = tmp_path / "feed", tmp_path / "home"
    draw_pictures(feed, seed, 90)
    options = BuildOptions(kind=kind)
    maker_build = generation_builder.VectorIndex.build
    trained = []
    monkeypatch.setattr(
        generation_builder.VectorIndex, "build", lambda *words: trained.append(words) or maker_build(*words)
    )
    build_index(home, draw_feed(feed, "1.csv", seed, 70, 90), FakeEncoder(), options)
    for number in (2, 3):
        path = draw_feed(feed, f"{number}.csv", seed + number, 70, 90)
        report = update_index(home, FakeEncoder(), UpdateOptions(path, build=options))
        recall = open_current(home).manifest.recall
        assert report.made and recall.queries == 4 * len(open_current(home).rows)
        assert min(recall.picture, recall.text) >= MIN_RECALL
        gates = {gate["name"]: gate["value"] for gate in json.loads(ShopHome(home).report(number).read_text())["gates"]}
        assert gates["picture recall"] == recall.picture and gates["text recall"] == recall.text
    assert len(trained) == 1  # the updates keep what was learned, and write a file row by row


@pytest.mark.promise("R20")
def test_an_index_that_finds_too_little_is_trained_anew_or_refused(tmp_path, seed, monkeypatch):
    feed, home = tmp_path / "feed", tmp_path / "home"
    draw_pictures(feed, seed, 60)
    options = BuildOptions(kind="ivf_sq8")
    build_index(home, draw_feed(feed, "1.csv", seed, 50, 60), FakeEncoder(), options)
    first_probes = []

    def poor(index, rows, queries, goal, first=1):
        first_probes.append(first)
        raise GenerationError("The index finds too few of the true neighbours", "")

    monkeypatch.setattr(generation_builder, "tune", poor)
    with pytest.raises(GenerationError, match="too few"):
        update_index(home, FakeEncoder(), UpdateOptions(draw_feed(feed, "2.csv", seed + 1, 50, 60), build=options))
    assert len(first_probes) == 2
    assert open_current(home).number == 1
    assert isinstance(open_current(home).manifest.index, IndexRecord)
