"""Checks before a server starts: its settings, its port, its disk, and whether it would be open to too many."""

from __future__ import annotations

import ipaddress
import logging
import os
import shutil
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from catalog.errors import WindowshopError
from catalog.home import ShopHome
from catalog.logs import write_logs
from web.errors import UnsafeConfiguration
from web.middleware.auth import Keys
from web.settings import MIB, Settings
from web.try_photos import read_try_photos

log = logging.getLogger(__name__)


def read_settings(options: Mapping[str, Any]) -> Settings:
    """Return the settings, with the options that were given. Raises ClickException for a value out of bounds."""
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise click.ClickException(
            f"Setting {name} is {first['input']!r}: {first['msg']}. See docs/settings.md."
        ) from None


def check_index(home: Path) -> None:
    """Raise ClickException when the shop has no index."""
    if not ShopHome(home).current.is_file():
        raise click.ClickException(
            f"{home} has no index to serve. Build one: python -m indexer build --home {home} --feed FEED"
        )


def check_settings(settings: Settings) -> None:
    """Raise ClickException when the photos to try, the port or the configuration cannot be used."""
    try:
        read_try_photos(settings.try_photos)
    except WindowshopError as error:
        raise click.ClickException(f"The photos to try cannot be read: {error}") from error
    _check_port(settings.host, settings.port)
    write_logs(settings.log_format, replace=True)
    try:
        check_safe(settings)
    except UnsafeConfiguration as error:
        raise click.ClickException(f"The server does not start: {error}") from error
    except WindowshopError as error:
        raise click.ClickException(str(error)) from error


def check_disk_space(required: int, *folders: Path) -> None:
    """Raise ClickException when the disk of a folder, which need not exist yet, has less than `required` bytes free."""
    for wanted in folders:
        existing = next(folder for folder in (wanted, *wanted.absolute().parents) if folder.is_dir())
        free = shutil.disk_usage(existing).free
        if free < required:
            raise click.ClickException(
                f"The disk of {wanted} has {free // MIB} MiB free; the sample shop and its models need"
                f" {required // MIB}. Free some, or choose another disk: --home for the shop, the variable"
                " WINDOWSHOP_MODELS for the models."
            )


def check_safe(settings: Settings) -> None:
    """Raise UnsafeConfiguration for settings that open the server to too many; log a warning for doubtful ones.

    Without keys nobody can write, so a missing keys file needs no check.
    """
    keys = settings.keys or ShopHome(settings.home).api_keys
    _check_keys_private(keys)
    _check_home_owned(settings.home)
    public = is_reachable_from_outside(settings.host)
    if public and os.environ.get("FLASK_DEBUG", "0").lower() not in ("", "0", "false", "no"):
        raise UnsafeConfiguration(
            f"FLASK_DEBUG is set, and {settings.host} can be reached by other machines.",
            "Unset it, or listen on 127.0.0.1.",
        )
    if not settings.public_read and not Keys(keys).all():
        raise UnsafeConfiguration(
            "The setting public_read is false, and there is no key, so nobody could search.",
            f"Create one: windowshop key create --home {settings.home} --scope read",
        )
    for warning in _warnings(settings) if public else ():
        log.warning("%s", warning)


def is_reachable_from_outside(host: str) -> bool:
    """Return whether other machines may reach an address to listen on; of names, only localhost is private."""
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host != "localhost"


def format_address(host: str, port: int) -> str:
    """Return host and port as a URL has them: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on {format_address(host, port)}: {error.strerror}."
            " Choose another port: --port 8001 (make: PORT=8001)."
        ) from error


def _check_keys_private(keys: Path) -> None:
    try:
        mode = keys.stat().st_mode
    except FileNotFoundError:
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnsafeConfiguration(
            f"Other users of this machine may read or change the keys in {keys}.", f"Run chmod 600 {keys}"
        )


def _check_home_owned(home: Path) -> None:
    if home.is_dir() and home.stat().st_mode & stat.S_IWOTH:
        raise UnsafeConfiguration(f"Every user of this machine may change the shop in {home}.", f"Run chmod o-w {home}")


def _warnings(settings: Settings) -> list[str]:
    warnings = []
    if not settings.hosts:
        warnings.append("The server answers to any host name: set WINDOWSHOP_TRUSTED_HOSTS to the shop's names.")
    if not (settings.reads_per_minute and settings.uploads_per_minute):
        warnings.append("Requests are not limited: set WINDOWSHOP_READS_PER_MINUTE and WINDOWSHOP_UPLOADS_PER_MINUTE.")
    if settings.trusted_proxies:
        warnings.append("Proxies are trusted: let nobody else reach this port, or listen on 127.0.0.1.")
    return warnings
