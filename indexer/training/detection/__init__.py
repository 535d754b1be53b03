"""Training of the detection head: pictures with known objects, and the fit in torch, imported when it is first used.

Imported by indexer.cli.
"""

from typing import TYPE_CHECKING

from catalog.exports import lazy_exports

if TYPE_CHECKING:
    from indexer.training.detection.fit_detector import fit_detector

__all__ = ["fit_detector"]

__getattr__, __dir__ = lazy_exports(__name__, __file__)
