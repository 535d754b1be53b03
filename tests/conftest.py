"""What every test stands on: one folder of exported models, so that a machine exports the starter once."""

import gc
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from _pytest.assertion import rewrite
from hypothesis import settings
from hypothesis.internal.conjecture import junkdrawer

from catalog.logs import LogHandler
from tests.catalog.postgres.server import PostgresServer, require
from tests.indexer.vectors.milvus_server import running_server

BROWSER = "tests/browser/"

# Hypothesis times the garbage collector by a callback in Python, in which threads change. Where one collects while it
# parses, as Flask's routes and the headers of .npy files are parsed, and another parses meanwhile, CPython 3.11 raises
# "SystemError: AST constructor recursion depth mismatch" (python/cpython#106905 did not mend it).
junkdrawer._gc_initialized = True

if "CI" not in os.environ:  # hypothesis has such a profile for CI
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")


def compile_share_of_tests(config):
    """Compile this worker's share of the test files: on a clean checkout each worker compiled all of them, in 14 s."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers == 1 or sys.dont_write_bytecode:
        return
    number = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    folders = [path for path in map(Path, config.args) if path.is_dir()]
    files = sorted(path for folder in folders for path in folder.resolve().rglob("test_*.py"))
    for path in files[number::workers]:
        with suppress(Exception):  # pytest's inner functions may change; it then compiles while it collects
            compiled = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"
            if not compiled.exists():
                mark, code = rewrite._rewrite_test(path, config)
                compiled.parent.mkdir(parents=True, exist_ok=True)
                rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, mark, compiled)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Keep the garbage collector away from ten thousand tests and all modules: each full collection took a second."""
    gc.disable()
    try:
        compile_share_of_tests(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out files as `--dist loadfile` does, without a search through all tests and all files for each test.

    The files of tests/browser are handed out together: each worker, and each of its files between two others, would
    start a browser.
    """
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # there only where the plugin of this hook is

    class Numbered(list):
        """Names of tests whose places are known."""

        def __init__(self, names):
            super().__init__(names)
            self.places = {name: place for place, name in enumerate(names)}

        def index(self, name):
            return self.places[name]

    class FileScheduling(LoadFileScheduling):
        def _split_scope(self, name):
            return BROWSER if name.startswith(BROWSER) else super()._split_scope(name)

        def add_node_collection(self, node, collection):
            super().add_node_collection(node, collection)
            if node in self.registered_collections:  # not that of a later worker which collected other tests
                self.registered_collections[node] = Numbered(collection)

        def mark_test_complete(self, node, item_index, duration=0):
            super().mark_test_complete(node, item_index, duration)
            units = self.assigned_work[node]
            file = self._split_scope(self.registered_collections[node][item_index])
            if all(units[file].values()):
                del units[file]

    return FileScheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def same_priority():
    """Commands lower the priority of their process for good: here, that of every later test and of its browser too."""
    with pytest.MonkeyPatch.context() as patch:
        nice = os.nice
        patch.setattr(os, "nice", lambda more: nice(0))
        if hasattr(os, "sched_setscheduler"):
            patch.setattr(os, "sched_setscheduler", lambda *policy: None)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    """Commands that serve make their process log to stderr for good: what later tests read there would not be alone."""
    try:
        return (yield)
    finally:
        root = logging.getLogger()
        for handler in [handler for handler in root.handlers if isinstance(handler, LogHandler)]:
            root.removeHandler(handler)


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
