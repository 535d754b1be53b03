"""Fetch the current generation of the index from another machine of the same shop, file by file.

Files are compared with the manifest's lengths and digests, so a file that is here already is not fetched, one that was
half fetched goes on, and nothing damaged becomes current. The machines need one catalogue: a generation has the keys of
its products.
"""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from catalog.errors import DamagedGeneration, GenerationError
from catalog.files.atomic import FileRecord, record, sync
from catalog.files.failpoints import failpoint
from catalog.files.version_folders import damage, seal
from catalog.home import ShopHome
from catalog.storage.opening import mark_shared, open_catalogue
from indexer.generations import store
from indexer.generations.manifest import MANIFEST_FILE, Manifest
from indexer.generations.publishing import build_lock

CURRENT_PATH = "/api/v1/ops/generations/current"
FILE_PATH = "/api/v1/ops/generations/{number}/{name}"
PART_SUFFIX = ".part"
FETCHING_PREFIX = ".fetching-"  # not that of a build, whose leftovers the next command removes
BLOCK_BYTES = 1 << 20
TIMEOUT_S = 60.0
MAX_MANIFEST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a fetch did: the current generation now, files and bytes that were fetched, files that were here."""

    generation: int
    fetched: int = 0
    bytes: int = 0
    present: int = 0


class GenerationSource(Protocol):
    """Where generations are fetched from."""

    def manifest(self) -> str:
        """Return the text of the current generation's manifest. Raises GenerationError."""

    def reading(self, number: int, name: str, start: int) -> AbstractContextManager[Readable]:
        """Give a block the bytes of one file, from `start` on. Raises GenerationError, OSError."""


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Another home of the shop, as on shared storage."""

    home: Path

    def manifest(self) -> str:
        """Return the text of the current generation's manifest. Raises GenerationError."""
        return (ShopHome(self.home).generation(store.current_number(self.home)) / MANIFEST_FILE).read_text("utf-8")

    @contextmanager
    def reading(self, number: int, name: str, start: int) -> Iterator[Readable]:
        """Give a block the bytes of one file, from `start` on. Raises OSError."""
        with (ShopHome(self.home).generation(number) / name).open("rb") as file:
            file.seek(start)
            yield file


@dataclass(frozen=True, slots=True)
class ServerSource:
    """A server of the shop on another machine, with a key of the scope admin."""

    address: str
    key: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GenerationError(f"{self.address[:100]!r} is no web address.", "For example https://10.0.0.5:8000.")
        if parts.scheme == "http" and not _is_private(parts.hostname):
            raise GenerationError(
                f"{self.address[:100]!r} is not encrypted: the key would be readable on its way.",
                "Use https, or an IP address of your own network.",
            )

    def manifest(self) -> str:
        """Return the text of the current generation's manifest. Raises GenerationError."""
        with self._answer(CURRENT_PATH, 0) as answer:
            return answer.read(MAX_MANIFEST_BYTES).decode("utf-8")

    @contextmanager
    def reading(self, number: int, name: str, start: int) -> Iterator[Readable]:
        """Give a block the bytes of one file, from `start` on. Raises GenerationError."""
        with self._answer(FILE_PATH.format(number=number, name=name), start) as answer:
            yield answer

    @contextmanager
    def _answer(self, path: str, start: int) -> Iterator[HTTPResponse]:
        parts = urlsplit(self.address)
        host, port = parts.hostname or "", parts.port
        connection = HTTPConnection(host, port, timeout=TIMEOUT_S)
        if parts.scheme == "https":
            connection = HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
        headers = {"Authorization": f"Bearer {self.key}", "User-Agent": "Windowshop"}
        if start:
            headers["Range"] = f"bytes={start}-"
        try:
            connection.request("GET", parts.path.rstrip("/") + path, headers=headers)
            with connection.getresponse() as answer:
                if answer.status != (206 if start else 200):
                    hint = "Check the address, and that the key has the scope admin; a newer generation may have come."
                    raise GenerationError(f"{host} answered {answer.status} to {path}.", hint)
                yield answer
        except (OSError, HTTPException) as error:
            problem = f"{host} did not give its generation: {error or type(error).__name__}."
            raise GenerationError(problem, "Check that it runs; what was fetched is reused.") from error
        finally:
            connection.close()


def fetch_current(home: Path, source: GenerationSource) -> FetchReport:
    """Make the source's current generation current in `home`, fetching what this machine lacks.

    Raises GenerationError where the shop's catalogue cannot be found or is older than the generation, and
    DamagedGeneration where a file is not what the manifest says.
    """
    text = source.manifest()
    manifest = Manifest.from_json(text, "the manifest of the other machine")
    with closing(open_catalogue(home)) as catalogue:
        if catalogue.seq < manifest.seq:
            raise GenerationError(
                f"The catalogue is at change {catalogue.seq:,}, and the other machine's generation {manifest.number}"
                f" was built at change {manifest.seq:,}.",
                "Let both machines use one catalogue (WINDOWSHOP_CATALOGUE), or restore a newer backup here.",
            )
    home.mkdir(parents=True, exist_ok=True)  # a new machine, whose products are in the database
    with build_lock(home):
        mark_shared(home)
        if _is_here(home, manifest.number, text):
            report = FetchReport(manifest.number, present=len(manifest.files))
        else:
            report = _fetch(home, source, manifest, text)
        if store.current_number_or_none(home) != manifest.number:
            store.make_current(home, manifest.number)
    return report


def _is_here(home: Path, number: int, text: str) -> bool:
    folder = ShopHome(home).generation(number)
    with suppress(FileNotFoundError):
        if (folder / MANIFEST_FILE).read_text("utf-8") == text:
            return True
        raise GenerationError(
            f"Generation {number} is another one here than on the other machine.",
            "Index on one machine only, and let the others fetch; move this one's generations away first.",
        )
    return False


def _fetch(home: Path, source: GenerationSource, manifest: Manifest, text: str) -> FetchReport:
    final = ShopHome(home).generation(manifest.number)
    folder = final.with_name(f"{FETCHING_PREFIX}{final.name}")
    for leftover in final.parent.glob(f"{FETCHING_PREFIX}*"):
        if leftover != folder:
            shutil.rmtree(leftover, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    fetched = size = 0
    for name, expected in manifest.files.items():
        if _has(folder, name, expected) or _linked(home, folder, name, expected):
            continue
        size += _fetch_file(source, manifest.number, folder / name, expected)
        fetched += 1
        failpoint("fetch.file-fetched")
    seal(folder, manifest.files, MANIFEST_FILE, text)
    folder.rename(final)
    failpoint("fetch.renamed")
    sync(final.parent)
    return FetchReport(manifest.number, fetched, size, len(manifest.files) - fetched)


def _fetch_file(source: GenerationSource, number: int, path: Path, expected: FileRecord) -> int:
    """Fetch what is missing of a file, check it, and return how many bytes that was."""
    part = path.with_name(path.name + PART_SUFFIX)
    start = part.stat().st_size if part.exists() else 0
    if start >= expected.bytes:
        part.unlink(missing_ok=True)
        start = 0
    with source.reading(number, path.name, start) as remote, part.open("ab") as file:
        left = expected.bytes - start
        while left > 0 and (block := remote.read(min(BLOCK_BYTES, left))):
            file.write(block)
            left -= len(block)
    if left:
        raise GenerationError(f"{path.name} ended {left:,} bytes early.", "Fetch again: it goes on from there.")
    if record(part) != expected:
        part.unlink()
        raise DamagedGeneration(f"{path.name} is not what the manifest says.", "Fetch again; check the other machine.")
    part.replace(path)
    return expected.bytes - start


def _has(folder: Path, name: str, expected: FileRecord) -> bool:
    return (folder / name).exists() and damage(folder, {name: expected}) is None


def _linked(home: Path, folder: Path, name: str, expected: FileRecord) -> bool:
    """Link a file that another generation here has already, as files that no change touched."""
    for number in reversed(store.numbers(home)):
        other = ShopHome(home).generation(number)
        if _has(other, name, expected):
            (folder / name).unlink(missing_ok=True)
            with suppress(OSError):
                os.link(other / name, folder / name)
                return True
    return False


def _is_private(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_private
    return host == "localhost"
