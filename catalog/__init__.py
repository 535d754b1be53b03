"""What a product is, and the truth about every product."""

from typing import TYPE_CHECKING

from catalog.exports import lazy_exports

if TYPE_CHECKING:
    from catalog.errors import (
        BadAddress,
        BadFeed,
        BadInput,
        BadPicture,
        BadQuery,
        BadRow,
        DamagedGeneration,
        DamagedStore,
        DeadlineExceeded,
        EncoderError,
        EncoderMismatch,
        EncoderUnavailable,
        FetchFailed,
        GenerationError,
        LiveIndexFull,
        NewerStore,
        NoAnswer,
        NoGeneration,
        ParityError,
        PictureGone,
        PictureTooLarge,
        StepFailed,
        StoreError,
        TooFewPairs,
        TrainingError,
        UnknownEncoder,
        UnknownProduct,
        UnsupportedFormat,
        UnsupportedQuery,
        WindowshopError,
    )
    from catalog.feeds.reader import read_feed
    from catalog.product import Picture, Product, Rejected
    from catalog.storage.catalogue import Catalogue

__all__ = [
    "BadAddress",
    "BadFeed",
    "BadInput",
    "BadPicture",
    "BadQuery",
    "BadRow",
    "Catalogue",
    "DamagedGeneration",
    "DamagedStore",
    "DeadlineExceeded",
    "EncoderError",
    "EncoderMismatch",
    "EncoderUnavailable",
    "FetchFailed",
    "GenerationError",
    "LiveIndexFull",
    "NewerStore",
    "NoAnswer",
    "NoGeneration",
    "ParityError",
    "Picture",
    "PictureGone",
    "PictureTooLarge",
    "Product",
    "Rejected",
    "StepFailed",
    "StoreError",
    "TooFewPairs",
    "TrainingError",
    "UnknownEncoder",
    "UnknownProduct",
    "UnsupportedFormat",
    "UnsupportedQuery",
    "WindowshopError",
    "read_feed",
]

__getattr__ = lazy_exports(__name__, __file__)
