"""Nearest-neighbour index: FAISS, exact re-ranking, recall and block weights. Only this package imports faiss.

Imported by indexer.build, indexer.cli, indexer.generations, indexer.vectors, indexer.vectors.milvus, search.bulk,
search.retrieval, search.state.
"""
