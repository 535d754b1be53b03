"""Write the words for suggestions as files of a generation's folder, and map them when it is opened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import DamagedGeneration
from catalog.storage.catalogue import Catalogue
from catalog.storage.word_index import current_analysis
from catalog.text.tokenizer import unspaced
from indexer.columns.array_files import Arrays, map_arrays, write_arrays
from indexer.columns.column_files import change_noted, map_table
from indexer.columns.fields import CATEGORY
from indexer.columns.label_columns import LabelColumn
from indexer.columns.product_table import ShopTable
from indexer.columns.text_column import TextColumn
from indexer.generations.manifest import Manifest
from indexer.suggestions.category_names import LevelNames, all_level_names
from indexer.suggestions.product_mask import ProductMask
from indexer.suggestions.segment_builder import build_segment
from indexer.suggestions.sorted_words import SortedWords
from indexer.suggestions.word_segment import WordSegment

SUGGESTIONS = "suggestions"  # what the names of the files begin with
SUGGESTIONS_FILE = f"{SUGGESTIONS}.json"
FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class SuggestionWords:
    """The words of all products of a shop as of change `seq`, and what goes with them."""

    segment: WordSegment
    alphabet: str  # letters of the words, the most frequent first
    level_names: LevelNames
    seq: int
    changed: str | None = None  # the id of the product that was changed last; None where that was not noted

    @classmethod
    def read(cls, table: ShopTable, catalogue: Catalogue) -> SuggestionWords:
        """Read the words of a table's products from their titles and labels."""
        segment = build_segment(table, catalogue.titles())
        letters = Counter(letter for word in segment.words if word.isalpha() and not unspaced(word) for letter in word)
        alphabet = "".join(letter for letter, _ in letters.most_common())
        return cls(segment, alphabet, all_level_names(table), table.seq)


def write_suggestions(folder: Path, table: ShopTable, catalogue: Catalogue) -> None:
    """Write the words of a table's products, which lies in a generation's folder, beside it.

    The titles are those of the catalogue as this thread reads it.
    """
    words = SuggestionWords.read(table, catalogue)
    segment = words.segment
    arrays: Arrays = {
        **_texts("words", segment.words.texts),
        "heads": segment.words.heads,
        "spelled": segment.spelled,
        **_texts("spellings", segment.spellings),
        "visible": segment.visible,
        "title_shares": segment.title_shares,
        "holders": segment.holders,
        "starts": segment.starts,
        "dense": segment.dense,
        "bits": segment.bits,
        "texts": segment.texts,
        "text_starts": segment.text_starts,
        "counts": segment.counts,
        "kinds": segment.kinds,
    }
    write_arrays(folder, SUGGESTIONS, arrays, _version() | {"alphabet": words.alphabet, "levels": words.level_names})


def map_suggestions(folder: Path, manifest: Manifest) -> SuggestionWords | None:
    """Return the words in a generation's folder. Raises DamagedGeneration.

    None where there are none as this version makes them: one of an earlier version has none, and another tokeniser has
    other words for the same text.
    """
    if SUGGESTIONS_FILE not in manifest.files:
        return None
    try:
        arrays, notes = map_arrays(folder, SUGGESTIONS)
        if not _version().items() <= notes.items():
            return None
        table = map_table(ShopTable, folder, manifest.files, manifest.seq)
        if table is None:
            return None
        segment = _segment(arrays, table)
        return SuggestionWords(segment, notes["alphabet"], notes["levels"], manifest.seq, change_noted(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedGeneration(
            f"The words for suggestions in {folder} cannot be read ({error!r}).", "Index the shop again."
        ) from error


def _segment(arrays: Arrays, table: ShopTable) -> WordSegment:
    kinds = table.labels.get(CATEGORY) or LabelColumn.empty()
    words = SortedWords(TextColumn(arrays["words.blob"], arrays["words.offsets"]), arrays["heads"])
    sizes = {len(words.texts), len(arrays["visible"]), len(arrays["counts"]), len(arrays["starts"]) - 1, len(words)}
    if len(sizes) > 1 or {len(arrays["kinds"]), len(arrays["text_starts"]) - 1} != {len(table)}:
        raise ValueError("the arrays do not belong together")
    return WordSegment(
        words=words,
        spelled=arrays["spelled"],
        spellings=TextColumn(arrays["spellings.blob"], arrays["spellings.offsets"]),
        visible=arrays["visible"],
        title_shares=arrays["title_shares"],
        table=table,
        holders=arrays["holders"],
        starts=arrays["starts"],
        dense=arrays["dense"],
        bits=arrays["bits"],
        texts=arrays["texts"],
        text_starts=arrays["text_starts"],
        present=ProductMask.of(np.ones(len(table), np.bool_)),
        counts=arrays["counts"],
        kinds=arrays["kinds"],
        kind_names=kinds.words.texts,
        lineage=table.lineage,
    )


def _version() -> dict[str, Any]:
    """Return what the words must have been made by, so that those of a typed text are among them."""
    return {"format": FORMAT, "analysis": current_analysis()}


def _texts(name: str, texts: TextColumn) -> Arrays:
    return {f"{name}.blob": texts.blob, f"{name}.offsets": texts.offsets}
