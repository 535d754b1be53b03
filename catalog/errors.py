"""Every error Windowshop raises on purpose.

    WindowshopError
    ├── BadInput                 what the caller gave cannot be used
    │   ├── BadFeed              the feed as a whole cannot be read
    │   ├── BadRow               one row of a feed cannot be used; the reader turns it into a Rejected
    │   ├── BadPicture           the bytes are not a picture we can decode
    │   │   ├── UnsupportedFormat    not one of the allowed picture formats
    │   │   └── PictureTooLarge      more pixels or bytes than the limit
    │   ├── BadAddress           a web address that is not asked for a picture, whatever it would answer
    │   ├── FetchFailed          a web address was asked, and no picture came
    │   │   ├── NoAnswer             nor any answer: the host is unknown, down, or too slow
    │   │   └── PictureGone          its server says that there is none, or none any more
    │   ├── BadQuery             a query that cannot be answered as asked
    │   │   └── UnsupportedQuery     this encoder cannot encode that kind of input
    │   └── UnknownProduct       no product has that id
    ├── StoreError               the catalogue's file cannot be used
    │   ├── DamagedStore         it is not a catalogue, or its content is broken
    │   └── NewerStore           a newer Windowshop wrote it
    ├── TooLate                  an answer, or a step of it, was not there in time
    ├── StepFailed               a step of an answer broke, and there is no answer without it
    ├── NoRoom                   a change finds no room among the live rows until the shop is indexed again
    ├── EncoderError             an encoder cannot be used
    │   ├── UnknownEncoder       no encoder has that name
    │   ├── EncoderUnavailable   its weights or its package cannot be had here
    │   └── ParityError          the exported model disagrees with the original
    ├── GenerationError          a generation cannot be used
    │   ├── NoGeneration         the shop has not been indexed yet
    │   ├── DamagedGeneration    its files are not what its manifest says
    │   └── EncoderMismatch      it was made by another encoder
    └── TrainingError            heads cannot be fitted
        └── TooFewPairs          not enough usable picture-text pairs

Lower rooms raise these; `web/errors.py` maps them to HTTP, the command lines map them to exit codes.
"""

from __future__ import annotations


class WindowshopError(Exception):
    """Base of all; `message` says what was asked and why it cannot be, `hint` what to do instead."""

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadInput(WindowshopError):
    """What the caller gave cannot be used."""

    code = "bad_input"


class BadFeed(BadInput):
    """The feed as a whole cannot be read: missing file, unknown type, no usable columns."""

    code = "bad_feed"


class BadRow(BadInput):
    """One row of a feed cannot be used; never leaves the feed reader, which turns it into a Rejected."""

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
    """A web address that is not asked for a picture: its form, its port, or where it leads to."""

    code = "bad_address"


class FetchFailed(BadInput):
    """A web address was asked for a picture, and none came: no answer, a redirect, too large, not a picture."""

    code = "fetch_failed"


class NoAnswer(FetchFailed):
    """A web address was asked for a picture, and its host is unknown, down, or too slow to answer."""

    code = "no_answer"


class PictureGone(FetchFailed):
    """A web address was asked for a picture, and its server says that there is none, or none any more."""

    code = "picture_gone"


class BadQuery(BadInput):
    """A query that cannot be answered as asked: empty, out of bounds, contradictory."""

    code = "bad_query"


class UnsupportedQuery(BadQuery):
    """The shop's encoder cannot encode that kind of input, words most often."""

    code = "unsupported_query"


class UnknownProduct(BadInput):
    """No product of the catalogue has that id."""

    code = "unknown_product"


class StoreError(WindowshopError):
    """The catalogue's file cannot be used: no permission, disk full, locked for too long, closed."""

    code = "store_error"


class DamagedStore(StoreError):
    """The file is no catalogue, or its content is broken."""

    code = "damaged_store"


class NewerStore(StoreError):
    """The catalogue was written by a newer version of Windowshop."""

    code = "newer_store"


class DeadlineExceeded(WindowshopError):
    """An answer, or a step of it, was not there in the time that was allowed."""

    code = "too_late"


class StepFailed(WindowshopError):
    """A step of an answer broke for a reason of ours, and there is no answer without it."""

    code = "step_failed"


class LiveIndexFull(WindowshopError):
    """A change finds no room among the live rows; after the next indexing there is room again."""

    code = "no_room"


class EncoderError(WindowshopError):
    """An encoder cannot be used."""

    code = "encoder_error"


class UnknownEncoder(EncoderError):
    """No encoder has that name."""

    code = "unknown_encoder"


class EncoderUnavailable(EncoderError):
    """The encoder's weights or its package cannot be had on this machine."""

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
    """A generation was made by another encoder than the one asked to read it."""

    code = "encoder_mismatch"


class TrainingError(WindowshopError):
    """Heads cannot be fitted."""

    code = "training_error"


class TooFewPairs(TrainingError):
    """There are not enough usable picture-text pairs to learn from."""

    code = "too_few_pairs"
