"""Fitting heads: the starter's from public datasets, a shop's own from its catalogue."""
