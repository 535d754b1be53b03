"""The pool with a stand-in for Ray: lost workers, refusals, and batches that end every worker."""

from types import SimpleNamespace

import pytest

from catalog.errors import EncoderUnavailable, UnsupportedQuery
from indexer.distributed.encoding_worker import Refusal
from indexer.distributed.worker_pool import MAX_ATTEMPTS, WorkerCall, WorkerPool


class Lost(Exception):
    pass


class Failed(Exception):
    """An error of Ray that is no loss, as one that code in a worker raised."""


class Worker:
    """Doubles numbers; is lost with every batch after the first `lives`, or while it opens where that is 0."""

    def __init__(self, lives):
        self.lives = lives
        self.open = SimpleNamespace(remote=lambda: Answer(self._work("fa", opens=True)))
        self.double = SimpleNamespace(
            remote=lambda number: Answer(self._work(number if number == "bad" else 2 * number))
        )

    def _work(self, result, opens=False):
        if self.lives <= 0:
            return Lost("the node is gone")
        self.lives -= not opens
        return Refusal("UnsupportedQuery", "no words", "a hint") if result == "bad" else result


class Answer:
    def __init__(self, result):
        self.result = result


class Ray:
    """Answers are there at once, one for each `wait`."""

    exceptions = SimpleNamespace(RayActorError=Lost, ObjectLostError=Lost, RayError=(Lost, Failed))

    def __init__(self):
        self.killed = []

    def wait(self, answers, num_returns, timeout):
        return answers[:1], answers[1:]

    def get(self, answer):
        if isinstance(answer.result, Exception):
            raise answer.result
        return answer.result

    def kill(self, worker):
        self.killed.append(worker)


def pool_of(*lives, fingerprint="fa"):
    """A pool of two workers; each that is started has the next number of lives, the last one for ever."""
    left = list(lives)
    started = []

    def start():
        started.append(Worker(left.pop(0) if len(left) > 1 else left[0]))
        return started[-1]

    pool = WorkerPool(Ray(), start, 2, fingerprint)
    return pool, started


def jobs(count=20):
    return [WorkerCall("double", number, f"tag {number}") for number in range(count)]


@pytest.mark.parametrize("lives", [(99,), (3, 2, 99), (0, 0, 99), (1, 1, 1, 1, 99)])
def test_every_job_is_done_once_whoever_is_lost(lives):
    pool, started = pool_of(*lives)
    done = list(pool.run(jobs()))
    assert sorted(result for _, result in done) == [2 * number for number in range(20)]
    assert {job.tag for job, _ in done} == {f"tag {number}" for number in range(20)}
    lost = sum(worker.lives <= 0 for worker in started)
    assert len(started) == 2 + lost
    assert [worker.lives for worker in pool._ray.killed] == [0] * lost  # one may be alive and hold its processor
    assert list(pool.run(jobs(3))) and len(started) == 2 + lost  # the workers stay for the next jobs


def test_no_worker_starts_for_no_jobs():
    pool, started = pool_of(99)
    assert list(pool.run([])) == [] and started == []


def test_closing_ends_the_workers():
    pool, started = pool_of(99)
    list(pool.run(jobs()))
    pool.close()
    assert set(pool._ray.killed) == set(started)


def test_a_refusal_is_the_error_that_the_worker_had():
    pool, _ = pool_of(99)
    with pytest.raises(UnsupportedQuery, match="no words") as raised:
        list(pool.run([WorkerCall("double", "bad", None)]))
    assert raised.value.hint == "a hint"


def test_workers_with_another_encoder_are_refused():
    pool, _ = pool_of(99, fingerprint="0b")
    with pytest.raises(EncoderUnavailable, match="another version of the encoder"):
        list(pool.run(jobs()))


def test_a_cluster_that_loses_every_worker_is_given_up():
    pool, started = pool_of(0)
    with pytest.raises(EncoderUnavailable, match="the node is gone"):
        list(pool.run(jobs()))
    assert len(started) <= 2 * MAX_ATTEMPTS + 2


def test_a_batch_that_ends_every_worker_is_given_up():
    pool, _ = pool_of(99)
    start = pool._start

    def start_mortal():
        worker = start()
        worker.double = SimpleNamespace(remote=lambda number: Answer(Lost("out of memory")))
        return worker

    pool._start = start_mortal
    with pytest.raises(EncoderUnavailable, match=f"{MAX_ATTEMPTS} workers were lost over one batch"):
        list(pool.run([WorkerCall("double", 1, None)]))


def test_another_error_of_the_cluster_is_ours():
    pool, started = pool_of(99)
    list(pool.run(jobs(1)))
    for worker in started:
        worker.double = SimpleNamespace(remote=lambda number: Answer(Failed("no module named windowshop")))
    with pytest.raises(EncoderUnavailable, match=r"a worker failed\. no module named windowshop"):
        list(pool.run(jobs(1)))
