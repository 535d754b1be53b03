"""Each gate passes what is whole and fails what is not."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from catalog.errors import GenerationError
from catalog.storage.catalogue import Catalogue
from indexer.ann.faiss_index import VectorIndex
from indexer.build.build import build_index
from indexer.generations import gates
from indexer.generations import golden_queries as golden_module
from indexer.generations.gates import FAILED, PASSED, WARNED
from indexer.generations.golden_queries import golden_queries
from indexer.generations.store import open_current
from indexer.types import Recall
from tests.fake_encoder import FakeEncoder
from tests.promises.feed_writer import draw_feed, draw_pictures


@pytest.fixture
def shop(tmp_path):
    draw_pictures(tmp_path / "feed", 3, 60)
    build_index(tmp_path / "home", draw_feed(tmp_path / "feed", "1.csv", 3, 40, 60), FakeEncoder())
    with closing(Catalogue.open(tmp_path / "home" / "catalog.sqlite")) as catalogue:
        yield open_current(tmp_path / "home"), catalogue


def test_a_whole_generation_passes_every_gate(shop):
    generation, catalogue = shop
    passed = gates.check(generation, catalogue, generation)
    names = ["one-to-one", "self-retrieval", "picture recall", "text recall", "overlap"]
    assert [(gate.name, gate.outcome) for gate in passed] == [(name, PASSED) for name in names]
    gates.require(passed)


def test_rows_and_pictures_must_be_one_to_one(shop):
    generation, catalogue = shop
    other = generation.product_keys.copy()
    other[3] += 1_000
    swapped = generation.picture_hashes.copy()
    swapped[[0, 5]] = swapped[[5, 0]]
    for broken in (
        replace(generation, product_keys=other),
        replace(generation, picture_hashes=swapped),
        replace(generation, product_keys=generation.product_keys[:-1], picture_hashes=generation.picture_hashes[:-1]),
        replace(
            generation,
            product_keys=np.append(generation.product_keys, 99),
            picture_hashes=np.append(generation.picture_hashes, b"0" * 64),
        ),
    ):
        assert gates.one_to_one(broken, catalogue).outcome == FAILED
        with pytest.raises(GenerationError, match=r"gate one-to-one: failed, .* without their counterpart"):
            gates.require([gates.one_to_one(broken, catalogue)], force=True)


def test_rows_that_do_not_find_themselves_fail(shop):
    generation, _ = shop
    rolled = VectorIndex.build(np.roll(np.asarray(generation.rows), 1, axis=0))
    assert (
        gates.self_retrieval(replace(generation, vectors=replace(generation.vectors, index=rolled))).outcome == FAILED
    )


def test_too_little_recall_fails():
    assert [gate.outcome for gate in gates.recall_gates(Recall(0.96, 0.94))] == [PASSED, FAILED]
    assert len(gates.recall_gates(Recall(0.96))) == 1


def test_answers_that_differ_warn_and_then_fail_unless_forced(shop):
    generation, _ = shop
    rows = np.asarray(generation.rows)
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1, rows.shape)
    outcomes = []
    for share in (0.0, 0.08, 3.0):
        moved = (rows + share * noise).astype(np.float16)
        vectors = replace(generation.vectors, rows=moved, index=VectorIndex.build(moved))
        gate = gates.same_answers(replace(generation, vectors=vectors), generation)
        outcomes.append(gate.outcome)
    assert outcomes == [PASSED, WARNED, FAILED]
    with pytest.raises(GenerationError, match="--force"):
        gates.require([gate])
    gates.require([gate], force=True)


@pytest.mark.parametrize("at_once", [1, 3, 8_192])
def test_golden_queries_ask_only_what_both_can_answer(shop, monkeypatch, at_once):
    monkeypatch.setattr(golden_module, "BLOCK_ROWS", at_once)
    generation, _ = shop
    hashes = generation.picture_hashes.copy()
    hashes[0] = b"1" * 64
    queries = golden_queries(generation, replace(generation, picture_hashes=hashes))
    changed = int(generation.product_keys[0])
    assert {query.kind for query in queries} == {"picture", "text"}
    assert not any(changed in (query.key, *query.before, *query.after) for query in queries)
    assert all(query.overlap == 1.0 for query in queries)
    assert golden_queries(generation, replace(generation, product_keys=generation.product_keys + 10_000)) == []
