"""Queries are encoded while their words are looked up, and waited for when a vector is needed."""

import threading

import numpy as np
import pytest

from catalog.errors import BadQuery, EncoderError
from search.execution.deadlines import Deadline, StepRunner
from search.query.pending_query import PendingQuery, QueryEncoding
from search.query.query_encoder import EncodedQuery
from search.query.terms import ProductTerm, Query, TextTerm
from search.retrieval.lexical import Lexicon

WAIT_S = 300
TEXT = Query((TextTerm("red"),))


class Encoder:
    """Encodes when it may, or fails."""

    def __init__(self, error=None):
        self.may, self.begun, self.error, self.dropped = threading.Event(), 0, error, 0

    def begin(self, queries, rewrite, batches):
        self.queries, self.shared = queries, batches is not None
        self.begun += 1
        return self

    def result(self, stored_row):
        assert self.may.wait(WAIT_S)
        if self.error is not None:
            raise self.error
        return [EncodedQuery(query, np.ones(3, np.float32)) for query in self.queries]

    def drop(self):
        self.dropped += 1


def begun(encoder, queries=(TEXT,), timeout_ms=300_000):
    until = StepRunner(), None if timeout_ms is None else Deadline.within(timeout_ms)
    return QueryEncoding.begin(encoder, queries, str, lambda key: None, lambda key: 7, until)


def test_a_query_of_text_is_known_before_it_is_encoded_and_encoded_once():
    encoder = Encoder()
    pending = PendingQuery(begun(encoder), 0)
    assert encoder.begun == 1 and pending.query is TEXT  # would wait for ever otherwise
    encoder.may.set()
    assert pending.vector().tolist() == [1, 1, 1] and pending.encoded() is pending.encoded()


def test_a_single_query_is_encoded_beside_other_work_and_several_are_not():
    one, two = Encoder(), Encoder()
    begun(one), begun(two, (TEXT, TEXT))
    assert one.shared and not two.shared


@pytest.mark.parametrize("timeout_ms", [None, 300_000])
def test_where_the_encoder_fails_the_text_answers_if_it_can(timeout_ms):
    encoder = Encoder(EncoderError("The model is gone."))
    encoder.may.set()
    named = Query((TextTerm("red"), ProductTerm("P1")))
    encoding = begun(encoder, (named,), timeout_ms)
    with pytest.raises(EncoderError):
        encoding.result()
    encoding.can_fail = True
    assert encoding.result() == [EncodedQuery(named, None, (7,))] and encoding.degraded == ("vector",)


def test_what_is_wrong_with_a_query_is_said_whatever_else_answers():
    encoder = Encoder(BadQuery("Every weight is 0."))
    encoder.may.set()
    encoding = begun(encoder)
    encoding.can_fail = True
    with pytest.raises(BadQuery):
        encoding.result()


def test_what_fails_at_the_beginning_fails_where_the_vector_is_wanted():
    class Refusing(Encoder):
        def begin(self, queries, rewrite, batches):
            raise EncoderError("Too many wait.")

    encoding = begun(Refusing())
    encoding.drop()  # nothing to drop
    with pytest.raises(EncoderError):
        encoding.result()
    encoding.can_fail = True
    assert encoding.result()[0].vector is None


@pytest.mark.parametrize("timeout_ms", [None, 60_000])
def test_the_words_of_a_question_are_looked_up_while_it_is_encoded(engine, monkeypatch, timeout_ms):
    looked_up = threading.Event()
    encode, search = engine.encoder.encode_texts, Lexicon.search

    def encode_after_the_search(texts):
        assert looked_up.wait(WAIT_S)
        return encode(texts)

    def searching(lexicon, *given, **more):
        looked_up.set()
        return search(lexicon, *given, **more)

    query = Query((TextTerm("red"),), timeout_ms=timeout_ms)
    expected = engine.search(query)
    monkeypatch.setattr(engine.encoder, "encode_texts", encode_after_the_search)
    monkeypatch.setattr(Lexicon, "search", searching)
    found = engine.search(query)
    assert looked_up.is_set() and found.hits == expected.hits and found.degraded == ()


@pytest.mark.promise("R13")
def test_a_question_that_may_take_for_ever_holds_up_no_other(engine, monkeypatch):
    begins, may = threading.Event(), threading.Event()
    encode = engine.encoder.encode_texts

    def encode_when_it_may(texts):
        if "blue" in texts:
            begins.set()
            assert may.wait(WAIT_S)
        return encode(texts)

    monkeypatch.setattr(engine.encoder, "encode_texts", encode_when_it_may)
    endless = threading.Thread(target=engine.search, args=(Query((TextTerm("blue"),)),))
    endless.start()
    try:
        assert begins.wait(WAIT_S)
        assert engine.search(Query((TextTerm("red"),), timeout_ms=60_000)).degraded == ()
    finally:
        may.set()
        endless.join()
