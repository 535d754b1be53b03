"""Nearest-neighbour index: FAISS, exact re-ranking, recall and block weights. Only this package imports faiss."""
