"""Ports for the servers that tests start, which stay free until these listen."""

import itertools
import os
import socket
from contextlib import suppress

# Below those that a system gives to connections and to whoever binds port 0 (from 32,768 on Linux, 49,152 elsewhere).
FIRST, COUNT = 12_000, 18_000
_turns = itertools.count(os.getpid() * 211)  # processes that test side by side begin far from each other


def free_port():
    """Return a port of 127.0.0.1 where nobody listens; another is returned next time."""
    for _ in range(COUNT):
        port = FIRST + next(_turns) % COUNT
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"No port from {FIRST} to {FIRST + COUNT} is free.")
