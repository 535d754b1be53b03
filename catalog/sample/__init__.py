"""The sample shop: homeware modelled, rendered and described by our own code, so that every clone has a shop."""

from pathlib import Path

SAMPLE_FOLDER = Path(__file__).parent
