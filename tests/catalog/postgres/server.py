"""A PostgreSQL server of the tests' own: in a temporary folder, on a unix socket, without a network port."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.storage.catalogue import Catalogue

FOLDERS = ("/usr/local/bin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_directories": "'{folder}'",
    "shared_buffers": "'32MB'",
    "max_connections": "60",
    "autovacuum": "off",
    "fsync": "off",  # the tests kill processes, not the machine
}


def program(name: str) -> str | None:
    """Return the path of one of PostgreSQL's programs; Debian has them outside PATH."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *FOLDERS)))


def require() -> None:
    """Skip the test where PostgreSQL or its driver is not installed."""
    pytest.importorskip("psycopg", reason="the extra [postgres] is not installed")
    if program("initdb") is None or program("pg_ctl") is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    if os.geteuid() == 0 and not _user():
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")


def _user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


class PostgresServer:
    """A server that runs from `start` to `stop`; `kill` ends it as a crash would."""

    def __init__(self) -> None:
        # A socket's path has at most 107 bytes, so it does not lie in pytest's folders.
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self._numbers = itertools.count()
        self._user = _user() if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "-D", str(self.data), "-U", "shop", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        text = "".join(f"{name} = {value.format(folder=self.folder)}\n" for name, value in SETTINGS.items())
        self._write(self.data / "postgresql.auto.conf", text)
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def address(self, schema: str) -> str:
        """The address of a schema, whose password is one that no error may show."""
        return f"postgresql://shop:s3cret-pw@/postgres?host={self.folder}&schema={schema}"

    def new_schema(self) -> str:
        """A name that no other test uses."""
        return f"test_{next(self._numbers)}"

    def opener(self, schema: str) -> Callable[[], Catalogue]:
        """Return what opens the catalogue of a schema, created when absent."""
        # The extra is perhaps not installed.
        from catalog.postgres.opening import open_shop

        return lambda: open_shop(self.address(schema), Path("unused"), create=True)

    def start(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-t", "60", "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-t", "60", "-m", mode, "stop")

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, path: Path, text: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    def _run(self, name: str, *arguments: str) -> None:
        path = program(name)
        assert path is not None
        user = {} if self._user is None else {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        environment = {**os.environ, "LC_ALL": "C", "HOME": str(self.folder)}
        result = subprocess.run(
            [path, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            **user,
        )
        assert result.returncode == 0, result.stdout + result.stderr
