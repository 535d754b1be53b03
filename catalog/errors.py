"""Every error Windowshop raises on purpose.

    WindowshopError
    ├── BadInput                 the caller's input cannot be used
    │   ├── BadFeed              the feed as a whole cannot be read
    │   ├── BadRow               one row of a feed cannot be used; the reader turns it into a Rejected
    │   ├── BadPicture           the bytes are not a picture we can decode
    │   │   ├── UnsupportedFormat    not one of the allowed picture formats
    │   │   └── PictureTooLarge      more pixels or bytes than the limit
    │   ├── BadAddress           a web address that pictures are not fetched from
    │   ├── FetchFailed          a download gave no picture
    │   │   ├── NoAnswer             the host is unknown, down, or too slow
    │   │   └── PictureGone          the server says that the picture does not exist
    │   ├── BadQuery             a query that cannot be answered as it stands
    │   │   └── UnsupportedQuery     this encoder cannot encode that kind of input
    │   └── UnknownProduct       no product has that id
    ├── StoreError               the catalogue's file cannot be used
    │   ├── DamagedStore         it is not a catalogue, or its content is broken
    │   └── NewerStore           a newer Windowshop wrote it
    ├── DeadlineExceeded         an answer, or a step of it, took too long
    ├── StepFailed               a step failed that an answer needs
    ├── LiveIndexFull            a change needs more live rows than there are, until the shop is indexed again
    ├── EncoderError             an encoder cannot be used
    │   ├── UnknownEncoder       no encoder has that name
    │   ├── EncoderUnavailable   its weights or its package are missing here
    │   └── ParityError          the exported model disagrees with the original
    ├── GenerationError          a generation cannot be used
    │   ├── NoGeneration         the shop has not been indexed yet
    │   ├── DamagedGeneration    its files are not what its manifest says
    │   └── EncoderMismatch      another encoder made it
    └── TrainingError            heads cannot be fitted
        └── TooFewPairs          not enough usable picture-text pairs

Lower rooms raise these; `web/errors.py` maps them to HTTP, the command lines map them to exit codes.
"""

from __future__ import annotations


class WindowshopError(Exception):
    """Base of all errors; `message` says what was requested and why it cannot be done, `hint` what to do instead."""

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadInput(WindowshopError):
    """The caller's input cannot be used."""

    code = "bad_input"


class BadFeed(BadInput):
    """The feed as a whole cannot be read: missing file, unknown type, no usable columns."""

    code = "bad_feed"


class BadRow(BadInput):
    """One row of a feed cannot be used; the feed reader turns it into a Rejected."""

    code = "bad_row"


class BadPicture(BadInput):
    """The bytes are not a picture that can be decoded."""

    code = "bad_picture"


class UnsupportedFormat(BadPicture):
    """The bytes do not begin like any of the allowed picture formats."""

    code = "unsupported_format"


class PictureTooLarge(BadPicture):
    """The picture has more bytes or pixels than the limit."""

    code = "picture_too_large"


class BadAddress(BadInput):
    """A web address that pictures are not fetched from, because of its form, its port or its host's IP address."""

    code = "bad_address"


class FetchFailed(BadInput):
    """A download gave no picture: no answer, a redirect, too large, not a picture."""

    code = "fetch_failed"


class NoAnswer(FetchFailed):
    """A download got no answer: the host is unknown, down, or too slow."""

    code = "no_answer"


class PictureGone(FetchFailed):
    """A download found that the picture does not exist (HTTP 404 or 410)."""

    code = "picture_gone"


class BadQuery(BadInput):
    """A query that cannot be answered as it stands: empty, out of bounds, contradictory."""

    code = "bad_query"


class UnsupportedQuery(BadQuery):
    """The shop's encoder cannot encode that kind of input, most often text."""

    code = "unsupported_query"


class UnknownProduct(BadInput):
    """No product of the catalogue has that id."""

    code = "unknown_product"


class StoreError(WindowshopError):
    """The catalogue's file cannot be used: no permission, disk full, locked for too long, closed."""

    code = "store_error"


class DamagedStore(StoreError):
    """The file is not a catalogue, or its content is broken."""

    code = "damaged_store"


class NewerStore(StoreError):
    """The catalogue was written by a newer version of Windowshop."""

    code = "newer_store"


class DeadlineExceeded(WindowshopError):
    """An answer, or a step of it, took longer than its deadline."""

    code = "too_late"


class StepFailed(WindowshopError):
    """A step that an answer needs failed because of a fault in Windowshop or its data."""

    code = "step_failed"


class LiveIndexFull(WindowshopError):
    """A change needs more live rows than there are; the next indexing makes room."""

    code = "no_room"


class EncoderError(WindowshopError):
    """An encoder cannot be used."""

    code = "encoder_error"


class UnknownEncoder(EncoderError):
    """No encoder has that name."""

    code = "unknown_encoder"


class EncoderUnavailable(EncoderError):
    """The encoder's weights or its package are missing on this machine."""

    code = "encoder_unavailable"


class ParityError(EncoderError):
    """The exported model's vectors disagree with the original's."""

    code = "parity"


class GenerationError(WindowshopError):
    """A generation of the index cannot be used."""

    code = "generation_error"


class NoGeneration(GenerationError):
    """The shop has no index yet."""

    code = "no_generation"


class DamagedGeneration(GenerationError):
    """A generation's files are not what its manifest says they are."""

    code = "damaged_generation"


class EncoderMismatch(GenerationError):
    """A generation was made by another encoder than the one that reads it."""

    code = "encoder_mismatch"


class TrainingError(WindowshopError):
    """Heads cannot be fitted."""

    code = "training_error"


class TooFewPairs(TrainingError):
    """There are not enough usable picture-text pairs to learn from."""

    code = "too_few_pairs"
