"""Tests of indexer.encoders.graphs."""
