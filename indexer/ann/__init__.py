"""Nearest-neighbour index: FAISS, exact re-ranking, recall and block weights. The only importer of faiss."""
