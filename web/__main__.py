"""python -m web serve: the shop on one gunicorn worker with threads; the engine opens once, in that worker."""

from __future__ import annotations

import logging
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from pydantic import ValidationError

from web import create_app
from web.settings import Settings

# Words in an address grow up to ninefold when they are quoted.
LONGEST_REQUEST_LINE = 8190


@click.group()
def cli() -> None:
    """Windowshop's server."""


@cli.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the shop.  [default: var/shop]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8000]")
@click.option("--threads", type=int, help="Requests answered at the same time.  [default: 8]")
@click.option("--runtime", help="What runs the encoder: auto, torch or onnx.  [default: auto]")
def serve(**given: Any) -> None:
    """Serve the shop; every option can also be set in the environment, see docs/settings.md."""
    settings = _settings({name: value for name, value in given.items() if value is not None})
    _check_home(settings.home)
    _check_port(settings.host, settings.port)
    Server(settings).run()


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, told what it needs to know by our settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """One worker, which holds index and encoder; never preload: a fork after torch started threads hangs."""
        wanted = {
            "bind": address_of(self.settings.host, self.settings.port),
            "worker_class": "gthread",
            "workers": 1,
            "threads": self.settings.threads,
            "keepalive": 5,
            "graceful_timeout": 10,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": self._say_where,
        }
        for name, value in wanted.items():
            if name in self.cfg.settings:  # older gunicorns have no control socket to switch off
                self.cfg.set(name, value)

    def _say_where(self, arbiter: Any) -> None:
        host, port, *_ = arbiter.LISTENERS[0].sock.getsockname()
        click.echo(f"Serving {self.settings.home} on http://{address_of(host, port)} (Ctrl-C stops it)", err=True)

    def load(self) -> Flask:
        """Make the app, in the worker."""
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        for room in ("catalog", "indexer", "search", "web"):
            logging.getLogger(room).setLevel(logging.INFO)
        return create_app(self.settings)


def address_of(host: str, port: int) -> str:
    """Host and port in one, as in a URL; the colons of an IPv6 address stand in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _settings(given: dict[str, Any]) -> Settings:
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        _stop(f"Setting {name} is {first['input']!r}: {first['msg']}. See docs/settings.md.")


def _check_home(home: Path) -> None:
    if not (home / "current").is_file():
        _stop(f"{home} has no index to serve. Make one: python -m indexer build --home {home} --feed FEED")


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        _stop(f"Cannot listen on {address_of(host, port)}: {error.strerror}. Choose another port with --port.")


def _stop(reason: str) -> NoReturn:
    click.echo(f"Error: {reason}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    cli(prog_name="python -m web")
