"""Pydantic's errors as ours: the field by its path, what is wrong with it, and an example."""

from typing import Annotated

import pytest
from pydantic import Field

from catalog.errors import BadQuery
from web.requests.search_models import Search
from web.requests.validation import (
    Body,
    ChoiceOf,
    Flag,
    Number,
    Parameters,
    PictureSource,
    Text,
    Whole,
    check,
    validate,
)
from web.requests.validation import whole_number as whole


class Inner(Body):
    """A part of Outer."""

    text: Text = ""


class Outer(Body):
    """A body with a field of each type."""

    example = '{"count": 3}'
    count: Annotated[int, Whole] = 1
    number: Number = 1.0
    flag: Flag = False
    kind: Annotated[str, ChoiceOf(("a", "b"))] = "a"
    parts: Annotated[list[Inner], Field(max_length=2)] = Field([], examples=[[{"text": "red"}]])
    pictures: list[PictureSource] = []  # noqa: RUF012 - pydantic copies it
    title: Annotated[str, Field(max_length=5)] = ""


class Page(Parameters):
    """A parameter."""

    limit: Annotated[int, Field(examples=[40]), Whole] = 40


PARTS = 'For example {"parts": [{"text": "red"}]}.'


@pytest.mark.parametrize(
    ("fields", "message", "hint"),
    [
        ({"count": True}, "count is True; it should be a valid integer.", 'For example {"count": 3}.'),
        ({"count": "1_0"}, "count is '1_0'; it should be a valid integer.", 'For example {"count": 3}.'),
        (
            {"count": 10**10},
            "count is 10000000000; it should be within 1000000000 of zero.",
            'For example {"count": 3}.',
        ),
        ({"number": "1"}, "number is '1'; it should be a valid number.", 'For example {"count": 3}.'),
        ({"number": 10**400}, f"number is 1{'0' * 56}...; it should be a valid number.", 'For example {"count": 3}.'),
        ({"flag": 1}, "flag is 1; it should be a valid boolean.", 'For example {"count": 3}.'),
        ({"kind": "c"}, "kind is 'c'; it should be 'a' or 'b'.", 'For example {"count": 3}.'),
        ({"parts": "x"}, "parts is 'x'; it should be a valid list.", PARTS),
        ({"parts": [{}, 5]}, "parts[1] is 5; it should be an object.", PARTS),
        ({"parts": [{}] * 3}, "parts is [{}, {}, {}]; it should have at most 2 items, not 3.", PARTS),
        (
            {"parts": [{"text": 5}]},
            "parts[0].text is 5; it should be a valid string.",
            PARTS,
        ),
        ({"parts": [{"a": 1}]}, "parts[0] has no field 'a'.", PARTS),
        ({"pictures": [5]}, "pictures[0] is 5; it should be a valid string.", 'For example {"count": 3}.'),
        (
            {"title": "\ud800"},
            "title is '\\ud800'; it should be a valid string, unable to parse raw data as a unicode string.",
            'For example {"count": 3}.',
        ),
        (
            {"title": "x" * 1_001},
            f"title is '{'x' * 56}...; it should have at most 5 characters.",
            'For example {"count": 3}.',
        ),
        (
            {"b": 1, "a": 2, "count": "x"},
            "There is no field 'b', 'a'.",
            "The fields are count, number, flag, kind, parts, pictures, title.",
        ),
    ],
)
def test_a_wrong_field_is_named(fields, message, hint):
    with pytest.raises(BadQuery) as refused:
        validate(Outer, fields)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_a_wrong_parameter_is_named():
    with pytest.raises(BadQuery, match="limit is 'x'; it should be a valid integer") as refused:
        validate(Page, {"limit": "x"})
    assert refused.value.hint == "For example limit=40."
    with pytest.raises(BadQuery, match="There is no parameter 'page'"):
        validate(Page, {"page": "2"})


def test_values_are_read_as_json_and_forms_write_them():
    assert validate(Outer, {"count": 5.0, "flag": "true"}) == validate(Outer, {"count": "5", "flag": True})
    assert check(whole, "12", "offset") == 12
    with pytest.raises(BadQuery, match="offset is 'x'; it should be a valid integer"):
        check(whole, "x", "offset")


def test_only_given_fields_of_a_search_count_as_given():
    assert validate(Search, {"text": "red", "k": 5}).model_fields_set == {"text", "k"}
