"""What every test stands on: one folder of exported models, so that a machine exports the starter once."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.catalog.postgres.server import PostgresServer, require
from tests.indexer.vectors.milvus_server import running_server

if "CI" not in os.environ:  # hypothesis has such a profile for CI
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Keep the garbage collector away from ten thousand tests and all modules: each full collection took a second."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def same_priority(monkeypatch):
    """Commands lower the priority of their process for good: here, that of every later test and of its browser too."""
    nice = os.nice
    monkeypatch.setattr(os, "nice", lambda more: nice(0))
    if hasattr(os, "sched_setscheduler"):
        monkeypatch.setattr(os, "sched_setscheduler", lambda *policy: None)


@pytest.fixture(scope="session", autouse=True)
def shared_models():
    os.environ.setdefault("WINDOWSHOP_MODELS", str(Path(__file__).parents[1] / "var" / "models"))
    return Path(os.environ["WINDOWSHOP_MODELS"])


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory):
    """One milvus-lite server, in a process of its own; a test that kills it starts it again."""
    yield from running_server(tmp_path_factory.mktemp("milvus"))


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server for the session; one that stops or kills it starts it again."""
    require()
    server = PostgresServer()
    yield server
    server.remove()
