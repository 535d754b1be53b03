"""Fetch the pictures that a feed names by web address: once an import, and again only when they have changed."""

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

_MAX_SILENCES = 10  # requests in a row that one host leaves unanswered


class PictureFetcher:
    """Fetches pictures for one import into a folder; threads may share it. Open one for every import.

    An address is requested once an import, however many products show its picture. After ten requests in a row
    without an answer, a host gets no more of them: a feed may name a hundred thousand pictures of a server that is
    down, and each would take the full time. A picture of an earlier import stays when it cannot be fetched today,
    unless its server says that it is gone. Without `recheck`, a picture that is here is not requested again.
    """

    def __init__(self, store: FetchedPictures, rules: FetchRules, recheck: bool = True) -> None:
        self.threads = rules.threads
        self._recheck = recheck
        self._store = store
        self._rules = rules
        self._import_id = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Path]] = {}
        self._silences: Counter[tuple[str, int]] = Counter()
        self._stale: dict[str, str] = {}
        self._done: Counter[str] = Counter()

    @classmethod
    def open(cls, folder: Path, rules: FetchRules | None = None, *, recheck: bool = True) -> PictureFetcher:
        """Open a fetcher that writes its pictures to `folder`. Raises StoreError when that cannot be used."""
        return cls(FetchedPictures(folder), rules or FetchRules(), recheck)

    def close(self) -> None:
        """Close the table of fetched pictures."""
        self._store.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()  # reads all certificates that the system trusts: 30 ms

    def fetch(self, url: str) -> Path:
        """Return the file of the picture at a web address, fetched now or by an earlier import; see `why_stale`.

        Raises BadAddress when policy forbids the address, FetchFailed when no picture came and there is no earlier
        one, StoreError when it cannot be written.
        """
        address = read_address(url, self._rules.ports)
        name = str(address)
        with self._lock:
            running = self._under_way.get(name)
            future = self._under_way.setdefault(name, Future())
        if running is not None:
            return running.result()
        try:
            future.set_result(self._fetch(address, name))
        except BaseException as error:
            future.set_exception(error)
        finally:
            with self._lock:
                del self._under_way[name]
        return future.result()

    def why_stale(self, url: str) -> str:
        """Return why `fetch` returned the picture of an earlier import; "" when it is the newest."""
        return self._stale.get(str(read_address(url, self._rules.ports)), "")

    def summary(self) -> str:
        """Return what this import has fetched so far, as text for people."""
        done = self._done
        return (
            f"Pictures by web address: {done['new']:,} fetched, {done['same']:,} unchanged,"
            f" {done['stale']:,} failed and left as they were, {done['failed']:,} failed"
        )

    def _fetch(self, address: PictureUrl, name: str) -> Path:
        known = self._store.find(name)
        if known is not None and (not self._recheck or known.import_id == self._import_id or name in self._stale):
            return known.path
        try:
            return self._request(address, name, known)
        except BadInput as error:
            if known is None or isinstance(error, BadAddress | PictureGone):
                self._count("failed")
                raise
            with self._lock:
                self._stale[name] = f"{error.message.rstrip('.')}; the one fetched before stays"
            self._count("stale")
            return known.path

    def _request(self, address: PictureUrl, name: str, known: FetchedPicture | None) -> Path:
        answer = self._download(address, known.version if known else None)
        if answer.data is None:
            assert known is not None  # without a version to compare with, a 304 is an error
            self._store.confirm(name, self._import_id)
            self._count("same")
            return known.path
        try:
            sniff(answer.data)
        except UnsupportedFormat as error:
            reason = error.message[:1].lower() + error.message[1:].rstrip(".")
            raise failed(address, f"what came is not a picture: {reason}", error.hint) from None
        path = self._store.save(name, answer.data, answer.version, self._import_id)
        self._count("new")
        return path

    def _count(self, outcome: str) -> None:
        with self._lock:
            self._done[outcome] += 1

    def _download(self, address: PictureUrl, known: Version | None) -> Answer:
        host = (address.host, address.port)
        with self._lock:
            if self._silences[host] >= _MAX_SILENCES:
                raise failed(address, f"its host did not answer {_MAX_SILENCES} times, so no more requests are sent")
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
