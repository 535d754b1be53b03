"""The index: the kind fits the size, masks hold, saved and loaded are the same."""

from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pytest

from indexer.ann import coarse_lists
from indexer.ann.exact_rerank import RerankedSearch, exact_scores, top_rows
from indexer.ann.faiss_index import VectorIndex
from indexer.ann.index_plan import FLAT, IVF_PQ, IVF_PQ4, IVF_SQ8, IndexPlan, list_count, plan_for

DIM = 24


def clustered(count, dim=DIM, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((60, dim))
    rows = centres[rng.integers(60, size=count)] + 0.7 * rng.standard_normal((count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


ROWS = clustered(3000)
PLANS = [IndexPlan(FLAT), IndexPlan(IVF_PQ4, 32), IndexPlan(IVF_SQ8, 32), IndexPlan(IVF_PQ, 32)]


@pytest.fixture(scope="module", params=PLANS, ids=lambda plan: plan.kind)
def index(request):
    return VectorIndex.build(ROWS, request.param, threads=1)


@pytest.mark.parametrize(
    ("rows", "gpu", "kind"),
    [
        (1, False, FLAT),
        (10_000, True, FLAT),
        (10_001, False, IVF_PQ4),
        (10_000_000, False, IVF_PQ4),
        (1_000_000, True, IVF_SQ8),
        (1_000_001, True, IVF_PQ),
    ],
)
def test_the_kind_fits_the_number_of_rows_and_the_gpu(rows, gpu, kind):
    assert plan_for(rows, gpu=gpu).kind == kind


@pytest.mark.parametrize(("rows", "lists"), [(1, 1), (10_001, 256), (20_049, 256), (100_000, 512), (1_000_000, 2048)])
def test_list_counts_are_powers_of_two_with_rows_enough_to_train(rows, lists):
    assert list_count(rows) == lists
    assert list_count(rows, IVF_SQ8) in (lists, 2 * lists)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="hnsw"):
        IndexPlan("hnsw")


def test_three_vectors_by_eye():
    index = VectorIndex.build(np.eye(3, dtype=np.float32))
    scores, rows = index.search(np.array([[0.9, 0.5, 0]], np.float32), 2)
    assert rows.tolist() == [[0, 1]]
    np.testing.assert_allclose(scores, [[0.9, 0.5]])


def test_saved_and_loaded_answers_are_the_same(index, tmp_path):
    index.save(tmp_path / "index.faiss")
    again = VectorIndex.load(tmp_path / "index.faiss", threads=1)
    assert (again.kind, again.size, again.dim, again.lists) == (index.kind, 3000, DIM, index.lists)
    queries = ROWS[:5].astype(np.float32)
    for mine, theirs in zip(index.search(queries, 7, nprobe=8), again.search(queries, 7, nprobe=8), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_an_index_left_in_its_file_answers_alike(index, tmp_path):
    index.save(tmp_path / "index.faiss")
    again = VectorIndex.load(tmp_path / "index.faiss", threads=1, mapped=True)
    queries, allowed = ROWS[:5].astype(np.float32), np.arange(3000) % 3 == 0
    for mask in (None, allowed):
        found = [each.search(queries, 7, mask, nprobe=8) for each in (index, again)]
        np.testing.assert_array_equal(*(scores for scores, _ in found))
        np.testing.assert_array_equal(*(rows for _, rows in found))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    "index", [plan for plan in PLANS if plan.kind != IVF_PQ4], ids=lambda plan: plan.kind, indirect=True
)
def test_a_refilled_index_is_the_file_that_faiss_would_write(index, tmp_path, monkeypatch, known):
    monkeypatch.setattr("indexer.ann.mmap_arrays.BLOCK_ROWS", 700)
    index.save(tmp_path / "old")
    if not known:
        monkeypatch.setattr("indexer.ann.faiss_index.NO_ROWS", b"another format")
        monkeypatch.setattr("indexer.ann.faiss_index.empty_lists", lambda *_: b"another format")
    rows = np.concatenate([ROWS[100:], clustered(900, seed=1)])
    refilled = VectorIndex.refill(tmp_path / "old", rows, tmp_path / "new", threads=1)
    own = faiss.clone_index(index._index)
    own.reset()
    own.add(rows.astype(np.float32))
    VectorIndex(own).save(tmp_path / "own")
    assert (tmp_path / "new").read_bytes() == (tmp_path / "own").read_bytes()
    assert (refilled.kind, refilled.size, refilled.lists) == (index.kind, 3800, index.lists)
    assert RerankedSearch(refilled, rows, nprobe=32).search(rows[3799].astype(np.float32), 1)[1].tolist() == [3799]


def test_lists_of_4_bit_codes_are_refilled_as_they_were_built(tmp_path):
    emphasis = np.linspace(0.1, 1, DIM, dtype=np.float32)
    built = VectorIndex.build(ROWS, IndexPlan(IVF_PQ4, 32, emphasis=emphasis), threads=1)
    built.save(tmp_path / "old")
    VectorIndex.refill(tmp_path / "old", ROWS, tmp_path / "same", 1, emphasis)
    assert (tmp_path / "same").read_bytes() == (tmp_path / "old").read_bytes()
    rows = np.concatenate([ROWS[100:], clustered(900, seed=1)])
    refilled = VectorIndex.refill(tmp_path / "old", rows, tmp_path / "new", 1, emphasis)
    assert (refilled.kind, refilled.size, refilled.lists) == (IVF_PQ4, 3800, 32)
    numbers = np.concatenate([np.arange(100, len(ROWS)), np.full(900, -1)])
    VectorIndex.refill(tmp_path / "old", rows, tmp_path / "copied", 1, emphasis, numbers)
    assert (tmp_path / "copied").read_bytes() == (tmp_path / "new").read_bytes()
    assert RerankedSearch(refilled, rows, nprobe=32).search(rows[3799].astype(np.float32), 1)[1].tolist() == [3799]


def test_a_query_without_numbers_finds_something(index):
    assert len(RerankedSearch(index, ROWS).search(np.zeros(DIM, np.float32), 5)[1]) == 5


def test_exact_scores_of_float16_rows_are_those_of_float32_rows():
    rows = np.array([[6e-8, -1.0], [-6e-5, 0.333], [0.0, 65504.0]], np.float16)
    query = np.array([10.0, -0.1], np.float32)
    numbers = np.array([2, 0, 1])
    np.testing.assert_array_equal(
        exact_scores(rows, query, numbers), exact_scores(rows.astype(np.float32), query, numbers)
    )


@pytest.mark.parametrize("kind", [IVF_PQ4, IVF_SQ8])
def test_the_same_rows_give_the_same_index(kind, tmp_path):
    for name in ("a", "b"):
        VectorIndex.build(ROWS, IndexPlan(kind, 32, seed=3), threads=1).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_only_allowed_rows_come_back_and_the_index_is_not_changed(index):
    query = ROWS[:1].astype(np.float32)
    before = index.search(query, 20, nprobe=32)
    allowed = np.zeros(3000, bool)
    allowed[::7] = True
    _, rows = index.search(query, 20, allowed, nprobe=32)
    assert set(rows[0] % 7) == {0}
    np.testing.assert_array_equal(before, index.search(query, 20, nprobe=32))


def test_all_lists_are_counted_only_where_the_near_ones_do_not_suffice(monkeypatch):
    """Lists of some 190 rows, of which 64 are looked at first: too few of them are allowed, of all rows enough."""
    rows = clustered(6_000)
    many = VectorIndex.build(rows, IndexPlan(IVF_PQ4, 32), threads=1)
    allowed = np.arange(6_000) % 8 == 0
    counted = []
    held = coarse_lists.ListMembers.held
    monkeypatch.setattr(coarse_lists.ListMembers, "held", lambda self, mask: counted.append(1) or held(self, mask))
    for wanted, counts in ((300, 0), (700, 1)):
        counted.clear()
        _, found = many.search(rows[:1].astype(np.float32), wanted, allowed, nprobe=1)
        assert len(counted) == counts
        found = found[found >= 0]
        assert len(found) == min(wanted, 700) and allowed[found].all()


def test_too_few_allowed_rows_are_padded_with_minus_one(index):
    allowed = np.zeros(3000, bool)
    allowed[[5, 2999]] = True
    _, rows = index.search(ROWS[:1].astype(np.float32), 4, allowed, nprobe=32)
    assert sorted(rows[0]) == [-1, -1, 5, 2999]


def test_a_mask_of_another_size_is_refused(index):
    with pytest.raises(ValueError, match="3000 rows"):
        index.search(ROWS[:1].astype(np.float32), 4, np.ones(10, bool))


def test_more_than_there_is_gives_what_there_is():
    index = VectorIndex.build(ROWS[:4])
    assert index.search(ROWS[:1].astype(np.float32), 100)[1].shape == (1, 4)


def test_threads_searching_at_once_agree_with_one(index):
    queries = ROWS[:64].astype(np.float32)
    alone = [index.search(query[None], 10, nprobe=8)[1][0] for query in queries]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda query: index.search(query[None], 10, nprobe=8)[1][0], queries))
    np.testing.assert_array_equal(alone, together)


def test_without_a_gpu_nothing_is_moved(monkeypatch):
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 0)
    monkeypatch.setattr(faiss, "index_cpu_to_gpu", None, raising=False)
    assert VectorIndex.build(ROWS[:10])._gpu is None


def test_row_search_scores_exactly_for_every_kind(index):
    search = RerankedSearch(index, ROWS, nprobe=32, overfetch=16)
    query = ROWS[11].astype(np.float32) + 0.01
    scores, rows = search.search(query, 10)
    truth = ROWS.astype(np.float32) @ query
    np.testing.assert_allclose(scores, truth[rows], atol=1e-6)
    assert rows[0] == 11
    assert len(set(rows) & set(np.argsort(-truth)[:10])) >= 9


def test_rows_that_cannot_be_among_the_best_are_not_read(index, monkeypatch):
    read = []

    def counting(rows, query, numbers):
        read.append(len(numbers))
        return exact_scores(rows, query, numbers)

    monkeypatch.setattr("indexer.ann.exact_rerank.exact_scores", counting)
    search = RerankedSearch(index, ROWS, nprobe=32, overfetch=16)
    for number in range(40):
        query = ROWS[number].astype(np.float32)
        truth = np.sort(ROWS.astype(np.float32) @ query)[-5:]
        assert (search.search(query, 5)[0] >= truth[0] - 1e-5).sum() >= 4
    assert sum(read) < 40 * 100 or index.kind == IVF_PQ  # of few bytes, whose scores say little


def test_row_search_finds_all_of_few_allowed_rows(index):
    search = RerankedSearch(index, ROWS, nprobe=1)
    allowed = np.zeros(3000, bool)
    allowed[[1, 70, 900, 2999]] = True
    query = ROWS[0].astype(np.float32)
    scores, rows = search.search(query, 10, allowed)
    assert sorted(rows) == [1, 70, 900, 2999]
    assert list(scores) == sorted(scores, reverse=True)
    assert len(search.search(query, 10, np.zeros(3000, bool))[1]) == 0


def test_many_allowed_rows_go_through_the_index(index, monkeypatch):
    monkeypatch.setattr("indexer.ann.exact_rerank.MAX_EXACT_ROWS", 100)
    search = RerankedSearch(index, ROWS, nprobe=4, overfetch=16)
    allowed = np.arange(3000) % 5 == 0
    query = ROWS[3].astype(np.float32)
    _, rows = search.search(query, 10, allowed)
    truth = np.where(allowed, ROWS.astype(np.float32) @ query, -9)
    assert set(rows % 5) == {0}
    assert len(set(rows) & set(np.argsort(-truth)[:10])) >= 9


def test_a_deep_page_is_filled(index):
    scores, rows = RerankedSearch(index, ROWS, nprobe=1).search(ROWS[0].astype(np.float32), 600)
    assert len(set(rows)) == 600
    assert (np.diff(scores) <= 0).all()


def test_a_gap_of_cosines_reads_more_lists_for_queries_between_them():
    index = VectorIndex.build(ROWS, IndexPlan(IVF_PQ4, 32), threads=1)
    queries = ROWS[:50].astype(np.float32)
    together = index.search(queries, 10, nprobe=8, cosine_gap=0.3)
    for place, query in enumerate(queries):
        for mine, theirs in zip(together, index.search(query[None], 10, nprobe=8, cosine_gap=0.3), strict=True):
            np.testing.assert_array_equal(mine[place], theirs[0])
    allowed = np.arange(3000) % 2 == 0
    for mine, theirs in zip(
        index.search(queries, 10, allowed, 8, 0.3), index.search(queries, 10, allowed, 8), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)  # under a mask the number of lists holds
    all_lists, none = (RerankedSearch(index, ROWS, nprobe=16, cosine_gap=gap) for gap in (2.0, 1e-6))
    best = RerankedSearch(index, ROWS, nprobe=32)
    for query in queries:
        np.testing.assert_array_equal(all_lists.search(query, 10), best.search(query, 10))
    assert any((none.search(query, 10)[0] < best.search(query, 10)[0]).any() for query in queries)


def tenth_recall(search, query, allowed):
    """Return the share of the ten best allowed rows that a search finds."""
    truth = np.where(allowed, ROWS.astype(np.float32) @ query, -9)
    found = search.search(query, 10, allowed)[1]
    assert allowed[found].all()
    return (truth[found] >= np.sort(truth)[-10] - 1e-5).sum() / 10


def test_masks_that_follow_the_query_keep_recall(monkeypatch):
    """Such as a category, or all but a category; a mask by chance; lists of 47 rows."""
    monkeypatch.setattr("indexer.ann.exact_rerank.MAX_EXACT_ROWS", 20)
    index = VectorIndex.build(ROWS, IndexPlan(IVF_PQ4, 64), threads=1)
    search = RerankedSearch(index, ROWS, nprobe=16, cosine_gap=0.3)
    chance, recalls = np.random.default_rng(0).random(3000), []
    for query in clustered(25, seed=7).astype(np.float32):
        places = np.argsort(np.argsort(-(ROWS.astype(np.float32) @ query)))
        masks = places < 90, places < 300, places >= 30, (places >= 30) & (chance < 0.5), chance < 0.1
        recalls.append([tenth_recall(search, query, allowed) for allowed in masks])
    assert (np.mean(recalls, axis=0) >= 0.94).all()


def test_as_many_rows_are_found_as_masks_allow(monkeypatch):
    """Whatever the nearest lists hold: each group lies in a few lists, and masks allow whole groups."""
    monkeypatch.setattr("indexer.ann.exact_rerank.MAX_EXACT_ROWS", 20)
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(60), rng.integers(10, 200, 60))
    centres = rng.standard_normal((60, 64))
    rows = (centres[group] + 0.35 * rng.standard_normal((len(group), 64))).astype(np.float16)
    search = RerankedSearch(VectorIndex.build(rows, IndexPlan(IVF_PQ4, 64), threads=1), rows, 4, cosine_gap=0.1)
    for groups in (10, 54):
        for query in centres[:10].astype(np.float32):
            allowed = np.isin(group, rng.choice(60, groups, replace=False)) | (group == np.argmax(centres @ query))
            count = np.count_nonzero(allowed)
            for k in (1, 10, 200, 1000, count, count + 1):
                assert len(search.search(query, k, allowed)[1]) == min(k, count)


def test_equal_rows_come_in_row_order():
    rows = np.repeat(ROWS[:1], 9, axis=0)
    found = RerankedSearch(VectorIndex.build(rows), rows).search(ROWS[0].astype(np.float32), 9)
    assert found[1].tolist() == list(range(9))
    assert len(set(found[0])) == 1


def test_best_rows_over_chunks_is_the_truth(monkeypatch):
    monkeypatch.setattr("indexer.ann.mmap_arrays.BLOCK_ROWS", 700)
    queries = ROWS[:5].astype(np.float32)
    truth = np.argsort(-(queries @ ROWS.astype(np.float32).T), axis=1)[:, :10]
    np.testing.assert_array_equal(np.sort(top_rows(ROWS, queries, 10)), np.sort(truth))
    assert top_rows(ROWS[:3], queries, 10).shape == (5, 3)


def test_a_score_does_not_depend_on_its_company():
    query = ROWS[0].astype(np.float32)
    together = exact_scores(ROWS, query, np.arange(100))
    alone = [exact_scores(ROWS, query, np.array([i]))[0] for i in range(100)]
    np.testing.assert_array_equal(together, alone)


def test_a_gpu_that_does_not_take_the_index_leaves_it_on_the_cpu(monkeypatch, caplog):
    def refused(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(faiss, "index_cpu_to_gpu", refused, raising=False)
    index = VectorIndex.build(ROWS[:10])
    assert "stays on the CPU" in caplog.text and "out of memory" in caplog.text
    assert index.search(ROWS[:1].astype(np.float32), 1)[1].tolist() == [[0]]


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="cannot be written") as raised:
        VectorIndex.build(ROWS[:10]).save(tmp_path / "none" / "index.faiss")
    assert raised.value.filename == str(tmp_path / "none" / "index.faiss")
