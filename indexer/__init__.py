"""Pictures and words to vectors to one index generation."""

import os
from typing import TYPE_CHECKING

from catalog.exports import lazy_exports

if TYPE_CHECKING:
    from indexer.build.build import BuildOptions, UpdateOptions, build_index, update_index
    from indexer.build.report import IndexReport
    from indexer.encoders.base import BaseEncoder, Encoder
    from indexer.encoders.registry import ENCODERS, open_encoder, register_encoder
    from indexer.types import Block, EncoderSpec

# Read when torch or faiss are loaded. Threads that wait for each other awake take the processor from the one they wait
# for, where anything else runs: learning a shop of 300 took 570 s and more, asleep 54 s (docs/decisions/encoders.md).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# fmt: off
__all__ = [
    "ENCODERS", "BaseEncoder", "Block", "BuildOptions", "Encoder", "EncoderSpec", "IndexReport", "UpdateOptions",
    "build_index", "open_encoder", "register_encoder", "update_index",
]
# fmt: on

__getattr__, __dir__ = lazy_exports(__name__, __file__)
