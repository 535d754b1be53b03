"""Suggests a listing from pictures and perhaps a title: category, attributes, title words, price range, picture notes.

Every suggestion carries its evidence: the shop's most similar products, and how alike they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from catalog.errors import BadQuery
from catalog.product import CATEGORY_SEPARATOR
from indexer.labels.heads import FusionWeights, LabelHead, LabelHeads, head_rows
from indexer.labels.knn import NEIGHBOURS, fuse, knn_vote, vote_weights
from indexer.labels.network import LabelNetwork, mix_network
from indexer.layout import RowLayout
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
UNLEARNT = FusionWeights(0.0, 1.0, 0.5)  # neighbours alone, until heads are learnt; half of the votes is relied on
VIEWS = 2  # each picture is read as it is and mirrored
AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Listing:
    """What a merchant has so far: pictures of one product, RGB, and a title or nothing."""

    pictures: Sequence[Image.Image]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """All that is suggested for one listing; `neighbours` are (product id, score), best first."""

    category: LabelSuggestion
    attributes: tuple[LabelSuggestion, ...]
    title_words: tuple[TitleWord, ...]
    price: PriceRange | None
    notes: tuple[PictureNote, ...]
    neighbours: tuple[tuple[str, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "category": self.category.to_dict(),
            "attributes": [one.to_dict() for one in self.attributes],
            "title_words": [
                {"word": one.word, "agreement": round(one.agreement, 4), "neighbours": list(one.neighbours)}
                for one in self.title_words
            ],
            "price": self.price.to_dict() if self.price else None,
            "picture_notes": notes_dict(self.notes),
            "neighbours": [{"id": one, "score": round(score, 6)} for one, score in self.neighbours],
        }


class ListingSuggester:
    """Suggests listings for one open shop; shared by threads. Heads, and the network where the shop has fine-tuned one,
    are those that it had when this was made.
    """

    def __init__(self, engine: SearchEngine, heads: LabelHeads | None, network: LabelNetwork | None = None) -> None:
        self._engine = engine
        self._heads = heads.heads if heads else {}
        self._network = network
        card = heads.card if heads else {}
        self._prices = PriceScale.from_dict(card["prices"]) if card.get("prices") else None
        self._named = {
            field: (TitleValueMatcher(self._heads[field].names), TitleTrust(**told))
            for field, told in card.get("titles", {}).items()
            if field in self._heads
        }
        self._least_look: float | None = card.get("least_look")

    @classmethod
    def open(cls, engine: SearchEngine, home: Path) -> ListingSuggester:
        """With what the shop in `home` has learnt, or by its neighbours alone.

        Raises DamagedGeneration, EncoderUnavailable.
        """
        fingerprint = engine.encoder.fingerprint
        return cls(engine, LabelHeads.load(home, fingerprint), LabelNetwork.load(home, fingerprint, runtime_of(engine)))

    def has_learnt(self, field: str) -> bool:
        """Whether there is a head for the field, so that confidences are calibrated."""
        return field in self._heads

    def suggest(self, pictures: Sequence[Image.Image], title: str = "") -> Suggestion:
        """What to list these pictures of one product as. Raises BadQuery."""
        return self.suggest_many([Listing(pictures, title)])[0]

    def suggest_many(self, listings: Sequence[Listing]) -> list[Suggestion]:
        """As `suggest`, for many: pictures and titles are encoded in batches. Raises BadQuery."""
        for listing in listings:
            _check(listing)
        return [suggestion for suggestion, _ in self.suggest_with_rows(listings)]

    def suggest_with_rows(self, listings: Sequence[Listing]) -> list[tuple[Suggestion, Floats]]:
        """As `suggest_many`, with what the pictures look like: rows of the layout for `VIEWS` of each, float32."""
        made = []
        for start in range(0, len(listings), AT_ONCE):
            part = listings[start : start + AT_ONCE]
            for listing, rows, read in zip(part, self._encoded(part), self._read(part), strict=True):
                made.append((self._suggestion(listing, rows, read), rows))
        return made

    def labels(self, field: str, pictures: Sequence[Image.Image]) -> list[LabelSuggestion]:
        """One field alone, for many single pictures: cheaper than a whole suggestion each."""
        listings = [Listing((picture,)) for picture in pictures]
        found = []
        for listing, rows, read in zip(listings, self._encoded(listings), self._read(listings), strict=True):
            hits = self._neighbours(listing, rows)
            found.append(self._label(field, _Seen(rows, hits, read, "", titled=False)))
        return found

    @timed(ENCODE)
    def _read(self, listings: Sequence[Listing]) -> list[Mapping[str, Floats]]:
        """For each listing what the network believes of its pictures, by field (labels,); nothing without a network."""
        if self._network is None:
            return [{} for _ in listings]
        shares = self._network.shares([picture for one in listings for picture in one.pictures])
        ends = np.cumsum([len(one.pictures) for one in listings])[:-1]
        by_field = {field: [of.mean(axis=0) for of in np.split(said, ends)] for field, said in shares.items()}
        return [{field: of[number] for field, of in by_field.items()} for number in range(len(listings))]

    @timed(ENCODE)
    def _encoded(self, listings: Sequence[Listing]) -> list[Floats]:
        """For each listing the heads' input: a row for each view of each picture, with the title in all of them."""
        encoder, layout = self._engine.encoder, self._engine.generation.layout
        views = [v for one in listings for p in one.pictures for v in (p, ImageOps.mirror(p))]
        encoded = encoder.encode_images(views)
        titled = [one.title.strip() for one in listings if _titled(one, layout)]
        words: dict[str, Floats] = {}
        if titled:
            different = sorted(set(titled), key=lambda title: (len(title), title))
            span = layout.slice(layout.text_block or "")
            words = dict(zip(different, encoder.encode_texts(different)[:, span], strict=True))
        rows, start = [], 0
        for one in listings:
            count = VIEWS * len(one.pictures)
            title = words.get(one.title.strip())
            titles = None if title is None else np.repeat(title[None], count, axis=0)
            rows.append(head_rows(layout, encoded[start : start + count], titles))
            start += count
        return rows

    def _neighbours(self, listing: Listing, rows: Floats) -> tuple[SearchHit, ...]:
        layout = self._engine.generation.layout
        encoded = rows[:, : layout.encoder_dim]
        terms = [VectorTerm(view.mean(axis=0)) for view in encoded.reshape(-1, VIEWS, encoded.shape[1])]
        if _titled(listing, layout):
            title = np.zeros(layout.encoder_dim, np.float32)
            title[layout.slice(layout.text_block or "")] = rows[0, layout.slice("words")]
            terms.append(VectorTerm(title, float(len(terms))))
        return self._engine.search(Query(tuple(terms), k=NEIGHBOURS)).hits

    def _suggestion(self, listing: Listing, rows: Floats, read: Mapping[str, Floats]) -> Suggestion:
        hits = self._neighbours(listing, rows)
        seen = _Seen(rows, hits, read, listing.title, titled=_titled(listing, self._engine.generation.layout))
        category = self._label(CATEGORY, seen)
        fields = sorted({*self._heads} - {CATEGORY})
        attributes = tuple(self._label(field, seen) for field in fields)
        return Suggestion(
            category,
            attributes,
            self._words(seen, category, attributes),
            self._price(hits, category.answer),
            self._notes(listing, rows),
            tuple((hit.product.id, hit.score) for hit in hits),
        )

    def _label(self, field: str, seen: _Seen) -> LabelSuggestion:
        head = self._heads.get(field)
        said = [field_labels(hit.product, field) for hit in seen.hits]
        network = self._network.fields.get(field) if self._network else None
        known = dict.fromkeys((*(head.names if head else ()), *(network.names if network else ())))
        names = tuple(known | dict.fromkeys(name for of in said for name in of))
        if not names:
            return LabelSuggestion(field, (), "", 0.0, 1.0)
        place = {name: i for i, name in enumerate(names)}
        targets = np.zeros((len(said), len(names)), np.float32)
        for row, of in enumerate(said):
            for name in of:
                targets[row, place[name]] = 1 / len(of)
        scores = np.array([[hit.score for hit in seen.hits]], np.float32)
        voted = (
            knn_vote(targets, scores, np.arange(len(said))[None])
            if len(said)
            else np.zeros((1, len(names)), np.float32)
        )
        blend = _blend(head, titled=seen.titled)
        believed = np.zeros((1, len(names)), np.float32)
        if head:
            believed[0, : len(head.names)] = head.shares(seen.rows).mean(axis=0)
        if network:
            part = network.part(titled=seen.titled)
            blend, places = part.blend, [place[name] for name in network.names]
            said_by_it, knows = np.zeros_like(believed), np.zeros(len(names), np.bool_)
            said_by_it[0, places], knows[places] = seen.read[field], True
            believed = mix_network(believed, said_by_it, part.weight, knows)
        sure = fuse(believed, voted, blend, np.arange(len(names)) < len(known))[0]
        said_by: dict[str, list[str]] = defaultdict(list)
        for hit, of in zip(seen.hits, said, strict=True):
            for name in of:
                said_by[name].append(hit.product.id)
        confidences = dict(zip(names, sure.tolist(), strict=True))
        if field in self._named:
            naming, trust = self._named[field]
            confidences = apply_title_evidence(confidences, naming.of(seen.title), trust)
        by = {name: tuple(of) for name, of in said_by.items()}
        return suggest_label(field, confidences, blend.cut, by, tree=field == CATEGORY)

    def _words(
        self, seen: _Seen, category: LabelSuggestion, attributes: Sequence[LabelSuggestion]
    ) -> tuple[TitleWord, ...]:
        if not seen.hits:
            return ()
        weights = vote_weights(np.array([hit.score for hit in seen.hits], np.float32)).tolist()
        titles = [(hit.product.id, hit.product.title, w) for hit, w in zip(seen.hits, weights, strict=True)]
        told = [(one.answer, one.answer_confidence) for one in attributes if one.answer]
        if category.answer:
            told.append((category.answer.split(CATEGORY_SEPARATOR)[-1], category.answer_confidence))
        # Where a colour is told, other colours' names have no place in the title.
        refused = [
            name
            for one in attributes
            if one.answer and one.field in self._heads
            for name in self._heads[one.field].names
            if name != one.answer
        ]
        return title_words(titles, told, refused)

    def _price(self, hits: Sequence[SearchHit], category: str) -> PriceRange | None:
        if self._prices is None:
            return None
        priced = [
            (hit.product.id, str(hit.product.price), hit.product.currency, hit.score)
            for hit in hits
            if hit.product.price
        ]
        return price_range(self._prices, priced, category)

    def _notes(self, listing: Listing, rows: Floats) -> tuple[PictureNote, ...]:
        notes = [note for i, picture in enumerate(listing.pictures) for note in picture_notes(picture, i)]
        layout = self._engine.generation.layout
        if self._least_look is None or LOOK not in layout.names:
            return tuple(notes)
        for i in range(len(listing.pictures)):
            vector = rows[VIEWS * i, : layout.encoder_dim]
            nearest = self._engine.search(Query((VectorTerm(vector),), k=1, blocks=_only(layout, LOOK))).hits
            look = nearest[0].score if nearest else -1.0
            if look < self._least_look:
                message = "It resembles nothing that the shop sells; perhaps it is no product."
                notes.append(PictureNote(i, "not_a_product", look, self._least_look, message))
        return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Seen:
    rows: Floats
    hits: tuple[SearchHit, ...]
    read: Mapping[str, Floats]
    title: str
    titled: bool


def runtime_of(engine: SearchEngine) -> str:
    """What the shop's encoder runs on."""
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


def _blend(head: LabelHead | None, *, titled: bool) -> FusionWeights:
    if head is None:
        return UNLEARNT
    return head.worded if titled and head.worded is not None else head.bare


def _only(layout: RowLayout, block: str) -> Mapping[str, float]:
    return {name: float(name == block) for name in layout.names}
