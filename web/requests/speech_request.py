"""The request of a spoken question: a recording as the body or in a form, its language, and how many hits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from flask import Request
from pydantic import BeforeValidator, Field
from werkzeug.datastructures import FileStorage

from catalog.audio.limits import CONTENT_TYPES, check_size, formats
from catalog.errors import BadAudio, UnsupportedAudio
from search.speech.languages import LANGUAGES
from web.middleware.uploads import FORM_TYPE, body_of
from web.requests.validation import ChoiceOf, Parameters, Whole, read_fields, validate

MAX_HITS = 200
DEFAULT_HITS = 10
AUDIO_FIELD = "audio"


def _main_language(value: object) -> object:
    """Return the first part of a language tag: "de" of "de-AT"."""
    return value.partition("-")[0].lower() if isinstance(value, str) else value


class SpeechParameters(Parameters):
    """The language that is spoken, which is never guessed, and how many products to return; 0 for the words alone."""

    language: Annotated[str, ChoiceOf(LANGUAGES), BeforeValidator(_main_language)] = Field("en", examples=["en"])
    k: Annotated[int, Field(ge=0, le=MAX_HITS), Whole] = Field(DEFAULT_HITS, examples=[10])


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """A recording's bytes, the language that is spoken in it, and the number of products to return."""

    data: bytes
    language: str
    k: int


def read_speech_request(request: Request) -> SpeechRequest:
    """Return the recording of a request. Raises BadQuery, BadAudio, AudioTooLarge, UnsupportedAudio."""
    fields = request.args.to_dict()
    if request.mimetype == FORM_TYPE:
        form = read_fields(request, SpeechParameters, files=AUDIO_FIELD)
        data = _file_of(form.pop(AUDIO_FIELD, None))
        fields |= form
    elif request.mimetype in CONTENT_TYPES:
        data = body_of(request)
    else:
        raise UnsupportedAudio(
            f"The body is {request.mimetype or 'of no content type'}, which is no recording.",
            f"Send one of {', '.join(formats())} with its content type, such as audio/wav, or as the file"
            f" {AUDIO_FIELD!r} of a form.",
        )
    check_size(len(data))
    parameters = validate(SpeechParameters, fields)
    return SpeechRequest(data, parameters.language, parameters.k)


def _file_of(given: object) -> bytes:
    if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], FileStorage):
        raise BadAudio("The form has no recording.", f"Send one file in the field {AUDIO_FIELD!r}.")
    return given[0].stream.read()
