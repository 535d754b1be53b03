"""The environment of child processes."""

import os

from catalog.files.child_environment import ROOT, child_environment


def test_a_child_finds_our_packages_first_and_keeps_the_search_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("OTHER", "1")
    environment = child_environment(OMP_NUM_THREADS="1")
    assert environment["PYTHONPATH"] == os.pathsep.join([str(ROOT), "/elsewhere"])
    assert (environment["OTHER"], environment["OMP_NUM_THREADS"]) == ("1", "1")
    assert (ROOT / "catalog" / "files").is_dir()


def test_without_a_search_path_a_child_finds_our_packages_alone(monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert child_environment()["PYTHONPATH"] == str(ROOT)
