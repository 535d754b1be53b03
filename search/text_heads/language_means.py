"""The mean vector of each language: E5's vectors of two languages lie apart, and are compared without their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.types import Floats

ANY = ""  # the mean of all languages, for those that have none of their own
FEWEST = 20  # texts from which a language has a mean of its own


@dataclass(frozen=True, slots=True)
class LanguageMeans:
    """Mean vectors by language; `means[ANY]` serves for the others."""

    means: Mapping[str, Floats]

    @classmethod
    def of(cls, rows: Floats, languages: Sequence[str]) -> LanguageMeans:
        """Return the means of rows (n, dim) whose languages are given."""
        names = np.array(languages)
        frequent = [str(name) for name in np.unique(names) if (names == name).sum() >= FEWEST]
        own = {name: np.asarray(rows[names == name].mean(axis=0), np.float32) for name in frequent}
        return cls({ANY: np.asarray(rows.mean(axis=0), np.float32)} | own)

    def centre(self, rows: Floats, languages: Sequence[str]) -> Floats:
        """Return the rows (n, dim) without the means of their languages."""
        means = [self.means.get(language, self.means[ANY]) for language in languages]
        return np.asarray(rows - np.stack(means), np.float32) if means else rows
