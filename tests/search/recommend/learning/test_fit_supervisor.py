"""A server fits in a process of its own: one at a time, at a low priority, ended with the server."""

import os
import time

from search.fitting.priority import NICENESS, THREADS, thread_limit
from search.recommend.learning.background.fit_supervisor import FitSupervisor
from search.recommend.learning.fit_report import last_fit
from search.recommend.learning.model_store import fit_lock
from tests.search.recommend.learning.logged_shop import make_catalogue, record


def test_a_fit_in_the_background_reports_to_the_shop(tmp_path):
    home = tmp_path / "home"
    make_catalogue(home)
    record(home, (0, 1))
    fits = FitSupervisor(home)
    with fit_lock(home):
        assert not fits.start()  # somebody else is at it
    assert fits.start() and not fits.start() and fits.starting
    fits.wait(300)
    assert not fits.starting and not fits.killed
    assert last_fit(home)["outcome"] == "too_few"
    fits.close()
    assert not fits.start()


def test_a_fit_that_is_ended_says_so_and_has_a_low_priority(tmp_path):
    home = tmp_path / "home"
    make_catalogue(home)
    fits = FitSupervisor(home)
    fits._command = [fits._command[0], "-c", LOW, str(home)]
    assert fits.start()
    until = home / "lowered"
    while not until.is_file():
        assert fits.starting
        time.sleep(0.02)
    assert int(until.read_text()) >= min(19, os.nice(0) + NICENESS) - 1
    fits.close()
    assert fits.killed and not fits.starting


def test_a_fit_has_no_more_threads_than_the_environment_allows(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    assert (thread_limit(idle=False), thread_limit(idle=True)) == (8, 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert thread_limit(idle=False) == 3
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert thread_limit(idle=False) == 1


LOW = """
import os, sys, time
from pathlib import Path
from search.fitting.priority import low_priority
with low_priority(idle=True):
    path = Path(sys.argv[1]) / "lowered"
    path.with_suffix(".tmp").write_text(str(os.nice(0)))
    path.with_suffix(".tmp").rename(path)
    time.sleep(300)
"""
