"""What a worker answers, without a cluster: vectors as of a local build, and why it cannot."""

import io
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from catalog.errors import EncoderError, EncoderUnavailable
from indexer.distributed.encoding_worker import EncoderSource, EncodingWorker, Refusal
from indexer.encoders.registry import open_encoder
from tests.fake_encoder import FakeEncoder


@dataclass(frozen=True, slots=True)
class FakeSource(EncoderSource):
    texts: bool = True

    def open(self):
        return FakeEncoder(self.texts)


def png(colour):
    data = io.BytesIO()
    Image.new("RGB", (9, 7), colour).save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def worker():
    worker = EncodingWorker(FakeSource("fake"), threads=1, picture_seconds=60)
    assert worker.open() == "fa" * 32
    yield worker
    worker._decoders.close()


def test_good_pictures_have_vectors_and_bad_ones_a_reason(worker):
    batch = worker.encode_pictures([png((255, 0, 0)), b"no picture", png((0, 0, 255))])
    assert [bool(answer.broken) for answer in batch.answers] == [False, True, False]
    assert batch.answers[0].size == (9, 7)
    np.testing.assert_allclose(batch.vectors, [[1, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 1]], atol=1e-6)


def test_a_batch_of_bad_pictures_has_no_vectors(worker):
    assert worker.encode_pictures([b""]).vectors.shape == (0, 6)


def test_texts_have_the_rows_of_the_encoder(worker):
    np.testing.assert_allclose(worker.encode_texts(["red", "blue hat"])[:, 3:], [[1, 0, 0], [0, 0, 1]])


def test_errors_come_back_as_refusals():
    worker = EncodingWorker(FakeSource("fake", texts=False), threads=1, picture_seconds=60)
    worker.open()
    refusal = worker.encode_texts(["red"])
    assert isinstance(refusal, Refusal) and refusal.error == "UnsupportedQuery" and refusal.hint
    unknown = EncodingWorker(EncoderSource("no-such-encoder"), threads=1, picture_seconds=60).open()
    assert isinstance(unknown, Refusal) and unknown.error == "UnknownEncoder"
    assert issubclass(EncoderUnavailable, EncoderError)


def test_a_source_opens_an_encoder_of_the_registry():
    assert EncoderSource("colour").open().fingerprint == open_encoder("colour").fingerprint
