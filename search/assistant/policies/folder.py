"""The folder of a shop's policies: its Markdown files as passages, read again when any of them changes."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from catalog.files.atomic import stat_mark
from catalog.home import ShopHome
from catalog.text.scripts import unspaced
from search.assistant.policies.markdown import read_markdown
from search.assistant.policies.passage import Passage, PolicyProblem
from search.language.detection import language_of

MAX_FILES = 200
MAX_BYTES = 256 * 1024  # of a file: some 40,000 words
MAX_PASSAGES = 3000  # of all files
ENDINGS = (".md", ".markdown")
UNSPACED_SHARE = 0.3  # of the characters
LANGUAGES = ("en", "zh", "de", "fr", "es", "ja", "it", "nl", "pt", "pl", "sv", "da", "no", "fi", "cs", "ko", "ru", "tr")
_SUFFIX = re.compile(r"^(.+?)[._-]([a-z]{2})(?:[-_](?:cn|tw|hk|hans|hant|us|gb|uk|at|ch|be|mx))?$", re.IGNORECASE)
_Mark = tuple[tuple[str, tuple[int, int, int] | None], ...]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PolicyTexts:
    """All passages of a folder, and the files that are not read. `number` grows with each change."""

    passages: tuple[Passage, ...] = ()
    problems: tuple[PolicyProblem, ...] = ()
    number: int = 0


class PolicyFolder:
    """The policies of one shop as they are now. Threads share it.

    Only files directly in the folder are read. A link that leads out of the folder, a file that is too large and one
    that is no text are left out and reported; the others are served.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._mark: _Mark | None = None
        self._texts = PolicyTexts()

    @classmethod
    def of_shop(cls, home: Path) -> PolicyFolder:
        """Return the folder of a shop."""
        return cls(ShopHome(home).policies)

    def current(self) -> PolicyTexts:
        """Return the passages as the files have them now; the same object while nothing changed."""
        with self._lock:
            files, problems = self._files()
            mark = tuple((path.name, _mark_of(path)) for path in files)
            if mark != self._mark:
                self._texts = self._read(files, problems)
                self._mark = mark
            return self._texts

    def _files(self) -> tuple[list[Path], list[PolicyProblem]]:
        """Return the files to read, in the order of their names."""
        try:
            names = sorted(path.name for path in self._folder.iterdir() if path.suffix.lower() in ENDINGS)
        except OSError:  # there is no such folder
            return [], []
        names = [name for name in names if not name.startswith(".")]
        problems = [PolicyProblem(name, "too_many") for name in names[MAX_FILES:]]
        root = self._folder.resolve()
        files = []
        for path in (self._folder / name for name in names[:MAX_FILES]):
            if path.resolve().parent != root:
                problems.append(PolicyProblem(path.name, "outside"))
            elif path.is_file():
                files.append(path)
        return files, problems

    def _read(self, files: list[Path], problems: list[PolicyProblem]) -> PolicyTexts:
        passages: list[Passage] = []
        for path in files:
            text = _text_of(path)
            if isinstance(text, PolicyProblem):
                problems.append(text)
            else:
                passages += passages_of(path.name, text)
        if len(passages) > MAX_PASSAGES:
            problems += [PolicyProblem(name, "too_many") for name in sorted({p.file for p in passages[MAX_PASSAGES:]})]
        for problem in problems:
            log.warning("The policy file %s is not read, or not all of it: %s.", problem.file, problem.reason)
        return PolicyTexts(tuple(passages[:MAX_PASSAGES]), tuple(problems), self._texts.number + 1)


def passages_of(file: str, text: str) -> list[Passage]:
    """Return the passages of a policy file from its name and its text."""
    topic, language = file_language(file)
    sections = read_markdown(text)
    spaced = " ".join(section.text for section in sections if not is_unspaced(section.text))[:2000]
    passages, counts = [], dict[str, int]()
    for section in sections:
        count = counts[section.anchor] = counts.get(section.anchor, 0) + 1
        place = section.anchor + (f"-{count}" if count > 1 else "")
        name = f"{file}#{place}" if place else file
        own = language or language_of(section.text if is_unspaced(section.text) else spaced)
        passages.append(Passage(name, file, topic, section.heading, section.text, own))
    return passages


def is_unspaced(text: str) -> bool:
    """Return whether a text is largely of a script without spaces: a foreign name in brackets does not count."""
    return sum(unspaced(character) for character in text) >= UNSPACED_SHARE * len(text)


def file_language(file: str) -> tuple[str, str]:
    """Return a file's name without ending and language, and the language: "returns.zh.md" -> "returns", "zh".

    The language is "" where the name has none.
    """
    stem = file.rpartition(".")[0]
    match = _SUFFIX.match(stem)
    if match and match.group(2).lower() in LANGUAGES:
        return match.group(1), match.group(2).lower()
    return stem, ""


def _mark_of(path: Path) -> tuple[int, int, int] | None:
    try:
        return stat_mark(path)
    except OSError:
        return None


def _text_of(path: Path) -> str | PolicyProblem:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        return PolicyProblem(path.name, "unreadable")
    if len(data) > MAX_BYTES:
        return PolicyProblem(path.name, "too_large")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return PolicyProblem(path.name, "not_text")
    return PolicyProblem(path.name, "not_text") if "\0" in text else text
