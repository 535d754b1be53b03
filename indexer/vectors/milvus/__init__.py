"""Milvus as the place of a shop's vectors: a generation is a collection, the pointer to the current one an alias.

The sole importer of pymilvus. What is written here runs on Milvus 2.4 and later, and on milvus-lite's server.

Imported by indexer.build, indexer.generations.
"""
