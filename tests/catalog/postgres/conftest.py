"""A schema of its own for every test of PostgreSQL."""

from contextlib import closing

import pytest


@pytest.fixture
def schema(postgres_server):
    return postgres_server.new_schema()


@pytest.fixture
def address(postgres_server, schema):
    return postgres_server.address(schema)


@pytest.fixture
def opener(postgres_server, schema):
    """Open the test's catalogue, as another process would."""
    return postgres_server.opener(schema)


@pytest.fixture
def catalogue(opener):
    with closing(opener()) as opened:
        yield opened
