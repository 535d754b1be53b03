"""What words find by the vectors alone, by the products' own texts alone, and by both: the sample shop's captions."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np

from catalog.home import ShopHome
from catalog.sample.generator.catalogue.plan import TEST
from catalog.storage.catalogue import Catalogue
from indexer.generations.store import Generation
from indexer.types import Floats
from search.query.glossary import Glossary
from search.retrieval.lexical import DEFAULT_SHARE, Lexicon
from search.retrieval.text_reading import TextAnalysis
from tests.quality.measures import Rank, rank_figures
from tests.quality.questions import Answer, of_split
from tests.quality.report.rank_tables import rank_headline, rank_table
from tests.quality.report.records import Outcome, Section
from tests.quality.sample_shop import SampleShop
from tests.quality.sections.finding import LANGUAGES

FUSED = "both, scores added"
SMOOTHING = 60  # the usual constant of reciprocal rank fusion
Scores = dict[str, Floats]


def words_by_part(shop: SampleShop) -> Outcome:
    """Test captions, asked in each way: as typed or as the glossary reads them, vectors, texts, and both."""
    generation = shop.engine.generation
    home = generation.folder.parents[1]
    figures: dict[str, dict[str, Any]] = {}
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue:
        ways = _Ways(shop, generation, Lexicon(catalogue, Glossary.of(home)), dict(catalogue.ids()))
        for language, answers in shop.captions.items():
            ranks: dict[str, list[Rank]] = {}
            for answer in of_split(answers, TEST):
                for name, rank in ways.ranks(answer).items():
                    ranks.setdefault(name, []).append(rank)
            figures[language] = {name: rank_figures(found) for name, found in ranks.items()}
    rows = {f"{LANGUAGES.get(k, k)}, {name}": found for k, ways in figures.items() for name, found in ways.items()}
    section = Section(
        title="Words: vectors, texts, and both",
        how="The test captions again. Vectors compare what the encoder makes of the words with pictures and titles; "
        "texts are the products' titles, brands, categories, attributes and descriptions, which this shop has in "
        f"both languages. Both: the vectors' score times {1 - DEFAULT_SHARE:g} and the texts' times "
        f"{DEFAULT_SHARE:g}, or the sum "
        "of reciprocal ranks.",
        tables=(rank_table("captions", rows),),
    )
    headlines = [
        rank_headline(f"{LANGUAGES.get(language, language)} captions, {FUSED}", found[FUSED], "recall_at_1")
        for language, found in figures.items()
        if found
    ]
    return Outcome("words_by_part", figures, section, tuple(headlines))


class _Ways:
    """The ways in which words can be asked, on all products of a shop."""

    def __init__(self, shop: SampleShop, generation: Generation, lexicon: Lexicon, ids: dict[int, str]) -> None:
        self._encoder, self._generation, self._lexicon = shop.engine.encoder, generation, lexicon
        self._keys, self._place = np.unique(generation.product_keys, return_inverse=True)
        self._ids = [ids[key] for key in self._keys.tolist()]

    def ranks(self, answer: Answer) -> dict[str, Rank]:
        """The right product's rank in each way; a tie counts against it."""
        reading = self._lexicon.read(answer.question.asked)
        right = self._ids.index(answer.question.product_id)
        return {name: int(np.count_nonzero(scores >= scores[right])) for name, scores in self._scores(reading).items()}

    def _scores(self, reading: TextAnalysis) -> Scores:
        typed, read = self._vectors(reading.text), self._vectors(reading.encoder_words)
        texts = self._lexicon.search(reading).scores_of(self._keys)
        return {
            "vectors, as typed": typed,
            "vectors, by the glossary": read,
            "texts": texts,
            FUSED: (1 - DEFAULT_SHARE) * read + DEFAULT_SHARE * texts,
            "both, reciprocal ranks": _reciprocal(read) + np.where(texts > 0, _reciprocal(texts), 0),
        }

    def _vectors(self, words: str) -> Floats:
        layout, weights = self._generation.layout, self._generation.manifest.weights["text"]
        query = layout.weigh(layout.queries(self._encoder.encode_texts([words])), weights)[0] / sum(weights.values())
        best = np.full(len(self._keys), -np.inf, np.float32)
        np.maximum.at(best, self._place, self._generation.rows.astype(np.float32) @ query)
        return best


def _reciprocal(scores: Floats) -> Floats:
    rank = np.empty(len(scores), np.float32)
    rank[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return np.asarray(1 / (SMOOTHING + rank), np.float32)
