"""The requests of bulk jobs: a new job, its state, its rows, and decisions on them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from catalog.errors import BadQuery
from search.bulk.job_store import ALL, CANCELLED, FILTERS, WAITING
from search.bulk.review import MAX_VALUE_LENGTH
from web.requests.validation import Body, ChoiceOf, Flag, Number, Parameters, RequestModel, Text, Whole, one_of

PAGE_ROWS = 40
MAX_DECISIONS = 500  # decisions in one request
MAX_ROW_NUMBER = 2**31 - 1
STEP_FIELDS = ("decisions", "set_field", "accept_above", "accept_sure", "undo")
ROW_NUMBERS = Annotated[int, Field(strict=True, ge=1, le=MAX_ROW_NUMBER)]
VALUES = {
    "properties": {name: {"type": "string", "maxLength": MAX_VALUE_LENGTH} for name in ("title", "id", "price")},
    "additionalProperties": {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_LENGTH, "pattern": r"\S"},
}


class NewJob(Body):
    """A new job: the name of its file and the size of the file in bytes."""

    example = '{"name": "list.zip", "bytes": 1048576}'
    name: Text = ""
    bytes: Annotated[int, Field(ge=1), Whole]


class JobState(RequestModel):
    """The state to bring a job to."""

    example = '{"state": "waiting"}'
    state: Annotated[str, ChoiceOf((WAITING, CANCELLED))]


class FilePart(Parameters):
    """Where in the job's file a part begins, in bytes."""

    offset: Annotated[int, Field(ge=0, examples=[0]), Whole] = 0


class RowsPage(Parameters):
    """Which rows of a job to return: those after a row number, at most `limit`."""

    show: Annotated[str, ChoiceOf(FILTERS)] = ALL
    after: Annotated[int, Field(ge=0, examples=[0]), Whole] = 0
    limit: Annotated[int, Field(ge=1, examples=[PAGE_ROWS]), Whole] = PAGE_ROWS


class DecisionRequest(RequestModel):
    """A decision on one row: accept the suggested fields, set `values`, or decline when neither is given."""

    row: Annotated[int, Field(strict=True, ge=1, le=MAX_ROW_NUMBER)]
    accept: bool = Field(False, strict=True, description="Accept the suggestion for each field not in `values`.")
    values: Annotated[
        dict[str, Annotated[str, StringConstraints(strip_whitespace=True)]],
        Field(
            json_schema_extra=VALUES,
            description="Decided values by field, without control characters. `title`, `id` and `price` replace the"
            " row's own and decide nothing else; the row's own value, which may be empty, takes back the decided one.",
        ),
    ] = Field(default_factory=dict)


class FieldOfRows(RequestModel):
    """One field of several rows, and its new value."""

    example = '{"field": "colour", "value": "navy", "rows": [3, 4, 7]}'
    field: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="A suggested field, `title` or `price`."
    )
    value: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_VALUE_LENGTH)]
    rows: Annotated[list[ROW_NUMBERS], Field(min_length=1, max_length=MAX_DECISIONS)]


class PublishRows(RequestModel):
    """Which accepted rows to publish: those after a row number, of `rows` or of all; as a part of a publication."""

    example = '{"after": 0}'
    runnable = False
    rows: Annotated[list[ROW_NUMBERS], Field(min_length=1, max_length=MAX_DECISIONS)] | None = None
    after: Annotated[int, Field(ge=0, le=MAX_ROW_NUMBER, description="`last` of the part before."), Whole] = 0
    publication: Annotated[int, Field(ge=0, le=MAX_ROW_NUMBER, description="That of the part before."), Whole] = 0


class Decisions(RequestModel, json_schema_extra=one_of(dict.fromkeys(STEP_FIELDS, ()))):
    """One step of review, by one of the fields.

    `decisions` are on rows, each row once; `set_field` sets one field of many rows and leaves the rest of them as it
    is; `accept_above` accepts all rows whose category reaches this confidence, with the attributes that are reliable by
    themselves; `accept_sure` accepts all undecided rows whose suggestion is reliable; `undo` takes the last step back.
    """

    example = '{"accept_above": 0.9}'
    decisions: Annotated[list[DecisionRequest], Field(min_length=1, max_length=MAX_DECISIONS)] | None = None
    set_field: FieldOfRows | None = None
    accept_above: Annotated[Number, Field(json_schema_extra={"minimum": 0, "maximum": 1})] | None = None
    accept_sure: Literal[True] | None = None
    undo: Flag | None = None

    @model_validator(mode="after")
    def _one_step(self) -> Decisions:
        if len(self.model_fields_set) != 1:
            raise BadQuery(f"Give one of {', '.join(STEP_FIELDS)}.", f"For example {self.example}.")
        return self
