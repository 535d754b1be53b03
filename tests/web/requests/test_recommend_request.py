"""Events from JSON: checked field by field, and refused by the place that is wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import BadQuery
from search.recommend.events.event_log import EVENT_KINDS, MAX_EVENTS, Event
from web.requests.recommend_request import parse_events

VIEW = {"type": "view", "product_id": "p"}


def test_an_event_may_have_quantity_and_price():
    request = {"visitor": "v", "events": [{**VIEW, "quantity": 2, "price": 0}, {**VIEW, "quantity": 0.5, "price": 1.5}]}
    assert parse_events(request) == (
        Event("view", "p", "v", quantity=2, price=0),
        Event("view", "p", "v", quantity=0.5, price=1.5),
    )
    assert [(event.quantity, event.price) for event in parse_events({"visitor": "v", "events": [VIEW]})] == [
        (None, None)
    ]


def test_events_are_read_from_json():
    request = {"visitor": "v", "events": [VIEW, {**VIEW, "type": "cart", "visitor": "w", "query_id": "q", "rank": 2}]}
    assert parse_events(request) == (Event("view", "p", "v"), Event("cart", "p", "w", "q", 2))
    assert len(parse_events({"visitor": "v", "events": [VIEW] * MAX_EVENTS})) == MAX_EVENTS


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"events": {}},
        {"events": []},
        {"events": [VIEW]},
        {"visitor": "v", "events": [VIEW] * (MAX_EVENTS + 1)},
        {"visitor": "v", "events": [VIEW], "email": "a@b.c"},
        {"visitor": "v", "events": ["view"]},
        {"visitor": "v" * 129, "events": [VIEW]},
        {"visitor": "", "events": [VIEW]},
        {"visitor": "  ", "events": [VIEW]},
        {"visitor": "\ud800", "events": [VIEW]},
        {"visitor": ["v"], "events": [VIEW]},
        *(
            {"visitor": "v", "events": [{**VIEW, **bad}]}
            for bad in (
                {"type": "buy"},
                {"type": ["view"]},
                {"type": None},
                {"product_id": 7},
                {"product_id": "p" * 501},
                {"product_id": "p\x00"},
                {"product_id": "p\nq"},
                {"rank": 0},
                {"rank": True},
                {"rank": 1.5},
                {"rank": 10**400},
                {"rank": "1"},
                {"query_id": "q" * 129},
                {"query_id": 7},
                {"quantity": 0},
                {"quantity": -1},
                {"quantity": "2"},
                {"quantity": True},
                {"quantity": float("inf")},
                {"price": -0.01},
                {"price": "1.50"},
                {"price": False},
                {"price": float("nan")},
                {"price": 10**400},
                {"address": "127.0.0.1"},
            )
        ),
    ],
)
def test_invalid_events_are_refused(value):
    with pytest.raises(BadQuery) as refused:
        parse_events(value)
    assert len(str(refused.value)) < 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(EVENT_KINDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["events", "visitor", "type", "product_id", "rank", "query_id", "price"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["events", "visitor", "email"]), JSON))
def test_any_json_is_events_that_can_be_stored_or_a_typed_error(value):
    try:
        events = parse_events(value)
    except BadQuery:
        return
    for event in events:
        event.product_id.encode("utf-8")
        event.visitor.encode("utf-8")


def test_a_null_in_an_event_is_the_same_as_leaving_the_field_out():
    nulls = {**VIEW, "query_id": None, "rank": None, "quantity": None, "price": None}
    assert parse_events({"visitor": "v", "events": [nulls]}) == (Event("view", "p", "v"),)


def test_the_place_that_is_wrong_is_named():
    with pytest.raises(BadQuery, match=r"events\[1\]\.visitor is missing"):
        parse_events({"events": [{**VIEW, "visitor": "v"}, VIEW]})
