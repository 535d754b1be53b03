"""python -m web serve | demo | key: one gunicorn worker with threads; the engine opens once, in that worker."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from pydantic import ValidationError

from catalog import sample
from catalog.errors import WindowshopError
from web import create_app
from web.cli import demo
from web.cli.key_commands import key
from web.cli.startup_checks import check_safe
from web.engine import holder_of
from web.errors import UnsafeConfiguration
from web.middleware.access_log import write_json_lines
from web.openapi.document import document
from web.settings import MIB, Settings
from web.try_photos import read_try_photos

# Words in an address grow up to ninefold when they are quoted.
LONGEST_REQUEST_LINE = 8190


@click.group()
def cli() -> None:
    """Windowshop's server."""


cli.add_command(key)

host_option = click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
port_option = click.option("--port", type=int, help="Port to listen on.  [default: 8000]")


@cli.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the shop.  [default: var/shop]")
@host_option
@port_option
@click.option("--threads", type=int, help="Requests answered at the same time.  [default: 8]")
@click.option("--runtime", help="What runs the encoder: auto, torch or onnx.  [default: auto]")
def serve(**given: Any) -> None:
    """Serve the shop; every option can also be set in the environment, see docs/settings.md."""
    settings = _settings(given)
    _check_home(settings.home)
    _check_all(settings)
    Server(settings, lambda address: f"Serving {settings.home} on http://{address} (Ctrl-C stops it)").run()


@cli.command("demo")
@click.option(
    "--home", type=click.Path(path_type=Path), default="var/demo", show_default=True, help="Where to keep it."
)
@host_option
@port_option
def demo_command(home: Path, **given: Any) -> None:
    """Index the sample shop, if need be, and serve it with photos to try."""
    settings = _settings({"shop_name": demo.SHOP_NAME, "try_photos": sample.FOLDER / "try.csv", **given, "home": home})
    _check_all(settings)
    if not (home / "current").is_file():
        _check_space(home)
        click.echo("Indexing the sample shop. The first time models are exported too: about a minute in all.", err=True)
    code = demo.build(home)
    if code:
        sys.exit(code)
    Server(settings, partial(demo.things_to_try, home)).run()


@cli.command("openapi")
def openapi_command() -> None:
    """Print the API's OpenAPI document; docs/openapi.json is what it printed last."""
    logging.disable()
    with tempfile.TemporaryDirectory() as empty:
        app = create_app(Settings(home=Path(empty)))
        holder_of(app).close()
    click.echo(json.dumps(document(app), indent=1))


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, told what it needs to know by our settings."""

    def __init__(self, settings: Settings, greeting: Callable[[str], str]) -> None:
        self.settings = settings
        self._greeting = greeting
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
        click.echo(self._greeting(address_of(host, port)), err=True)

    def load(self) -> Flask:
        """Make the app, in the worker."""
        write_json_lines()
        return create_app(self.settings)


def address_of(host: str, port: int) -> str:
    """Host and port in one, as in a URL; the colons of an IPv6 address stand in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _settings(given: dict[str, Any]) -> Settings:
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        _stop(f"Setting {name} is {first['input']!r}: {first['msg']}. See docs/settings.md.")


def _check_home(home: Path) -> None:
    if not (home / "current").is_file():
        _stop(f"{home} has no index to serve. Make one: python -m indexer build --home {home} --feed FEED")


def _check_all(settings: Settings) -> None:
    _check_photos(settings.try_photos)
    _check_port(settings.host, settings.port)
    write_json_lines()
    try:
        check_safe(settings)
    except UnsafeConfiguration as error:
        _stop(f"This is not started: {error}")
    except WindowshopError as error:
        _stop(str(error))


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        where = address_of(host, port)
        _stop(f"Cannot listen on {where}: {error.strerror}. Choose another port: --port 8001 (make: PORT=8001).")


def _check_photos(table: Path | None) -> None:
    try:
        read_try_photos(table)
    except WindowshopError as error:
        _stop(f"The photos to try cannot be offered: {error}")


def _check_space(home: Path) -> None:
    from indexer.encoders.backends.runtime import models_folder

    for wanted in (home, models_folder()):
        folder = next(folder for folder in (wanted, *wanted.absolute().parents) if folder.is_dir())
        free = shutil.disk_usage(folder).free
        if free < demo.SPACE:
            _stop(
                f"The disk of {wanted} has {free // MIB} MiB free; the sample shop and its models need"
                f" {demo.SPACE // MIB}. Free some, or choose another disk: --home for the shop, the variable"
                " WINDOWSHOP_MODELS for the models."
            )


def _stop(reason: str) -> NoReturn:
    click.echo(f"Error: {reason}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    cli(prog_name="python -m web")
