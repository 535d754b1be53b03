"""Compare questions as search does: without case, accents, plural endings and other spellings of one number."""

from __future__ import annotations

from catalog.text.quantities import quantity_of
from catalog.text.tokenizer import clusters, normalise, singularise, split_compound, tokenise, unspaced

SEPARATOR = "\x1f"  # in no normalised text
Phrase = tuple[str, ...]


def phrases(text: str) -> tuple[Phrase, ...]:
    """Return the words of a text, each as its units: "Red T-shirts 杯子" -> ("red",), ("t", "shirt"), ("杯", "子")."""
    return tuple(units for _, _, piece in tokenise(normalise(text)) if (units := _units(piece)))


def as_key(words: tuple[Phrase, ...]) -> str:
    """Return words as one text, in which the same words with separators around them are found as a part."""
    return SEPARATOR + SEPARATOR.join(unit for phrase in words for unit in phrase) + SEPARATOR


def _units(piece: str) -> Phrase:
    if quantity := quantity_of(piece):
        return (quantity.alternatives[0][0],)
    if unspaced(piece):
        return tuple(clusters(piece))
    return tuple(singularise(word) for _, _, word in split_compound(piece))
