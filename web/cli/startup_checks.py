"""Configurations that are not started: the reason is said, and what to do."""

from __future__ import annotations

import ipaddress
import logging
import os
import stat
from pathlib import Path

from web.errors import UnsafeConfiguration
from web.middleware.auth import FILE, Keys
from web.settings import Settings

log = logging.getLogger(__name__)


def check_safe(settings: Settings) -> None:
    """Raise Unsafe for what should not be served, warn of what should be looked at.

    Writing is closed as long as there are no keys, so that needs no check.
    """
    keys = settings.keys or settings.home / FILE
    _check_private(keys)
    _check_ours(settings.home)
    public = is_public(settings.host)
    if public and os.environ.get("FLASK_DEBUG", "0").lower() not in ("", "0", "false", "no"):
        raise UnsafeConfiguration(
            f"FLASK_DEBUG is set, and {settings.host} can be reached by other machines.",
            "Unset it, or listen on 127.0.0.1.",
        )
    if not settings.public_read and not Keys(keys).all():
        raise UnsafeConfiguration(
            "The setting public_read is false, and there is no key, so nobody could search.",
            f"Make one: python -m web key create --home {settings.home} --scope read",
        )
    for amiss in _warnings(settings) if public else ():
        log.warning("%s", amiss)


def is_public(host: str) -> bool:
    """Whether other machines may reach an address to listen on; a name other than localhost counts as such."""
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host != "localhost"


def _check_private(keys: Path) -> None:
    try:
        mode = keys.stat().st_mode
    except FileNotFoundError:
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnsafeConfiguration(
            f"Other users of this machine may read or change the keys in {keys}.", f"chmod 600 {keys}"
        )


def _check_ours(home: Path) -> None:
    if home.is_dir() and home.stat().st_mode & stat.S_IWOTH:
        raise UnsafeConfiguration(f"Every user of this machine may change the shop in {home}.", f"chmod o-w {home}")


def _warnings(settings: Settings) -> list[str]:
    amiss = []
    if not settings.hosts:
        amiss.append("Any name is answered to: set WINDOWSHOP_TRUSTED_HOSTS to the shop's own.")
    if not (settings.reads_per_minute and settings.uploads_per_minute):
        amiss.append("Requests are not limited: set WINDOWSHOP_READS_PER_MINUTE and WINDOWSHOP_UPLOADS_PER_MINUTE.")
    if settings.trusted_proxies:
        amiss.append("Proxies are trusted: see that nobody else reaches this port, or listen on 127.0.0.1.")
    return amiss
