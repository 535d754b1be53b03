"""The vectors of a generation, behind one contract: in this process with FAISS, or in an engine such as Milvus.

Generations, builds and snapshots import this package; it knows of none of them.

Imported by indexer.build, indexer.generations, indexer.vectors.milvus, search.retrieval, search.state.
"""
