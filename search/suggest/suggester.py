"""Suggest words, kinds, brands and products for a text that is being typed, from what the shop has now."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from catalog.storage.catalogue import Catalogue
from catalog.text.glossary import ENGLISH
from catalog.text.quantities import has_digit
from catalog.text.tokenizer import code, indexed, normalise, unspaced
from indexer.suggestions.segment_files import SuggestionWords
from indexer.suggestions.text_units import pieces_of
from search.query.glossary import Glossary
from search.state.column_store import ProductColumns
from search.suggest.request import SuggestRequest
from search.suggest.suggestions import LATE, MIN_OCCASIONS, LoggedSearch, Suggestions
from search.suggest.vocabulary import VocabularyFollower

HIDDEN = "…"  # what the query log shows in place of private numbers and addresses
MAX_INDEXED = 64  # words of a text that are looked up in the word index

Logged = Mapping[str, LoggedSearch]


class Suggester:
    """Suggests from the words of one shop. Threads share it."""

    def __init__(self, catalogue: Catalogue, glossary: Glossary) -> None:
        self._catalogue = catalogue
        self._is_function_word = lru_cache(maxsize=16_384)(
            lambda word: not (unspaced(word) or glossary.apply(word, ENGLISH).concepts)
        )
        self._follower = VocabularyFollower(catalogue)
        self._frequent: tuple[Mapping[str, int], Logged] = ({}, {})

    def start(self, columns: ProductColumns, mapped: SuggestionWords | None = None) -> None:
        """Begin to read the shop's words, so that the first request need not wait; see `suggest`."""
        self._follower.start(columns, mapped)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for what is read in the background; it stops by itself when the catalogue is closed."""
        self._follower.wait(timeout_s)

    def suggest(
        self,
        text: str,
        columns: ProductColumns,
        limit: int,
        logged: Mapping[str, int],
        mapped: SuggestionWords | None = None,
    ) -> Suggestions:
        """Return at most `limit` suggestions of each sort for a text, from the products of the columns.

        `mapped` are the words of the generation that is served, where it has them. `logged` has earlier searches that
        found something, with the number of occasions. Without a text, suggest the most frequent searches and the
        largest kinds. `degraded` says that the shop's words are being read.
        """
        vocabulary = self._follower.current(columns, mapped)
        if vocabulary is None:
            return Suggestions(text, degraded=(LATE,))
        request = SuggestRequest(vocabulary, columns, limit, self._shown(logged), self._is_function_word)
        if not text.strip():
            return Suggestions(text, request.frequent_searches(), request.largest_kinds())
        reading, candidates = request.read(text)
        words = request.words(text, candidates)
        spelling = words[0].text if words and words[0].corrected else ""
        if candidates and reading is not None and not spelling:
            names = [*reading.words, *filter(None, (reading.prefix,))]
        else:
            names = pieces_of(spelling or text)
        keys = request.products(text, reading, candidates) or self._indexed(text, limit)
        products = self._catalogue.get_many(keys)
        return Suggestions(text, words, request.kinds(names), request.brands(names), tuple(products.values()), spelling)

    def _indexed(self, text: str, limit: int) -> list[int]:
        """Return the keys of products whose number a text is, or that hold all of a text without spaces."""
        words, field = [code(text)], "code"
        if unspaced(text):
            words, field = list(dict.fromkeys(indexed(text)))[:MAX_INDEXED], "{name kind}"
        elif not has_digit(words[0]):
            return []
        with self._catalogue.words() as index:
            return index.holding(words, field, limit)

    def _shown(self, logged: Mapping[str, int]) -> Logged:
        """Return the searches that may be shown, by their normalised texts, the most frequent first."""
        known, frequent = self._frequent
        if known is logged:
            return frequent
        shown = sorted((-times, text) for text, times in logged.items() if times >= MIN_OCCASIONS)
        frequent = {}
        for times, text in shown:
            if HIDDEN not in text:
                frequent.setdefault(" ".join(normalise(text).split()), LoggedSearch(text, -times))
        self._frequent = (logged, frequent)
        return frequent
