"""Decide which web addresses pictures may be fetched from, by their form and by the IP addresses of their hosts."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, urlsplit

from catalog.errors import BadAddress

PORTS = frozenset((80, 443))
_MAX_CHARACTERS = 4_000

# Programs disagree on what these mean in an address, so a check by one does not hold for another.
_UNCLEAR = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SAFE = "/%:@!$&'()*+,;=~-._"

# Networks that `is_global` calls public although they are not, or misses in older versions of Python.
_NEVER = (
    ip_network("192.0.0.0/24"),  # reserved for protocols, and some clouds' metadata
    ip_network("192.88.99.0/24"),  # relays of 6to4
    ip_network("168.63.129.16/32"),  # a cloud's own services, as its machines see them
    ip_network("224.0.0.0/4"),  # multicast
    ip_network("2001::/23"),  # reserved for protocols, tunnels to any IPv4 address among them
    ip_network("3fff::/20"),  # for documentation
)
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class PictureUrl:
    """A web address in the one form in which it is requested, stored and shown."""

    secure: bool
    host: str
    port: int
    target: str

    def __str__(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}{self.target}"

    @property
    def authority(self) -> str:
        """The host as a request names it, with a port unless that is the default one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def read_address(text: str, ports: Collection[int] = PORTS) -> PictureUrl:
    """Parse a picture's web address. Raises BadAddress when it is malformed, ambiguous, or names another port."""
    if len(text) > _MAX_CHARACTERS:
        raise blocked_url(text, f"it is longer than {_MAX_CHARACTERS:,} characters")
    if _UNCLEAR.search(text):
        raise blocked_url(text, "it holds control characters or backslashes")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise blocked_url(text, "it is not an address") from None
    if parts.scheme not in ("http", "https"):
        raise blocked_url(text, "only http and https are fetched")
    if "@" in parts.netloc:
        raise blocked_url(text, "it holds a user name or a password")
    if not host:
        raise blocked_url(text, "it names no host")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if port not in ports:
        raise blocked_url(text, f"port {port} is not allowed, only {' and '.join(map(str, sorted(ports)))}")
    return PictureUrl(parts.scheme == "https", _host(text, host), port, _target(parts.path, parts.query))


def is_ip(host: str) -> bool:
    """Tell whether a host is an IP address rather than a name."""
    return _parsed_ip(host) is not None


def is_public(text: str) -> bool:
    """Tell whether an IP address is on the public internet; checks an IPv4 address inside an IPv6 one too."""
    address = _parsed_ip(text)
    if address is None:
        return False
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is None and (address.scope_id is not None or address not in _GLOBAL_UNICAST):
            return False
        address = inner or address
    return address.is_global and not any(address in network for network in _NEVER)


def blocked_url(url: object, reason: str) -> BadAddress:
    """Return the error that says why a picture is not fetched from an address."""
    hint = "Download it, and give its path relative to the feed."
    return BadAddress(f"The picture {str(url)[:120]!r} is not fetched: {reason}.", hint)


def _parsed_ip(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _target(path: str, query: str) -> str:
    """Return path and query as a request sends them: existing escapes stay, missing ones are added."""
    path = quote(path or "/", safe=_SAFE, errors="replace")
    return f"{path}?{quote(query, safe=_SAFE + '?', errors='replace')}" if query else path


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address to which packets for an IPv6 address go, by mapping, 6to4 or NAT64."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour


def _host(text: str, host: str) -> str:
    """Return a host in ASCII and lower case. Raises BadAddress; an IP address must have its usual form."""
    host = host.lower().removesuffix(".")
    if not host.isascii():
        try:
            host = host[:255].encode("idna").decode().lower().removesuffix(".")
        except UnicodeError:
            raise blocked_url(text, "its host is not a name") from None
    if (ip := _parsed_ip(host)) is not None:
        return str(ip)
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise blocked_url(text, "its host is not a name")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise blocked_url(text, "its host is a number that is not written like 93.184.215.14")
    return host
