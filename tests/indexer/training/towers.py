"""Towers whose features are seen by eye: pictures are their mean colour, words the colours they name."""

import numpy as np

NAMES = {"red": 0, "green": 1, "blue": 2}


class MeanColour:
    fingerprint = "mean colour"
    runtime = "numpy"

    def __init__(self):
        self.preprocessing = {"size": 4}
        self.seen = []

    def prepare(self, picture):
        return np.asarray(picture.convert("RGB").resize((4, 4)))

    def __call__(self, pixels):
        self.seen.append(len(pixels))
        return pixels.reshape(len(pixels), -1, 3).mean(axis=1).astype(np.float32) / 255


class NamedColours:
    fingerprint = "named colours"

    def __init__(self):
        self.seen = []

    def __call__(self, words):
        self.seen.append(list(words))
        rows = np.zeros((len(words), 3), np.float32)
        for row, text in enumerate(words):
            for name, axis in NAMES.items():
                rows[row, axis] = text.lower().split().count(name)
        return rows
