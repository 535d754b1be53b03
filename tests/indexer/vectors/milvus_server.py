"""A milvus-lite server in a process of its own, for tests: started once, killed and started again at will."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.promises.free_ports import free_port

START_SECONDS = 120


class MilvusServer:
    """`address` is what WINDOWSHOP_VECTORS is set to."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.address = f"milvus://127.0.0.1:{self.port}"
        self.process = None
        self.start()

    def start(self):
        command = [sys.executable, "-m", "milvus_lite.cmdline", "server", "--data-dir", str(self.folder / "data")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(self.port)], stdout=log, stderr=log, env=os.environ
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2_000:]
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("milvus-lite did not start")

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def running_server(folder):
    """Yield a server, for a fixture."""
    pytest.importorskip("pymilvus", reason="the extra [milvus] is not installed")
    pytest.importorskip("milvus_lite", reason="milvus-lite, which the tests run as a server, is not installed")
    server = MilvusServer(folder)
    yield server
    server.kill()
