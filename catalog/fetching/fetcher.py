"""Pictures that a feed names by web address: fetched once an import, kept, and asked for again only when changed."""

from __future__ import annotations

import secrets
import ssl
import threading
from collections import Counter
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path

from catalog.errors import BadAddress, BadInput, NoAnswer, PictureGone, UnsupportedFormat
from catalog.fetching.fetched_store import FetchedPicture, FetchedPictures
from catalog.fetching.http_download import Answer, FetchRules, Version, download, failed
from catalog.fetching.url_policy import PictureUrl, read_address
from catalog.images.formats import sniff

__all__ = ["FetchRules", "PictureFetcher"]

_PATIENCE = 10


class PictureFetcher:
    """Fetches pictures for one import into a folder; threads may share it. Open one for every import.

    An address that gave its picture is asked once an import, however many products show it. A host that gave no answer
    ten times in a row is asked no more: a feed may name a hundred thousand pictures of a server that is down, and each
    would take the full time. A picture that was fetched before and cannot be had today stays as it was, unless its
    server says that it is gone.
    """

    def __init__(self, kept: FetchedPictures, rules: FetchRules) -> None:
        self.threads = rules.threads
        self._kept = kept
        self._rules = rules
        self._import_id = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Path]] = {}
        self._silences: Counter[tuple[str, int]] = Counter()
        self._stale: dict[str, str] = {}
        self._done: Counter[str] = Counter()

    @classmethod
    def open(cls, folder: Path, rules: FetchRules | None = None) -> PictureFetcher:
        """Open a fetcher that keeps its pictures in `folder`; StoreError when that cannot be used."""
        return cls(FetchedPictures(folder), rules or FetchRules())

    def close(self) -> None:
        """Close the table of what was fetched."""
        self._kept.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()  # reads all certificates that the system trusts: 30 ms

    def fetch(self, url: str) -> Path:
        """Return the file of the picture at a web address: fetched now, or before; `why_stale` tells of the latter.

        BadAddress when the address may not be asked, FetchFailed when no picture came and none is kept, StoreError
        when it cannot be kept.
        """
        address = read_address(url, self._rules.ports)
        name = str(address)
        with self._lock:
            theirs = self._under_way.get(name)
            mine = self._under_way.setdefault(name, Future())
        if theirs is not None:
            return theirs.result()
        try:
            mine.set_result(self._fetch(address, name))
        except BaseException as error:
            mine.set_exception(error)
        finally:
            with self._lock:
                del self._under_way[name]
        return mine.result()

    def why_stale(self, url: str) -> str:
        """Say why the picture that `fetch` returned is the one of an earlier import; "" when it is the newest."""
        return self._stale.get(str(read_address(url, self._rules.ports)), "")

    def summary(self) -> str:
        """Say what this import has asked for so far, as a person reads it."""
        done = self._done
        return (
            f"Pictures by web address: {done['new']:,} fetched, {done['same']:,} as they were,"
            f" {done['stale']:,} kept that could not be had anew, {done['failed']:,} not to be had"
        )

    def _fetch(self, address: PictureUrl, name: str) -> Path:
        known = self._kept.find(name)
        if known is not None and (known.import_id == self._import_id or name in self._stale):
            return known.path
        try:
            return self._asked(address, name, known)
        except BadInput as error:
            if known is None or isinstance(error, BadAddress | PictureGone):
                self._count("failed")
                raise
            with self._lock:
                self._stale[name] = f"{error.message.rstrip('.')}; the one fetched before stays"
            self._count("stale")
            return known.path

    def _asked(self, address: PictureUrl, name: str, known: FetchedPicture | None) -> Path:
        answer = self._download(address, known.version if known else None)
        if answer.data is None:
            assert known is not None  # without a version to compare with, a 304 is an error
            self._kept.confirm(name, self._import_id)
            self._count("same")
            return known.path
        try:
            sniff(answer.data)
        except UnsupportedFormat as error:
            why = error.message[:1].lower() + error.message[1:].rstrip(".")
            raise failed(address, f"what came is not a picture: {why}", error.hint) from None
        path = self._kept.keep(name, answer.data, answer.version, self._import_id)
        self._count("new")
        return path

    def _count(self, what: str) -> None:
        with self._lock:
            self._done[what] += 1

    def _download(self, address: PictureUrl, known: Version | None) -> Answer:
        host = (address.host, address.port)
        with self._lock:
            if self._silences[host] >= _PATIENCE:
                raise failed(address, f"its host gave no answer {_PATIENCE} times, and is not asked again")
        answered = True
        try:
            return download(address, self._rules, self._tls if address.secure else None, known)
        except NoAnswer:
            answered = False
            raise
        finally:
            with self._lock:
                if answered:
                    self._silences.pop(host, None)
                else:
                    self._silences[host] += 1
