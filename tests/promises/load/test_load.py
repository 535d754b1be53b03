"""R11, R12: sixteen clients for a minute, and four times more requests than can be answered."""

import os
import time
from pathlib import Path

import pytest

from catalog import sample
from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from tests.bench.load.__main__ import in_other_process, requests_of
from tests.bench.load.clients import closed_loop, open_loop
from tests.promises.reliability.test_server import FREE, usage, workers
from tests.web.test_main import serving, wait_until_ready

PHOTOS = Path(sample.SAMPLE_FOLDER) / "photos"

pytestmark = [pytest.mark.weights, pytest.mark.torture, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("load") / "shop"
    build_index(home, sample.SAMPLE_FOLDER / "products.csv", open_encoder("starter"))
    return home


@pytest.fixture(scope="module")
def requests(home):
    made = requests_of(home, PHOTOS)
    assert all(made.values())
    return made


@pytest.fixture(autouse=True)
def no_limits(monkeypatch):
    for name, value in FREE.items():
        monkeypatch.setenv(name, value)


def mixed(requests):
    """A photo, words and a product's page of similar ones in turn."""
    return [each for three in zip(*requests.values(), strict=False) for each in three]


@pytest.mark.promise("R11", "16 clients for 60 s")
def test_a_minute_of_sixteen_clients_has_no_error(home, requests):
    with serving(home) as (_, port):
        wait_until_ready(port)
        for kind, asked in {**requests, "mixed": mixed(requests)}.items():
            answers = in_other_process(closed_loop, port, asked, 16, 60.0 if kind == "mixed" else 15.0)
            print(f"{kind}: {answers.summary()}, load {os.getloadavg()[0]:.1f}")
            assert set(answers.statuses) == {200}


@pytest.mark.promise("R12", "four times the capacity for 30 s")
def test_four_times_too_much_is_shed_and_the_rest_answered(home, requests, monkeypatch):
    monkeypatch.setenv("WINDOWSHOP_TIMEOUT_MS", "2000")
    asked = mixed(requests)
    with serving(home) as (process, port):
        wait_until_ready(port)
        in_other_process(closed_loop, port, asked, 16, 10.0)  # warm
        calm = in_other_process(closed_loop, port, asked, 1, 10.0)
        peak = in_other_process(closed_loop, port, asked, 16, 10.0)
        (pid,) = workers(process)
        before = usage(pid)
        flood = in_other_process(open_loop, port, asked, 4 * peak.rate, 30.0)
        after = usage(pid)
        time.sleep(5.0)
        later = in_other_process(closed_loop, port, asked, 1, 10.0)
        again = in_other_process(closed_loop, port, asked, 16, 10.0)
    for name, answers in {"calm": calm, "peak": peak, "flood": flood, "later": later, "again": again}.items():
        print(f"{name}: {answers.summary()}")
    print(f"KiB, threads, files before {before} and after {after}; load {os.getloadavg()[0]:.1f}")
    assert set(flood.statuses) <= {200, 429, 503} and flood.statuses[503] > 0
    # Of the mean before and after: what else the machine does may change within the minute.
    assert flood.rate >= 0.8 * (peak.rate + again.rate) / 2
    assert after[0] <= 1.1 * before[0]
    assert set(later.statuses) == {200} and later.percentile(0.95) <= 2 * calm.percentile(0.95)
