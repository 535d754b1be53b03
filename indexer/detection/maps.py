"""The feature maps that the detection head reads: those of the starter's frozen network, whatever the encoder."""

from __future__ import annotations

from functools import cache

from PIL import Image

from indexer.encoders.backends.feature_maps import MapModel
from indexer.encoders.backends.starter_towers import PictureTower, starter_maps
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.encoders.projection_encoder import ProjectionEncoder
from indexer.types import FeatureMaps


def detector_maps(encoder: Encoder, picture: Image.Image) -> FeatureMaps | None:
    """Return the starter's feature maps of one picture; None for an encoder that has no feature maps.

    An encoder on the starter's own tower shares its model. Raises EncoderUnavailable, ParityError.
    """
    if isinstance(encoder, ProjectionEncoder) and isinstance(encoder.tower, PictureTower):
        return encoder.feature_maps([picture])
    if not isinstance(encoder, BaseEncoder) or type(encoder).feature_maps is BaseEncoder.feature_maps:
        return None
    return _starter_maps(encoder.runtime)([picture])


@cache
def _starter_maps(runtime: str) -> MapModel:
    return starter_maps(runtime)
