"""Store customers' questions about products and the shop's answers, in one small database that all servers share.

A question is shown to nobody but the shop's people until it is answered and published. Of the visitor who asked there
is a keyed hash alone (BLAKE2b, 128 bits); the key is random and stands in this file.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import BadInput, UnknownQuestion
from catalog.home import ShopHome
from catalog.storage.sqlite import DISK_ERRORS, open_database, store_errors, transaction
from catalog.text.folding import normalise

OPEN, PUBLISHED, PRIVATE = "open", "published", "private"  # states; a private answer is shown to nobody
STATES = (OPEN, PUBLISHED, PRIVATE)
MAX_QUESTION, MAX_ANSWER = 500, 4_000  # characters
MAX_OPEN = 10_000  # open questions of a shop
MAX_OPEN_OF_VISITOR = 20
MAX_SHOWN = 200  # published questions of a product
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "INSERT OR IGNORE INTO about VALUES ('format', 1)",
    """CREATE TABLE IF NOT EXISTS questions (id INTEGER PRIMARY KEY AUTOINCREMENT, product TEXT NOT NULL,
    text TEXT NOT NULL, folded TEXT NOT NULL, language TEXT NOT NULL, at INTEGER NOT NULL, visitor BLOB,
    state TEXT NOT NULL, answer TEXT NOT NULL DEFAULT '', answer_language TEXT NOT NULL DEFAULT '',
    answered_at INTEGER)""",
    "CREATE INDEX IF NOT EXISTS questions_by_product ON questions (product, state)",
    "CREATE INDEX IF NOT EXISTS questions_by_state ON questions (state, id)",
    "CREATE INDEX IF NOT EXISTS questions_by_visitor ON questions (visitor) WHERE visitor IS NOT NULL",
)
_SETUP = ("PRAGMA secure_delete = ON",)
_COLUMNS = "id, product, text, language, at, state, answer, answer_language, answered_at"
_OF_PRODUCT = f"SELECT {_COLUMNS} FROM questions WHERE product = ? AND state = 'published' ORDER BY answered_at DESC, id DESC LIMIT ?"  # noqa: E501, S608 - the names above
_OF_STATE = f"SELECT {_COLUMNS} FROM questions WHERE state = ? AND id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM questions WHERE id = ?"  # noqa: S608
_OF_VISITOR = f"SELECT {_COLUMNS} FROM questions WHERE visitor = ? ORDER BY id"  # noqa: S608
_SAME = f"SELECT {_COLUMNS} FROM questions WHERE product = ? AND folded = ? AND state <> 'private' ORDER BY id LIMIT 1"  # noqa: S608
_INSERT = (
    "INSERT INTO questions (product, text, folded, language, at, visitor, state) VALUES (?, ?, ?, ?, ?, ?, 'open')"
)
_ANSWER = "UPDATE questions SET answer = ?, answer_language = ?, answered_at = ?, state = ? WHERE id = ?"
_COUNT_OPEN = "SELECT count(*) FROM questions WHERE state = 'open'"
_COUNT_OPEN_OF = "SELECT count(*) FROM questions WHERE state = 'open' AND visitor = ?"
_COUNTS = "SELECT state, count(*) FROM questions GROUP BY state"


@dataclass(frozen=True, slots=True)
class CustomerQuestion:
    """A stored question about a product; `at` and `answered_at` in unix seconds, `answer` "" while it is open."""

    id: str
    product_id: str
    text: str
    language: str
    at: int
    state: str = OPEN
    answer: str = ""
    answer_language: str = ""
    answered_at: int | None = None


class QuestionStore:
    """The questions of one shop. Threads and processes may share it, because every call opens the file.

    All methods raise StoreError where the file cannot be read or written.
    """

    def __init__(self, home: Path) -> None:
        self._path = ShopHome(home).product_questions

    def ask(
        self, product_id: str, text: str, language: str, visitor: str = "", now: float | None = None
    ) -> CustomerQuestion:
        """Store a question, open until the shop answers. The same one about a product is stored once and returned.

        Raises BadInput for an empty or too long text, and while too many wait for an answer.
        """
        text = " ".join(text.split())
        if not text or len(text) > MAX_QUESTION:
            problem = "The question is empty." if not text else f"The question has {len(text):,} characters."
            raise BadInput(problem, f"Write 1 to {MAX_QUESTION} characters.")
        folded = normalise(text).strip(" ?!.？！。")
        with self._db() as db, transaction(db):
            if (same := db.execute(_SAME, (product_id, folded)).fetchone()) is not None:
                return _question(same)
            key = _key(db, visitor) if visitor else None
            (waiting,) = db.execute(_COUNT_OPEN).fetchone()
            own = db.execute(_COUNT_OPEN_OF, (key,)).fetchone()[0] if key else 0
            if waiting >= MAX_OPEN or own >= MAX_OPEN_OF_VISITOR:
                raise BadInput("Too many questions wait for an answer.", "Ask again when some are answered.")
            at = _seconds(now)
            row = db.execute(_INSERT, (product_id, text, folded, language, at, key)).lastrowid
        return CustomerQuestion(str(row), product_id, text, language, at)

    def answer(
        self, question_id: str, text: str, language: str, publish: bool = True, now: float | None = None
    ) -> CustomerQuestion:
        """Store the shop's answer, in place of an earlier one. Raises UnknownQuestion, BadInput."""
        text = text.strip()
        if not text or len(text) > MAX_ANSWER:
            problem = "The answer is empty." if not text else f"The answer has {len(text):,} characters."
            raise BadInput(problem, f"Write 1 to {MAX_ANSWER:,} characters.")
        state = PUBLISHED if publish else PRIVATE
        with self._db() as db, transaction(db):
            _read(db, question_id)
            db.execute(_ANSWER, (text, language, _seconds(now), state, int(question_id)))
            return _read(db, question_id)

    def get(self, question_id: str) -> CustomerQuestion:
        """Return a question. Raises UnknownQuestion."""
        if not self._path.is_file():
            raise _unknown(question_id)
        with self._db() as db:
            return _read(db, question_id)

    def answered(self, product_id: str) -> Sequence[CustomerQuestion]:
        """Return the published questions about a product, the last answered first."""
        return self._select(_OF_PRODUCT, product_id, MAX_SHOWN)

    def of_state(self, state: str, limit: int = 50, before: str = "") -> Sequence[CustomerQuestion]:
        """Return questions of a state, the newest first; with `before`, those asked before that one."""
        return self._select(_OF_STATE, state, int(before) if before else 1 << 62, limit)

    def counts(self) -> dict[str, int]:
        """Return how many questions are in each state."""
        found = dict.fromkeys(STATES, 0)
        if self._path.is_file():
            with self._db() as db:
                found |= dict(db.execute(_COUNTS).fetchall())
        return found

    def remove(self, question_id: str) -> None:
        """Remove a question with its answer. Raises UnknownQuestion."""
        with self._db() as db, transaction(db):
            _read(db, question_id)
            db.execute("DELETE FROM questions WHERE id = ?", (int(question_id),))

    def of_visitor(self, visitor: str) -> Sequence[CustomerQuestion]:
        """Return the questions of a visitor, the oldest first."""
        if not self._path.is_file():
            return ()
        with self._db() as db:
            return [_question(row) for row in db.execute(_OF_VISITOR, (_key(db, visitor),)).fetchall()]

    def forget(self, visitor: str) -> int:
        """Remove the questions of a visitor with their answers, from the write-ahead log too; returns how many."""
        if not self._path.is_file():
            return 0
        with self._db() as db:
            with transaction(db):
                removed = db.execute("DELETE FROM questions WHERE visitor = ?", (_key(db, visitor),)).rowcount
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def _select(self, query: str, *values: str | int) -> Sequence[CustomerQuestion]:
        if not self._path.is_file():
            return ()
        with self._db() as db:
            return [_question(row) for row in db.execute(query, values).fetchall()]

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        name = f"The customers' questions {self._path}"
        with store_errors(name, "Look at the disk.", "Move that file away.", DISK_ERRORS):
            self._path.touch(mode=0o600)
            with closing(open_database(self._path, _SETUP, SCHEMA)) as db:
                yield db


def _key(db: sqlite3.Connection, visitor: str) -> bytes:
    """Return the keyed hash of a visitor id: 16 bytes. The first call of a shop makes the key."""
    db.execute("INSERT OR IGNORE INTO about VALUES ('key', ?)", (secrets.token_bytes(32),))
    (key,) = db.execute("SELECT value FROM about WHERE name = 'key'").fetchone()
    return hashlib.blake2b(visitor.encode("utf-8", "surrogatepass"), key=key, digest_size=16).digest()


def _read(db: sqlite3.Connection, question_id: str) -> CustomerQuestion:
    number = int(question_id) if question_id.isascii() and question_id.isdigit() and len(question_id) < 18 else -1
    row = db.execute(_ONE, (number,)).fetchone()
    if row is None:
        raise _unknown(question_id)
    return _question(row)


def _question(row: Sequence[object]) -> CustomerQuestion:
    return CustomerQuestion(str(row[0]), *row[1:])  # type: ignore[arg-type]  # the columns above


def _unknown(question_id: str) -> UnknownQuestion:
    return UnknownQuestion(f"There is no question {question_id[:60]!r}.", "List the questions; it may be gone.")


def _seconds(now: float | None) -> int:
    return int(time.time() if now is None else now)
