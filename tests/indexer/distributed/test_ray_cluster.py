"""A build on a Ray cluster of two nodes makes the files of a local one, also when a worker is killed."""

import inspect
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from catalog.errors import EncoderUnavailable
from indexer import __main__ as command
from indexer.build.build import BuildOptions, UpdateOptions, build_index, update_index
from indexer.build.encoding_pipeline import PipelineOptions
from indexer.distributed.encoding_worker import EncoderSource
from indexer.distributed.ray_cluster import ClusterOptions, cluster_workers
from indexer.generations.store import open_current
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import write_feed, write_picture

ray = pytest.importorskip("ray", reason="needs the extra ray")
pytestmark = [pytest.mark.timeout(600), pytest.mark.enable_socket]

STORE_BYTES = 80 * 2**20
PRODUCTS = 23


@dataclass(frozen=True, slots=True)
class FakeSource(EncoderSource):
    """Opens the fake encoder on a worker. The worker that makes the file `deadly` first is killed as it encodes."""

    deadly: str = ""
    fingerprint: str = "fa" * 32

    def open(self):
        if not self.deadly:
            return FakeEncoder(fingerprint=self.fingerprint)
        encoder = Mortal(fingerprint=self.fingerprint)
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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_log_monitor": False}
    return {**settings, "runtime_env_agent_port": port}


@pytest.fixture(scope="module")
def cluster():
    """Two nodes on this machine."""
    from ray.cluster_utils import Cluster  # as above

    with pytest.MonkeyPatch.context() as monkeypatch:
        ports_at_once(monkeypatch)
        made = Cluster(initialize_head=True, head_node_args={**node(), "include_dashboard": False})
        made.add_node(**node())
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


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


def build_on(cluster, home, feed, source=None, run=build_index, encoder=None):
    encoder = encoder or FakeEncoder()
    options = ClusterOptions(cluster.address, workers=2)
    with cluster_workers(options, encoder, source or FakeSource("fake"), picture_seconds=60) as workers:
        build = BuildOptions(PipelineOptions(4, workers=workers))
        if run is build_index:
            return build_index(home, feed, encoder, build), encoder
        return update_index(home, encoder, UpdateOptions(feed, build=build)), encoder


def check_same(home, report, local):
    expected_home, expected = local
    for name in ("rows.npy", "products.npy", "pictures.npy"):
        mine, other = (open_current(path).folder / name for path in (home, expected_home))
        assert mine.read_bytes() == other.read_bytes(), name
    assert report.rejected == expected.rejected and len(report.rejected) == 2
    assert (report.encoded, report.reused, report.pictures) == (expected.encoded, expected.reused, expected.pictures)
    assert report.titles == expected.titles == PRODUCTS


def test_a_build_on_the_cluster_is_the_local_one(cluster, feed, local, tmp_path):
    report, encoder = build_on(cluster, tmp_path / "home", feed)
    check_same(tmp_path / "home", report, local)
    assert (encoder.pictures_encoded, encoder.texts_encoded) == (0, 0)  # all of it was done by workers


def test_a_killed_worker_costs_no_more_than_its_batches(cluster, feed, local, tmp_path, caplog):
    report, _ = build_on(cluster, tmp_path / "home", feed, FakeSource("fake", deadly=str(tmp_path / "killed")))
    assert (tmp_path / "killed").is_file()
    assert "A worker of the cluster was lost" in caplog.text
    check_same(tmp_path / "home", report, local)


def test_an_update_encodes_there_only_what_is_new(cluster, feed, local, tmp_path):
    more = feed.parent / "more.csv"
    more.write_bytes(feed.read_bytes() + b"new,blue hat,new.png\n")
    write_picture(feed.parent / "new.png", (1, 2, 250))
    home = tmp_path / "home"
    build_index(home, feed, FakeEncoder())
    report, encoder = build_on(cluster, home, more, run=update_index)
    assert (report.encoded, report.titles, report.rows) == (1, 1, PRODUCTS + 2)
    assert encoder.pictures_encoded == 0
    np.testing.assert_allclose(open_current(home).rows[-1][6:], [0, 0, 1], atol=1e-3)


def test_workers_with_another_encoder_are_refused(cluster, feed, tmp_path):
    with pytest.raises(EncoderUnavailable, match="another version of the encoder"):
        build_on(cluster, tmp_path / "home", feed, FakeSource("fake", fingerprint="0b" * 32))


def test_what_a_worker_cannot_open_is_said_as_on_this_machine(cluster, feed, tmp_path):
    with pytest.raises(EncoderUnavailable, match="no checkpoint"):
        build_on(cluster, tmp_path / "home", feed, EncoderSource("timm:resnet18@/no/such.safetensors"))


def test_the_command_encodes_on_the_cluster(cluster, feed, local, tmp_path):
    arguments = ["build", "--home", tmp_path / "home", "--feed", feed, "--encoder", "colour", "--on", "ray://auto"]
    done = CliRunner().invoke(command.main, list(map(str, arguments)))
    assert done.exit_code == 3, done.output  # two rows are rejected
    assert f"{PRODUCTS} different pictures encoded" in done.output
    alone = [*arguments[:2], tmp_path / "alone", *arguments[3:7]]
    assert CliRunner().invoke(command.main, list(map(str, alone))).exit_code == 3
    mine, other = (open_current(tmp_path / name).folder / "rows.npy" for name in ("home", "alone"))
    assert mine.read_bytes() == other.read_bytes()
