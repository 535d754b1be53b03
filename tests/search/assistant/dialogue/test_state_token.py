"""The state token: it gives back what was put in, to this shop alone, for a day, and shows nobody what it holds."""

import pytest
from itsdangerous.encoding import base64_decode

from catalog.errors import BadConversation, ExpiredConversation
from search.assistant.dialogue.conversation import DialogueState, LastSearch
from search.assistant.dialogue.state_token import MAX_STATE_TOKEN, STATE_AGE_S, StateTokens

STATE = DialogueState(
    "thread-1",
    language="zh",
    product_id="mug/1",
    search=LastSearch("红色 mugs", shown=6),
    expects="order_email",
    order_number="10482",
    order_email="ann@example.com",
    shown=("a", "b"),
)
TOKENS = StateTokens(b"k" * 32)


def test_a_state_comes_back_as_it_was():
    assert TOKENS.read(TOKENS.make(STATE, now=1_000), now=1_000 + STATE_AGE_S) == STATE


def test_nothing_of_it_can_be_read_and_no_two_tokens_are_alike():
    one, two = TOKENS.make(STATE), TOKENS.make(STATE)
    assert one != two
    for token in (one, two):
        data = base64_decode(token.rpartition(".")[0])
        assert b"10482" not in data and b"ann" not in data and b"mug" not in data


def test_another_shop_cannot_read_it():
    with pytest.raises(BadConversation, match="not one that this shop gave"):
        StateTokens(b"j" * 32).read(TOKENS.make(STATE))


@pytest.mark.parametrize("place", [0, 5, 30, -1])
def test_a_changed_character_is_noticed(place):
    token = TOKENS.make(STATE)
    place %= len(token)
    other = "A" if token[place] not in "ABCD" else "z"  # the two lowest bits of the last one mean nothing
    with pytest.raises(BadConversation):
        TOKENS.read(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize("token", ["", "x", "A.B", "é" * 20, "A" * (MAX_STATE_TOKEN + 1)])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(BadConversation):
        TOKENS.read(token)


@pytest.mark.parametrize("age", [STATE_AGE_S + 1, -60])
def test_an_old_token_and_one_from_the_future_have_expired(age):
    with pytest.raises(ExpiredConversation):
        TOKENS.read(TOKENS.make(STATE, now=100_000), now=100_000 + age)


def test_a_search_that_is_too_large_for_a_token_is_left_out():
    token = TOKENS.make(DialogueState("t", search=LastSearch(refine="".join(map(chr, range(256, 20_000))))))
    assert len(token) <= MAX_STATE_TOKEN and TOKENS.read(token).search == LastSearch()
