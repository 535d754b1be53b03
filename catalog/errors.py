"""Every error Windowshop raises on purpose.

    WindowshopError
    ├── BadInput
    │   ├── BadFeed
    │   ├── BadRow
    │   ├── BadPicture
    │   │   ├── UnsupportedFormat
    │   │   └── PictureTooLarge
    │   ├── BadAudio
    │   │   ├── UnsupportedAudio
    │   │   └── AudioTooLarge
    │   ├── BadAddress
    │   ├── FetchFailed
    │   │   ├── NoAnswer
    │   │   └── PictureGone
    │   ├── BadQuery
    │   │   └── UnsupportedQuery
    │   ├── UnknownProduct
    │   ├── UnknownRule
    │   ├── UnknownExperiment
    │   ├── BadConversation
    │   │   └── ExpiredConversation
    │   ├── UnknownReview
    │   ├── TooManyReviews
    │   ├── UnknownThread
    │   ├── UnknownQuestion
    │   ├── UnknownPriceAlert
    │   ├── PriceAlertRefused
    │   └── BadDelivery
    ├── StoreError
    │   ├── DamagedStore
    │   └── NewerStore
    ├── DeadlineExceeded
    ├── Overloaded
    ├── StepFailed
    ├── VectorsUnavailable
    ├── OrdersUnavailable
    ├── LiveIndexFull
    ├── VoiceUnavailable
    ├── VoiceBusy
    ├── EncoderError
    │   ├── UnknownEncoder
    │   ├── EncoderUnavailable
    │   ├── MissingExtra
    │   └── ParityError
    ├── GenerationError
    │   ├── NoGeneration
    │   ├── DamagedGeneration
    │   └── EncoderMismatch
    └── TrainingError
        ├── TooFewPairs
        ├── TooFewEvents
        └── TooLittleHistory

Lower rooms raise these; `web/errors.py` maps them to HTTP, the command lines map them to exit codes.
"""

from __future__ import annotations

import re


class WindowshopError(Exception):
    """Base of all errors; `message` says what was requested and why it cannot be done, `hint` what to do instead."""

    code = "error"  # its name in the HTTP API: that of the class in snake case, unless the class sets another

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadInput(WindowshopError):
    """The caller's input cannot be used."""


class BadFeed(BadInput):
    """The feed as a whole cannot be read: missing file, unknown type, no usable columns."""


class BadRow(BadInput):
    """One row of a feed cannot be used; its reader makes it a Rejected. `product_id` is its id, where that is sure."""

    def __init__(self, message: str, hint: str = "", product_id: str = "") -> None:
        super().__init__(message, hint)
        self.product_id = product_id


class BadPicture(BadInput):
    """The bytes are not a picture that can be decoded."""


class UnsupportedFormat(BadPicture):
    """The bytes do not begin like any of the allowed picture formats."""


class PictureTooLarge(BadPicture):
    """The picture has more bytes or pixels than the limit."""


class BadAudio(BadInput):
    """The bytes are not a recording that can be decoded."""


class UnsupportedAudio(BadAudio):
    """The recording is in a format or an encoding that is not read here."""


class AudioTooLarge(BadAudio):
    """The recording has more bytes or seconds than the limit."""


class BadAddress(BadInput):
    """A web address that pictures are not fetched from, because of its form, its port or its host's IP address."""


class FetchFailed(BadInput):
    """A download gave no picture: no answer, a redirect, too large, not a picture."""


class NoAnswer(FetchFailed):
    """A download got no answer: the host is unknown, down, or too slow."""


class PictureGone(FetchFailed):
    """A download found that the picture does not exist (HTTP 404 or 410)."""


class BadQuery(BadInput):
    """A query that cannot be answered as it stands: empty, out of bounds, contradictory."""


class UnsupportedQuery(BadQuery):
    """The shop's encoder cannot encode that kind of input, most often text."""


class UnknownProduct(BadInput):
    """No product of the catalogue has that id."""


class UnknownRule(BadInput):
    """No rule of search has that id."""


class UnknownExperiment(BadInput):
    """No experiment has that name."""


class BadConversation(BadInput):
    """A state token of the assistant that this shop did not give, or that was changed or cut short."""


class ExpiredConversation(BadConversation):
    """A state token of the assistant that is too old to be continued."""


class UnknownReview(BadInput):
    """No review has that id, or nobody may see it."""


class TooManyReviews(BadInput):
    """A visitor sent more reviews in a day than the shop takes."""


class UnknownThread(BadInput):
    """No conversation has that id."""


class UnknownQuestion(BadInput):
    """No customer's question has that id."""


class UnknownPriceAlert(BadInput):
    """The visitor has no price alert with that id."""


class PriceAlertRefused(BadInput):
    """A price alert cannot be set; `reason` is the code of why: no_price, not_lower, too_many or full."""

    def __init__(self, message: str, hint: str = "", reason: str = "") -> None:
        super().__init__(message, hint)
        self.reason = reason


class BadDelivery(BadInput):
    """A shop platform's message has the number of an earlier one, and another content."""


class StoreError(WindowshopError):
    """The catalogue, in its file or in PostgreSQL, cannot be used: away, not allowed, full, locked for long, closed."""


class DamagedStore(StoreError):
    """The file or the schema is not a catalogue, or its content is broken."""


class NewerStore(StoreError):
    """The catalogue was written by a newer version of Windowshop."""


class DeadlineExceeded(WindowshopError):
    """An answer, or a step of it, took longer than its deadline."""

    code = "too_late"


class Overloaded(WindowshopError):
    """More requests wait than can be answered in time; `wait` is the time in seconds after which to try again."""

    wait = 1.0


class StepFailed(WindowshopError):
    """A step that an answer needs failed because of a fault in Windowshop or its data."""


class VectorsUnavailable(WindowshopError):
    """The engine that holds the shop's vectors does not answer, or cannot do what a request needs."""


class OrdersUnavailable(WindowshopError):
    """The shop's orders cannot be looked up: the service does not answer, or its answer or the file is unusable."""


class LiveIndexFull(WindowshopError):
    """A change needs more live rows than there are; the next indexing makes room."""

    code = "no_room"


class VoiceUnavailable(WindowshopError):
    """Speech cannot be recognised here: it is switched off, or its extra is not installed."""


class VoiceBusy(WindowshopError):
    """More recordings wait to be recognised than can be soon."""


class EncoderError(WindowshopError):
    """An encoder cannot be used."""


class UnknownEncoder(EncoderError):
    """No encoder has that name."""


class EncoderUnavailable(EncoderError):
    """The encoder's weights or package are missing here, or the cluster that is to encode is away or cannot."""


class MissingExtra(EncoderError):
    """An operation needs packages of an extra that is not installed."""


class ParityError(EncoderError):
    """The exported model's vectors disagree with the original's."""

    code = "parity"


class GenerationError(WindowshopError):
    """A generation of the index cannot be used."""


class NoGeneration(GenerationError):
    """The shop has no index yet."""


class DamagedGeneration(GenerationError):
    """A generation's files are not what its manifest says they are."""


class EncoderMismatch(GenerationError):
    """A generation was made by another encoder than the one that reads it."""


class TrainingError(WindowshopError):
    """Heads or models cannot be fitted."""


class TooFewPairs(TrainingError):
    """There are not enough usable picture-text pairs to learn from."""


class TooFewEvents(TrainingError):
    """There are not enough purchases to fit and measure recommender models."""


class TooLittleHistory(TrainingError):
    """The prices of too few weeks are known to fit and measure forecasters."""
