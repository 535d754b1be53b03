"""A build on a Ray cluster of two nodes makes the files of a local one, also when a worker is killed."""

import inspect
import os
import signal
import subprocess
import sys
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.errors import EncoderUnavailable
from indexer import __main__ as command
from indexer.build.build import BuildOptions, UpdateOptions, build_index, update_index
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.distributed import ray_cluster
from indexer.distributed.encoding_worker import EncoderSource
from indexer.distributed.ray_cluster import ClusterOptions, cluster_workers
from indexer.generations.store import open_current
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import write_feed, write_picture
from tests.promises.free_ports import free_port

ray = pytest.importorskip("ray", reason="needs the extra ray")
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.enable_socket,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files of its logs open
]

STORE_BYTES = 80 * 2**20
PRODUCTS = 23


@dataclass(frozen=True, slots=True)
class FakeSource(EncoderSource):
    """Opens the fake encoder on a worker. The worker that makes the file `deadly` first is killed as it encodes."""

    deadly: str = ""

    def open(self):
        encoder = Mortal()
        encoder.mark = Path(self.deadly)
        return encoder


class Mortal(FakeEncoder):
    def encode_pixels(self, pixels):
        with suppress(FileExistsError):
            self.mark.touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode_pixels(pixels)


def ports_at_once(monkeypatch):
    """Write the files in which Ray's agents say their ports: a node waits only 15 s for them."""
    from ray import _raylet  # here, because ray may be missing
    from ray._private import services  # as above

    absent = (
        _raylet.DASHBOARD_AGENT_LISTEN_PORT_NAME,
        _raylet.METRICS_AGENT_PORT_NAME,
        _raylet.METRICS_EXPORT_PORT_NAME,
    )
    start = services.start_raylet
    names = list(inspect.signature(start).parameters)

    def start_raylet(*arguments, **others):
        given = {**dict(zip(names, arguments, strict=False)), **others}
        port = given["runtime_env_agent_port"]
        for name, number in [*((name, -1) for name in absent), (_raylet.RUNTIME_ENV_AGENT_PORT_NAME, port)]:
            _raylet.persist_port(given["session_dir"], given["node_id"], name, number)
        return start(*arguments, **others)

    monkeypatch.setattr(services, "start_raylet", start_raylet)


def node():
    """The settings of a node of one processor."""
    settings = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_log_monitor": False}
    return {**settings, "runtime_env_agent_port": free_port()}


@pytest.fixture(scope="module")
def cluster():
    """The address of two nodes on this machine."""
    from ray.cluster_utils import Cluster  # as above

    with pytest.MonkeyPatch.context() as monkeypatch:
        ports_at_once(monkeypatch)
        made = Cluster(initialize_head=True, head_node_args={**node(), "include_dashboard": False, "no_monitor": True})
        made.add_node(**node())
    yield made.address
    made.shutdown()


@pytest.fixture
def connected(cluster):
    """The address of the cluster, to which this process is connected."""
    ray.init(address=cluster, log_to_driver=False)
    yield cluster
    ray.shutdown()


@pytest.fixture
def outside(cluster):
    """Where clients from outside reach the cluster: a head's server for one client, in this process.

    A head starts a process for each client, which dies in one of fourteen starts (see `ray_cluster`); it then waits
    for half a minute.
    """
    from ray.util.client.server import server  # as above

    port = free_port()
    serving = server.serve("127.0.0.1", port, lambda *_, **__: ray.init(address=cluster, log_to_driver=False))
    yield f"ray://127.0.0.1:{port}"
    serving.stop(0)
    ray.shutdown()


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    """A shop with pictures of its own, two equal ones, and pictures that are none."""
    folder = tmp_path_factory.mktemp("feed")
    rows = []
    for number in range(PRODUCTS):
        write_picture(folder / f"{number}.png", (10 * number, 250 - 10 * number, 5))
        rows.append((f"p{number}", f"{('red', 'green', 'blue')[number % 3]} shirt {number}", f"{number}.png"))
    (folder / "text.png").write_text("no picture")
    rows += [("again", "red shirt 0", "0.png"), ("bad", "red", "text.png"), ("gone", "blue", "gone.png")]
    return write_feed(folder, rows)


@pytest.fixture(scope="module")
def local(feed, tmp_path_factory):
    home = tmp_path_factory.mktemp("local") / "home"
    return home, build_index(home, feed, FakeEncoder(), BuildOptions(PipelineOptions(4)))


def check_same(home, report, local):
    expected_home, expected = local
    for name in ("rows.npy", "products.npy", "pictures.npy"):
        mine, other = (open_current(path).folder / name for path in (home, expected_home))
        assert mine.read_bytes() == other.read_bytes(), name
    assert report.rejected == expected.rejected and len(report.rejected) == 2
    assert (report.encoded, report.reused, report.pictures) == (expected.encoded, expected.reused, expected.pictures)
    assert report.titles == expected.titles == PRODUCTS


def test_a_killed_worker_costs_no_more_than_its_batches_and_an_update_encodes_what_is_new(
    connected, feed, local, tmp_path, caplog
):
    """Builds what a local build does, though a worker is killed; the workers do the update too."""
    home, encoder = tmp_path / "home", FakeEncoder()
    source = FakeSource("fake", deadly=str(tmp_path / "killed"))
    with cluster_workers(ClusterOptions(connected, workers=2), encoder, source, picture_seconds=60) as workers:
        build = BuildOptions(PipelineOptions(4, workers=workers))
        report = build_index(home, feed, encoder, build)
        assert (tmp_path / "killed").is_file()
        assert "A worker of the cluster was lost" in caplog.text
        check_same(home, report, local)
        more = feed.parent / "more.csv"
        more.write_bytes(feed.read_bytes() + b"new,blue hat,new.png\n")
        write_picture(feed.parent / "new.png", (1, 2, 250))
        update = update_index(home, encoder, UpdateOptions(more, build=build))
    assert (update.encoded, update.titles, update.rows) == (1, 1, PRODUCTS + 2)
    assert (encoder.pictures_encoded, encoder.texts_encoded) == (0, 0)  # all of it was done by workers
    np.testing.assert_allclose(open_current(home).rows[-1][6:], [0, 0, 1], atol=1e-3)


def test_the_command_encodes_on_the_cluster_from_outside(outside, feed, tmp_path):
    def arguments(name, *where):
        return ["build", "--home", str(tmp_path / name), "--feed", str(feed), "--encoder", "colour", *where]

    def made(name, output, errors):
        assert f"{PRODUCTS} different pictures encoded" in output
        return (open_current(tmp_path / name).folder / "rows.npy").read_bytes(), errors[errors.index("Rejected") :]

    there = subprocess.run(
        [sys.executable, "-m", "indexer", *arguments("there", "--on", outside)],
        capture_output=True,
        text=True,
        check=False,
    )
    here = CliRunner().invoke(command.main, arguments("here"))
    assert (there.returncode, here.exit_code) == (3, 3), there.stderr  # two rows are rejected
    rows, errors = made("there", there.stdout, there.stderr)
    assert (rows, errors.replace("there", "here")) == made("here", here.stdout, here.stderr)


class BusyHead:
    """Ray as a client sees it whose head fails to start the client's process a number of times."""

    def __init__(self, failures):
        self.failures, self.calls = failures, 0

    def is_initialized(self):
        return False

    def init(self, address, log_to_driver, logging_level):
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionAbortedError(
                "Initialization failure from server:\nTraceback:\n  File\nRuntimeError: It died.\n"
            )

    def shutdown(self):
        pass


@pytest.mark.parametrize(("failures", "calls"), [(0, 1), (2, 3), (99, ray_cluster.CONNECTION_ATTEMPTS)])
def test_a_client_whose_process_dies_at_the_start_tries_again(monkeypatch, failures, calls):
    head = BusyHead(failures)
    monkeypatch.setattr(ray_cluster, "import_extra", lambda *_: head)
    refused = (
        pytest.raises(EncoderUnavailable, match="failure from server: RuntimeError: It died") if failures > 9 else None
    )
    with refused or nullcontext(), ray_cluster._connected("ray://head:10001") as connected:
        assert connected is head
    assert head.calls == calls


def test_a_place_that_is_none_is_refused(tmp_path, feed):
    words = ["build", "--home", str(tmp_path / "home"), "--feed", str(feed), "--encoder", "colour", "--on"]
    done = CliRunner().invoke(command.main, [*words, "spark://there"])
    assert done.exit_code == 2 and "is no place to encode" in done.output
