"""The codes of errors are part of the HTTP API."""

from catalog import errors

CODES = {
    "WindowshopError": "error",
    "BadInput": "bad_input",
    "BadFeed": "bad_feed",
    "BadRow": "bad_row",
    "BadPicture": "bad_picture",
    "UnsupportedFormat": "unsupported_format",
    "PictureTooLarge": "picture_too_large",
    "BadAudio": "bad_audio",
    "UnsupportedAudio": "unsupported_audio",
    "AudioTooLarge": "audio_too_large",
    "BadAddress": "bad_address",
    "FetchFailed": "fetch_failed",
    "NoAnswer": "no_answer",
    "PictureGone": "picture_gone",
    "BadQuery": "bad_query",
    "UnsupportedQuery": "unsupported_query",
    "UnknownProduct": "unknown_product",
    "UnknownRule": "unknown_rule",
    "UnknownExperiment": "unknown_experiment",
    "UnknownQuestion": "unknown_question",
    "UnknownPriceAlert": "unknown_price_alert",
    "PriceAlertRefused": "price_alert_refused",
    "BadConversation": "bad_conversation",
    "ExpiredConversation": "expired_conversation",
    "UnknownReview": "unknown_review",
    "TooManyReviews": "too_many_reviews",
    "UnknownThread": "unknown_thread",
    "BadDelivery": "bad_delivery",
    "StoreError": "store_error",
    "DamagedStore": "damaged_store",
    "NewerStore": "newer_store",
    "DeadlineExceeded": "too_late",
    "Overloaded": "overloaded",
    "StepFailed": "step_failed",
    "VectorsUnavailable": "vectors_unavailable",
    "OrdersUnavailable": "orders_unavailable",
    "LiveIndexFull": "no_room",
    "VoiceUnavailable": "voice_unavailable",
    "VoiceBusy": "voice_busy",
    "EncoderError": "encoder_error",
    "UnknownEncoder": "unknown_encoder",
    "EncoderUnavailable": "encoder_unavailable",
    "MissingExtra": "missing_extra",
    "ParityError": "parity",
    "GenerationError": "generation_error",
    "NoGeneration": "no_generation",
    "DamagedGeneration": "damaged_generation",
    "EncoderMismatch": "encoder_mismatch",
    "TrainingError": "training_error",
    "TooFewPairs": "too_few_pairs",
    "TooFewEvents": "too_few_events",
    "TooLittleHistory": "too_little_history",
}


def test_every_error_has_its_published_code():
    kinds = {name: kind.code for name, kind in vars(errors).items() if isinstance(kind, type)}
    assert kinds == CODES


def test_a_new_error_takes_its_code_from_its_name():
    class ShopIsClosed(errors.BadInput):
        pass

    class ClosedForLunch(ShopIsClosed):
        code = "closed"

    class OpenAgain(ClosedForLunch):
        pass

    assert (ShopIsClosed.code, ClosedForLunch.code, OpenAgain.code) == ("shop_is_closed", "closed", "open_again")


def test_an_error_reads_as_its_message_and_its_hint():
    error = errors.BadFeed("There is no column for the title.", "Name one with --title.")
    assert (error.message, error.hint) == ("There is no column for the title.", "Name one with --title.")
    assert str(error) == "There is no column for the title. Name one with --title."
    assert str(errors.BadFeed("There is no column.")) == "There is no column."
