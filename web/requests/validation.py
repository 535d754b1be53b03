"""The base models and field types of requests, and the one place where pydantic's errors become BadQuery."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from flask import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError, PydanticKnownError, core_schema
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import UnsupportedMediaType

from catalog.errors import BadQuery
from catalog.text.strings import SURROGATES
from search.query.filters import MAX_VALUE
from web.errors import MalformedRequest, UnsupportedContentType
from web.middleware.uploads import body_of, bytes_of_base64

MAX_WHOLE = 10**9
MAX_SHOWN = 60  # characters of a value in an error message
BASE64 = "A picture file in base64: JPEG, PNG, WebP, AVIF, GIF, or HEIC where that is installed."
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
NULL = {"type": "null"}
# What is expected, by the type of pydantic's error, where its own words are those of Python.
OBJECT = "should be an object"
EXPECTED = {"dict_type": OBJECT, "model_type": OBJECT, "string_pattern_mismatch": "should be more than blanks"}


class RequestModel(BaseModel):
    """Fields that a client sends; a field with another name is refused.

    `example` is a JSON body; when `runnable`, it works in a shop with the product "red".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    example: ClassVar[str] = ""
    runnable: ClassVar[bool] = True


class Parameters(RequestModel):
    """The parameters of an address, behind its question mark."""


def accept_nulls(schema: dict[str, Any]) -> None:
    """Let every field of a JSON Schema be null, as `json_object` does by dropping null fields."""
    for name, field in schema["properties"].items():
        if NULL not in field.get("anyOf", ()):
            schema["properties"][name] = {"anyOf": [field, NULL]}
    schema["additionalProperties"] = NULL


def non_null(field: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a field without null."""
    options = [option for option in field.get("anyOf", ()) if option != NULL]
    return options[0] if len(options) == 1 else field


def one_of(companions: Mapping[str, Sequence[str]]) -> Callable[[dict[str, Any]], None]:
    """Return what changes a JSON Schema to: exactly one of these fields, perhaps with its companions."""

    def change(schema: dict[str, Any]) -> None:
        fields = schema.pop("properties")
        schema["oneOf"] = [
            {
                "type": schema["type"],
                "properties": {name: non_null(fields[name])} | {other: fields[other] for other in others},
                "required": [name],
                "additionalProperties": False,
            }
            for name, others in companions.items()
        ]
        del schema["type"], schema["additionalProperties"]

    return change


class Body(RequestModel):
    """A JSON object whose null fields count as absent."""

    model_config = ConfigDict(json_schema_extra=accept_nulls)


Model = TypeVar("Model", bound=RequestModel)
T = TypeVar("T")


def non_blank(max_length: int) -> Any:
    """Limit the length of a text that is not blank."""
    return Field(min_length=1, max_length=max_length, pattern=r"\S")


@dataclass(frozen=True, slots=True)
class ChoiceOf:
    """Accept one of these texts."""

    values: Sequence[str]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.literal_schema(list(self.values))


def whole_number(value: object) -> int:
    """Return a whole number from JSON, a form or an address."""
    number = value
    if isinstance(value, float) and value.is_integer():  # JSON does not tell 5 from 5.0
        number = int(value)
    elif isinstance(value, str) and "_" not in value:  # which int() takes for a separator
        with suppress(ValueError):
            number = int(value)
    if type(number) is not int:
        raise PydanticKnownError("int_type")
    if abs(number) > MAX_WHOLE:
        raise PydanticCustomError("far_number", "Input should be within {limit} of zero", {"limit": MAX_WHOLE})
    return number


def _flag(value: object) -> object:
    return {"true": True, "1": True, "false": False, "0": False}.get(value, value) if isinstance(value, str) else value


def _encodable(value: object) -> object:
    if isinstance(value, str) and SURROGATES.search(value):
        raise PydanticKnownError("string_unicode")
    return value


def _picture_source(value: object) -> str | FileStorage:
    if not isinstance(value, str | FileStorage):
        raise PydanticKnownError("string_type")
    return value


Whole = BeforeValidator(whole_number)
Number = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, BeforeValidator(_flag), Field(strict=True)]
Text = Annotated[str, BeforeValidator(_encodable)]
PictureSource = Annotated[
    str | FileStorage,
    PlainValidator(_picture_source, json_schema_input_type=Annotated[str, Field(description=BASE64)]),
]
ProductId = Annotated[str, non_blank(MAX_VALUE)]


def source_bytes(source: str | FileStorage) -> bytes:
    """Return the bytes of an uploaded file or of a base64 text. Raises BadPicture."""
    return source.stream.read() if isinstance(source, FileStorage) else bytes_of_base64(source)


def validate(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Return the values as the model. Raises BadQuery, which names the first field that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _refusal(model, error) from None


def read_json(model: type[Model], request: Request) -> Model:
    """Return a JSON body as the model. Raises UnsupportedContentType, MalformedRequest, BadQuery."""
    if not request.is_json:
        hint = f"Send it with Content-Type: application/json; for example {model.example}."
        raise UnsupportedContentType("The body is not JSON.", hint)
    return validate(model, json_object(body_of(request), model.example))


def json_object(body: bytes, example: str, nulls: Collection[str] = ()) -> dict[str, Any]:
    """Return the fields of a JSON body that are not null, or may be, as `nulls`.

    Raises MalformedRequest, which shows the example.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("The body is not valid JSON.", f"For example {example}.") from None
    if not isinstance(fields, dict):
        raise MalformedRequest("The body is JSON, but not an object.", f"For example {example}.")
    return {name: value for name, value in fields.items() if value is not None or name in nulls}


def read_fields(
    request: Request, model: type[Model], files: str, as_json: Sequence[str] = (), nulls: Collection[str] = ()
) -> dict[str, Any]:
    """Return the fields of a JSON body or a form, unchecked; none of an empty body.

    In a form, the field `files` may come several times as files, and the fields `as_json` are JSON texts. In JSON, null
    leaves a field out, but for the fields `nulls`.
    Raises UnsupportedMediaType, MalformedRequest, BadQuery.
    """
    if request.is_json:
        return json_object(body_of(request), model.example, nulls)
    if request.mimetype not in FORM_TYPES and (request.mimetype or request.content_length):
        raise UnsupportedMediaType
    fields: dict[str, Any] = {}
    chosen = [(name, given) for name, parts in request.files.lists() if (given := [*filter(_is_chosen, parts)])]
    sent: list[tuple[str, list[Any]]] = [*chosen, *request.form.lists()]
    for name, values in sent:
        several = name == files and isinstance(values[0], FileStorage)
        if name in fields or (len(values) > 1 and not several):
            raise BadQuery(f"{shown(name)} was given more than once.", "Send each field once.")
        fields[name] = values if several else values[0]
        if name in as_json and isinstance(values[0], str):
            try:
                fields[name] = json.loads(values[0])
            except (ValueError, RecursionError):
                raise BadQuery(
                    f"{name} is {shown(values[0])}, which is not valid JSON.", _hint(model, (name,))
                ) from None
    return fields


def _is_chosen(part: FileStorage) -> bool:
    """Return whether a part of a form is a file: browsers send one without a name and bytes where none was chosen."""
    if part.filename:
        return True
    chosen = bool(part.stream.read(1))
    part.stream.seek(0)
    return chosen


def check(validator: Callable[[object], T], value: object, name: str) -> T:
    """Return the value of a single field, by one of the validators of field types. Raises BadQuery."""
    try:
        return validator(value)
    except (PydanticCustomError, PydanticKnownError) as error:
        raise BadQuery(f"{name} {_problem(error.type, error.message(), value)}.") from None


def shown(value: object) -> str:
    """Return a value as an error message shows it, cut to `MAX_SHOWN` characters."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def names(values: Sequence[object]) -> str:
    """Return names as an error message lists them, at most five."""
    return ", ".join(map(shown, values[:5])) + (" and more" if len(values) > 5 else "")


def _refusal(model: type[RequestModel], error: ValidationError) -> BadQuery:
    problems = error.errors(include_url=False)
    unknown = [found["loc"] for found in problems if found["type"] == "extra_forbidden"]
    if unknown:
        parent = unknown[0][:-1]
        listed = names([place[-1] for place in unknown if place[:-1] == parent])
        if parent:
            return BadQuery(f"{_path(parent)} has no field {listed}.", _hint(model, parent))
        noun = "parameter" if issubclass(model, Parameters) else "field"
        return BadQuery(f"There is no {noun} {listed}.", f"The {noun}s are {', '.join(model.model_fields)}.")
    first = problems[0]
    text = _problem(first["type"], first["msg"], first["input"])
    return BadQuery(f"{_path(first['loc'])} {text}.", _hint(model, first["loc"]))


def _problem(kind: str, message: str, value: object) -> str:
    """Return what is wrong with a value; `message` begins like "Input should be", as all of pydantic's do."""
    if kind == "missing":
        return "is missing"
    expected = EXPECTED.get(kind) or message.partition(" ")[2].replace(" after validation", "")
    return f"is {shown(value)}; it {expected}"


def _path(place: Sequence[int | str]) -> str:
    """Return a place as JSON writers do: ("terms", 0, "text") is terms[0].text."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def _hint(model: type[RequestModel], place: Sequence[int | str]) -> str:
    name = str(place[0]) if place else ""
    field = model.model_fields.get(name)
    if field is None or not field.examples:
        return f"For example {model.example}." if model.example else ""
    if issubclass(model, Parameters):
        return f"For example {name}={field.examples[0]}."
    return f"For example {json.dumps({name: field.examples[0]})}."
