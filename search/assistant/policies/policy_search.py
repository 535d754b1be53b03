"""Find the passages of a shop's policies that answer a question, or say that none does."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog.text.glossary import ENGLISH
from indexer.numeric import unit
from search.assistant.policies.answer_model import SHIPPED_MODEL, AnswerModel, Ranking
from search.assistant.policies.encoding import EncodedPassages, encode_passages, encode_questions
from search.assistant.policies.folder import PolicyFolder, PolicyTexts, file_language
from search.assistant.policies.passage import ANSWERED, NOT_STATED, UNSURE, Passage, PassageHit, PolicyAnswer
from search.assistant.policies.spoken_language import spoken_language
from search.language.detection import language_of
from search.text_heads.text_vectors import TextVectors

SHOWN = 3  # passages of an answer
MAX_QUESTION = 600  # characters that are read


@dataclass(slots=True)
class _Served:
    """Passages with their vectors, and the parts of them that questions of each language are answered from."""

    passages: tuple[Passage, ...] = ()
    encoded: EncodedPassages | None = None
    parts: dict[str, tuple[tuple[Passage, ...], EncodedPassages]] = field(default_factory=dict)


class PolicySearch:
    """Answers questions from one shop's policies, as their files are now. Threads share it."""

    def __init__(self, folder: PolicyFolder, vectors: TextVectors, model: AnswerModel) -> None:
        self._folder = folder
        self._vectors = vectors
        self._model = model
        self._lock = threading.Lock()
        self._texts: PolicyTexts | None = None
        self._served = _Served()

    @classmethod
    def open(cls, home: Path, vectors: TextVectors, folder: Path | None = None) -> PolicySearch:
        """Open a shop's policies; `folder` has them where they are not in the home. Raises StoreError.

        Passages are encoded at the first question.
        """
        policies = PolicyFolder(folder) if folder else PolicyFolder.of_shop(home)
        return cls(policies, vectors, AnswerModel.load(SHIPPED_MODEL))

    def passages(self) -> tuple[Passage, ...]:
        """Return all passages as the files have them now."""
        return self._folder.current().passages

    def find(self, text: str, language: str = "", k: int = SHOWN) -> tuple[PassageHit, ...]:
        """Return up to `k` passages for a question in any language, best first; none without policies or words.

        The probability of the first is that it answers. That of another one is what remains, shared by score.
        """
        question = text[:MAX_QUESTION].strip()
        if not any(map(str.isalnum, question)):
            return ()
        spoken = spoken_language(question, language, self._model.languages, self._vectors)
        passages, encoded = self._part(spoken)
        if encoded is None or not passages:
            return ()
        questions = encode_questions([question], [spoken], self._vectors, self._model.centres)
        return hits_of(self._model.rank(questions, 0, encoded), passages, k)

    def answer(self, text: str, language: str = "") -> PolicyAnswer:
        """Return whether the policies answer a question, and from which passages."""
        hits = self.find(text, language)
        return PolicyAnswer(*self._decided(hits))

    def likeness(self, sentence: str, language: str, passage: str) -> float:
        """Return how near in meaning a sentence, whose language is given, is to a passage of any; -1 to 1."""
        languages = [language, language_of(passage)]
        rows = self._model.centres.passages.centre(self._vectors.multilingual([sentence, passage]), languages)
        first, second = unit(rows)
        return float(first @ second)

    def warm(self) -> int:
        """Encode all passages, so that the next question does not wait for it; return how many there are."""
        return len(self._current().passages)

    def _decided(self, hits: tuple[PassageHit, ...]) -> tuple[str, tuple[PassageHit, ...]]:
        if not hits or hits[0].probability < self._model.unsure:
            return NOT_STATED, ()
        return (ANSWERED if hits[0].probability >= self._model.answered else UNSURE), hits

    def _current(self) -> _Served:
        """Return the passages with vectors, encoding only those whose text is new."""
        texts = self._folder.current()
        with self._lock:
            if texts is not self._texts:
                passages = texts.passages
                encoded = encode_passages(passages, self._vectors, self._model.centres) if passages else None
                self._served, self._texts = _Served(passages, encoded), texts
            return self._served

    def _part(self, language: str) -> tuple[tuple[Passage, ...], EncodedPassages | None]:
        """Return the passages for questions of a language: of each file, the version in it where there is one."""
        served = self._current()
        if served.encoded is None:
            return (), None
        with self._lock:
            if language not in served.parts:
                places = version_places(served.passages, language)
                own = tuple(served.passages[place] for place in places)
                served.parts[language] = own, served.encoded.part(places)
            return served.parts[language]


def version_places(passages: tuple[Passage, ...], language: str) -> list[int]:
    """Return the places of the passages for a language: of a file in several languages, one version.

    It is the one in the language, else in English, else the first.
    """
    files: dict[str, list[int]] = {}
    for place, passage in enumerate(passages):
        files.setdefault(passage.file, []).append(place)
    versions: dict[str, dict[str, list[int]]] = {}
    for file, places in files.items():
        own = file_language(file)[1] or passages[places[0]].language
        versions.setdefault(passages[places[0]].topic, {}).setdefault(own, []).extend(places)
    return sorted(place for of_topic in versions.values() for place in _version(of_topic, language))


def _version(own: Mapping[str, list[int]], language: str) -> list[int]:
    for wanted in (language, ENGLISH):
        if wanted in own:
            return own[wanted]
    return next(iter(own.values()))


def hits_of(ranking: Ranking, passages: tuple[Passage, ...], k: int) -> tuple[PassageHit, ...]:
    """Return the first `k` passages of a ranking."""
    hits, rest = [], ranking.probability
    for number, place in enumerate(ranking.places[:k].tolist()):
        if number:
            rest = (1 - ranking.probability) / len(ranking.places[1:k])
        hits.append(PassageHit(passages[place], float(ranking.scores[place]), min(rest, ranking.probability)))
    return tuple(hits)
