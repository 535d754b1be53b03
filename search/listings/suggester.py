"""Suggest a listing from pictures and perhaps a title: category, attributes, title words, price range, picture notes.

Every suggestion carries its evidence: the most similar products of the shop and their scores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from catalog.errors import BadQuery
from catalog.product import CATEGORY_SEPARATOR
from indexer.labels.heads import LabelHeads, head_rows
from indexer.labels.knn import KNN_NEIGHBOURS, vote_weights
from indexer.labels.network import LabelNetwork
from indexer.labels.predict import Neighbours, NetworkOutput, predict_labels
from indexer.layout import WORDS, RowLayout
from indexer.types import Floats
from search.engine import SearchEngine
from search.execution.step_timing import ENCODE, timed
from search.hits import SearchHit
from search.listings.attribute_fields import CATEGORY, field_labels
from search.listings.label_suggestion import LabelSuggestion, suggest_label
from search.listings.picture_quality import PictureNote, notes_dict, picture_notes
from search.listings.price_range import PriceRange, PriceScale, price_range
from search.listings.title_values import TitleTrust, TitleValueMatcher, apply_title_evidence
from search.listings.title_words import TitleWord, title_words
from search.query.terms import MAX_PICTURES, Query, VectorTerm

LOOK = "look"
VIEWS_PER_PICTURE = 2  # each picture is encoded as it is and mirrored
BATCH_LISTINGS = 32


@dataclass(frozen=True, slots=True)
class Listing:
    """Input of a suggestion: RGB pictures of one product, and a title or ""."""

    pictures: Sequence[Image.Image]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Everything suggested for one listing; `neighbours` are (product id, score), best first."""

    category: LabelSuggestion
    attributes: tuple[LabelSuggestion, ...]
    title_words: tuple[TitleWord, ...]
    price: PriceRange | None
    notes: tuple[PictureNote, ...]
    neighbours: tuple[tuple[str, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "category": self.category.to_dict(),
            "attributes": [attribute.to_dict() for attribute in self.attributes],
            "title_words": [
                {"word": word.word, "agreement": round(word.agreement, 4), "neighbours": list(word.neighbours)}
                for word in self.title_words
            ],
            "price": self.price.to_dict() if self.price else None,
            "picture_notes": notes_dict(self.notes),
            "neighbours": [{"id": product_id, "score": round(score, 6)} for product_id, score in self.neighbours],
        }


# The k nearest products of a listing and its rows (the input of the heads), best first.
NeighbourSearch = Callable[[Listing, Floats], tuple[SearchHit, ...]]


class ListingSuggester:
    """Suggests listings for one open shop; threads may share it. Heads and network never change after construction.

    `neighbours` replaces the search for neighbours among the shop's products.
    """

    def __init__(
        self,
        engine: SearchEngine,
        heads: LabelHeads | None,
        network: LabelNetwork | None = None,
        neighbours: NeighbourSearch | None = None,
    ) -> None:
        self._engine = engine
        self._heads = heads.heads if heads else {}
        self._network = network
        self._neighbours = neighbours or ShopNeighbours(engine)
        card = heads.card if heads else {}
        self._prices = PriceScale.from_dict(card["prices"]) if card.get("prices") else None
        self._title_values = {
            field: (TitleValueMatcher(self._heads[field].names), TitleTrust(**trust))
            for field, trust in card.get("titles", {}).items()
            if field in self._heads
        }
        self._least_look: float | None = card.get("least_look")

    @classmethod
    def open(cls, engine: SearchEngine, home: Path | str = "") -> ListingSuggester:
        """Open with the heads and the network of the shop in `home`; without them the k-NN vote decides alone.

        `home` is the engine's own unless given. Raises DamagedGeneration, EncoderUnavailable.
        """
        home, fingerprint = Path(home or engine.home), engine.encoder.fingerprint
        return cls(engine, LabelHeads.load(home, fingerprint), LabelNetwork.load(home, fingerprint, runtime_of(engine)))

    def suggest(self, pictures: Sequence[Image.Image], title: str = "") -> Suggestion:
        """Suggest a listing for pictures of one product. Raises BadQuery."""
        return self.suggest_many([Listing(pictures, title)])[0]

    def suggest_many(self, listings: Sequence[Listing]) -> list[Suggestion]:
        """Suggest for many listings; pictures and titles are encoded in batches. Raises BadQuery."""
        for listing in listings:
            _check(listing)
        return [suggestion for suggestion, _ in self.suggest_with_rows(listings)]

    def suggest_with_rows(self, listings: Sequence[Listing]) -> list[tuple[Suggestion, Floats]]:
        """Suggest for many listings, each with its rows: float32 (VIEWS_PER_PICTURE * pictures, layout.dim)."""
        suggestions = []
        for start in range(0, len(listings), BATCH_LISTINGS):
            for evidence in self._evidence(listings[start : start + BATCH_LISTINGS]):
                suggestions.append((self._suggestion(evidence), evidence.rows))
        return suggestions

    def labels(self, field: str, pictures: Sequence[Image.Image]) -> list[LabelSuggestion]:
        """Suggest one field for many single pictures, which costs less than a whole suggestion each."""
        return [self._label(field, evidence) for evidence in self._evidence([Listing((p,)) for p in pictures])]

    def _evidence(self, listings: Sequence[Listing]) -> list[_Evidence]:
        layout = self._engine.generation.layout
        encoded, by_network = self._encode(listings), self._network_shares(listings)
        return [
            _Evidence(listing, rows, self._neighbours(listing, rows), shares, _titled(listing, layout))
            for listing, rows, shares in zip(listings, encoded, by_network, strict=True)
        ]

    @timed(ENCODE)
    def _network_shares(self, listings: Sequence[Listing]) -> list[Mapping[str, Floats]]:
        """Return the network's mean shares of each listing by field, (labels,); empty without a network."""
        if self._network is None:
            return [{} for _ in listings]
        shares = self._network.shares([picture for listing in listings for picture in listing.pictures])
        ends = np.cumsum([len(listing.pictures) for listing in listings])[:-1]
        means = {field: [part.mean(axis=0) for part in np.split(values, ends)] for field, values in shares.items()}
        return [{field: values[number] for field, values in means.items()} for number in range(len(listings))]

    @timed(ENCODE)
    def _encode(self, listings: Sequence[Listing]) -> list[Floats]:
        """Return the heads' input for each listing: a row for each view of each picture, all with the title."""
        encoder, layout = self._engine.encoder, self._engine.generation.layout
        views = [v for listing in listings for p in listing.pictures for v in (p, ImageOps.mirror(p))]
        encoded = encoder.encode_images(views)
        titles = sorted({x.title.strip() for x in listings if _titled(x, layout)}, key=lambda text: (len(text), text))
        words: dict[str, Floats] = {}
        if titles:
            span = layout.slice(layout.text_block or "")
            words = dict(zip(titles, encoder.encode_texts(titles)[:, span], strict=True))
        rows, start = [], 0
        for listing in listings:
            count = VIEWS_PER_PICTURE * len(listing.pictures)
            title = words.get(listing.title.strip())
            repeated = None if title is None else np.repeat(title[None], count, axis=0)
            rows.append(head_rows(layout, encoded[start : start + count], repeated))
            start += count
        return rows

    def _suggestion(self, evidence: _Evidence) -> Suggestion:
        category = self._label(CATEGORY, evidence)
        attributes = tuple(self._label(field, evidence) for field in sorted({*self._heads} - {CATEGORY}))
        return Suggestion(
            category,
            attributes,
            self._words(evidence.hits, category, attributes),
            self._price(evidence.hits, category.answer),
            self._notes(evidence),
            tuple((hit.product.id, hit.score) for hit in evidence.hits),
        )

    def _label(self, field: str, evidence: _Evidence) -> LabelSuggestion:
        hits = evidence.hits
        labels = [field_labels(hit.product, field) for hit in hits]
        scores = np.array([[hit.score for hit in hits]], np.float32)
        part = self._network.fields.get(field) if self._network else None
        network = NetworkOutput(part, evidence.by_network[field][None]) if part else None
        neighbours = Neighbours(scores, np.arange(len(hits))[None], labels)
        found = predict_labels([evidence.rows], neighbours, self._heads.get(field), network, titled=evidence.titled)
        confidences = dict(zip(found.names, found.confidences[0].tolist(), strict=True))
        if field in self._title_values and confidences:
            matcher, trust = self._title_values[field]
            confidences = apply_title_evidence(confidences, matcher.of(evidence.listing.title), trust)
        ids: dict[str, list[str]] = defaultdict(list)
        for hit, names in zip(hits, labels, strict=True):
            for name in names:
                ids[name].append(hit.product.id)
        by_label = {name: tuple(products) for name, products in ids.items()}
        return suggest_label(field, confidences, found.threshold, by_label, tree=field == CATEGORY)

    def _words(
        self, hits: Sequence[SearchHit], category: LabelSuggestion, attributes: Sequence[LabelSuggestion]
    ) -> tuple[TitleWord, ...]:
        if not hits:
            return ()
        weights = vote_weights(np.array([hit.score for hit in hits], np.float32)).tolist()
        titles = [(hit.product.id, hit.product.title, w) for hit, w in zip(hits, weights, strict=True)]
        answers = [(label.answer, label.answer_confidence) for label in attributes if label.answer]
        if category.answer:
            answers.append((category.answer.split(CATEGORY_SEPARATOR)[-1], category.answer_confidence))
        # Where a colour is answered, names of other colours have no place in the title.
        refused = [
            name
            for label in attributes
            if label.answer and label.field in self._heads
            for name in self._heads[label.field].names
            if name != label.answer
        ]
        return title_words(titles, answers, refused)

    def _price(self, hits: Sequence[SearchHit], category: str) -> PriceRange | None:
        if self._prices is None:
            return None
        priced = [
            (hit.product.id, str(hit.product.price), hit.product.currency, hit.score)
            for hit in hits
            if hit.product.price
        ]
        return price_range(self._prices, priced, category)

    def _notes(self, evidence: _Evidence) -> tuple[PictureNote, ...]:
        pictures = evidence.listing.pictures
        notes = [note for i, picture in enumerate(pictures) for note in picture_notes(picture, i)]
        layout = self._engine.generation.layout
        if self._least_look is None or LOOK not in layout.names:
            return tuple(notes)
        weights = {name: float(name == LOOK) for name in layout.names}
        for i in range(len(pictures)):
            vector = evidence.rows[VIEWS_PER_PICTURE * i, : layout.encoder_dim]
            nearest = self._engine.search(Query((VectorTerm(vector),), k=1, blocks=weights)).hits
            look = nearest[0].score if nearest else -1.0
            if look < self._least_look:
                message = "It resembles nothing that the shop sells; perhaps it is no product."
                notes.append(PictureNote(i, "not_a_product", look, self._least_look, message))
        return tuple(notes)


class ShopNeighbours:
    """Finds the nearest products of a listing with the shop's search engine."""

    def __init__(self, engine: SearchEngine) -> None:
        self._engine = engine

    def __call__(self, listing: Listing, rows: Floats) -> tuple[SearchHit, ...]:
        """Return the best hits for all pictures, and for the title with the weight of all pictures together."""
        layout = self._engine.generation.layout
        encoded = rows[:, : layout.encoder_dim]
        terms = [VectorTerm(view.mean(axis=0)) for view in encoded.reshape(-1, VIEWS_PER_PICTURE, encoded.shape[1])]
        if _titled(listing, layout):
            title = np.zeros(layout.encoder_dim, np.float32)
            title[layout.slice(layout.text_block or "")] = rows[0, layout.slice(WORDS)]
            terms.append(VectorTerm(title, float(len(terms))))
        return self._engine.search(Query(tuple(terms), k=KNN_NEIGHBOURS)).hits


@dataclass(frozen=True, slots=True)
class _Evidence:
    listing: Listing
    rows: Floats
    hits: tuple[SearchHit, ...]
    by_network: Mapping[str, Floats]
    titled: bool


def runtime_of(engine: SearchEngine) -> str:
    """Return the runtime of the shop's encoder."""
    return str(getattr(engine.encoder, "runtime", "auto"))


def _check(listing: Listing) -> None:
    if not listing.pictures:
        raise BadQuery("The listing has no picture.", "Give at least one picture of the product.")
    if len(listing.pictures) > MAX_PICTURES - 1:
        raise BadQuery(
            f"The listing has {len(listing.pictures)} pictures; the limit is {MAX_PICTURES - 1}.", "Leave some out."
        )


def _titled(listing: Listing, layout: RowLayout) -> bool:
    return bool(listing.title.strip()) and layout.text_block is not None
