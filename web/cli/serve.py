"""The command `python -m web serve`: one gunicorn worker with threads, which opens the engine once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from catalog.logs import TEXT, LogHandler, chosen_format, write_logs
from web import create_app
from web.admission import SPARE_THREADS
from web.cli.startup_checks import check_index, check_settings, format_address, read_settings
from web.middleware.query_logging import write_counts
from web.settings import Settings
from web.shedding import load_shedder
from web.shedding.server_worker import SheddingWorker

log = logging.getLogger(__name__)
# Seconds after which a thread that computes in Python lets others go on. The encoder needs the interpreter's lock to
# hand over each batch: with Python's 5 ms, a core is idle meanwhile.
SWITCH_S = 0.001
MAX_REQUEST_LINE = 8190  # bytes; quoting makes the words in an address up to nine times as long

host_option = click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
port_option = click.option("--port", type=int, help="Port to listen on.  [default: 8000]")


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="The shop's folder.  [default: var/shop]")
@host_option
@port_option
@click.option("--threads", type=int, help="Requests served concurrently.  [default: 8]")
@click.option("--runtime", help="What runs the encoder: auto, torch or onnx.  [default: auto]")
def serve(**options: Any) -> None:
    """Serve a shop over HTTP.

    Environment variables can set every option too; docs/settings.md lists them.
    """
    settings = read_settings(options)
    check_index(settings.home)
    check_settings(settings)
    Server(settings, lambda address: f"Serving {settings.home} on http://{address} (Ctrl-C stops it)").run()


class ServerLog(Logger):  # type: ignore[misc]
    """Gunicorn's own messages, in the format of ours."""

    def setup(self, cfg: Any) -> None:
        """Replace the handler that gunicorn gives its log of errors."""
        super().setup(cfg)
        ours = [handler for handler in logging.getLogger().handlers if isinstance(handler, LogHandler)]
        self.error_log.handlers = ours or self.error_log.handlers


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, configured from our settings; prints `greeting(address)` when it listens."""

    def __init__(self, settings: Settings, greeting: Callable[[str], str]) -> None:
        self.settings = settings
        self._greeting = greeting
        super().__init__()

    def load_config(self) -> None:
        """Configure one worker, which holds the engine; never preload, as a fork after torch starts threads hangs."""
        options = {
            "bind": format_address(self.settings.host, self.settings.port),
            "worker_class": SheddingWorker,
            "workers": 1,
            # Those that wait for their turn hold a thread each, and so do a few that never wait.
            "threads": self.settings.threads + self.settings.queue + SPARE_THREADS,
            "keepalive": 5,
            "graceful_timeout": 10,
            "limit_request_line": MAX_REQUEST_LINE,
            "loglevel": "warning",
            "control_socket_disable": True,
            "logger_class": ServerLog,
            "when_ready": self._greet,
            "worker_exit": _flush_on_exit,
        }
        for name, value in options.items():
            if name in self.cfg.settings:  # older versions of gunicorn have no control socket to disable
                self.cfg.set(name, value)

    def _greet(self, arbiter: Any) -> None:
        host, port, *_ = arbiter.LISTENERS[0].sock.getsockname()
        greeting = self._greeting(format_address(host, port))
        if chosen_format(self.settings.log_format) == TEXT:
            click.echo(greeting, err=True)
        else:
            log.info("%s", greeting)

    def load(self) -> Flask:
        """Create the app, inside the worker."""
        write_logs(self.settings.log_format, replace=True)
        sys.setswitchinterval(SWITCH_S)
        return create_app(self.settings)


def _flush_on_exit(server: Any, worker: Any) -> None:
    if worker.wsgi is not None:  # it ended before it had the app
        write_counts(worker.wsgi)
        worker.wsgi.extensions[load_shedder.EXTENSION].close()
