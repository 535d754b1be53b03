"""Shared by the tests of the assistant: the real towers are opened once."""

import pytest

from search.text_heads.text_vectors import TextVectors


@pytest.fixture(scope="session")
def text_vectors():
    return TextVectors.open()
